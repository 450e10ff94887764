"""Settings of every experiment: flat, typed dataclasses whose fields are also the command-line options."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Self

from simlab.validation import check_choice, check_real

TASK, NETWORK, TRAINING = "task", "network", "training"
GROUPS = (TASK, NETWORK, TRAINING)


def option(default, text: str, unit: str = "", group: str = "", label: str = "") -> Any:
    """Return a dataclass field with the help of its command-line option.

    Args:
        default: the default value.
        text: description of the option.
        unit: unit of the values, such as ``nats``; empty for a pure number or a name.
        group: heading of the option in help, one of ``GROUPS``.
        label: label of the axis if the field varies; by default its name in words.
    """
    return field(default=default, metadata={"help": text, "unit": unit, "group": group, "label": label})


def option_of(record: type, name: str) -> Any:
    """Return an option with the default and the help of a field of another dataclass."""
    (same,) = (candidate for candidate in dataclasses.fields(record) if candidate.name == name)
    return field(default=same.default, metadata=same.metadata)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Settings shared by all phenomena; each phenomenon adds its own.

    Attributes:
        aliases: names that set several fields at once, each unless it is zero; ``weight_decay`` sets all weight decays
            of a phenomenon. The value is a finite non-negative number. An alias is an option and an axis like a field.
        unused: fields without meaning for a phenomenon, such as those of training for a measurement; they are not
            offered as options.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    unused: ClassVar[tuple[str, ...]] = ()

    n_steps: int | None = option(None, "training steps", group=TRAINING)
    n_records: int = option(
        100, "maximum number of points on a training curve (the number used divides the steps)", group=TRAINING
    )
    optimizer: str = option(
        "sgd", "optax optimiser: sgd, adam, ...; lbfgs needs all examples in each step", group=TRAINING
    )
    learning_rate: float = option(0.1, "learning rate", group=TRAINING)
    schedule: str = option(
        "constant", "schedule of the learning rate: constant, cosine (to zero) or warmup-cosine", group=TRAINING
    )
    warmup_steps: int = option(
        0, "warmup-cosine: duration of the rise of the learning rate from zero", unit="steps", group=TRAINING
    )
    until: str | None = option(
        None,
        "stop a member early, at gradient-norm=X on its whole training set and away from zero weights",
        group=TRAINING,
    )
    dtype: str = option("float32", "number format of weights and training: float32 or float64", group=TRAINING)
    precision: str = option("highest", "precision of matrix products: highest, high or default", group=TRAINING)

    def replace(self, **changes) -> Self:
        """Return a copy with some fields changed, by name or by alias; a field takes precedence over its alias.

        Raises:
            ValueError: there is no such field, or an alias is set to a negative or non-finite value.
        """
        for name in changes:
            check_choice("option", name, (*(field.name for field in dataclasses.fields(self)), *self.aliases))
        expanded = {}
        for name in (alias for alias in self.aliases if alias in changes):
            value = check_real(name, changes.pop(name))
            expanded |= {target: value for target in self.aliases[name] if getattr(self, target) != 0}
        return dataclasses.replace(self, **expanded | changes)


def fields_set(configuration: type[Configuration], name: str) -> tuple[str, ...]:
    """Return the fields that a name sets: those of an alias, or the field itself."""
    return configuration.aliases.get(name, (name,))
