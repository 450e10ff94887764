"""The prediction for an encoder of a hidden manifold, in the form the comparison reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.core.prediction import Prediction
from experiments.hidden_manifold.configuration import ManifoldConfiguration
from simlab.metrics.spectrum import effective_rank
from simlab.validation import invalid

if TYPE_CHECKING:
    from theory.hidden_manifold import ManifoldPrediction, SphereContrast

IDENTIFIED = 0.999  # smallest linear R^2 at which the manifold counts as recovered
INFINITE = "predicted for infinitely many negatives"
JUMP = "the minimiser is discontinuous at the equator; a smooth encoder only approaches it"


def check_theory(configuration: ManifoldConfiguration) -> None:
    """Raise ``ValueError`` for options that are out of range or whose dimension splits an eigenspace."""
    from theory import hidden_manifold

    configuration.check()
    if configuration.objective == "info-nce":
        hidden_manifold.predict_contrast(**_law(configuration))
        return
    whole = hidden_manifold.check_cut(**_graph(configuration))
    if whole:
        raise invalid("output_dim", f"a number that splits no eigenspace, such as {whole}", configuration.output_dim)


def solve(configuration: ManifoldConfiguration) -> ManifoldPrediction | SphereContrast:
    """Return the prediction for a configuration."""
    from theory import hidden_manifold

    if configuration.objective == "info-nce":
        return hidden_manifold.predict_contrast(**_law(configuration))
    return hidden_manifold.predict(**_graph(configuration))


def predict(configuration: ManifoldConfiguration) -> Prediction:
    """Return the prediction for a configuration."""
    if configuration.objective == "spectral":
        return _predict_graph(configuration)
    theory = solve(configuration)
    if theory.basis != "none":
        return _predict_sphere(configuration, theory.basis, theory.loss)
    return Prediction(
        basis=theory.basis,
        kind="nothing",
        note=theory.note,
        quantities=_quantities(),
        arrays={
            "embeddings": np.full((configuration.n_points, configuration.output_dim), np.nan),
            "eigenvalues": np.full(configuration.output_dim, np.nan),
        },
    )


def _graph(configuration: ManifoldConfiguration) -> dict[str, Any]:
    """Return the arguments of the theory of the spectral loss."""
    names = ("manifold", "width", "concentration", "support", "output_dim", "n_points")
    return {name: getattr(configuration, name) for name in names}


def _law(configuration: ManifoldConfiguration) -> dict[str, Any]:
    """Return the arguments of the theory of InfoNCE."""
    names = ("concentration", "temperature", "support", "batch_size")
    return {name: getattr(configuration, name) for name in names}


def _predict_graph(configuration: ManifoldConfiguration) -> Prediction:
    """Return the prediction for the spectral loss: the leading eigenfunctions on the points."""
    from theory import hidden_manifold

    theory = hidden_manifold.predict_grid(**_graph(configuration))
    dimension = float(hidden_manifold.DIMENSIONS[configuration.manifold])
    is_whole = configuration.support == "full" and theory.r_squared > IDENTIFIED
    return Prediction(
        basis=theory.basis,
        kind=f"{configuration.output_dim} functions",
        note=theory.note if configuration.support == "full" else JUMP,
        quantities=_quantities(
            loss=theory.loss,
            r_squared=theory.r_squared,
            intrinsic_dimension=dimension if is_whole else np.nan,
            gram_distance=0.0,
            loss_excess=0.0,
            eigenvalue_error=0.0,
            effective_rank=effective_rank(theory.eigenvalues),
            identified=float(theory.r_squared >= IDENTIFIED),
            largest_singular=theory.singular_values[0],
            least_singular=theory.singular_values[-1],
        ),
        arrays={"embeddings": theory.embeddings, "eigenvalues": theory.eigenvalues},
    )


def _predict_sphere(configuration: ManifoldConfiguration, basis: str, loss: float) -> Prediction:
    """Return the prediction for InfoNCE: a rotation of the sphere."""
    from theory.hidden_manifold import spiral_points

    points = spiral_points(configuration.n_points)
    embeddings = np.pad(points, ((0, 0), (0, configuration.output_dim - 3)))
    values = np.where(np.arange(configuration.output_dim) < 3, 1 / 3, 0.0)
    return Prediction(
        basis=basis,
        kind="a rotation",
        note=INFINITE,
        quantities=_quantities(
            loss=loss,
            r_squared=1.0,
            intrinsic_dimension=2.0,
            gram_distance=0.0,
            loss_excess=0.0,
            eigenvalue_error=0.0,
            effective_rank=3.0,
            identified=1.0,
            largest_singular=1.0,
            least_singular=1.0,
            folded=0.0,
        ),
        arrays={"embeddings": embeddings, "eigenvalues": values},
    )


def _quantities(**values: float) -> dict[str, float]:
    """Return the given predicted quantities, and NaN for all others."""
    names = (
        *("loss", "r_squared", "intrinsic_dimension", "gram_distance", "loss_excess", "identified", "folded"),
        *("eigenvalue_error", "effective_rank", "largest_singular", "least_singular", "observed_r_squared"),
        "dropped_points",
    )
    return dict.fromkeys(names, np.nan) | values
