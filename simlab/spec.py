"""What a training run is: its static specification and its traced hyperparameters."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from simlab.architectures import Architecture, Task, TwoLayer
from simlab.labelled_samples import LabelledTask
from simlab.sources import FreshSentences, Population, Source
from simlab.tasks import check_population
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    import jax

LINE_SEARCH_OPTIMIZERS = ("lbfgs",)
OPTIMIZERS = (
    *("sgd", "adam", "adamax", "nadam", "rmsprop", "adagrad", "lion", "yogi", "radam", "lamb", "adan"),
    *LINE_SEARCH_OPTIMIZERS,
)

_TWO_LAYER = TwoLayer()


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """The static part of a training run.

    Args:
        task: what is learned.
        source: where sentences come from.
        network: what is trained on it.
        optimizer: the name of an optax optimiser, one of ``OPTIMIZERS``. The penalty of the risk is the only weight
            decay: one that an optimiser brings along is set to zero. ``lbfgs`` descends the risk of a whole training
            set, the population or a fixed sample with ``batch_size="all"``, and has no learning rate.
        n_steps: a multiple of ``steps_per_record``.
        steps_per_record: steps between two records.
        n_evaluation: sentences on which losses and accuracies are measured.
        until_gradient_norm: a member whose gradient of the training risk, over the whole training set, has at most this
            norm stops at its next record; None lets all run to the end.
        dtype: of the weights, ``"float32"`` or ``"float64"`` (run it within ``jax.enable_x64(True)``).
        precision: of matrix products; ``"highest"`` keeps float32 where a GPU would use TF32 and a TPU bfloat16.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    task: Task
    source: Source
    network: Architecture = _TWO_LAYER
    optimizer: str = "sgd"
    n_steps: int
    steps_per_record: int
    n_evaluation: int = 5000
    until_gradient_norm: float | None = None
    dtype: str = "float32"
    precision: str = "highest"

    def __post_init__(self):
        check_count("n_steps", self.n_steps)
        check_count("steps_per_record", self.steps_per_record)
        check_count("n_evaluation", self.n_evaluation)
        check_choice("dtype", self.dtype, ("float32", "float64"))
        check_choice("precision", self.precision, ("highest", "high", "default"))
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        if self.n_steps % self.steps_per_record:
            raise invalid("n_steps", f"a multiple of steps_per_record={self.steps_per_record}", self.n_steps)
        if self.until_gradient_norm is not None:
            check_real("until_gradient_norm", self.until_gradient_norm, positive=True)
            if isinstance(self.source, FreshSentences):
                raise invalid(
                    "until", "a fixed sample or the population, as fresh sentences have no gradient that ends", "fresh"
                )
        self.network.check(self.task)
        if isinstance(self.task, LabelledTask) and not isinstance(self.source, Population):
            raise invalid("source", "the population, as labelled samples are all there is", self.source)
        self.source.steps_per_epoch(self.task)
        if self.optimizer in LINE_SEARCH_OPTIMIZERS and not self.source.is_whole:
            wanted = f"'all' with optimizer={self.optimizer}, which needs the risk of a whole training set"
            raise invalid("batch_size", wanted, self.source.batch_size)
        if isinstance(self.source, Population):
            if getattr(self.network, "normalisation", None) == "batch":
                wanted = "another one with the population, whose sentences a batch does not hold as often as they occur"
                raise invalid("normalisation", wanted, "batch")
            check_population(self.task.n_examples, self.task.n_classes, self.network.width(self.task))

    @property
    def n_segments(self) -> int:
        """Number of segments, hence of records after the initial one."""
        return self.n_steps // self.steps_per_record

    @property
    def n_weights(self) -> int:
        """Number of weights."""
        return self.network.n_weights(self.task)

    @property
    def program(self) -> "TrainingSpec":
        """The specification less what is data to the compiled code: members of equal programs share one compilation."""
        return replace(self, task=self.task.program)

    @property
    def family(self) -> "TrainingSpec":
        """The specification less data and noise: what all members have in common that one program can train."""
        return replace(self, task=self.task.family)


class Hyperparameters(NamedTuple):
    """What a sweep varies without a new compilation; every field may be traced.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: factor on the initial weights.
        embedding_weight_decay: ``lam_W``, coefficient of ``|W|^2 / 2``, nats; for features, free or a network's output,
            that of ``|h_i|^2 / 2`` for each sample.
        classifier_weight_decay: ``lam_U``, coefficient of ``|U|^2 / 2``, nats.
    """

    learning_rate: "jax.Array | float" = 0.1
    initial_scale: "jax.Array | float" = 1e-3
    embedding_weight_decay: "jax.Array | float" = 1e-3
    classifier_weight_decay: "jax.Array | float" = 1e-3

    def check(self) -> "Hyperparameters":
        """Return itself, or raise ``ValueError`` for a value that is negative or not finite."""
        for name, value in self._asdict().items():
            number = value.item() if hasattr(value, "item") else value
            check_real(name, number, positive=name in ("learning_rate", "initial_scale"))
        return self
