"""What a user may set in every experiment: flat, typed records, whose fields are also the command's options."""

import dataclasses
from dataclasses import dataclass, field

WEIGHT_DECAY_SUFFIX = "_weight_decay"


def option(default, text: str):
    """Return a dataclass field with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The choices that all phenomena share; each adds its own."""

    n_steps: int | None = option(None, "training steps")
    n_records: int = option(100, "points of a training curve, at most (a divisor of the steps is taken)")
    optimizer: str = option("sgd", "an optax optimiser: sgd, adam, ...; lbfgs needs all examples in each step")
    learning_rate: float = option(0.1, "learning rate")
    initial_scale: float = option(1e-3, "factor on the initial weights")
    classifier_weight_decay: float = option(1e-3, "of the classifier: lam_U/2 |U|^2 (neural collapse: lam_W), nats")
    until: str | None = option(None, "stop a member early: gradient-norm=X, over its whole training set")
    precision: str = option("highest", "of matrix products: highest, high or default")

    def replace(self, **changes) -> "Configuration":
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def with_weight_decay(self, value: float) -> "Configuration":
        """Return a copy with ``value`` for each weight decay that is not zero."""
        decays = [one.name for one in dataclasses.fields(self) if one.name.endswith(WEIGHT_DECAY_SUFFIX)]
        return dataclasses.replace(self, **{name: value for name in decays if getattr(self, name) != 0})
