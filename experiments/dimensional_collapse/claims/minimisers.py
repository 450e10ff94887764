"""Claims on the predicted spectrum, against direct minimisation: general S and Q, each loss, weight decay, data."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from experiments.dimensional_collapse.claims.descent import End, Risk
from experiments.verification.claim import Claim, compare, must_exceed
from theory import dimensional_collapse as theory
from theory.dimensional_collapse import PairMoments, Prediction

PROOF = "derived here, theory/dimensional_collapse/prediction.py"
SPECTRAL = "HaoChen et al. 2021; derived here, theory/dimensional_collapse/prediction.py"
DIM = 12
RATIOS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.2, 2.5, 3.0)
EPS = float(np.finfo(float).eps)
NOTE = "twice gradient over curvature along each direction, plus rounding"
# Cap on the bound from the gradient: a larger difference is not agreement.
LARGEST_TOLERANCE = 1e-9
SETTINGS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("distance, one view", 1, {"similarity": "distance"}),
    ("distance, two views, lam=0.8", 2, {"similarity": "distance", "weight_decay": 0.8}),
    ("dot, tau=0.5, lam=0.5", 2, {"similarity": "dot", "temperature": 0.5, "weight_decay": 0.5}),
)


def random_matrices(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return S and Q, ``Float[d, d]``, that do not commute; the eigenvalues of ``S^{-1} Q`` are RATIOS."""
    rng = np.random.default_rng(seed)
    first, second = (np.linalg.qr(rng.normal(size=(DIM, DIM)))[0] for _ in range(2))
    factor = first * np.sqrt(np.geomspace(0.5, 2, DIM))
    noise = factor @ second * np.sqrt(RATIOS)
    return factor @ factor.T, noise @ noise.T


def check_minimisers() -> Iterator[Claim]:
    """Check spectra and ranks, and that wrong predictions are rejected."""
    covariance, augmentation = random_matrices()
    for name, views, given in SETTINGS:
        pairs = theory.gaussian_pairs(covariance, augmentation, views)
        for output_dim in (16, 5):
            yield from _check_spectrum(f"{name}, d={DIM} m={output_dim}", PROOF, pairs, given, output_dim)
    yield from _check_data_set()
    yield from check_controls(covariance, augmentation)


def _check_data_set() -> Iterator[Claim]:
    """Check the spectral loss on non-Gaussian pairs, positively correlated in some directions, negatively in others."""
    rng = np.random.default_rng(1)
    first = rng.exponential(size=(60, 30)) - 1
    second = first * np.sign(rng.normal(size=30) + 0.8) + 1.5 * rng.normal(size=(60, 30))
    pairs = theory.sample_pairs(first, second)
    for output_dim in (30, 8):
        name = f"spectral loss, 60 pairs, d=30 m={output_dim}"
        yield from _check_spectrum(name, SPECTRAL, pairs, {"similarity": "spectral"}, output_dim)


def _check_spectrum(
    name: str, source: str, pairs: PairMoments, given: dict[str, Any], output_dim: int
) -> Iterator[Claim]:
    """Compare eigenvalues, rank and risk with those of a direct descent."""
    prediction = theory.predict_pairs(pairs, output_dim=output_dim, **given)
    end = Risk(pairs=pairs, **given).descend(output_dim)
    tolerance = spectrum_tolerance(prediction, given, end)
    yield compare(f"eigenvalues, {name}", source, prediction.eigenvalues, end.spectrum, tolerance, NOTE)
    learned_rank = int(np.sum(end.spectrum > max(tolerance, EPS)))
    yield compare(
        f"rank, {name}", source, prediction.rank, learned_rank, 0.0, "eigenvalues above the tolerance of the spectrum"
    )
    risk = prediction.loss + given.get("weight_decay", 0.0) / 2 * float(np.trace(prediction.gram))
    note = "squared tolerance of the spectrum, plus rounding"
    yield compare(f"risk, {name}", source, risk, end.risk, tolerance**2 + 64 * EPS * (1 + abs(risk)), note)


def spectrum_tolerance(prediction: Prediction, given: dict[str, Any], end: End) -> float:
    """Return the largest error of an eigenvalue that the gradient at the end of a descent allows.

    Along a direction with ``c = v^2`` the slope in v is ``2 v g'(c)``. So the error of a surviving ``c`` is at most
    ``|gradient|/(2 v g'')``, and a collapsed ``v`` is at most ``|gradient|/(2 g'(0))``; it is zero where all embedding
    dimensions are taken by other directions.
    """
    tau = given.get("temperature", 1.0)
    values, levels = prediction.eigenvalues / tau, prediction.levels
    if given["similarity"] == "distance":
        inverse = 1 / (1 + values)
        curvature, slope = (inverse**2 + 2 * inverse**3) / 2, (levels - 2) / 2
    else:
        factor = 2.0 if given["similarity"] == "spectral" else 1.0
        curvature, slope = np.full_like(values, factor), -factor * levels
    survives = values > 0
    scaled = end.gradient_norm * np.sqrt(tau)
    moved = scaled / (2 * np.sqrt(values[survives]) * curvature[survives])
    left = (scaled / (2 * slope[~survives & (slope > 0)])) ** 2
    rounding = 64 * EPS * len(values) * (1 + values.max())
    return min(tau * (2 * max([*moved, *left]) + rounding), LARGEST_TOLERANCE)


def check_controls(covariance: np.ndarray, augmentation: np.ndarray) -> Iterator[Claim]:
    """Check that other encoders have a larger loss, and that formulas for commuting matrices fail here."""
    pairs = theory.gaussian_pairs(covariance, augmentation, 1)
    best = theory.predict_pairs(pairs, similarity="distance")
    few = theory.predict_pairs(pairs, similarity="distance", output_dim=5)
    root = np.linalg.cholesky(covariance)
    inverse = np.linalg.inv(root)
    levels, vectors = np.linalg.eigh(inverse @ augmentation @ inverse.T)
    directions = inverse.T @ vectors  # unit variance over the inputs

    def loss(values: np.ndarray) -> float:
        return theory.expected_loss(pairs, directions * values @ directions.T, "distance")

    values = theory.surviving_eigenvalue(levels)
    least = int(np.max(np.flatnonzero(values > 0)))
    name = f"control: removing the direction of t={levels[least]:.3g} raises the loss"
    yield must_exceed(name, PROOF, best.loss, loss(np.where(np.arange(DIM) == least, 0, values)))
    name = f"control: adding some of the direction of t={levels[least + 1]:.3g} raises the loss"
    yield must_exceed(name, PROOF, best.loss, loss(np.where(np.arange(DIM) == least + 1, 1e-3, values)))
    other = np.where((np.arange(DIM) > 0) & (np.arange(DIM) < 6), values, 0)
    yield must_exceed(
        "control: in 5 dimensions directions 2 to 6 have a larger loss than 1 to 5", PROOF, few.loss, loss(other)
    )
    end = Risk(pairs=pairs, similarity="distance").descend(DIM)
    tolerance = spectrum_tolerance(best, {"similarity": "distance"}, end)
    commuting = np.sort(np.linalg.eigvalsh(augmentation) / np.linalg.eigvalsh(covariance))
    error = np.abs(theory.surviving_eigenvalue(commuting) - end.spectrum).max()
    name = "control: eigenvalue ratios of non-commuting Q and S do not give the spectrum"
    yield must_exceed(name, PROOF, tolerance, float(error))
    error = np.abs(1 / (1 + np.array(RATIOS)) - end.spectrum).max()
    yield must_exceed("control: the dot product has another spectrum than the distance", PROOF, tolerance, error)
