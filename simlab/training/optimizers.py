"""Optimisers by name, learning-rate schedules, and learning-rate factors of single parameters."""

import inspect
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from simlab.training.spec import DECOUPLED_DECAY, LINE_SEARCH_OPTIMIZERS, Stage

Optimizer = Callable[[jax.Array], optax.GradientTransformation]

# The most trials of a line search: near the minimum, where values differ by rounding, more trials do not help.
SEARCH_STEPS = 10


def named_optimizer(name: str, decoupled_weight_decay: jax.Array | float = 0.0) -> Optimizer:
    """Return the optax optimiser called ``name`` as a function of its learning rate.

    ``decoupled_weight_decay`` is passed to optimisers with a weight decay, such as AdamW. L-BFGS finds the length of a
    step by a line search and has no learning rate.
    """
    optimizer = getattr(optax, name)
    if name in LINE_SEARCH_OPTIMIZERS:
        search = optax.scale_by_zoom_linesearch(max_linesearch_steps=SEARCH_STEPS, initial_guess_strategy="one")
        return lambda learning_rate: optimizer(linesearch=search)
    if "weight_decay" in inspect.signature(optimizer).parameters:
        return lambda learning_rate: optimizer(learning_rate, weight_decay=decoupled_weight_decay)
    return optimizer


def stage_optimizer(stage: Stage, hyper, override: Optimizer | None) -> Optimizer:
    """Return the optimiser of a stage for given hyperparameters, or ``override`` if it is given."""
    return override or named_optimizer(stage.optimizer, getattr(hyper, DECOUPLED_DECAY, 0.0))


def learning_rate(stage: Stage, hyper, step: jax.Array) -> jax.Array:
    """Return the learning rate at a step, counted from 0 within the stage."""
    peak = getattr(hyper, stage.learning_rate)
    if stage.schedule == "constant":
        return peak
    warmup, real = stage.warmup_steps, jnp.result_type(peak)
    # Integers would be divided in float32, even in a float64 run.
    progress = (step - warmup).astype(real) / (stage.n_steps - warmup)
    factor = 0.5 * (1 + jnp.cos(jnp.pi * jnp.clip(progress, 0.0, 1.0)))
    if warmup:
        factor = jnp.where(step < warmup, (step + 1).astype(real) / warmup, factor)
    return peak * factor.astype(real)


def scale_updates(updates: optax.Updates, rates: nnx.State | None) -> optax.Updates:
    """Return the updates times the learning-rate factor of each parameter."""
    if rates is None:
        return updates
    return jax.tree.map(lambda update, rate: rate * update, updates, rates)


def without_frozen(gradient: optax.Updates, rates: nnx.State | None) -> optax.Updates:
    """Return the gradient with zeros for the parameters whose learning-rate factor is 0."""
    if rates is None:
        return gradient
    return jax.tree.map(lambda g, rate: jnp.where(rate == 0, 0, g), gradient, rates)
