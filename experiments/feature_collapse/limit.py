"""Without weight decay there is no minimiser: what is left of a prediction is the limit of ever smaller ones."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from theory import feature_collapse
from theory.feature_collapse.prediction import Assumption, Prediction

UNATTAINED = Assumption(
    name="positive weight decay", holds=False, reason="with none the infimum is not attained: norms grow without bound"
)


def predict_limit(**task: Any) -> Prediction:
    """Return the limit of the predictions of a task without noise as the weight decay tends to zero.

    Directions are those of the frame. The cross-entropy tends to 0: latents are distinct, so that a collapsed network
    of large enough norms tells all classes apart. Norms are NaN, as they have no limit; how they grow is in
    :mod:`theory.feature_collapse.dynamics.no_weight_decay`.

    Args:
        task: arguments of :func:`theory.feature_collapse.predict` with any weight decay.

    Returns:
        A prediction that is not exact, with the assumption that is not met among its own.
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
    """Return the prediction for a LayerNorm without epsilon, for a network that has one.

    Word vectors carry no penalty: as they grow, epsilon ceases to count, and the risk tends to the predicted infimum
    without attaining it. At small initial scales it decides the first epochs.
    """
    reason = f"with epsilon = {epsilon:g} the infimum is the same, approached as word vectors grow"
    unmet = Assumption(name="LayerNorm without epsilon", holds=False, reason=reason)
    return replace(prediction, is_theorem=False, assumptions=(*prediction.assumptions, unmet))
