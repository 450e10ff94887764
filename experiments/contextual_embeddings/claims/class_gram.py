"""Class vectors of unequal classes: the certificate, an independent descent, the floor and the limit."""

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
# A gap of the loss by rounding leaves the Gram matrix known to its square root.
GRAM = 1e-5


def check_class_gram() -> Iterator[Claim]:
    """Check KKT residuals with derivatives of the loss taken anew, and how anisotropy depends on temperature."""
    for priors, tau in CASES:
        solution = theory.solve_class_gram(priors, tau)
        name = f"pi_max={max(priors):g} tau={tau:g}"
        yield compare(f"KKT residual, {name}", SOURCE, 0.0, kkt_residual(solution), KKT, "asked for")
        least, gram = descend(np.array(priors), tau, seed=1)
        yield compare(f"least loss, {name}", SOURCE, solution.loss, least, KKT, "rounding of a descent's line search")
        note = "square root of the accuracy of the loss"
        yield compare(f"class Gram matrix, {name}", SOURCE, solution.gram, gram, GRAM, note)
    yield from _check_floor()
    yield from _check_limit()
    simplex = theory.certify(np.array(UNEVEN), 0.5, theory.simplex_gram(len(UNEVEN)))
    name = "control: the simplex of equal classes fails the conditions of unequal ones"
    yield must_exceed(name, SOURCE, KKT, simplex.kkt_residual)


def kkt_residual(solution) -> float:
    """Return the KKT residual, with the gradient of the loss by complex steps instead of a formula."""
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
    """Return the least loss over vectors of length at most 1, and their Gram matrix."""
    count = len(priors)
    shape = (count, count)

    def value(point: np.ndarray) -> tuple[float, np.ndarray]:
        free = point.reshape(shape)
        lengths = np.linalg.norm(free, axis=1, keepdims=True)
        inner = lengths > 1  # longer ones are cut to length 1
        vectors = np.where(inner, free / lengths, free)
        gram = vectors @ vectors.T
        scores = np.exp((gram - np.diag(gram)[:, None]) / tau) * priors
        weights = priors[:, None] * scores / scores.sum(1, keepdims=True) / tau
        slope = weights - np.diag(weights.sum(1))
        gradient = (slope + slope.T) @ vectors
        tangent = (gradient - np.sum(gradient * vectors, axis=1, keepdims=True) * vectors) / lengths
        return float(_loss(priors, tau, gram)), np.where(inner, tangent, gradient).ravel()

    start = 1.5 * np.random.default_rng(seed).normal(size=shape).ravel()
    found = minimize(
        value,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10000, "ftol": 0, "gtol": 1e-13, "maxcor": 30},
    )
    vectors = found.x.reshape(shape)
    vectors = vectors / np.maximum(1, np.linalg.norm(vectors, axis=1, keepdims=True))
    return float(found.fun), vectors @ vectors.T


def _check_floor() -> Iterator[Claim]:
    """Check that the anisotropy reaches its floor exactly at the predicted temperature."""
    priors = theory.one_large_class(8, LARGE)
    floor, threshold = theory.floor_anisotropy(LARGE), theory.floor_temperature(LARGE)
    for factor in (1.001, 2.0):
        found = theory.solve_class_gram(priors, factor * threshold).anisotropy
        yield compare(f"anisotropy at {factor:g} of the floor's temperature", SOURCE, floor, found, 1e-9, "KKT")
    below = theory.solve_class_gram(priors, 0.99 * threshold).anisotropy
    yield must_exceed("below the floor's temperature the anisotropy is larger", SOURCE, floor + 1e-6, below)
    uneven = np.array([0.6, 0.2, 0.12, 0.08])
    threshold = theory.floor_temperature(0.6)
    found = theory.solve_class_gram(uneven, 1.001 * threshold).anisotropy
    yield compare("the floor's temperature depends on the largest prior alone", SOURCE, 0.04, found, 1e-9, "KKT")
    below = theory.solve_class_gram(uneven, 0.99 * threshold).anisotropy
    yield must_exceed("and below it the anisotropy is larger for uneven others too", SOURCE, 0.04 + 1e-6, below)


def _check_limit() -> Iterator[Claim]:
    """Check the limit of low temperature: the distance from the simplex falls in proportion to tau."""
    priors = np.array(theory.one_large_class(8, LARGE))
    limit = theory.simplex_anisotropy(priors)
    near, far = (theory.solve_class_gram(priors, tau).anisotropy for tau in (0.02, 0.04))
    name = "tau -> 0: the anisotropy extrapolated from tau=0.04 and 0.02 is that of the simplex"
    yield compare(name, SOURCE, limit, 2 * near - far, (limit - near) / 4, "the term of order tau^2")
