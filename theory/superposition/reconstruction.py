"""The prediction for a task, from the part of the theory that covers it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from theory.superposition.linear import predict_linear
from theory.superposition.prediction import Prediction
from theory.superposition.task import SuperpositionTask, check_task


def predict(
    *,
    n_features: int,
    n_hidden: int,
    active_probability: float,
    importance: Sequence[float] | None = None,
    nonlinearity: str = "relu",
) -> Prediction:
    """Predict which features an autoencoder x' = relu(W^T W x + b) represents, and in which geometry.

    Args:
        n_features: n, at least m.
        n_hidden: m, at least 1.
        active_probability: p in (0, 1], the probability that a feature is active (one minus the paper's sparsity).
        importance: I_i, n positive numbers; None for ones.
        nonlinearity: "relu", or "linear" for the control.

    Returns: the prediction; its `basis` is "none" where the theory has none.
    Raises: ValueError, one line that names the field.
    """
    task = check_task(
        n_features=n_features,
        n_hidden=n_hidden,
        active_probability=active_probability,
        importance=importance,
        nonlinearity=nonlinearity,
    )
    if task.nonlinearity == "linear" or task.n_features == task.n_hidden:
        return predict_linear(task)
    return _no_prediction(task, "not covered yet")


def _no_prediction(task: SuperpositionTask, reason: str) -> Prediction:
    """Return NaN in place of every number, and why."""
    return Prediction(
        task=task,
        geometry="no prediction",
        basis="none",
        note=reason,
        weights=np.full((task.n_hidden, task.n_features), np.nan),
        bias=np.full(task.n_features, np.nan),
        loss=float("nan"),
    )
