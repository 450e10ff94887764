"""The prediction for an autoencoder of sparse features, in the form the comparison reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.core.prediction import Prediction
from experiments.superposition.configuration import FeatureConfiguration

if TYPE_CHECKING:
    from theory.superposition import Prediction as Theory
    from theory.superposition import SuperpositionTask


def check_theory(configuration: FeatureConfiguration) -> None:
    """Raise ``ValueError`` for a task that the theory does not cover, without solving it."""
    from theory import superposition

    superposition.check_task(**_task(configuration))


def predict(configuration: FeatureConfiguration) -> Prediction:
    """Return the prediction for a configuration."""
    from theory import superposition

    return describe(superposition.predict(**_task(configuration)))


def predict_all(configurations: Sequence[FeatureConfiguration]) -> list[Prediction]:
    """Return the predictions for several configurations; two features in one dimension are solved together."""
    return [describe(theory) for theory in solve_all(configurations)]


def solve_all(configurations: Sequence[FeatureConfiguration]) -> list[Theory]:
    """Return the predictions of several configurations as objects of the theory."""
    from theory import superposition

    tasks = [superposition.check_task(**_task(configuration)) for configuration in configurations]
    return superposition.predict_all(tasks)


def _task(configuration: FeatureConfiguration) -> dict:
    return {
        "n_features": configuration.n_features,
        "n_hidden": configuration.n_hidden,
        "active_probability": configuration.active_probability,
        "importance": configuration.importances,
        "nonlinearity": configuration.nonlinearity,
    }


def describe(theory: Theory) -> Prediction:
    """Return a prediction of the theory in the form the comparison reads, NaN where there is none."""
    nothing = np.nan if not theory.is_predicted else 0.0
    represented = theory.represented
    return Prediction(
        basis=theory.basis,
        kind=_short(theory.geometry) if theory.is_predicted else "",
        note=theory.note,
        quantities={
            "loss": theory.loss,
            "excess_loss": nothing,
            "loss_over_limit": 0 * limit_loss(theory.features) + 1,
            "n_represented": nothing + np.sum(represented),
            "dimensionality_error": nothing,
            "norm": root_mean_square(theory.norms[represented]) + nothing,
            "bias": mean(theory.bias[represented]) + nothing,
            "gain": mean(theory.gains[represented]) + nothing,
            "gram_distance": nothing,
        },
        arrays={
            "weights": theory.weights,
            "bias": theory.bias,
            "norms": theory.norms,
            "dimensionalities": theory.feature_dimensionalities,
            "represented": np.where(np.isnan(nothing), np.nan, represented),
        },
    )


def limit_loss(features: SuperpositionTask) -> float:
    """Return ``p^2 I (n - m)/3``, which the least loss tends to as p -> 0 for m < n <= 2m; NaN for other tasks."""
    from theory.superposition import sparse_limit

    n_features, n_hidden = features.n_features, features.n_hidden
    has_limit = features.nonlinearity == "relu" and features.is_equally_important
    if not has_limit or not n_hidden < n_features <= 2 * n_hidden:
        return np.nan
    coefficient = sparse_limit(n_features, n_hidden).loss_coefficient
    return features.active_probability**2 * features.importance[0] * coefficient


def _short(geometry: str) -> str:
    """Return a geometry in short form for headings, in which commas separate the geometries of several cells."""
    return (
        geometry.replace("antipodal ", "")
        .replace("dedicated features", "dedicated")
        .replace("dedicated feature", "dedicated")
        .replace(", ", " + ")
    )


def root_mean_square(values: np.ndarray) -> float:
    """Return the root mean square; 0 for an empty array."""
    return float(np.sqrt(np.mean(values**2))) if len(values) else 0.0


def mean(values: np.ndarray) -> float:
    """Return the mean; 0 for an empty array."""
    return float(np.mean(values)) if len(values) else 0.0
