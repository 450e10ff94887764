"""Minimise a smooth function of a vector inside jit: L-BFGS first, then Newton's method for the last digits.

Both are pure functions of the starting vector, so that ``jit(vmap(...))`` runs many starts in parallel. Neither raises;
the gradient norm shows how a run ended. Call them under ``jax.enable_x64(True)``.

Newton's method solves its linear systems by conjugate gradients. Directions in which the function is constant (a
*gauge*: rotations, scales) need no special treatment: the gradient has no component along them, and conjugate gradients
stay in its Krylov space.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

# A Newton step solves its system to this relative residual: each step gains about three digits.
RESIDUAL = 1e-3
# Armijo's constant, and the largest number of step lengths tried.
SUFFICIENT_DECREASE = 1e-4
N_TRIALS = 40
# Differences of the value below this are rounding, relative to the value if it is above 1: a small risk is a difference
# of terms that are not small. A step that changes the value by less is judged by the gradient alone.
VALUE_ROUNDING = 1e-14


class Descent(NamedTuple):
    """The point at which a minimiser stopped.

    Attributes:
        point: ``Float[P]``.
        value: value of the function at ``point``.
        gradient_norm: Euclidean norm of the gradient at ``point``.
        n_steps: number of steps taken.
    """

    point: jax.Array
    value: jax.Array
    gradient_norm: jax.Array
    n_steps: jax.Array | int


def lbfgs(value_fn: Callable, start: jax.Array, *, tolerance: float, max_steps: int) -> Descent:
    """Descend by L-BFGS with a zoom line search until the gradient norm is at most ``tolerance``.

    Args:
        value_fn: a function from ``Float[P]`` to a scalar.
        start: ``Float[P]``.
        tolerance: on the gradient norm.
        max_steps: the largest number of steps.

    Returns:
        The :class:`Descent`.
    """
    optimizer = optax.lbfgs()
    value_and_grad = optax.value_and_grad_from_state(value_fn)

    def unfinished(carry):
        _, _, gradient_norm, n_steps = carry
        return (gradient_norm > tolerance) & (n_steps < max_steps)

    def step(carry):
        point, state, _, n_steps = carry
        value, gradient = value_and_grad(point, state=state)
        update, state = optimizer.update(gradient, state, point, value=value, grad=gradient, value_fn=value_fn)
        gradient_norm = jnp.linalg.norm(optax.tree.get(state, "grad"))
        return point + update, state, gradient_norm, n_steps + 1

    first = (start, optimizer.init(start), jnp.linalg.norm(jax.grad(value_fn)(start)), 0)
    point, _, _, n_steps = jax.lax.while_loop(unfinished, step, first)
    value, gradient = jax.value_and_grad(value_fn)(point)
    return Descent(point, value, jnp.linalg.norm(gradient), n_steps)


class _Iterate(NamedTuple):
    """A point with value and gradient; ``improved`` is whether the last step was accepted."""

    point: jax.Array
    value: jax.Array
    gradient: jax.Array
    improved: jax.Array
    n_steps: jax.Array


def newton(
    value_fn: Callable, start: jax.Array, *, tolerance: float, max_steps: int | jax.Array, max_products: int = 400
) -> Descent:
    """Descend by Newton's method with conjugate gradients and a halving line search.

    Args:
        value_fn: a twice differentiable function from ``Float[P]`` to a scalar.
        start: ``Float[P]``.
        tolerance: on the gradient norm. With 0 the run ends when no step halves the gradient because of rounding.
        max_steps: the largest number of Newton steps.
        max_products: the largest number of products with the Hessian in one step.

    Returns:
        The :class:`Descent`. It does not escape a saddle at which the gradient is exactly zero.
    """
    value_and_grad = jax.value_and_grad(value_fn)

    def unfinished(state: _Iterate):
        return state.improved & (jnp.linalg.norm(state.gradient) > tolerance) & (state.n_steps < max_steps)

    def step(state: _Iterate) -> _Iterate:
        _, product = jax.linearize(jax.grad(value_fn), state.point)
        direction = _truncated_solve(product, -state.gradient, max_products)
        return _line_search(value_and_grad, state, direction)

    value, gradient = value_and_grad(start)
    first = _Iterate(start, value, gradient, jnp.isfinite(value), jnp.zeros((), int))
    last = jax.lax.while_loop(unfinished, step, first)
    return Descent(last.point, last.value, jnp.linalg.norm(last.gradient), last.n_steps)


def _truncated_solve(product: Callable, target: jax.Array, max_products: int) -> jax.Array:
    """Solve ``H p = target`` by conjugate gradients up to ``RESIDUAL``; stop at a direction of negative curvature.

    The first direction is ``target`` itself, so that ``p`` is a descent direction if ``target`` is minus the gradient.
    """
    goal = RESIDUAL**2 * (target @ target)

    def unfinished(carry):
        _, residual, _, convex, n_products = carry
        return convex & (residual @ residual > goal) & (n_products < max_products)

    def step(carry):
        solution, residual, direction, _, n_products = carry
        image = product(direction)
        curvature = direction @ image
        convex = curvature > 0
        size = residual @ residual
        length = jnp.where(convex, size / curvature, jnp.where(n_products == 0, 1.0, 0.0))
        solution, residual = solution + length * direction, residual - length * image
        direction = residual + (residual @ residual / size) * direction
        return solution, residual, direction, convex, n_products + 1

    first = (jnp.zeros_like(target), target, target, jnp.array(True), 0)
    return jax.lax.while_loop(unfinished, step, first)[0]


def _line_search(value_and_grad: Callable, state: _Iterate, direction: jax.Array) -> _Iterate:
    """Halve the step until the value decreases enough; if it changes only by rounding, the gradient must halve."""
    slope = state.gradient @ direction
    rounding = VALUE_ROUNDING * jnp.maximum(jnp.abs(state.value), 1.0)
    visible = jnp.abs(slope) > rounding
    smaller = jnp.linalg.norm(state.gradient) / 2

    def accepted(length, value, gradient):
        descends = value <= state.value + SUFFICIENT_DECREASE * length * slope
        sharpens = (value <= state.value + rounding) & (jnp.linalg.norm(gradient) <= smaller)
        return jnp.where(visible, descends | sharpens, sharpens)

    def searching(carry):
        _, _, _, descended, n_trials = carry
        return ~descended & (n_trials < jnp.where(visible, N_TRIALS, 2))

    def trial(carry):
        length, _, _, _, n_trials = carry
        length = jnp.where(n_trials == 0, 1.0, length / 2)
        value, gradient = value_and_grad(state.point + length * direction)
        return length, value, gradient, accepted(length, value, gradient), n_trials + 1

    first = (jnp.ones(()), state.value, state.gradient, jnp.array(False), 0)
    length, value, gradient, descended, _ = jax.lax.while_loop(searching, trial, first)
    return _Iterate(
        point=jnp.where(descended, state.point + length * direction, state.point),
        value=jnp.where(descended, value, state.value),
        gradient=jnp.where(descended, gradient, state.gradient),
        improved=descended,
        n_steps=state.n_steps + descended,
    )
