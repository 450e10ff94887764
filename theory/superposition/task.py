"""The task of a prediction: its parameters and their checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from theory.checks import require_integer, require_positive

NONLINEARITIES = ("relu", "linear")
# Entries of W; sums of codes for a network of this size are compared within a second.
_LARGEST_NETWORK = 1_000_000


@dataclass(frozen=True, kw_only=True)
class SuperpositionTask:
    """Sparse features and the shape of the autoencoder.

    Args:
        n_features: n.
        n_hidden: m, at most n.
        active_probability: p, in (0, 1].
        importance: I_i > 0, one for each feature.
        nonlinearity: "relu" or "linear".
    """

    n_features: int
    n_hidden: int
    active_probability: float
    importance: tuple[float, ...]
    nonlinearity: str

    @property
    def variance(self) -> float:
        """V = p/3 - p^2/4, the variance of one feature."""
        return feature_variance(self.active_probability)

    @property
    def is_equally_important(self) -> bool:
        """Whether all importances are the same number."""
        return len(set(self.importance)) == 1


def feature_variance(active_probability):
    """Return V = p/3 - p^2/4, the variance of a feature, which is the loss of a dropped feature."""
    return active_probability / 3 - active_probability**2 / 4


def check_task(
    *,
    n_features: int,
    n_hidden: int,
    active_probability: float,
    importance: Sequence[float] | None = None,
    nonlinearity: str = "relu",
) -> SuperpositionTask:
    """Return the task, checked.

    Args:
        n_features: n, at least m.
        n_hidden: m, at least 1.
        active_probability: p, in (0, 1].
        importance: n positive numbers; None for ones.
        nonlinearity: "relu" or "linear".

    Raises: ValueError, one line that names the field.
    """
    n_hidden = require_integer("n_hidden", n_hidden, minimum=1)
    n_features = require_integer("n_features", n_features, minimum=1)
    if n_features < n_hidden:
        raise ValueError(
            f"n_features: expected at least n_hidden={n_hidden}, got {n_features}: "
            "with fewer features than dimensions there is nothing to superpose"
        )
    if n_features * n_hidden > _LARGEST_NETWORK:
        raise ValueError(
            f"n_features: expected at most {_LARGEST_NETWORK // n_hidden} with n_hidden={n_hidden}, got {n_features}"
        )
    if nonlinearity not in NONLINEARITIES:
        raise ValueError(f"nonlinearity: expected one of {', '.join(NONLINEARITIES)}, got {nonlinearity!r}")
    return SuperpositionTask(
        n_features=n_features,
        n_hidden=n_hidden,
        active_probability=require_probability("active_probability", active_probability),
        importance=_require_importance(importance, n_features),
        nonlinearity=nonlinearity,
    )


def require_probability(field: str, value: object) -> float:
    """Return `value` as a float in (0, 1], or raise ValueError."""
    try:
        probability = require_positive(field, value)
    except ValueError:
        probability = 2.0
    if probability > 1:
        raise ValueError(f"{field}: expected a number in (0, 1], got {value!r}")
    return probability


def _require_importance(importance: Sequence[float] | None, n_features: int) -> tuple[float, ...]:
    if importance is None:
        return (1.0,) * n_features
    if len(importance) != n_features:
        raise ValueError(f"importance: expected {n_features} numbers, one for each feature, got {len(importance)}")
    return tuple(require_positive("importance", value) for value in importance)


def require_grid(active_probability: object, importance: object) -> tuple[np.ndarray, np.ndarray]:
    """Return p in (0, 1] and r > 0 as float64 arrays of their common shape, or raise ValueError."""
    p, r = np.broadcast_arrays(np.asarray(active_probability, float), np.asarray(importance, float))
    if not np.all((p > 0) & (p <= 1)):
        raise ValueError(f"active_probability: expected numbers in (0, 1], got {_first(p, (p > 0) & (p <= 1))}")
    if not np.all((r > 0) & np.isfinite(r)):
        raise ValueError(f"importance: expected positive finite numbers, got {_first(r, (r > 0) & np.isfinite(r))}")
    return p, r


def _first(values: np.ndarray, is_valid: np.ndarray) -> str:
    return f"{values[~is_valid].flat[0]:g}"
