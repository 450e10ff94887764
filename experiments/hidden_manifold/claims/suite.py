"""All claims of hidden manifolds, in the order in which they are shown."""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from experiments.hidden_manifold.claims.free_embeddings import (
    End,
    descend_info_nce,
    descend_spectral,
    icosahedron,
    info_nce,
    ring_law,
    smallest_curvature,
    sphere_law,
)
from experiments.verification.claim import Claim, compare, must_exceed
from theory import hidden_manifold as theory
from theory.hidden_manifold import GridPrediction

SPECTRA = "derived here, theory/hidden_manifold/spectra.py"
SPECTRAL = "HaoChen et al. 2021; derived here, theory/hidden_manifold/prediction.py"
CONTRAST = "Zimmermann et al. 2021; derived here, theory/hidden_manifold/sphere_contrast.py"
EPS = float(np.finfo(float).eps)
NOTE = "twice gradient over curvature (four times the eigenvalue gap), plus rounding"
# Cap on the bound from the gradient: a larger difference is not agreement.
LARGEST_TOLERANCE = 1e-6
KAPPA, N_SPHERE = 6.0, 50
N_STARTS = 12


def check_hidden_manifold() -> Iterator[Claim]:
    """Check closed-form spectra, free embeddings under both losses, and controls that must fail."""
    yield from _check_spectra()
    yield from _check_spectral_loss()
    yield from _check_contrast()


def _check_spectra() -> Iterator[Claim]:
    """Compare closed forms with eigenvalue solvers and quadrature."""
    for n_points, width in ((25, 0.5), (64, 0.2)):
        solved = np.linalg.eigvalsh(n_points * ring_law(n_points, width))[::-1]
        name = f"eigenvalues of a ring, n={n_points} sigma={width:g}"
        tolerance = 16 * EPS * n_points
        yield compare(name, SPECTRA, theory.ring_modes(n_points, width).values, solved, tolerance, "rounding")
    solved = np.linalg.eigvalsh(np.kron(7 * ring_law(7, 0.6), 7 * ring_law(7, 0.6)))[::-1]
    values = theory.torus_modes(7, 0.6, 49).values
    yield compare("eigenvalues of a torus, 7 x 7 sigma=0.6", SPECTRA, values, solved, 16 * EPS * 49, "rounding")
    for kappa in (0.5, 8.0, 60.0):
        # 200 nodes integrate e^{kappa t} P_l up to rounding of the sum and of the nodes, the latter times kappa.
        nodes, weights = np.polynomial.legendre.leggauss(200)
        density = weights * np.exp(kappa * (nodes - 1))
        integrals = [density @ np.polynomial.legendre.Legendre.basis(degree)(nodes) for degree in range(6)]
        name = f"eigenvalues of degrees 0 to 5 on the sphere, kappa={kappa:g}"
        values = theory.sphere_eigenvalue(np.arange(6), kappa)
        yield compare(
            name, SPECTRA, values, np.array(integrals) / integrals[0], 200 * EPS * (1 + kappa), "rounding in quadrature"
        )


def _check_spectral_loss() -> Iterator[Claim]:
    """Compare the minimum of the spectral loss over free embeddings on four point sets."""
    ring, points = ring_law(20, 0.5), theory.spiral_points(N_SPHERE)
    laws: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "circle, n=20 d=5": (ring, {"manifold": "circle", "n_points": 20, "output_dim": 5}),
        "torus, 6 x 6 d=5": (
            np.kron(ring_law(6, 0.7), ring_law(6, 0.7)),
            {"manifold": "torus", "n_points": 36, "output_dim": 5, "width": 0.7},
        ),
        f"sphere, N={N_SPHERE} d=4": (
            sphere_law(points, KAPPA),
            {"manifold": "sphere", "n_points": N_SPHERE, "output_dim": 4, "concentration": KAPPA},
        ),
    }
    for name, (joint, task) in laws.items():
        yield from check_embedding(name, joint, theory.predict_grid(**task))
    task: dict[str, Any] = {
        "manifold": "sphere",
        "n_points": N_SPHERE,
        "output_dim": 6,
        "concentration": KAPPA,
        "support": "folded",
    }
    prediction, name = theory.predict_grid(**task), f"folded partners, N={N_SPHERE} d=6"
    end = yield from check_embedding(name, sphere_law(points, KAPPA, is_folded=True), prediction)
    missing = 1 - theory.linear_fit(end.embeddings, points).r_squared
    yield must_exceed("control: folded partners hide a coordinate, 1 - R^2", SPECTRAL, 0.05, missing)
    cut = theory.predict(manifold="circle", n_points=20, output_dim=4)
    ends = [descend_spectral(ring, 4, seed) for seed in range(2)]
    values = theory.ring_modes(20, 0.5).values
    tolerance = ends[0].gradient_norm ** 2 / (4 * (values[3] - values[5])) + 64 * EPS * (1 + abs(cut.loss))
    note = "squared gradient over curvature, plus rounding"
    yield compare(
        "minimum loss where d=4 splits an eigenspace of the circle", SPECTRAL, cut.loss, ends[0].loss, tolerance, note
    )
    apart = np.linalg.norm(gram(ends[0], ring) - gram(ends[1], ring))
    yield must_exceed(
        "control: its embedding is not unique, Gram distance between two starts", SPECTRAL, 0.1, float(apart)
    )


def check_embedding(name: str, joint: np.ndarray, prediction: GridPrediction) -> Generator[Claim, None, End]:
    """Yield the claims on loss, Gram matrix and eigenvalues of a descent, and return its end point."""
    end = descend_spectral(joint, len(prediction.eigenvalues), 0)
    tolerance = embedding_tolerance(prediction, end, len(joint))
    note = "squared tolerance of U U^T, plus rounding"
    yield compare(
        f"minimum spectral loss, {name}",
        SPECTRAL,
        prediction.loss,
        end.loss,
        tolerance**2 + 64 * EPS * (1 + abs(prediction.loss)),
        note,
    )
    roots = np.sqrt(prediction.weights)
    scaled = prediction.embeddings * roots[:, None]
    yield compare(f"U U^T, {name}", SPECTRAL, scaled @ scaled.T, gram(end, joint), tolerance, NOTE)
    learned = np.linalg.eigvalsh(gram(end, joint))[::-1][: len(prediction.eigenvalues)]
    yield compare(f"eigenvalues, {name}", SPECTRAL, prediction.eigenvalues, learned, tolerance, NOTE)
    return end


def gram(end: End, joint: np.ndarray) -> np.ndarray:
    """Return ``U U^T``, ``Float[N, N]``, with rows ``u_i = sqrt(w_i) f_i``."""
    scaled = end.embeddings * np.sqrt(joint.sum(axis=1))[:, None]
    return scaled @ scaled.T


def embedding_tolerance(prediction: GridPrediction, end: End, n_points: int) -> float:
    """Return the largest error of ``U U^T`` that the gradient at the end of a descent allows.

    Rotating an eigenvector of eigenvalue ``lambda_i`` in U towards one of ``lambda_j`` outside by ``delta`` costs
    ``2 (lambda_i - lambda_j) delta^2``. So the error of U is at most ``|gradient|/(4 gap)``, and that of ``U U^T``
    twice as much, as the norm of U is 1. Changes within U have a larger curvature, at least 8 lambda_d.
    """
    gap = min(prediction.eigenvalues[-1] - prediction.next_eigenvalue, 2 * prediction.eigenvalues[-1])
    bound = 2 * (2 * end.gradient_norm / (4 * gap)) + 64 * EPS * n_points / gap
    return min(bound, LARGEST_TOLERANCE)


def _check_contrast() -> Iterator[Claim]:
    """Check the minimum of InfoNCE over unit embeddings of the vertices of an icosahedron, where the theorem is exact.

    All vertices are equivalent, so the scores of Bayes' rule are ``kappa z.z'`` plus a constant.
    """
    points, kappa = icosahedron(), 4.0
    joint = sphere_law(points, kappa)
    n_points = len(points)
    information = float(np.sum(joint * np.log(joint * n_points**2)))
    ends = [descend_info_nce(joint, 1 / kappa, 3, seed) for seed in range(N_STARTS)]
    best = min(ends, key=lambda end: end.loss)
    # The flat directions are the norm of each vertex and the rotations.
    curvature = smallest_curvature(info_nce(joint, 1 / kappa), best.embeddings, n_points + 3)
    name = f"best of {N_STARTS} starts, twelve vertices, kappa={kappa:g}"
    least, tolerance = "minimum InfoNCE equals minus the mutual information", best.gradient_norm**2 / curvature
    rounding = 64 * EPS * (1 + information)
    note = "squared gradient over curvature, plus rounding"
    yield compare(f"{least}, {name}", CONTRAST, -information, best.loss, tolerance + rounding, note)
    # Each of the two vertices in a product has an error of at most |gradient|/curvature.
    tolerance = min(4 * (best.gradient_norm + rounding) / curvature, LARGEST_TOLERANCE)
    note = "four times gradient over curvature"
    learned = best.embeddings @ best.embeddings.T
    yield compare(f"F F^T equals that of a rotation, {name}", CONTRAST, points @ points.T, learned, tolerance, note)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    for kappa in (0.3, 8.0, 40.0):
        logarithm = kappa * (nodes - 1) - np.log(-np.expm1(-2 * kappa) / (2 * kappa))
        value = -weights @ (np.exp(logarithm) * logarithm) / 2
        name = f"minimum InfoNCE on the sphere, kappa={kappa:g}"
        yield compare(
            name, CONTRAST, theory.least_loss(kappa), value, 400 * EPS * (1 + kappa), "rounding in quadrature"
        )
    wrong = min(descend_info_nce(joint, 0.5, 3, seed).loss for seed in range(2))
    name = "control: at twice the temperature the minimum loss is higher (nats)"
    yield must_exceed(name, CONTRAST, 0.01, wrong + information)
