"""The L2 penalty ``sum_i lam_i/2 |p_i|^2`` of a risk, and its gradient."""

import jax
import jax.numpy as jnp


def penalty(params, weight_decays) -> jax.Array:
    """Return ``sum_i lam_i/2 |p_i|^2`` over matching trees of parameters and coefficients, in nats; 0 for None."""
    if weight_decays is None:
        return jnp.zeros(())
    terms = jax.tree.map(lambda value, decay: decay / 2 * jnp.sum(value**2), params, weight_decays)
    return jnp.asarray(sum(jax.tree.leaves(terms)))


def add_penalty_gradient(gradient, params, penalties):
    """Return the gradient of the risk from that of the loss: ``g_i + lam_i p_i``.

    The gradient is added explicitly: differentiating the penalty would read all weights once more for its value.

    Args:
        gradient: gradient of the loss, a tree that matches ``params``.
        params: the parameters.
        penalties: ``lam_i`` of each parameter, a tree that matches ``params``; None for no penalty.
    """
    if penalties is None:
        return gradient
    return jax.tree.map(lambda g, p, decay: g + decay * p, gradient, params, penalties)
