"""What is minimised, and what is recorded of it: the contract between the trainer and a phenomenon.

The trainer knows no loss, no accuracy and no name of a weight. It asks an :class:`Objective` for all of them: a loss
per batch, an L2 penalty and a learning-rate factor for each parameter, the metrics of a record, and the named arrays
that make up the learned representation. An objective is part of a frozen specification, so its module imports no JAX
at the top; its methods are called while JAX traces.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

from simlab.validation import check_real, invalid

if TYPE_CHECKING:
    import jax
    from flax import nnx

    from simlab.training.spec import TrainingSpec


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The values that a hyperparameter may take, and their unit.

    Args:
        low: the least value.
        high: the largest value.
        open_low: whether ``low`` itself is excluded.
        unit: of the value; empty for a pure number.
    """

    low: float = 0.0
    high: float = math.inf
    open_low: bool = False
    unit: str = ""

    def check(self, name: str, value: object) -> float:
        """Return ``value`` as a float, or raise ``ValueError`` that names the hyperparameter."""
        if self.low == 0 and self.high == math.inf:
            return check_real(name, value, positive=self.open_low)
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        inside = self.low <= number <= self.high and not (self.open_low and number == self.low)
        if not (inside and math.isfinite(number)):
            ends = f"{'above' if self.open_low else 'from'} {self.low:g} to {self.high:g}"
            wanted = "a finite number" if self.low == -math.inf and self.high == math.inf else f"a number {ends}"
            raise invalid(name, wanted, value)
        return float(number)


POSITIVE = Bound(open_low=True)
NON_NEGATIVE = Bound()
FINITE = Bound(low=-math.inf)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How a recorded scalar is called and drawn.

    Args:
        label: what a reader calls it.
        unit: empty for a pure number.
        scale: of an ordinate: ``linear``, ``log`` or ``unit interval``.
    """

    label: str
    unit: str = ""
    scale: str = "linear"


class EvaluationSet(NamedTuple):
    """Examples on which a network is measured.

    Attributes:
        batch: what the objective's loss takes.
        is_sample: whether they are drawn from a larger population, so that means over them have a sampling error.
    """

    batch: Any
    is_sample: bool


# The networks whose loss and metrics an objective takes.
NetworkT = TypeVar("NetworkT", contravariant=True)


class Objective(Protocol[NetworkT]):
    """What is minimised. Subclass it as a frozen, hashable dataclass; the methods below without a body are required.

    ``Objective[Autoencoder]`` says that it takes networks of that type.

    Attributes:
        Hyperparameters: a ``NamedTuple`` of scalars that a sweep may vary without a new compilation, ``learning_rate``
            among them; a field ``decoupled_weight_decay`` is that of AdamW and its kin.
        bounds: of the hyperparameters, by name; those not named must be finite and not negative.
        additive: whether the loss of a batch is the sum of the losses of its parts, each example weighted by
            ``batch.weights``. It is not for in-batch negatives; the batch is then never cut.
        stochastic: whether the loss draws random numbers; only then is it given a key.
        divergence_metric: the metric that is not finite once training has diverged.
        recorded: the metrics, by name, where they do not depend on the specification.
    """

    Hyperparameters: ClassVar[type]
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType({"learning_rate": POSITIVE, "initial_scale": POSITIVE})
    additive: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    divergence_metric: ClassVar[str] = "risk"
    recorded: ClassVar[Mapping[str, Metric]] = MappingProxyType({})

    def loss(self, network: NetworkT, batch, data, hyper, key: "jax.Array | None") -> "jax.Array":
        """Return the loss of a batch, a scalar, without the penalty.

        Args:
            network: the module with its current parameters.
            batch: a pytree of examples.
            data: the task's arrays.
            hyper: the traced hyperparameters.
            key: a random key of the step if ``stochastic``, else None.
        """
        raise NotImplementedError

    def measure(
        self,
        network: NetworkT,
        evaluations: Mapping[str, EvaluationSet],
        data,
        hyper,
        *,
        penalty: "jax.Array",
        spec: "TrainingSpec",
    ) -> "Mapping[str, jax.Array]":
        """Return the metrics of a record: scalars with the names of :meth:`metrics`, in any order.

        Args:
            network: the module with its current parameters.
            evaluations: ``train`` and the sets that the task names.
            data: the task's arrays.
            hyper: the traced hyperparameters.
            penalty: ``sum_i lam_i/2 |p_i|^2`` over all parameters.
            spec: the static part of the run.
        """
        raise NotImplementedError

    def metrics(self, spec: "TrainingSpec") -> Mapping[str, Metric]:
        """Return label, unit and scale of each metric, by name."""
        return self.recorded

    def representation(self, network: NetworkT, data) -> "dict[str, jax.Array]":
        """Return the learned representation: arrays by name, kept at the end and, if asked, at other times."""
        raise NotImplementedError

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` for a task or network that this objective does not fit."""

    def penalties(self, params: "nnx.State", hyper) -> "nnx.State | None":
        """Return ``lam`` of the penalty ``lam/2 |p|^2`` of each parameter, in the tree of ``params``; None for none."""
        return None

    def rates(self, params: "nnx.State", hyper) -> "nnx.State | None":
        """Return the factor on the learning rate of each parameter (0 freezes it); None for 1 throughout."""
        return None

    def numbers_per_example(self, spec: "TrainingSpec") -> int:
        """Return how many numbers are held for each example while a network is measured; memory is planned by it."""
        return 1


REQUIRED = ("Hyperparameters", "loss", "measure", "representation")


def check_objective(objective: Any) -> None:
    """Raise ``ValueError`` unless an object has what :class:`Objective` requires; the message names what is missing."""
    for name in REQUIRED:
        inherited = getattr(type(objective), name, None) is getattr(Objective, name, None)
        if not hasattr(objective, name) or inherited:
            raise invalid("objective", f"an Objective with {name}", type(objective).__name__)
    fields = getattr(objective.Hyperparameters, "_fields", ())
    if "learning_rate" not in fields:
        raise invalid("objective", "Hyperparameters, a NamedTuple with a learning_rate", list(fields))


def check_hyperparameters(objective: Objective, hyper):
    """Return the hyperparameters, or raise ``ValueError`` for one that is out of its bounds; the message names it."""
    if type(hyper) is not objective.Hyperparameters:
        wanted = f"the Hyperparameters of {type(objective).__name__}"
        raise invalid("hyperparameters", wanted, type(hyper).__name__)
    for name, value in hyper._asdict().items():
        number = value.item() if hasattr(value, "item") else value
        objective.bounds.get(name, NON_NEGATIVE).check(name, number)
    return hyper
