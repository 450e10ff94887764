"""Two weight decays on the factors of a product act through their geometric mean.

The least penalty lam_W/2 |W|^2 + lam_H/2 |H|^2 of all factors with the product W H^T = M is sqrt(lam_W lam_H) |M|_*
(Lemma 1 of `theory/global_optimality.md`); the ratio of the two decays affects only the scales of W and H.

Here W is the classifier and H are the features, as in neural collapse; for feature collapse the product is U W^T.
"""

import math

from theory.checks import require_positive


def joint_decay(feature_weight_decay: float, classifier_weight_decay: float) -> float:
    """Return sqrt(lam_W lam_H), or raise ValueError unless both are positive and finite."""
    feature = require_positive("feature_weight_decay", feature_weight_decay)
    return math.sqrt(feature) * math.sqrt(require_positive("classifier_weight_decay", classifier_weight_decay))
