"""Options of the experiments on dimensional collapse."""

from dataclasses import dataclass

import numpy as np

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_count, check_real, invalid

SIMILARITIES = ("distance", "dot", "spectral")
NEGATIVES = ("expected", "batch")


@dataclass(frozen=True, kw_only=True)
class PairConfiguration(Configuration):
    """The options of a run on Gaussian pairs."""

    n_inputs: int = option(12, "input dimension, d", group=TASK)
    variances: tuple[float, ...] | None = option(
        None, "eigenvalues of S, d numbers separated by commas; none: drawn", group=TASK
    )
    variance_spread: float = option(
        4.0, "largest over smallest drawn variance; the law is log-uniform about 1", group=TASK
    )
    augmentation_ratios: tuple[float, ...] | None = option(
        None, "eigenvalues of S^-1 Q, d numbers separated by commas; none: drawn", group=TASK
    )
    largest_ratio: float = option(
        3.0, "largest drawn ratio; the law is uniform between 1/20 of it and itself", group=TASK
    )
    aligned: bool = option(False, "whether S and Q commute; ratios are then paired with variances in order", group=TASK)
    views: int = option(1, "augmented views of a pair: 1 or 2", group=TASK)
    n_pairs: int | None = option(None, "pairs in the data set; none: the population", group=TASK)
    law_seed: int = option(
        0, "seed of drawn variances, ratios, directions and the data set", group=TASK, label="law seed"
    )
    output_dim: int = option(12, "embedding dimension, m", group=NETWORK)
    initial_scale: float = option(0.5, "root-mean-square length of the initial columns of W", group=TRAINING)
    similarity: str = option(
        "distance",
        "exp(-|z - z'|^2/(2 tau)): distance; exp(z.z'/tau): dot; the spectral loss: spectral",
        group=TRAINING,
    )
    negatives: str = option(
        "expected", "expected (infinitely many negatives) or batch (in-batch negatives)", group=TRAINING
    )
    temperature: float = option(1.0, "temperature, tau", group=TRAINING)
    weight_decay: float = option(0.0, "lam; the penalty is lam/2 |W|^2", group=TRAINING)
    batch_size: int = option(256, "pairs per step, with in-batch negatives", group=TRAINING)
    optimizer: str = option("lbfgs", "an optax optimiser; lbfgs requires negatives=expected", group=TRAINING)
    n_steps: int = option(300, "training steps", group=TRAINING)
    n_records: int = option(
        20, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )
    dtype: str = option("float64", "number format of weights and training: float32 or float64", group=TRAINING)

    def check(self) -> None:
        """Raise ``ValueError`` for options that are inconsistent."""
        check_choice("similarity", self.similarity, SIMILARITIES)
        check_choice("negatives", self.negatives, NEGATIVES)
        check_count("n_inputs", self.n_inputs)
        check_count("law_seed", self.law_seed, 0)
        if self.n_pairs is not None and self.similarity != "spectral":
            raise invalid(
                "similarity", "spectral with n_pairs, the only loss predicted for a data set", self.similarity
            )
        if self.similarity == "spectral" and self.negatives == "batch":
            raise invalid("negatives", "expected with the spectral loss, which is biased in batches", self.negatives)

    @property
    def drawn_variances(self) -> tuple[float, ...]:
        """Eigenvalues of S, given or drawn."""
        spread = np.log(check_real("variance_spread", self.variance_spread, positive=True))
        return self._numbers("variances", self.variances, lambda uniform: np.exp(spread * (uniform - 0.5)), 0)

    @property
    def drawn_ratios(self) -> tuple[float, ...]:
        """Eigenvalues of ``S^{-1} Q``, given or drawn."""
        largest = check_real("largest_ratio", self.largest_ratio)
        return self._numbers(
            "augmentation_ratios", self.augmentation_ratios, lambda uniform: largest * (0.05 + 0.95 * uniform), 1
        )

    def _numbers(self, name: str, given: tuple[float, ...] | None, transform, stream: int) -> tuple[float, ...]:
        """Return the d given numbers, or d numbers drawn with the seed of the law."""
        n_inputs = check_count("n_inputs", self.n_inputs)
        if given is None:
            rng = np.random.default_rng((check_count("law_seed", self.law_seed, 0), stream))
            return tuple(transform(rng.uniform(size=n_inputs)).tolist())
        if len(given) != n_inputs:
            raise invalid(name, f"{n_inputs} numbers, one per input dimension", len(given))
        return given
