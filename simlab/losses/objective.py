"""The protocol of an objective: what is minimised and recorded, the interface between trainer and phenomenon.

The trainer is independent of losses, metrics and names of weights. An :class:`Objective` defines all of them: the loss
of a batch, an L2 penalty and a learning-rate factor for each parameter, the metrics of a record, and the named arrays
of the learned representation. An objective is part of a frozen specification, so that its module does not import JAX
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
    """The range of a hyperparameter, and its unit.

    Args:
        low: the smallest value.
        high: the largest value.
        open_low: whether ``low`` itself is excluded.
        unit: unit of the value; empty for a pure number.
    """

    low: float = 0.0
    high: float = math.inf
    open_low: bool = False
    unit: str = ""

    def check(self, name: str, value: object) -> float:
        """Return ``value`` as a float, or raise ``ValueError`` if it is out of range; the message names it."""
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
    """Label, unit and axis scale of a recorded scalar.

    Args:
        label: the name in tables and figures.
        unit: the unit; empty for a pure number.
        scale: scale of the ordinate: ``linear``, ``log`` or ``unit interval``.
    """

    label: str
    unit: str = ""
    scale: str = "linear"


class EvaluationSet(NamedTuple):
    """Examples on which a network is measured.

    Attributes:
        batch: the examples, in the form that the objective's loss expects.
        is_sample: whether they are a sample of a larger population, so that means over them have a sampling error.
    """

    batch: Any
    is_sample: bool


# The networks that an objective accepts.
NetworkT = TypeVar("NetworkT", contravariant=True)


class Objective(Protocol[NetworkT]):
    """An objective. Subclass it as a frozen, hashable dataclass.

    The methods that raise ``NotImplementedError`` are required. ``Objective[Autoencoder]`` declares that the objective
    accepts networks of that type.

    Attributes:
        Hyperparameters: a ``NamedTuple`` of scalars that a sweep may vary without a new compilation. It includes
            ``learning_rate``; a field ``decoupled_weight_decay`` is passed to AdamW and similar optimisers.
        bounds: ranges of the hyperparameters, by name; those not listed must be finite and not negative.
        additive: whether the loss of a batch is the sum of the losses of its parts, each example weighted by
            ``batch.weights``. False for losses with in-batch negatives, whose batches are never cut.
        stochastic: whether the loss draws random numbers; only then it receives a key.
        divergence_metric: the metric that is not finite once training has diverged.
        recorded: the metrics, by name, if they do not depend on the specification.
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
        """Return the learned representation: arrays by name, saved at the end and, on request, at every record."""
        raise NotImplementedError

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless this objective fits the task, network and source."""

    def penalties(self, params: "nnx.State", hyper) -> "nnx.State | None":
        """Return ``lam`` of the penalty ``lam/2 |p|^2`` of each parameter, a tree like ``params``; None for none."""
        return None

    def rates(self, params: "nnx.State", hyper) -> "nnx.State | None":
        """Return the factor on the learning rate of each parameter (0 freezes it); None for 1 throughout."""
        return None

    def numbers_per_example(self, spec: "TrainingSpec") -> int:
        """Return the numbers in memory per example while a network is measured, for planning memory."""
        return 1


REQUIRED = ("Hyperparameters", "loss", "measure", "representation")


def check_objective(objective: Any) -> None:
    """Raise ``ValueError`` unless an object implements :class:`Objective`; the message names what is missing."""
    for name in REQUIRED:
        inherited = getattr(type(objective), name, None) is getattr(Objective, name, None)
        if not hasattr(objective, name) or inherited:
            raise invalid("objective", f"an Objective with {name}", type(objective).__name__)
    fields = getattr(objective.Hyperparameters, "_fields", ())
    if "learning_rate" not in fields:
        raise invalid("objective", "Hyperparameters, a NamedTuple with a learning_rate", list(fields))


def check_hyperparameters(objective: Objective, hyper):
    """Return the hyperparameters, or raise ``ValueError`` if one is out of range; the message names it."""
    if type(hyper) is not objective.Hyperparameters:
        wanted = f"the Hyperparameters of {type(objective).__name__}"
        raise invalid("hyperparameters", wanted, type(hyper).__name__)
    for name, value in hyper._asdict().items():
        number = value.item() if hasattr(value, "item") else value
        objective.bounds.get(name, NON_NEGATIVE).check(name, number)
    return hyper
