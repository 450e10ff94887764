"""Options of the experiments on sparse features."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.tasks.sparse_features import MOST_WEIGHTED
from simlab.validation import check_choice, check_count, check_real, invalid

# Axes of the phase diagram.
PHASE_AXES = ("active_probability", "importance_ratio")
MASKS = ("auto", "weighted", "sampled")


@dataclass(frozen=True, kw_only=True)
class FeatureConfiguration(Configuration):
    """The options of a run on sparse features."""

    n_features: int = option(5, "number of features, n", group=TASK)
    n_hidden: int = option(2, "number of hidden dimensions, m; at most n", group=NETWORK)
    active_probability: float = option(
        0.1, "probability p that a feature is active (the sparsity is 1 - p)", group=TASK, label="p (active)"
    )
    importance: tuple[float, ...] | None = option(
        None, "importances I_i, n positive numbers separated by commas; none: all 1", group=TASK
    )
    importance_ratio: float = option(
        1.0, "ratio r of importances I_i = r^(i-1); replaces a list", group=TASK, label="importance ratio r"
    )
    masks: str = option(
        "auto",
        f"sets of active features: weighted (all, by probability), sampled, or auto (weighted up to {MOST_WEIGHTED} "
        f"features)",
        group=TRAINING,
    )
    nonlinearity: str = option("relu", "output nonlinearity: relu, or linear as a control", group=NETWORK)
    initial_scale: float = option(1.0, "root-mean-square length of the initial columns of W", group=TRAINING)
    batch_size: int = option(128, "samples of the features per step", group=TRAINING)
    n_evaluation: int = option(512, "samples on which the loss is evaluated during training", group=TRAINING)
    optimizer: str = option("adam", "an optax optimiser: adam, sgd, ...", group=TRAINING)
    learning_rate: float = option(0.02, "learning rate", group=TRAINING)
    schedule: str = option(
        "cosine", "schedule of the learning rate: constant, cosine (to zero) or warmup-cosine", group=TRAINING
    )
    n_steps: int = option(2000, "training steps", group=TRAINING)
    n_records: int = option(
        20, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )

    @property
    def importances(self) -> tuple[float, ...]:
        """The importance I_i of each feature.

        Raises:
            ValueError: both a list and a ratio are given, or the ratio is not positive.
        """
        ratio = check_real("importance_ratio", self.importance_ratio, positive=True)
        n_features = check_count("n_features", self.n_features)
        if self.importance is None:
            return tuple(ratio**index for index in range(n_features))
        if ratio != 1:
            raise invalid("importance_ratio", "1 where importance is given", ratio)
        return self.importance

    @property
    def weights_masks(self) -> bool:
        """Whether every set of active features is weighted by its probability.

        Raises:
            ValueError: there are too many features for weighting, or ``masks`` is not a valid choice.
        """
        check_choice("masks", self.masks, MASKS)
        if self.masks == "weighted" and check_count("n_features", self.n_features) > MOST_WEIGHTED:
            raise invalid("masks", f"sampled or auto for more than {MOST_WEIGHTED} features", self.masks)
        return self.masks == "weighted" or (self.masks == "auto" and self.n_features <= MOST_WEIGHTED)
