"""Predictions without weight decay: there is no minimiser, only the limit of vanishing weight decay."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from theory import feature_collapse
from theory.feature_collapse.prediction import Assumption, Prediction

UNATTAINED = Assumption(
    name="positive weight decay", holds=False, reason="without it the infimum is not attained, and norms diverge"
)


def predict_limit(**task: Any) -> Prediction:
    """Return the limit of the predictions for a task without noise as the weight decay tends to zero.

    Directions are those of the frame. The cross-entropy tends to 0, because latents are distinct and a collapsed
    network with large enough norms separates all classes. Norms are NaN, as they have no limit; their growth is
    predicted in :mod:`theory.feature_collapse.dynamics.no_weight_decay`.

    Args:
        task: arguments of :func:`theory.feature_collapse.predict` with any weight decay.

    Returns:
        A prediction that is not a theorem; its assumptions include the one that is not met.
    """
    prediction = feature_collapse.predict(**task)
    others = tuple(assumption for assumption in prediction.assumptions if assumption.name != UNATTAINED.name)
    return replace(
        prediction,
        embedding_norms=np.full_like(prediction.embedding_norms, math.nan),
        classifier_norm=math.nan,
        cross_entropy=0.0,
        risk=0.0,
        is_zero=False,
        is_theorem=False,
        assumptions=(*others, UNATTAINED),
        residual=math.nan,
        weight_decay=0.0,
        classifier_weight_decay=0.0,
    )


def without_epsilon(prediction: Prediction, epsilon: float) -> Prediction:
    """Return the prediction for LayerNorm without epsilon, marked as used for a network with epsilon.

    Word vectors carry no penalty: as they grow, epsilon becomes negligible, and the risk tends to the predicted infimum
    without attaining it. At small initial scales, epsilon dominates the first epochs.
    """
    reason = f"with epsilon = {epsilon:g} the infimum is the same, approached as word vectors grow"
    unmet = Assumption(name="LayerNorm without epsilon", holds=False, reason=reason)
    return replace(prediction, is_theorem=False, assumptions=(*prediction.assumptions, unmet))
