"""The predicted contamination of a task, and the basis of the prediction."""

from __future__ import annotations

import math
from dataclasses import dataclass

from theory.feature_contamination.ratio import contamination_ratio, one_line_law, ood_accuracy
from theory.feature_contamination.task import UNIFORM_DEVIATION, Features, check_features, require_slope

BASES = ("theorem", "approximation")
_LINEAR = "a linear network does not learn the background"
_NO_MEAN = "a background of mean zero pulls no neuron to either side"
_GAUSSIAN = "aligned neurons from a small initialisation, before margins matter; sums of strengths taken as Gaussian"


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The background learned by an aligned network with frozen output weights.

    Args:
        features: the features of the task.
        leaky_slope: alpha.
        ratio: r* = b/c, the weight along the mean background direction over that along the mean core direction.
        ood_accuracy: accuracy with the sign of the background flipped; an output of zero counts as one half.
        one_line_law: (1 - q)/(1 + q); NaN unless the activation is a ReLU and core and background are alike.
        basis: "theorem" or "approximation".
        note: assumptions and caveats in one sentence.
    """

    features: Features
    leaky_slope: float
    ratio: float
    ood_accuracy: float
    one_line_law: float
    basis: str
    note: str

    def __repr__(self) -> str:
        """Return a summary of three lines."""
        task = self.features
        lines = (
            f"contamination ratio: {self.ratio:.6g} ({self.basis})",
            f"out of distribution accuracy: {self.ood_accuracy:.6g}",
            f"task: {task.core_features} core, {task.background_features} background features, "
            f"leaky slope {self.leaky_slope:g}",
        )
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values; null where the one-line law does not apply."""
        return {
            "ratio": self.ratio,
            "ood_accuracy": self.ood_accuracy,
            "one_line_law": None if math.isnan(self.one_line_law) else self.one_line_law,
            "basis": self.basis,
            "note": self.note,
        }


def predict(
    *,
    core_features: int,
    background_features: int,
    leaky_slope: float = 0.0,
    core_mean: float = 0.5,
    background_mean: float = 0.5,
    strength_deviation: float = UNIFORM_DEVIATION,
    background_deviation: float | None = None,
) -> Prediction:
    """Return the background that a two-layer network with frozen output weights learns.

    Args:
        core_features: d_c.
        background_features: d_b.
        leaky_slope: alpha of a leaky ReLU, in [0, 1]: 0 is a ReLU, 1 a linear network.
        core_mean: mu_c > 0, mean of core strengths.
        background_mean: mu_b >= 0, mean of background strengths.
        strength_deviation: sigma > 0 of strengths; the default is that of strengths uniform on [0, 1].
        background_deviation: sigma > 0 of background strengths; None for `strength_deviation`.

    Raises: ValueError, one line that names the field.
    """
    features = check_features(
        core_features=core_features,
        background_features=background_features,
        core_mean=core_mean,
        background_mean=background_mean,
        strength_deviation=strength_deviation,
        background_deviation=background_deviation,
    )
    slope = require_slope(leaky_slope)
    ratio = contamination_ratio(features, slope)
    return Prediction(
        features=features,
        leaky_slope=slope,
        ratio=ratio,
        ood_accuracy=ood_accuracy(features, ratio, slope),
        one_line_law=one_line_law(features, slope),
        basis="theorem" if slope == 1 else "approximation",
        note=_LINEAR if slope == 1 else _NO_MEAN if features.background_mean == 0 else _GAUSSIAN,
    )
