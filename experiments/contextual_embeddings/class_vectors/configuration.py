"""What a user may set in an experiment on free class vectors."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_real, invalid

NEGATIVES = ("expected", "batch")
# Mean cosines of different classes whose times are measured.
TARGETS = {"time_to_half": 0.5, "time_to_tenth": 0.1, "time_to_hundredth": 0.01}


@dataclass(frozen=True, kw_only=True)
class ClassConfiguration(Configuration):
    """All choices of a run on classes of sentences, each class a free vector."""

    n_classes: int = option(5, "classes, K", group=TASK)
    largest_prior: float | None = option(
        None, "probability of one class, the others equally likely; all are, if not given", group=TASK
    )
    batch_size: int | None = option(4, "pairs of a batch, B; none: infinitely many negatives", group=TASK)
    repeats_classes: bool = option(
        False, "whether the classes of a batch are drawn independently; else they all differ", group=TASK
    )
    dim: int = option(8, "dimensions of the vectors, d", group=NETWORK)
    initial_scale: float = option(1.0, "root-mean-square length of the initial vectors", group=TRAINING)
    initial_angle: float | None = option(
        None, "of the cone on which vectors start; normal vectors, if not given", unit="radians", group=TRAINING
    )
    random_directions: bool = option(
        False, "whether directions around the axis of the cone are random; else a simplex", group=TRAINING
    )
    negatives: str = option(
        "expected", "expected (the mean loss over all batches), or those of a batch drawn at each step", group=TRAINING
    )
    batches_per_step: int = option(
        1, "batches drawn at each step, whose losses are averaged; 1 where classes differ", group=TRAINING
    )
    temperature: float = option(0.5, "tau", group=TRAINING)
    weight_decay: float = option(0.0, "lam, of batches that are drawn; lengths have no effect", group=TRAINING)
    optimizer: str = option("lbfgs", "an optax optimiser; lbfgs where no batch is drawn", group=TRAINING)
    n_steps: int = option(200, "training steps", group=TRAINING)
    n_records: int = option(20, "points of a training curve, at most (a divisor of the steps is taken)", group=TRAINING)
    dtype: str = option("float64", "of weights and training: float32 or float64", group=TRAINING)

    def check(self) -> None:
        """Raise ``ValueError`` for choices that do not fit each other."""
        check_choice("negatives", self.negatives, NEGATIVES)
        check_real("temperature", self.temperature, positive=True)
        if self.negatives == "batch" and self.batch_size is None:
            raise invalid("batch_size", "a number with negatives=batch", None)
        if self.largest_prior is not None and self.batch_size is not None:
            raise invalid("batch_size", "none with unequal priors, as their theory has no batch", self.batch_size)

    @property
    def class_priors(self) -> tuple[float, ...] | None:
        """``K`` priors; None for equal ones."""
        from theory.contextual_embeddings import one_large_class

        return None if self.largest_prior is None else one_large_class(self.n_classes, self.largest_prior)


@dataclass(frozen=True, kw_only=True)
class ConeConfiguration(ClassConfiguration):
    """The same where vectors start on a cone and descend: each class once in a batch, at a constant step."""

    n_classes: int = option(24, "classes, K", group=TASK)
    batch_size: int | None = option(24, "pairs of a batch, B: each class once", group=TASK)
    dim: int = option(24, "dimensions of the vectors, d", group=NETWORK)
    initial_angle: float | None = option(0.1, "of the cone on which vectors start", unit="radians", group=TRAINING)
    optimizer: str = option("sgd", "sgd, gradient descent", group=TRAINING)
    n_steps: int = option(1600, "training steps", group=TRAINING)
    n_records: int = option(
        400, "points of a training curve, at most (a divisor of the steps is taken)", group=TRAINING
    )
