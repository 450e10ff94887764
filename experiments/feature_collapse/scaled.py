"""Predictions with a trainable scale, where the norm of a word is free, in place of Type II."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from theory import feature_collapse
from theory.feature_collapse.prediction import Assumption, Prediction
from theory.feature_collapse.trainable_scale import solve_trainable_scale

NAME = "normalisation without parameters"
CLOSED_FORM = Assumption(
    name=NAME, holds=False, reason="with a trainable scale, the closed form is not proved to be the global minimiser"
)
NO_THEORY = Assumption(name=NAME, holds=False, reason="with this trainable scale, the minimiser is not known")


def predict_scaled(normalisation: str, **task: Any) -> Prediction:
    """Return the prediction with a trainable scale.

    Under RMSNorm with all latents as classes, and a weight decay of scale and classifier, it is the simplex of Type II
    with the norms of :mod:`theory.feature_collapse.trainable_scale`. Otherwise norms, cross-entropy and risk are NaN.

    Args:
        normalisation: ``rms-affine`` or ``layer-affine``.
        task: arguments of :func:`theory.feature_collapse.predict`, with LayerNorm.

    Returns:
        A prediction that is not a theorem; its assumptions include the one that is not met.
    """
    prediction = feature_collapse.predict(**task)
    noisy = prediction.label_noise or prediction.word_noise
    if normalisation != "rms-affine" or prediction.kappa != 1 or noisy:
        return replace(
            prediction,
            embedding_norms=np.full_like(prediction.embedding_norms, math.nan),
            classifier_norm=math.nan,
            cross_entropy=math.nan,
            risk=math.nan,
            is_zero=False,
            is_theorem=False,
            assumptions=(*prediction.assumptions, NO_THEORY),
            residual=math.nan,
        )
    network = solve_trainable_scale(
        n_concepts=prediction.n_concepts,
        sentence_length=prediction.sentence_length,
        embedding_dim=prediction.embedding_dim,
        weight_decay=prediction.classifier_weight_decay,
    )
    return replace(
        prediction,
        embedding_norms=np.full_like(prediction.embedding_norms, network.embedding_norm),
        classifier_norm=network.classifier_norm,
        cross_entropy=network.cross_entropy,
        risk=network.risk,
        is_zero=network.n_active == 0,
        is_theorem=False,
        assumptions=(*prediction.assumptions, CLOSED_FORM),
        residual=math.nan,
    )
