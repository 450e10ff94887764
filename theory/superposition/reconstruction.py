"""The prediction for a task, from the theory that covers it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from theory.superposition.linear import predict_linear
from theory.superposition.mixtures import best_mixture
from theory.superposition.prediction import Prediction
from theory.superposition.task import SuperpositionTask, check_task
from theory.superposition.two_feature_minimiser import minimise_two_features, phase_index

# With more than two features per dimension and m != 2, sums of regular codes are the best for p at or above this.
DENSE_ENOUGH = 0.3
_PLANE = 2
_TWO_FEATURE_GEOMETRIES = (
    "2 dropped",
    "1 dedicated feature, 1 dropped",
    "1 dedicated feature, 1 dropped",
    "1 antipodal pair",
)
_SPARSE = "proved only in the limit p -> 0, where the minimiser consists of antipodal pairs and dedicated features"


def predict(
    *,
    n_features: int,
    n_hidden: int,
    active_probability: float,
    importance: Sequence[float] | None = None,
    nonlinearity: str = "relu",
) -> Prediction:
    """Return which features an autoencoder x' = relu(W^T W x + b) represents, and in which geometry.

    Args:
        n_features: n, at least m.
        n_hidden: m, at least 1.
        active_probability: p in (0, 1], the probability that a feature is active (one minus the paper's sparsity).
        importance: I_i, n positive numbers; None for ones.
        nonlinearity: "relu", or "linear" for the control.

    Returns: the prediction; its `basis` is "none" if no theory covers the task.
    Raises: ValueError, one line that names the field.
    Source: `Prediction.basis` classifies it; the modules listed in the package's docstring derive it.
    """
    task = check_task(
        n_features=n_features,
        n_hidden=n_hidden,
        active_probability=active_probability,
        importance=importance,
        nonlinearity=nonlinearity,
    )
    return predict_all([task])[0]


def predict_all(tasks: Sequence[SuperpositionTask]) -> list[Prediction]:
    """Return the predictions for many tasks; cells of a phase diagram (n = 2, m = 1) are solved together.

    Args:
        tasks: as returned by `check_task`.

    Returns: the predictions, in the order of the tasks.
    """
    are_pairs = [(task.n_features, task.n_hidden, task.nonlinearity) == (2, 1, "relu") for task in tasks]
    pairs = [task for task, is_pair in zip(tasks, are_pairs, strict=True) if is_pair]
    solved = iter(predict_two_features(pairs) if pairs else ())
    return [next(solved) if is_pair else _predict(task) for task, is_pair in zip(tasks, are_pairs, strict=True)]


def _predict(task: SuperpositionTask) -> Prediction:
    """Return the prediction for any task except two features in one dimension with ReLU."""
    if task.nonlinearity == "linear" or task.n_features == task.n_hidden:
        return predict_linear(task)
    reason = _missing_theory(task)
    return _no_prediction(task, reason) if reason else _predict_mixture(task)


def _missing_theory(task: SuperpositionTask) -> str:
    """Return the reason for predicting nothing, or "" if sums of regular codes cover the task."""
    n, m, p = task.n_features, task.n_hidden, task.active_probability
    if not task.is_equally_important:
        return "unequal importances are covered only for two features in one dimension, and without ReLU"
    if p == 1:
        return "where every feature is always active, geometries of the same loss have different dimensionalities"
    if n > 2 * m and m != _PLANE and p < DENSE_ENOUGH:
        return (
            f"more than two features per dimension below p = {DENSE_ENOUGH}: irregular codes beat sums of regular ones"
        )
    return ""


def predict_two_features(tasks: Sequence[SuperpositionTask]) -> list[Prediction]:
    """Return the numerical minimiser of the exact loss of each task; all tasks are solved at once.

    Args:
        tasks: of two features in one dimension, with ReLU; the solver works in units of the first importance.
    """
    probabilities = np.array([task.active_probability for task in tasks])
    units, others = np.array([task.importance for task in tasks]).T
    minima = minimise_two_features(probabilities, others / units)
    return [
        Prediction(
            features=task,
            geometry=_TWO_FEATURE_GEOMETRIES[int(phase)],
            basis="numerical",
            note="",
            weights=weights[None, :],
            bias=bias,
            loss=float(loss),
        )
        for task, phase, weights, bias, loss in zip(
            tasks, phase_index(minima.represented), minima.weights, minima.bias, units * minima.loss, strict=True
        )
    ]


def _predict_mixture(task: SuperpositionTask) -> Prediction:
    """Return the best orthogonal sum of regular codes."""
    mixture = best_mixture(task.n_features, task.n_hidden, task.active_probability)
    weights, bias = mixture.network()
    is_limit_known = task.n_features <= 2 * task.n_hidden
    return Prediction(
        features=task,
        geometry=mixture.geometry,
        basis="ansatz",
        note=_SPARSE if is_limit_known else "",
        weights=weights,
        bias=bias,
        loss=task.importance[0] * mixture.loss,
    )


def _no_prediction(task: SuperpositionTask, reason: str) -> Prediction:
    """Return a prediction with NaN for every number and the reason as its note."""
    return Prediction(
        features=task,
        geometry="no prediction",
        basis="none",
        note=reason,
        weights=np.full((task.n_hidden, task.n_features), np.nan),
        bias=np.full(task.n_features, np.nan),
        loss=float("nan"),
    )
