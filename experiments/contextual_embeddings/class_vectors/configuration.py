"""Options of the experiments on free class vectors."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_real, invalid

NEGATIVES = ("expected", "batch")
# Mean cosines between classes whose times are measured.
TARGETS = {"time_to_half": 0.5, "time_to_tenth": 0.1, "time_to_hundredth": 0.01}


@dataclass(frozen=True, kw_only=True)
class ClassConfiguration(Configuration):
    """The options of a run in which each class of sentences is a free vector."""

    n_classes: int = option(5, "number of classes, K", group=TASK)
    largest_prior: float | None = option(
        None, "prior of one class, the others equally likely; none: all equally likely", group=TASK
    )
    batch_size: int | None = option(4, "pairs per batch, B; none: infinitely many negatives", group=TASK)
    repeats_classes: bool = option(
        False, "whether the classes of a batch are drawn independently; otherwise they all differ", group=TASK
    )
    dim: int = option(8, "dimension of the vectors, d", group=NETWORK)
    initial_scale: float = option(1.0, "root-mean-square length of the initial vectors", group=TRAINING)
    initial_angle: float | None = option(
        None, "angle of the cone on which vectors start; none: Gaussian vectors", unit="radians", group=TRAINING
    )
    random_directions: bool = option(
        False, "whether directions around the cone's axis are random; otherwise they form a simplex", group=TRAINING
    )
    negatives: str = option(
        "expected", "expected (the mean loss over all batches) or batch (drawn at each step)", group=TRAINING
    )
    batches_per_step: int = option(
        1, "batches drawn and averaged at each step; 1 where the classes of a batch differ", group=TRAINING
    )
    temperature: float = option(0.5, "temperature, tau", group=TRAINING)
    weight_decay: float = option(0.0, "lam, with drawn batches; the loss does not depend on lengths", group=TRAINING)
    optimizer: str = option("lbfgs", "an optax optimiser; lbfgs requires negatives=expected", group=TRAINING)
    n_steps: int = option(200, "training steps", group=TRAINING)
    n_records: int = option(
        20, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )
    dtype: str = option("float64", "number format of weights and training: float32 or float64", group=TRAINING)

    def check(self) -> None:
        """Raise ``ValueError`` for options that are inconsistent."""
        check_choice("negatives", self.negatives, NEGATIVES)
        check_real("temperature", self.temperature, positive=True)
        if self.negatives == "batch" and self.batch_size is None:
            raise invalid("batch_size", "a number with negatives=batch", None)
        if self.largest_prior is not None and self.batch_size is not None:
            raise invalid("batch_size", "none with unequal priors, whose theory has no batch", self.batch_size)

    @property
    def class_priors(self) -> tuple[float, ...] | None:
        """``K`` priors; None for equal ones."""
        from theory.contextual_embeddings import one_large_class

        return None if self.largest_prior is None else one_large_class(self.n_classes, self.largest_prior)


@dataclass(frozen=True, kw_only=True)
class ConeConfiguration(ClassConfiguration):
    """The options of gradient descent at a constant rate from a cone, with each class once in the batch."""

    n_classes: int = option(24, "number of classes, K", group=TASK)
    batch_size: int | None = option(24, "pairs per batch, B: each class once", group=TASK)
    dim: int = option(24, "dimension of the vectors, d", group=NETWORK)
    initial_angle: float | None = option(
        0.1, "angle of the cone on which vectors start", unit="radians", group=TRAINING
    )
    optimizer: str = option("sgd", "sgd: gradient descent", group=TRAINING)
    n_steps: int = option(1600, "training steps", group=TRAINING)
    n_records: int = option(
        400, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )
