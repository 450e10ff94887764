"""Exact minimisation of a risk in float64: every sentence enumerated, random restarts, then Newton's method.

L-BFGS descends from each of several random starts; Newton's method refines the best of them to rounding, where norms,
angles and risk are accurate to about 1e-14; the Hessian there distinguishes a minimum from a saddle.

Initial weights: at the default tolerance any ``initial_scale`` between 1e-6 and 3 reaches the minimum. For a smaller
one the gradient is below the tolerance at once; the run stops at the zero network, a saddle, and the status is
``saddle``. In the smallest sufficient dimension (``d = n_c - 1``) very skewed word frequencies have true local minima:
use one more dimension, and restarts.

Compare invariants: norms, Gram matrices, or arrays after a common rotation (:mod:`simlab.metrics.geometry`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.exact.curvature import NO_CURVATURE, curvature
from simlab.exact.descent import lbfgs, newton
from simlab.exact.risk import ExactRisk, RiskData, Shape, cross_entropy, float64_on_host, risk, unpack
from simlab.networks.layer_norm import layer_norm
from simlab.tasks.batch import AnyArray
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, Shaped

NEWTON_STEPS = 100
# Newton's method stops at this gradient norm, relative to that of the penalty alone: 500 roundings.
GRADIENT_ROUNDING = 1e-13
# A critical point whose smallest eigenvalue orthogonal to the gauge is below minus this is a saddle.
SADDLE_CURVATURE = 1e-9


class Minima(NamedTuple):
    """The final points of ``R`` restarts, the leading axis. Arrays are NumPy float64; risks are in nats.

    Attributes:
        embeddings: ``Float[R, n_w, d]``; under LayerNorm normalised, centred and of norm ``sqrt(d)``.
        classifier: ``Float[R, K, L, d]``, several heads one after the other.
        risk: ``Float[R]``.
        cross_entropy: ``Float[R]``.
        gradient_norm: ``Float[R]``, norm of the gradient of the risk in all parameters.
        status: ``Str[R]``: ``"converged"`` (gradient norm at most the tolerance), ``"saddle"`` (the same, but with a
            direction of negative curvature), ``"stalled"`` or ``"diverged"``.
        polished: ``Bool[R]``, whether Newton's method followed and the curvature was computed.
        smallest_curvature: ``Float[R]``, smallest eigenvalue of the Hessian orthogonal to the gauge; NaN if not
            computed.
        flat_directions: ``Int[R]``, number of directions in which the Hessian vanishes; -1 if not computed.
        gauge_directions: ``Int[R]``, number of gauge directions among them; -1 if not computed.
    """

    embeddings: Float[np.ndarray, "R n_w d"]
    classifier: Float[np.ndarray, "R K L d"]
    risk: Float[np.ndarray, " R"]
    cross_entropy: Float[np.ndarray, " R"]
    gradient_norm: Float[np.ndarray, " R"]
    status: Shaped[np.ndarray, " R"]
    polished: Bool[np.ndarray, " R"]
    smallest_curvature: Float[np.ndarray, " R"]
    flat_directions: Int[np.ndarray, " R"]
    gauge_directions: Int[np.ndarray, " R"]

    @property
    def best(self) -> int:
        """The index of the polished restart with the smallest risk."""
        return int(np.argmin(np.where(self.polished & np.isfinite(self.risk), self.risk, np.inf)))


class RestartRisks(NamedTuple):
    """Final risks (nats) of ``R`` restarts of L-BFGS, with gradient norms, and a status as in :class:`Minima`."""

    risk: Float[np.ndarray, " R"]
    gradient_norm: Float[np.ndarray, " R"]
    status: Shaped[np.ndarray, " R"]


def minimise(
    problem: ExactRisk,
    *,
    n_restarts: int = 4,
    n_polished: int = 1,
    initial_scale: float = 0.5,
    seed: int = 0,
    tolerance: float = 1e-8,
    max_steps: int = 2000,
) -> Minima:
    """Minimise a risk from random starts and refine the best of them to rounding.

    Args:
        problem: the risk.
        n_restarts: number of random starts.
        n_polished: number of the best restarts that Newton's method refines.
        initial_scale: standard deviation of the initial weights (only of the classifier under LayerNorm); see the
            module docstring.
        seed: seed of the initial weights. Start ``i`` does not depend on the number of starts.
        tolerance: gradient norm at which L-BFGS stops and a run counts as converged. Newton's method continues to
            rounding, about 1e-15.
        max_steps: step limit of L-BFGS, and of Newton's method if below ``NEWTON_STEPS``.

    Returns:
        The :class:`Minima`.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """
    if check_count("n_polished", n_polished) > check_count("n_restarts", n_restarts):
        raise invalid("n_polished", f"at most n_restarts={n_restarts}", n_polished)
    check_count("max_steps", max_steps, 0)
    ends = _descend(problem, n_restarts, initial_scale, seed, tolerance, max_steps)
    shape, data = problem.shape, problem.data()
    polished = np.isin(np.arange(n_restarts), np.argsort(ends.risk)[:n_polished])
    curvatures = [NO_CURVATURE] * n_restarts
    with float64_on_host():
        for row in np.flatnonzero(polished):
            end = _newton(data, ends.point[row], min(max_steps, NEWTON_STEPS), shape=shape)
            for column, value in zip(ends, end, strict=True):
                column[row] = value
            curvatures[row] = curvature(shape, data, ends.point[row], ends.gradient_norm[row])
    smallest, flat, gauge = (np.array(column) for column in zip(*curvatures, strict=True))
    status = _status(ends, tolerance)
    embeddings, classifier = unpack(shape, ends.point)
    return Minima(
        embeddings=embeddings,
        classifier=classifier,
        risk=ends.risk,
        cross_entropy=ends.cross_entropy,
        gradient_norm=ends.gradient_norm,
        status=np.where((status == "converged") & (smallest < -SADDLE_CURVATURE), "saddle", status),
        polished=polished,
        smallest_curvature=smallest,
        flat_directions=flat,
        gauge_directions=gauge,
    )


def sample_restarts(
    problem: ExactRisk,
    *,
    n_restarts: int,
    initial_scale: float = 0.5,
    seed: int = 0,
    tolerance: float = 1e-7,
    max_steps: int = 1000,
) -> RestartRisks:
    """Descend from many random starts by L-BFGS alone, to test whether any ends below a predicted minimum.

    At the default tolerance a risk is accurate to about ``1e-14`` divided by the smallest curvature. For the
    arguments see :func:`minimise`; apart from the initial weights, memory does not grow with ``n_restarts``.
    """
    check_count("n_restarts", n_restarts)
    ends = _descend(problem, n_restarts, initial_scale, seed, tolerance, max_steps)
    return RestartRisks(ends.risk, ends.gradient_norm, _status(ends, tolerance))


class _Ends(NamedTuple):
    """Final points of all runs, ``Float64[R, P]``, and risk, cross-entropy and gradient norm there, ``Float64[R]``."""

    point: AnyArray
    risk: AnyArray
    cross_entropy: AnyArray
    gradient_norm: AnyArray


def _status(ends: _Ends, tolerance: float) -> np.ndarray:
    """Return the status of each run."""
    ended = np.where(ends.gradient_norm <= tolerance, "converged", "stalled")
    return np.where(np.isfinite(ends.risk) & np.isfinite(ends.gradient_norm), ended, "diverged")


def _descend(problem: ExactRisk, n_restarts, initial_scale, seed, tolerance, max_steps) -> _Ends:
    """Run L-BFGS from all starts."""
    check_real("initial_scale", initial_scale, positive=True)
    check_real("tolerance", tolerance, positive=True)
    shape, data = problem.shape, problem.data()
    starts = _starts(shape, n_restarts, initial_scale, seed)
    with float64_on_host():
        return jax.tree.map(np.array, _lbfgs(data, starts, tolerance, max_steps, shape=shape))


def _starts(shape: Shape, n_restarts: int, initial_scale: float, seed: int) -> np.ndarray:
    """Draw the initial weights, ``Float64[R, P]``: normal with standard deviation ``initial_scale``."""
    points = np.random.default_rng(seed).standard_normal((n_restarts, shape.n_parameters))
    first = shape.n_words * shape.dim if shape.layer_norm else 0
    points[:, first:] *= initial_scale
    return points


@partial(jax.jit, static_argnames="shape")
def _lbfgs(data: RiskData, starts: jax.Array, tolerance, max_steps, *, shape: Shape) -> _Ends:
    # The norms of words grow during descent, so that the gradient is larger once they are rescaled to norm sqrt(d).
    target = tolerance / 10 if shape.layer_norm else tolerance

    def descend(start):
        end = lbfgs(partial(risk, shape, data), start, tolerance=target, max_steps=max_steps)
        return _end(shape, data, end.point)

    # Sequentially: under vmap each start would wait for the longest search and compute both branches of conditionals.
    return jax.lax.map(descend, starts)


@partial(jax.jit, static_argnames="shape")
def _newton(data: RiskData, point: jax.Array, max_steps, *, shape: Shape) -> _Ends:
    rounding = GRADIENT_ROUNDING * data.decays[1] * jnp.linalg.norm(unpack(shape, point)[1])
    end = newton(partial(risk, shape, data), point, tolerance=rounding, max_steps=max_steps)
    return _end(shape, data, end.point)


def _end(shape: Shape, data: RiskData, point: jax.Array) -> _Ends:
    """Normalise the words under LayerNorm, and evaluate the risk there."""
    if shape.layer_norm:
        embeddings, classifier = unpack(shape, point)
        point = jnp.concatenate([layer_norm(embeddings).ravel(), classifier.ravel()])
    value, gradient = jax.value_and_grad(partial(risk, shape, data))(point)
    return _Ends(point, value, cross_entropy(shape, data, point), jnp.linalg.norm(gradient))
