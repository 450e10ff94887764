"""What a user may set in every experiment: flat, typed records, whose fields are also the command's options."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Self

from simlab.validation import check_choice, check_real

TASK, NETWORK, TRAINING = "task", "network", "training"
GROUPS = (TASK, NETWORK, TRAINING)


def option(default, text: str, unit: str = "", group: str = "", label: str = "") -> Any:
    """Return a dataclass field with what its option's help says.

    Args:
        default: of the field.
        text: what it is.
        unit: of its values, such as ``nats``; none for a pure number or a name.
        group: the heading that it stands under, one of ``GROUPS``.
        label: what a reader calls it where it is an axis; its name in words if it is not given.
    """
    return field(default=default, metadata={"help": text, "unit": unit, "group": group, "label": label})


def option_of(record: type, name: str) -> Any:
    """Return an option with the default and the help of a field that another dataclass has."""
    (same,) = (one for one in dataclasses.fields(record) if one.name == name)
    return field(default=same.default, metadata=same.metadata)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The choices that all phenomena share; each adds its own.

    Attributes:
        aliases: names that each set several fields, wherever these are not zero: ``weight_decay`` for the weight decays
            of a phenomenon. Its values are non-negative numbers. An alias is an option and an axis as a field is.
        unused: fields that have no meaning for a phenomenon, as those of training for a measurement; they are no
            options.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    unused: ClassVar[tuple[str, ...]] = ()

    n_steps: int | None = option(None, "training steps", group=TRAINING)
    n_records: int = option(
        100, "points of a training curve, at most (a divisor of the steps is taken)", group=TRAINING
    )
    optimizer: str = option(
        "sgd", "an optax optimiser: sgd, adam, ...; lbfgs needs all examples in each step", group=TRAINING
    )
    learning_rate: float = option(0.1, "learning rate", group=TRAINING)
    schedule: str = option(
        "constant", "of the learning rate: constant, cosine (to zero) or warmup-cosine", group=TRAINING
    )
    warmup_steps: int = option(
        0, "warmup-cosine: over which the learning rate rises from zero", unit="steps", group=TRAINING
    )
    until: str | None = option(
        None,
        "stop a member early: gradient-norm=X over its whole training set, away from zero weights",
        group=TRAINING,
    )
    dtype: str = option("float32", "of weights and training: float32 or float64", group=TRAINING)
    precision: str = option("highest", "of matrix products: highest, high or default", group=TRAINING)

    def replace(self, **changes) -> Self:
        """Return a copy with some fields changed, which may be named by alias; a field given beside its alias wins.

        Raises:
            ValueError: there is no such field, or an alias is set to a negative value or to one that is not finite.
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
