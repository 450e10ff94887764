"""The minimiser of the spectral contrastive loss on a manifold: the leading eigenfunctions of the kernel of pairs.

For N points with probabilities ``w_i`` and pairs with probabilities ``P_ij``, let ``A = P_ij/sqrt(w_i w_j)`` and
``u_i = sqrt(w_i) f_i``. The loss of embeddings f is

    -2 sum_ij P_ij f_i.f_j + sum_ij w_i w_j (f_i.f_j)^2  =  |A - U U^T|^2 - |A|^2,

so that by the Eckart-Young theorem ``U U^T`` is the part of A in its d largest eigenvalues, as far as they are
positive, and the least loss is ``-sum lambda_i^2`` over them (HaoChen et al., 2021). With equal weights
``F F^T = N U U^T``. An encoder that can map each point to any embedding attains this.

The embedding is unique up to a rotation unless ``lambda_d = lambda_{d+1}``: then any directions of that eigenspace are
optimal, and only the loss is predicted. If the whole eigenspace of degree 1 is included, all coordinates of the circle,
the torus and the sphere are linear in the embedding. Folded partners on the sphere are a control: not the third
coordinate z is learned but its sign, which explains ``(E|z|)^2/E z^2 = 3/4`` of its variance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer, require_positive
from theory.hidden_manifold import grids, spectra
from theory.hidden_manifold.spectra import SUPPORTS

if TYPE_CHECKING:
    from jaxtyping import Float

MANIFOLDS = ("circle", "torus", "sphere")
DIMENSIONS = {"circle": 1, "torus": 2, "sphere": 2}
FEWEST_POINTS, MOST_POINTS, MOST_DIMENSIONS = 8, 4_000, 2_000
LARGEST_CONCENTRATION, SMALLEST_WIDTH = 300.0, 1e-2
CUT = "output_dim={} cuts an eigenspace: the loss is unique, the embedding is not; {} cuts none"


class LinearFit(NamedTuple):
    """Linear relation of an embedding to the coordinates of the manifold.

    Attributes:
        r_squared: of the best linear map, with a constant, from embedding to coordinates.
        singular_values: of the best linear map from coordinates to embedding, largest first, float64 (k,).
    """

    r_squared: float
    singular_values: Float[np.ndarray, " k"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ManifoldPrediction:
    """The minimiser of the spectral loss.

    Args:
        eigenvalues: the d largest, float64 (d,), which are those of the second moment of the embedding.
        next_eigenvalue: the largest eigenvalue left out.
        loss: the least loss.
        unique: whether the embedding is determined up to a rotation.
        r_squared: of a linear map from embedding to coordinates; NaN if the embedding is not unique.
        basis: "theorem" for closed forms, "numerical" if an eigensolver was used.
        note: caveats in one sentence; usually empty.
        task: the arguments of the prediction.
    """

    eigenvalues: Float[np.ndarray, " d"]
    next_eigenvalue: float
    loss: float
    unique: bool
    r_squared: float
    basis: str = "theorem"
    note: str = ""
    task: dict[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return a summary of three lines."""
        return (
            f"{len(self.eigenvalues)} eigenfunctions of the {self.task['manifold']} ({self.basis})\n"
            f"eigenvalues: {self.eigenvalues[-1]:.6g} to {self.eigenvalues[0]:.6g}, next {self.next_eigenvalue:.6g}\n"
            f"loss: {self.loss:.6g}"
        )

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values."""
        return {
            "eigenvalues": self.eigenvalues.tolist(),
            "next_eigenvalue": self.next_eigenvalue,
            "loss": self.loss,
            "unique": self.unique,
            "r_squared": self.r_squared if self.unique else None,
            "basis": self.basis,
            "note": self.note,
        }


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GridPrediction(ManifoldPrediction):
    """The minimiser on finitely many points, with the embedding.

    Args:
        embeddings: of the points, float64 (N, d).
        weights: probabilities of the points, float64 (N,).
        coordinates: of the points, float64 (N, k).
        singular_values: of the best linear map from coordinates to embedding, largest first, float64 (k,).
    """

    embeddings: Float[np.ndarray, "N d"]
    weights: Float[np.ndarray, " N"]
    coordinates: Float[np.ndarray, "N k"]
    singular_values: Float[np.ndarray, " k"]


def predict(
    *,
    manifold: str = "circle",
    width: float = 0.5,
    concentration: float = 8.0,
    support: str = "full",
    output_dim: int = 5,
    n_points: int | None = None,
) -> ManifoldPrediction:
    """Return the minimiser of the spectral loss on a manifold.

    Args:
        manifold: "circle", "torus" or "sphere".
        width: standard deviation of the angle between the points of a pair, radians; for the circle and the torus.
        concentration: kappa of partners on the sphere.
        support: "full", or on the sphere "folded": partners are mirrored back into the hemisphere.
        output_dim: d.
        n_points: number of grid points (a square number on the torus; a golden-angle spiral on the sphere); None for
            the whole manifold.

    Raises: ValueError, one line that names the field.
    """
    if n_points is not None:
        return predict_grid(
            manifold=manifold,
            width=width,
            concentration=concentration,
            support=support,
            output_dim=output_dim,
            n_points=n_points,
        )
    task = check_task(manifold, width, concentration, support, output_dim, None)
    values = _closed_form(manifold, width, concentration, support, output_dim + 1, None)
    whole = _nearest_whole(values, manifold, width, concentration, support, output_dim)
    return ManifoldPrediction(
        eigenvalues=values[:output_dim],
        next_eigenvalue=float(values[output_dim]),
        loss=-float(np.sum(values[:output_dim] ** 2)),
        unique=not whole,
        r_squared=np.nan if whole else _ideal_fit(manifold, support, output_dim),
        note=CUT.format(output_dim, whole) if whole else "",
        task=task,
    )


def predict_grid(
    *,
    manifold: str = "circle",
    width: float = 0.5,
    concentration: float = 8.0,
    support: str = "full",
    output_dim: int = 5,
    n_points: int,
) -> GridPrediction:
    """Return the minimiser of the spectral loss on finitely many points; the arguments are those of `predict`."""
    task = check_task(manifold, width, concentration, support, output_dim, n_points)
    values = _closed_form(manifold, width, concentration, support, output_dim + 1, n_points)
    whole = _nearest_whole(values, manifold, width, concentration, support, output_dim)
    basis = _grid(manifold, width, concentration, support, output_dim + 1, n_points)
    embeddings = basis.functions[:, :output_dim] * np.sqrt(basis.values[:output_dim])
    fit = linear_fit(embeddings, basis.coordinates)
    return GridPrediction(
        eigenvalues=basis.values[:output_dim],
        next_eigenvalue=float(basis.values[output_dim]) if output_dim < n_points else 0.0,
        loss=-float(np.sum(basis.values[:output_dim] ** 2)),
        unique=not whole,
        r_squared=np.nan if whole else fit.r_squared,
        singular_values=fit.singular_values,
        embeddings=embeddings,
        weights=basis.weights,
        coordinates=basis.coordinates,
        basis="numerical" if manifold == "sphere" else "theorem",
        note=CUT.format(output_dim, whole) if whole else "",
        task=task,
    )


def check_task(
    manifold: str, width: float, concentration: float, support: str, output_dim: int, n_points: int | None
) -> dict[str, object]:
    """Return the arguments that matter for the task, or raise ValueError for one that is out of range."""
    if manifold not in MANIFOLDS:
        raise ValueError(f"manifold: expected one of {', '.join(MANIFOLDS)}, got {manifold!r}")
    if support not in SUPPORTS:
        raise ValueError(f"support: expected one of {', '.join(SUPPORTS)}, got {support!r}")
    if support != "full" and manifold != "sphere":
        raise ValueError(f"support: expected full on the {manifold}, got {support!r}")
    size = require_integer("output_dim", output_dim, minimum=1)
    if size > MOST_DIMENSIONS:
        raise ValueError(f"output_dim: expected at most {MOST_DIMENSIONS}, got {size}")
    width, kappa = require_positive("width", width), require_positive("concentration", concentration)
    if width < SMALLEST_WIDTH:
        raise ValueError(f"width: expected at least {SMALLEST_WIDTH:g} radians, got {width:g}")
    if kappa > LARGEST_CONCENTRATION:
        raise ValueError(f"concentration: expected at most {LARGEST_CONCENTRATION:g}, got {kappa:g}")
    law = {"concentration": kappa, "support": support} if manifold == "sphere" else {"width": width}
    task: dict[str, object] = {"manifold": manifold, **law, "output_dim": size}
    if n_points is None:
        return task
    points = require_integer("n_points", n_points, minimum=FEWEST_POINTS)
    if points > MOST_POINTS:
        raise ValueError(f"n_points: expected at most {MOST_POINTS}, got {points}")
    if manifold == "torus" and isqrt(points) ** 2 != points:
        raise ValueError(f"n_points: expected a square number on the torus, got {points}")
    if size > points:
        raise ValueError(f"output_dim: expected at most n_points={points}, got {size}")
    return task | {"n_points": points}


def check_cut(
    *, manifold: str, width: float, concentration: float, support: str, output_dim: int, n_points: int | None
) -> str:
    """Return the nearest output dimensions that cut no eigenspace, in words; "" if `output_dim` cuts none.

    Only closed forms are used. The arguments are those of `predict`.
    """
    check_task(manifold, width, concentration, support, output_dim, n_points)
    values = _closed_form(manifold, width, concentration, support, output_dim + 1, n_points)
    return _nearest_whole(values, manifold, width, concentration, support, output_dim)


def linear_fit(embeddings: Float[np.ndarray, "N d"], coordinates: Float[np.ndarray, "N k"]) -> LinearFit:
    """Return the linear relation of an embedding (N, d) to the coordinates (N, k), with equal weights of the points."""
    sources, targets = embeddings - embeddings.mean(axis=0), coordinates - coordinates.mean(axis=0)
    residual = targets - sources @ np.linalg.lstsq(sources, targets, rcond=None)[0]
    forward = np.linalg.lstsq(targets, sources, rcond=None)[0]
    values = np.zeros(coordinates.shape[1])
    singular = np.linalg.svd(forward, compute_uv=False)
    values[: len(singular)] = singular
    return LinearFit(float(1 - np.sum(residual**2) / np.sum(targets**2)), values)


def _closed_form(
    manifold: str, width: float, concentration: float, support: str, count: int, n_points: int | None
) -> Float[np.ndarray, " n"]:
    """Return the `count` largest eigenvalues with multiplicity, padded with zeros."""
    if manifold == "circle":
        values = spectra.ring_modes(n_points, width).values
    elif manifold == "torus":
        values = spectra.torus_modes(None if n_points is None else isqrt(n_points), width, count).values
    else:
        values = spectra.sphere_modes(concentration, count, is_folded=support == "folded").values
    return np.pad(values, (0, max(0, count - len(values))))[:count]


def _grid(
    manifold: str, width: float, concentration: float, support: str, count: int, n_points: int
) -> grids.Eigenbasis:
    if manifold == "circle":
        return grids.ring_basis(n_points, width, count)
    if manifold == "torus":
        return grids.torus_basis(n_points, width, count)
    return grids.sphere_basis(n_points, concentration, count, is_folded=support == "folded")


def _nearest_whole(
    values: Float[np.ndarray, " n"], manifold: str, width: float, concentration: float, support: str, output_dim: int
) -> str:
    """Return the next smaller and larger dimensions that cut no eigenspace, in words; "" if this one cuts none."""
    if not spectra.is_cut(values, output_dim):
        return ""
    values = _closed_form(manifold, width, concentration, support, 8 * output_dim + 16, None)
    whole = [size for size in range(1, len(values)) if not spectra.is_cut(values, size)]
    below = [str(size) for size in whole if size < output_dim][-1:]
    return " or ".join([*below, *[str(size) for size in whole if size > output_dim][:1]])


def _ideal_fit(manifold: str, support: str, output_dim: int) -> float:
    """Return R^2 on the whole manifold, if eigenspaces are either wholly in the embedding or absent.

    The eigenspace of degree 1 contains all coordinates. Folded partners have the constants of both hemispheres before
    it, which explain three quarters of the variance of one of the three coordinates.
    """
    if support == "full":
        return float(output_dim >= {"circle": 3, "torus": 5, "sphere": 4}[manifold])
    return 0.25 if output_dim < 6 else (2 + 0.75) / 3
