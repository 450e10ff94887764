"""Dimensional collapse: contrastive learning drops directions that augmentations disturb (Jing et al., 2021).

A linear encoder ``z = W x`` is trained on pairs of inputs with covariance S that differ by noise with covariance Q.
Which directions of the inputs does the embedding represent, and with what variance? `predict` answers this for three
losses, any S and Q, weight decay, and embeddings with fewer dimensions than the inputs.

* `pairs`: one or two augmented views of Gaussian inputs, or the pairs of a data set, as three second moments.
* `losses`: the expected loss of any encoder.
* `curve`: the distance similarity, for which ``f(t)`` is zero for ``t >= 2``: hard collapse.
* `prediction`, `minimiser`: the theorem for all three losses, and its evaluation. With the dot product and with the
  spectral loss directions shrink but none collapses, unless weight decay or a negative correlation of the pairs is
  stronger.
* `finite_batch`: the first-order correction for finitely many negatives.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.dimensional_collapse.curve import COLLAPSE_RATIO, surviving_eigenvalue
    from theory.dimensional_collapse.finite_batch import batch_correction, finite_batch_eigenvalues
    from theory.dimensional_collapse.losses import SIMILARITIES, expected_loss
    from theory.dimensional_collapse.minimiser import check_ratios, predict, predict_pairs
    from theory.dimensional_collapse.pairs import PairMoments, check_covariance, gaussian_pairs, sample_pairs
    from theory.dimensional_collapse.prediction import Prediction

__all__ = [
    "COLLAPSE_RATIO",
    "SIMILARITIES",
    "PairMoments",
    "Prediction",
    "batch_correction",
    "check_covariance",
    "check_ratios",
    "expected_loss",
    "finite_batch_eigenvalues",
    "gaussian_pairs",
    "predict",
    "predict_pairs",
    "sample_pairs",
    "surviving_eigenvalue",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "curve": ("COLLAPSE_RATIO", "surviving_eigenvalue"),
        "finite_batch": ("batch_correction", "finite_batch_eigenvalues"),
        "losses": ("SIMILARITIES", "expected_loss"),
        "minimiser": ("check_ratios", "predict", "predict_pairs"),
        "pairs": ("PairMoments", "check_covariance", "gaussian_pairs", "sample_pairs"),
        "prediction": ("Prediction",),
    },
)
