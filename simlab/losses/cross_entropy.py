"""Cross-entropy and accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp

from simlab.losses.chunks import in_chunks
from simlab.runtime.devices import platform
from simlab.tasks.batch import AnyArray, Batch, weighted

if TYPE_CHECKING:
    from jaxtyping import Array, Float, Int


def cross_entropy_terms(logits: Float[Array, "*batch K"], classes: Int[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Return ``-log softmax(logits)[class]`` in nats, from ``Float[..., K]`` and ``Int[...]`` to ``Float[...]``."""
    return jax.nn.logsumexp(logits, axis=-1) - _of_classes(logits, classes)


@jax.custom_jvp
def _of_classes(logits: Float[Array, "*batch K"], classes: Int[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Return the logits of the given classes, from ``Float[..., K]`` and ``Int[...]`` to ``Float[...]``."""
    if platform() != "cpu":
        return _sum_over_class(logits, classes)
    return jnp.take_along_axis(logits, classes[..., None], axis=-1, mode="promise_in_bounds")[..., 0]


@_of_classes.defjvp
def _of_classes_tangent(primals, tangents):
    logits, classes = primals
    # The gradient of a masked sum needs no scatter, unlike that of a look-up.
    return _of_classes(logits, classes), _sum_over_class(tangents[0], classes)


def _sum_over_class(logits: Float[Array, "*batch K"], classes: Int[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Return the logits of the given classes as a masked sum over all classes."""
    is_given = classes[..., None] == jax.lax.broadcasted_iota(classes.dtype, logits.shape, logits.ndim - 1)
    return jnp.sum(jnp.where(is_given, logits, 0), axis=-1)


def cross_entropy(network: Callable, batch: Batch) -> Float[Array, ""]:
    """Return the weighted mean cross-entropy of a batch, in nats; with several factors, summed over them."""
    batch = weighted(batch)
    return jnp.sum(batch.weights * cross_entropy_terms(network(batch.inputs), batch.classes))


class Evaluation(NamedTuple):
    """Loss and accuracy of a batch.

    Attributes:
        cross_entropy: weighted mean, nats.
        accuracy: in [0, 1]; NaN if the cross-entropy is not finite, as the best class is then undefined.
        deviation: standard deviation of the cross-entropy over the examples, nats.
    """

    cross_entropy: Float[Array, ""]
    accuracy: Float[Array, ""]
    deviation: Float[Array, ""]


def evaluate(network: Callable, batch: Batch, n_classes: int) -> Evaluation:
    """Return the :class:`Evaluation` of a batch of any size, in bounded memory."""
    batch = weighted(batch)
    size = len(batch.classes)

    def measure(part):
        logits = network(part.inputs)
        return cross_entropy_terms(logits, part.classes), jnp.argmax(logits, axis=-1) == part.classes

    measured = jax.lax.map(measure, in_chunks(batch, n_classes))
    terms, hits = (values.reshape(-1, *batch.classes.shape[1:])[:size] for values in measured)
    loss = jnp.sum(batch.weights * terms)
    # Errors are counted, so that a perfect accuracy is exactly 1 although the weights sum to 1 only up to rounding.
    n_factors = batch.classes.size // size
    accuracy = jnp.where(jnp.isfinite(loss), jnp.maximum(1 - jnp.sum(batch.weights * ~hits) / n_factors, 0), jnp.nan)
    spread = jnp.sum(batch.weights * (terms - loss / n_factors) ** 2)
    return Evaluation(loss, accuracy, jnp.sqrt(spread))


def accuracy_standard_error(accuracy: Float[AnyArray, ""], n_sentences: int) -> Float[AnyArray, ""]:
    """Return the standard error of an accuracy measured on ``n_sentences`` independent sentences.

    It is the standard deviation of the posterior Beta(k+1, n-k+1) of a success rate after ``k`` successes in ``n``
    trials. It is close to ``sqrt(p (1-p) / n)`` for ``p`` away from 0 and 1, and stays positive, of order ``1/n``, if
    all or none of the sentences are correct.
    """
    hits = accuracy * n_sentences
    rate = (hits + 1) / (n_sentences + 2)
    return (rate * (1 - rate) / (n_sentences + 3)) ** 0.5
