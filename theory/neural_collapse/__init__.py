"""Neural collapse: the minimising features and classifier of the unconstrained features model.

`predict` (one label) and `factors.predict` (several labels) return the minimiser. Throughout, W (K, d) is the
classifier and h_i are the features; in `theory.feature_collapse` W denotes the embeddings.

* `unconstrained_features`, `factors`: the predictions.
* `class_groups`, `class_imbalance`, `grouped_risk`, `grouped_solver`, `grouped_certificate`: classes of unequal sizes,
  a convex problem in the logits.
* `collapsed_factors`: class means and classifier from the logits.
* `spherical_codes`: fewer dimensions than a simplex needs.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.neural_collapse.class_groups import ClassGroups, group_classes
    from theory.neural_collapse.class_imbalance import collapse_thresholds, collapsed_classes, zero_threshold
    from theory.neural_collapse.factors import FactorPrediction
    from theory.neural_collapse.spherical_codes import SphericalCode, solve_scales, spherical_code
    from theory.neural_collapse.unconstrained_features import Prediction, predict

__all__ = [
    "ClassGroups",
    "FactorPrediction",
    "Prediction",
    "SphericalCode",
    "collapse_thresholds",
    "collapsed_classes",
    "group_classes",
    "predict",
    "solve_scales",
    "spherical_code",
    "zero_threshold",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "class_groups": ("ClassGroups", "group_classes"),
        "class_imbalance": ("collapse_thresholds", "collapsed_classes", "zero_threshold"),
        "factors": ("FactorPrediction",),
        "spherical_codes": ("SphericalCode", "solve_scales", "spherical_code"),
        "unconstrained_features": ("Prediction", "predict"),
    },
)
