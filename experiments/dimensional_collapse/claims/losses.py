"""Claims on expected losses, against quadrature, and on the first-order effect of a finite batch, against samples."""

from collections.abc import Iterator

import numpy as np

from experiments.verification.claim import Claim, compare, must_exceed
from theory import dimensional_collapse as theory

LOSS = "derived here, theory/dimensional_collapse/losses.py"
BATCH = "derived here, theory/dimensional_collapse/finite_batch.py"
COVARIANCE = np.array([[1.0, 0.3], [0.3, 0.6]])
AUGMENTATION = np.array([[0.5, -0.2], [-0.2, 0.9]])
TEMPERATURE = 1.3
NODES = (40, 50)
EIGENVALUES, RATIOS = np.array([0.8, 0.3]), np.array([0.4, 0.9])
N_ANCHORS, N_NEGATIVES, STANDARD_ERRORS = 100_000, (32, 64), 5


def check_losses() -> Iterator[Claim]:
    """Check both expected losses for one and two views, and the finite-batch correction."""
    encoder = np.random.default_rng(0).normal(size=(3, 2)) * 0.6
    for similarity in ("distance", "dot"):
        for views in (1, 2):
            pairs = theory.gaussian_pairs(COVARIANCE, AUGMENTATION, views)
            predicted = theory.expected_loss(pairs, encoder.T @ encoder, similarity, TEMPERATURE)
            coarse, fine = (_integrate(encoder, similarity, views, size) for size in NODES)
            note = f"change from {NODES[0]} to {NODES[1]} nodes, plus rounding"
            name = f"expected loss, {similarity}, views={views}: quadrature"
            yield compare(name, LOSS, predicted, fine, abs(fine - coarse) + 1e-13, note)
    for views in (1, 2):
        yield from _check_batch(views)


def _nodes(covariance: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the Gauss-Hermite nodes and weights of a centred Gaussian in the plane."""
    points, weights = np.polynomial.hermite_e.hermegauss(size)
    grid = np.stack(np.meshgrid(points, points), axis=-1).reshape(-1, 2)
    return grid @ np.linalg.cholesky(covariance).T, np.outer(weights, weights).ravel() / weights.sum() ** 2


def _integrate(encoder: np.ndarray, similarity: str, views: int, size: int) -> float:
    """Return the loss in nats from its definition: the mean over anchors of the log of a mean over negatives."""
    inputs, weights = _nodes(COVARIANCE + (AUGMENTATION if views == 2 else 0), size)
    embedded = inputs @ encoder.T
    inner = embedded @ embedded.T
    squares = np.diag(inner)[:, None] + np.diag(inner) - 2 * inner
    scores = (inner if similarity == "dot" else -squares / 2) / TEMPERATURE
    negative = weights @ np.log(np.exp(scores) @ weights)
    law, factor = (COVARIANCE, 1.0) if similarity == "dot" else (AUGMENTATION, -views / 2)
    shared, shared_weights = _nodes(law, size)
    positive = factor * shared_weights @ np.sum((shared @ encoder.T) ** 2, axis=1) / TEMPERATURE
    return float(negative - positive)


def _check_batch(views: int) -> Iterator[Claim]:
    """Compare M times the excess loss of M negatives over infinitely many, extrapolated to the limit of large M."""
    predicted = theory.batch_correction(EIGENVALUES, RATIOS, views)
    (first, first_error), (second, second_error) = (_sample_batch(views, size) for size in N_NEGATIVES)
    limit = 2 * second - first
    error = STANDARD_ERRORS * float(np.hypot(2 * second_error, first_error)) + (second - first) ** 2
    note = "five standard errors, plus the squared change from 32 to 64 negatives"
    name = f"finite batch, views={views}: M times the excess loss"
    yield compare(name, BATCH, predicted, limit, error, note)
    name = f"control, views={views}: the spread of the negatives alone does not explain the excess"
    growth = np.sqrt(np.prod((1 + EIGENVALUES) ** 3 / (1 + 3 * EIGENVALUES)))
    yield must_exceed(name, BATCH, error, abs(limit - (1 - growth) / 2), "five standard errors")


def _sample_batch(views: int, n_negatives: int) -> tuple[float, float]:
    """Return M times the mean excess loss of anchors with independent negatives, and its standard error."""
    rng = np.random.default_rng(views)
    clean = np.ones(2) if views == 1 else 1 - RATIOS / 2  # the metric is 1; for two views t = 2 q
    noise = RATIOS if views == 1 else RATIOS / 2
    normal = rng.normal(size=(3, N_ANCHORS, 2))
    inputs = np.sqrt(clean) * normal[0]
    anchors = inputs if views == 1 else inputs + np.sqrt(noise) * normal[2]
    z, partner = (np.sqrt(EIGENVALUES) * views_of for views_of in (anchors, inputs + np.sqrt(noise) * normal[1]))
    mean = np.prod(np.exp(-(z**2) / (2 * (1 + EIGENVALUES))) / np.sqrt(1 + EIGENVALUES), axis=1)
    total = np.exp(-np.sum((z - partner) ** 2, axis=1) / 2)
    for _ in range(n_negatives):
        other = np.sqrt(EIGENVALUES) * rng.normal(size=(N_ANCHORS, 2))
        total += np.exp(-np.sum((z - other) ** 2, axis=1) / 2)
    excess = n_negatives * np.log(total / (n_negatives * mean))
    return float(excess.mean()), float(excess.std() / np.sqrt(N_ANCHORS))
