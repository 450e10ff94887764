"""The class Gram matrix for unequal priors: a convex program, and its certificate.

For infinitely many negatives the loss of class vectors, minus the logarithm of the number of negatives, is

    F(G) = sum_k pi_k log sum_l pi_l exp((G_kl - G_kk)/tau),      G positive semidefinite, G_kk <= 1,

convex in G. Its KKT conditions: there is nu >= 0 with ``S = sym(grad F) + diag(nu)`` positive semidefinite, ``S G = 0``
and ``nu_k (1 - G_kk) = 0``. As ``dF/dG_kk < 0``, S >= 0 makes every nu_k positive: all classes have length 1, tokens
collapse for any priors, and the minimiser is unique, since F is strictly convex off the diagonal. For any G of unit
diagonal with ``nu_k = -(sym(grad F) G)_kk`` one has tr(S G) = 0, so that

    F(G) - min F  <=  K max(0, -least eigenvalue of S).

The minimiser lies between two limits (theorem 3 of `contextual_embeddings.md`). For tau -> 0 it is the simplex, for all
priors. For large tau |sum_k pi_k z_k| approaches its least value, (2 pi_max - 1)_+, and attains it exactly at and above
`floor_temperature`.

S is measured in units of the mean multiplier, because at a low temperature F is flat to order exp(-1/tau).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_positive
from theory.contextual_embeddings.language import check_priors
from theory.contextual_embeddings.posteriors import simplex_gram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

# A minimiser is certified if its KKT residual is at most this.
CERTIFIED = 1e-8
# Below this temperature float64 does not resolve the differences of F.
LEAST_TEMPERATURE = 0.02
LARGEST_COUNT = 200
_MAX_NEWTON_STEPS = 30
_START_NOISE = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassGram:
    """The minimiser.

    Args:
        priors: pi, float64 (K,).
        temperature: tau.
        gram: G, float64 (K, K), unit diagonal.
        loss: F(G), the loss minus the logarithm of the number of negatives, nats.
        multipliers: nu, float64 (K,).
        kkt_residual: the larger of the most negative eigenvalue of S and the largest entry of S G, over the mean of nu.
        gap: an upper bound on F(G) - min F, nats.
    """

    priors: Float[np.ndarray, " K"]
    temperature: float
    gram: Float[np.ndarray, "K K"]
    loss: float
    multipliers: Float[np.ndarray, " K"]
    kkt_residual: float
    gap: float

    @property
    def anisotropy(self) -> float:
        """pi^T G pi = |mean sentence vector|^2."""
        return float(self.priors @ self.gram @ self.priors)

    @property
    def is_certified(self) -> bool:
        """Whether the KKT conditions hold to `CERTIFIED`."""
        return self.kkt_residual <= CERTIFIED


def solve_class_gram(class_priors: Sequence[float] | Float[np.ndarray, " K"], temperature: float) -> ClassGram:
    """Return the class Gram matrix that minimises F.

    The solver runs L-BFGS on unit vectors in K dimensions, then Newton's method on the product of spheres. The
    certificate is independent of the solver.

    Args:
        class_priors: K positive numbers that sum to 1.
        temperature: tau, at least `LEAST_TEMPERATURE`.

    Raises: ValueError, one line that names the field.
    """
    priors = check_priors(class_priors)
    tau = require_positive("temperature", temperature)
    if tau < LEAST_TEMPERATURE:
        raise ValueError(f"temperature: expected at least {LEAST_TEMPERATURE} with unequal priors, got {tau:g}")
    if len(priors) > LARGEST_COUNT:
        raise ValueError(f"class_priors: expected at most {LARGEST_COUNT} classes, got {len(priors)}")
    if np.ptp(priors) == 0:
        return certify(priors, tau, simplex_gram(len(priors)))
    vectors = _newton(priors, tau, _quasi_newton(priors, tau, _start(priors, tau)))
    return certify(priors, tau, vectors @ vectors.T)


def certify(priors: Float[np.ndarray, " K"], temperature: float, gram: Float[np.ndarray, "K K"]) -> ClassGram:
    """Return a Gram matrix of unit diagonal with its KKT residual and the certified gap.

    Args:
        priors: pi.
        temperature: tau.
        gram: any positive semidefinite matrix of unit diagonal.
    """
    _, slope = excess_and_slope(priors, temperature, gram)
    multipliers = -np.einsum("kl,kl->k", slope, gram)
    certificate = slope + np.diag(multipliers)
    negative = max(0.0, -float(np.linalg.eigvalsh(certificate)[0]))
    residual = max(negative, float(np.abs(certificate @ gram).max()))
    return ClassGram(
        priors=priors,
        temperature=temperature,
        gram=gram,
        loss=class_loss(priors, temperature, gram),
        multipliers=multipliers,
        kkt_residual=residual / float(multipliers.mean()),
        gap=len(priors) * negative,
    )


def class_loss(priors: Float[np.ndarray, " K"], temperature: float, gram: Float[np.ndarray, "K K"]) -> float:
    """Return F(G) of any Gram matrix, in nats."""
    logits = (gram - np.diag(gram)[:, None]) / temperature + np.log(priors)
    return float(priors @ np.logaddexp.reduce(logits, axis=1))


def excess_and_slope(priors, temperature: float, gram) -> tuple[float, Float[np.ndarray, "K K"]]:
    """Return ``F(G) - sum_k pi_k log pi_k``, and the symmetric part of the gradient with a zero diagonal.

    For a unit diagonal the excess is ``sum_k pi_k log(1 + sum_{l != k} (pi_l/pi_k) exp((G_kl - 1)/tau))``, a form
    without cancellation at a low temperature. The multipliers absorb the diagonal of the gradient.
    """
    odds = _odds(priors, temperature, gram)
    totals = odds.sum(1)
    slope = (priors / (1 + totals))[:, None] * odds / temperature
    return float(priors @ np.log1p(totals)), (slope + slope.T) / 2


def floor_anisotropy(largest_prior: float) -> float:
    """Return ``(2 pi_max - 1)_+^2``, the least ``pi^T G pi`` of unit vectors."""
    return max(0.0, 2 * largest_prior - 1) ** 2


def simplex_anisotropy(priors: Float[np.ndarray, " K"]) -> float:
    """Return ``(K sum_k pi_k^2 - 1)/(K - 1)``, the anisotropy of the simplex: the limit tau -> 0."""
    return float((len(priors) * np.sum(priors**2) - 1) / (len(priors) - 1))


def floor_temperature(largest_prior: float) -> float:
    """Return the least temperature at which the anisotropy is exactly its floor; infinite for a prior up to 1/2.

    All other classes are then opposite to the largest, whatever their priors. With ``P = pi_max``, ``Q = 1 - P`` and
    ``e = exp(-2/tau)``: ``S >= 0`` there iff ``P e^2 + (P - 2 Q^2) e - 2 P Q >= 0``. Valid for at least three classes.

    Args:
        largest_prior: P, in (0, 1).
    """
    large, rest = largest_prior, 1 - largest_prior
    if large <= 0.5:
        return math.inf
    linear = large - 2 * rest**2
    root = (-linear + math.sqrt(linear**2 + 8 * large**2 * rest)) / (2 * large)
    return -2 / math.log(root)


def _odds(priors, temperature: float, gram) -> Float[np.ndarray, "K K"]:
    """Return ``(pi_l/pi_k) exp((G_kl - 1)/tau)`` off the diagonal, 0 on it."""
    odds = priors / priors[:, None] * np.exp((gram - 1) / temperature)
    np.fill_diagonal(odds, 0.0)
    return odds


def _start(priors: Float[np.ndarray, " K"], temperature: float) -> Float[np.ndarray, "K K"]:
    """Return perturbed unit vectors near the better of the two limits; the noise breaks the symmetries."""
    values, vectors = np.linalg.eigh(simplex_gram(len(priors)))
    simplex = vectors * np.sqrt(np.maximum(values, 0))
    antipodal = np.zeros_like(simplex)
    antipodal[:, 0] = np.where(np.arange(len(priors)) == np.argmax(priors), 1.0, -1.0)
    starts = (simplex, antipodal)
    best = min(starts, key=lambda start: class_loss(priors, temperature, start @ start.T))
    noise = np.random.default_rng(0).normal(size=best.shape) / math.sqrt(len(priors))
    return _normalise(best + _START_NOISE * noise)


def _normalise(vectors: Float[np.ndarray, "K K"]) -> Float[np.ndarray, "K K"]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _quasi_newton(priors, temperature: float, vectors) -> Float[np.ndarray, "K K"]:
    """Return unit vectors after L-BFGS on the logarithm of the excess, which float64 resolves at low temperatures."""
    from scipy.optimize import minimize

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        free = flat.reshape(vectors.shape)
        unit = _normalise(free)
        excess, slope = excess_and_slope(priors, temperature, unit @ unit.T)
        gradient = _tangent(2 * slope @ unit, unit) / np.linalg.norm(free, axis=1, keepdims=True)
        return math.log(excess), gradient.ravel() / excess

    minimiser = minimize(
        objective,
        vectors.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 3000, "maxfun": 6000, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-9},
    ).x
    return _normalise(minimiser.reshape(vectors.shape))


def _newton(priors, temperature: float, vectors) -> Float[np.ndarray, "K K"]:
    """Return the unit vectors with the smallest gradient along Newton's method."""
    from scipy.sparse.linalg import LinearOperator, cg

    best, least = vectors, math.inf
    for _ in range(_MAX_NEWTON_STEPS):
        gradient, hessian = _derivatives(priors, temperature, vectors)
        residual = float(np.linalg.norm(gradient))
        if not residual < least:
            break
        best, least = vectors, residual
        operator = LinearOperator((vectors.size,) * 2, matvec=hessian, dtype=np.float64)
        step = cg(operator, -gradient.ravel(), rtol=1e-6, maxiter=500)[0].reshape(vectors.shape)
        vectors = _normalise(vectors + _tangent(step, vectors))
    return best


def _derivatives(priors, temperature: float, vectors):
    """Return the gradient of F on the spheres, ``2 S Z``, and the function that multiplies by its Hessian."""
    odds = _odds(priors, temperature, vectors @ vectors.T)
    weights = priors / (1 + odds.sum(1))
    half = weights[:, None] * odds / temperature
    slope = (half + half.T) / 2
    multipliers = -np.sum((slope @ vectors) * vectors, axis=1)

    def hessian(flat: np.ndarray) -> np.ndarray:
        change = _tangent(flat.reshape(vectors.shape), vectors)
        logits = (change @ vectors.T + vectors @ change.T) / temperature
        total = np.sum(odds * logits, axis=1) / (1 + odds.sum(1))
        moved = half * (logits - total[:, None])
        turned = (moved + moved.T) / 2 @ vectors
        return 2 * _tangent(turned + slope @ change + multipliers[:, None] * change, vectors).ravel()

    return 2 * _tangent(slope @ vectors, vectors), hessian


def _tangent(directions, vectors):
    """Return the component of each row orthogonal to the unit vector of that row."""
    return directions - np.sum(directions * vectors, axis=1, keepdims=True) * vectors
