"""Claims on class vectors of unequal classes: certificate, independent descent, floor and low-temperature limit."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from experiments.verification.claim import Claim, compare, must_exceed
from theory import contextual_embeddings as theory

SOURCE = "derived here: theory/contextual_embeddings.md, theorem 3"
KKT = 1e-8
LARGE = 0.7
UNEVEN = (0.31, 0.22, 0.17, 0.12, 0.09, 0.06, 0.03)
CASES = (
    *((theory.one_large_class(8, LARGE), tau) for tau in (0.1, 1.0, 2.7, 5.0)),
    *((UNEVEN, tau) for tau in (0.1, 0.5, 2.0)),
)
# The loss is quadratic at its minimum: rounding error eps in the loss allows an error sqrt(eps) in the Gram matrix.
GRAM = 1e-5


def check_class_gram() -> Iterator[Claim]:
    """Check KKT residuals with independent derivatives of the loss, and how anisotropy depends on temperature."""
    for priors, tau in CASES:
        solution = theory.solve_class_gram(priors, tau)
        name = f"pi_max={max(priors):g} tau={tau:g}"
        yield compare(f"KKT residual, {name}", SOURCE, 0.0, kkt_residual(solution), KKT, "required residual")
        least, gram = descend(np.array(priors), tau, seed=1)
        yield compare(f"minimum loss, {name}", SOURCE, solution.loss, least, KKT, "rounding in the line search")
        note = "square root of the accuracy of the loss"
        yield compare(f"class Gram matrix, {name}", SOURCE, solution.gram, gram, GRAM, note)
    yield from _check_floor()
    yield from _check_limit()
    simplex = theory.certify(np.array(UNEVEN), 0.5, theory.simplex_gram(len(UNEVEN)))
    name = "control: the simplex of equal classes violates the KKT conditions of unequal classes"
    yield must_exceed(name, SOURCE, KKT, simplex.kkt_residual)


def kkt_residual(solution) -> float:
    """Return the relative KKT residual, with the gradient of the loss by complex-step differentiation."""
    priors, tau, gram = solution.priors, solution.temperature, solution.gram
    count, step = len(priors), 1e-30
    gradient = np.zeros((count, count))
    for row in range(count):
        for column in range(count):
            moved = gram.astype(complex)
            moved[row, column] += 1j * step
            gradient[row, column] = _loss(priors, tau, moved).imag / step
    slope = (gradient + gradient.T) / 2
    multipliers = -np.diag(slope @ gram)
    certificate = slope + np.diag(multipliers)
    negative = max(0.0, -np.linalg.eigvalsh(certificate)[0], -multipliers.min())
    return float(max(negative, np.abs(certificate @ gram).max()) / multipliers.mean())


def _loss(priors: np.ndarray, tau: float, gram: np.ndarray):
    scores = np.exp((gram - np.diag(gram)[:, None]) / tau)
    return np.sum(priors * np.log(scores @ priors))


def descend(priors: np.ndarray, tau: float, seed: int) -> tuple[float, np.ndarray]:
    """Return the minimum loss over vectors of length at most 1 (nats) and the Gram matrix at the minimum."""
    count = len(priors)
    shape = (count, count)

    def value(point: np.ndarray) -> tuple[float, np.ndarray]:
        free = point.reshape(shape)
        lengths = np.linalg.norm(free, axis=1, keepdims=True)
        is_outside = lengths > 1  # projected onto the unit sphere
        vectors = np.where(is_outside, free / lengths, free)
        gram = vectors @ vectors.T
        scores = np.exp((gram - np.diag(gram)[:, None]) / tau) * priors
        weights = priors[:, None] * scores / scores.sum(1, keepdims=True) / tau
        slope = weights - np.diag(weights.sum(1))
        gradient = (slope + slope.T) @ vectors
        tangent = (gradient - np.sum(gradient * vectors, axis=1, keepdims=True) * vectors) / lengths
        return float(_loss(priors, tau, gram)), np.where(is_outside, tangent, gradient).ravel()

    start = 1.5 * np.random.default_rng(seed).normal(size=shape).ravel()
    optimum = minimize(
        value,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10000, "ftol": 0, "gtol": 1e-13, "maxcor": 30},
    )
    vectors = optimum.x.reshape(shape)
    vectors = vectors / np.maximum(1, np.linalg.norm(vectors, axis=1, keepdims=True))
    return float(optimum.fun), vectors @ vectors.T


def _check_floor() -> Iterator[Claim]:
    """Check that the anisotropy equals its floor above the predicted temperature and exceeds it below."""
    priors = theory.one_large_class(8, LARGE)
    floor, threshold = theory.floor_anisotropy(LARGE), theory.floor_temperature(LARGE)
    for factor in (1.001, 2.0):
        anisotropy = theory.solve_class_gram(priors, factor * threshold).anisotropy
        name = f"anisotropy at {factor:g} times the floor temperature"
        yield compare(name, SOURCE, floor, anisotropy, 1e-9, "KKT")
    below = theory.solve_class_gram(priors, 0.99 * threshold).anisotropy
    yield must_exceed("below the floor temperature the anisotropy is larger", SOURCE, floor + 1e-6, below)
    uneven = np.array([0.6, 0.2, 0.12, 0.08])
    threshold = theory.floor_temperature(0.6)
    anisotropy = theory.solve_class_gram(uneven, 1.001 * threshold).anisotropy
    yield compare("the floor temperature depends on the largest prior only", SOURCE, 0.04, anisotropy, 1e-9, "KKT")
    below = theory.solve_class_gram(uneven, 0.99 * threshold).anisotropy
    yield must_exceed(
        "below the floor temperature the anisotropy is larger also where the other priors differ",
        SOURCE,
        0.04 + 1e-6,
        below,
    )


def _check_limit() -> Iterator[Claim]:
    """Check the low-temperature limit: the deviation from the simplex is proportional to tau."""
    priors = np.array(theory.one_large_class(8, LARGE))
    limit = theory.simplex_anisotropy(priors)
    near, far = (theory.solve_class_gram(priors, tau).anisotropy for tau in (0.02, 0.04))
    name = "tau -> 0: the anisotropy extrapolated from tau=0.04 and 0.02 equals that of the simplex"
    yield compare(name, SOURCE, limit, 2 * near - far, (limit - near) / 4, "the term of order tau^2")
