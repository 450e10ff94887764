"""The static specification of a training run; hyperparameters of the objective vary without a new compilation."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from simlab.data.sources import Population, Source
from simlab.losses.objective import Objective, check_objective
from simlab.networks.specs import Architecture, check_architecture
from simlab.sizes import check_int32
from simlab.tasks.enumeration import check_population
from simlab.tasks.task import Task, check_task
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    from jaxtyping import Int

LINE_SEARCH_OPTIMIZERS = ("lbfgs",)
# Optimisers with decoupled weight decay, which is not part of the gradient.
DECOUPLED_DECAY_OPTIMIZERS = ("adamw", "nadamw", "lion", "lamb", "adan")
OPTIMIZERS = (
    *("sgd", "adam", "adamw", "adamax", "nadam", "nadamw", "rmsprop", "adagrad", "lion", "yogi", "radam", "lamb"),
    "adan",
    *LINE_SEARCH_OPTIMIZERS,
)
SCHEDULES = ("constant", "cosine", "warmup-cosine")
DECOUPLED_DECAY = "decoupled_weight_decay"

TaskT = TypeVar("TaskT", bound=Task)
NetworkT = TypeVar("NetworkT", bound=Architecture)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a run with its own objective, data source and optimiser.

    Args:
        objective: the objective; its loss, penalties and rates are called with the hyperparameters of the run.
        source: the source of training examples.
        optimizer: the name of an optax optimiser, one of ``OPTIMIZERS``. ``lbfgs`` minimises the risk of a whole
            training set, the population or a fixed sample with ``batch_size="all"``, and has no learning rate.
        n_steps: number of steps, a multiple of ``steps_per_record`` of the run.
        schedule: learning-rate schedule of the stage: ``constant``, ``cosine`` (to 0), or ``warmup-cosine`` (linear
            from 0 over ``warmup_steps``, then cosine to 0). Step ``k = 0, 1, ...`` of ``n`` has the factor
            ``(k+1)/w`` in a warm-up of ``w`` steps, then ``(1 + cos(pi (k-w)/(n-w)))/2``; ``cosine`` has ``w = 0``.
        warmup_steps: number of warm-up steps.
        learning_rate: the name of the hyperparameter that is the learning rate of this stage.
    """

    objective: Objective
    source: Source
    optimizer: str = "sgd"
    n_steps: int
    schedule: str = "constant"
    warmup_steps: int = 0
    learning_rate: str = "learning_rate"

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` if a field is out of range or does not fit the run; the message names it."""
        check_objective(self.objective)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_int32("n_steps", check_count("n_steps", self.n_steps, 0), "steps")
        if self.n_steps % spec.steps_per_record:
            raise invalid("n_steps", f"a multiple of steps_per_record={spec.steps_per_record}", self.n_steps)
        self._check_schedule()
        self.objective.check(spec)
        spec.network.check(spec.task, self.source)
        self.source.check(spec.task)
        self._check_line_search()
        if self.source.is_population and spec.task.n_examples is not None:
            width = spec.network.width(spec.task)
            check_population(spec.task.n_examples, self.objective.numbers_per_example(spec), width)
        fields = spec.objective.Hyperparameters._fields
        check_choice("learning_rate", self.learning_rate, fields)

    def _check_line_search(self) -> None:
        if self.optimizer not in LINE_SEARCH_OPTIMIZERS:
            return
        if not (isinstance(self.source, Population) or self.source.is_whole):
            wanted = f"'all' with optimizer={self.optimizer}, which needs the risk of a whole training set"
            raise invalid("batch_size", wanted, self.source.batch_size)
        if self.objective.stochastic:
            wanted = f"one without a line search, as the loss of {type(self.objective).__name__} is stochastic"
            raise invalid("optimizer", wanted, self.optimizer)

    def _check_schedule(self) -> None:
        check_count("warmup_steps", self.warmup_steps, 0)
        if self.schedule == "warmup-cosine" and not 0 < self.warmup_steps < self.n_steps:
            wanted = f"between 1 and n_steps-1={self.n_steps - 1} with schedule=warmup-cosine"
            raise invalid("warmup_steps", wanted, self.warmup_steps)
        if self.schedule != "warmup-cosine" and self.warmup_steps:
            raise invalid("warmup_steps", f"0 with schedule={self.schedule}", self.warmup_steps)
        if self.schedule != "constant" and self.optimizer in LINE_SEARCH_OPTIMIZERS:
            raise invalid("schedule", f"constant, as optimizer={self.optimizer} has no learning rate", self.schedule)


@dataclass(frozen=True, kw_only=True)
class TrainingSpec(Generic[TaskT, NetworkT]):
    """The static part of a training run.

    Args:
        task: the task.
        source: the source of training examples.
        network: the specification of the network.
        objective: defines the loss, the metrics and the saved representation; its penalty is the only weight decay,
            unless its hyperparameters have a ``decoupled_weight_decay``.
        optimizer, schedule, warmup_steps: as in :class:`Stage`.
        n_steps: steps of the main stage, a multiple of ``steps_per_record``; with 0 the untrained network is measured.
        pretraining: stages before the main one. Metrics and representation are those of ``objective`` throughout.
        steps_per_record: steps between two records.
        n_evaluation: number of examples on which metrics are measured.
        until_gradient_norm: a member stops at a record at which the gradient of the training risk over the whole
            training set has at most this norm, unless it is still near zero weights; None runs all steps.
        dtype: type of the weights, ``"float32"`` or ``"float64"``.
        precision: precision of matrix products; ``"highest"`` keeps float32 where a GPU would use TF32 and a TPU
            bfloat16.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    task: TaskT
    source: Source
    network: NetworkT
    objective: Objective
    optimizer: str = "sgd"
    schedule: str = "constant"
    warmup_steps: int = 0
    n_steps: int
    pretraining: tuple[Stage, ...] = field(default=())
    steps_per_record: int
    n_evaluation: int = 5000
    until_gradient_norm: float | None = None
    dtype: str = "float32"
    precision: str = "highest"

    def __post_init__(self):
        check_count("n_steps", self.n_steps, 0)
        check_count("steps_per_record", self.steps_per_record)
        check_count("n_evaluation", self.n_evaluation)
        check_int32("n_evaluation", self.n_evaluation, "examples")
        check_choice("dtype", self.dtype, ("float32", "float64"))
        check_choice("precision", self.precision, ("highest", "high", "default"))
        check_task(self.task)
        check_architecture(self.network)
        check_objective(self.objective)
        if not isinstance(self.pretraining, tuple) or not all(isinstance(stage, Stage) for stage in self.pretraining):
            raise invalid("pretraining", "a tuple of Stage", self.pretraining)
        for stage in self.stages:
            stage.check(self)
        check_int32("n_steps", self.total_steps, "the steps of all stages")
        self._check_decoupled_decay()
        if self.until_gradient_norm is not None:
            self._check_until()

    def _check_decoupled_decay(self) -> None:
        optimizers = {stage.optimizer for stage in self.stages}
        has_decay = DECOUPLED_DECAY in self.objective.Hyperparameters._fields
        if has_decay and not optimizers & set(DECOUPLED_DECAY_OPTIMIZERS):
            wanted = f"one of {', '.join(DECOUPLED_DECAY_OPTIMIZERS)}, as there is a decoupled weight decay"
            raise invalid("optimizer", wanted, self.optimizer)

    def _check_until(self) -> None:
        check_real("until_gradient_norm", self.until_gradient_norm, positive=True)
        if not self.source.is_fixed:
            wanted = "a fixed sample or the population, as fresh examples have no gradient that ends"
            raise invalid("until", wanted, "fresh")
        if self.pretraining:
            raise invalid("until", "a run without pretraining", f"{len(self.stages)} stages")

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages in order, the main one last."""
        main = Stage(
            objective=self.objective,
            source=self.source,
            optimizer=self.optimizer,
            n_steps=self.n_steps,
            schedule=self.schedule,
            warmup_steps=self.warmup_steps,
        )
        return (*self.pretraining, main)

    @property
    def total_steps(self) -> int:
        """The number of steps of all stages together."""
        return sum(stage.n_steps for stage in self.stages)

    @property
    def n_segments(self) -> int:
        """The number of segments, which is that of records after the initial one."""
        return self.total_steps // self.steps_per_record

    @property
    def record_steps(self) -> "Int[np.ndarray, ' R']":
        """The number of steps before each record; the first is 0."""
        return np.arange(self.n_segments + 1) * self.steps_per_record

    @property
    def first_segments(self) -> tuple[int, ...]:
        """The index of the first segment of each stage."""
        steps = [0, *(stage.n_steps for stage in self.stages)]
        return tuple(sum(steps[: i + 1]) // self.steps_per_record for i in range(len(self.stages)))

    @property
    def compile_key(self) -> "TrainingSpec":
        """The specification without the values that are data to compiled code; equal keys share one compilation."""
        return replace(self, task=self.task.compile_key)

    @property
    def group_key(self) -> "TrainingSpec":
        """The specification without all that a common program can cover; members of equal keys train in one batch."""
        return replace(self, task=self.task.group_key)

    def covering(self, other: "TrainingSpec") -> "TrainingSpec":
        """Return the compile key of a program for this specification and another one of the same group key."""
        return replace(self.compile_key, task=self.task.covering(other.task))

    def check_class_shards(self, class_shards: int) -> None:
        """Raise ``ValueError`` unless the parameters with a class axis can be split evenly over so many devices."""
        axes = self.network.split_axes(self.task).values()
        if class_shards > 1 and not axes:
            raise invalid("class_shards", "1, as no parameter of this network has an axis of classes", class_shards)
        for axis in axes:
            if axis.shape[0] % class_shards:
                raise invalid("class_shards", f"a divisor of {axis.field}={axis.shape[0]}", class_shards)
