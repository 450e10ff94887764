"""Two implementations of the logits ``h(x)_k = sum_l <u_kl, w_{x_l}>``, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.xla_metadata import set_xla_metadata

from simlab.runtime.devices import platform

if TYPE_CHECKING:
    from jaxtyping import Array, Float, Int

# Costs on a CPU in units of one multiply-add of the products with looked-up vectors: LOOKUP_COST to look up a score and
# add to its gradient, TABLE_COST for a multiply-add of the table. Measured with ``simlab bench word-table``; not
# measured on other platforms.
LOOKUP_COST = 16
TABLE_COST = 1.2

# Logit of a value that a head does not have: its exponential underflows to zero.
LOWEST_LOGIT = -1e30


def choose_logits(n_words: int, dim: int, n_sentences: int) -> Callable:
    """Return :func:`tabulated_logits` if it is faster for ``n_sentences`` sentences, else :func:`gathered_logits`.

    For each class and position, products with looked-up words cost ``B d``, and the table costs ``n_w d`` plus one
    look-up per sentence.
    """
    gains = n_sentences * (dim - LOOKUP_COST) > TABLE_COST * n_words * dim
    return tabulated_logits if gains and platform() == "cpu" else gathered_logits


def split_heads(
    logits: Float[Array, "B K"], heads: tuple[int, ...] | None
) -> Float[Array, "B K"] | Float[Array, "B F max_K_f"]:
    """Split logits by head: ``Float[B, K]`` to ``Float[B, F, max K_f]``.

    Smaller heads are padded with logits so low that their probability is zero.

    Args:
        logits: logits of all heads, one after the other.
        heads: the sizes ``K_f``, or None for one head, whose logits are returned unchanged.
    """
    if heads is None:
        return logits
    values = np.arange(max(heads))
    first = np.cumsum(heads) - heads
    exists = values < np.array(heads)[:, None]
    return jnp.where(exists, logits[:, np.where(exists, first[:, None] + values, 0)], LOWEST_LOGIT)


def read_out(classifier: Float[Array, "K P m"], tokens: Float[Array, "B P m"]) -> Float[Array, "B K"]:
    """Return the logits ``sum_l <u_kl, x_l>``.

    Args:
        classifier: ``Float[K, P, m]``.
        tokens: ``Float[B, P, m]``.

    Returns:
        ``Float[B, K]``.
    """
    if platform() == "tpu":
        # Memory is tiled along the last two axes: merging them would copy the classifier twice per step.
        return jnp.einsum("bpm,kpm->bk", tokens, classifier)
    # On other platforms merging is free, and contracting two axes would need a transposed copy.
    return jnp.einsum("bi,ki->bk", tokens.reshape(len(tokens), -1), classifier.reshape(len(classifier), -1))


def look_up(words: Float[Array, "n_w d"], sentences: Int[Array, "B L"]) -> Float[Array, "B L d"]:
    """Return the vectors of the words in sentences.

    Args:
        words: ``Float[n_w, d]``.
        sentences: ``Int[B, L]``, each in ``0 .. n_w - 1``.

    Returns:
        ``Float[B, L, d]``.
    """
    if platform() != "cpu":
        return words[sentences]
    return _rows_apart(words, sentences.reshape(-1)).reshape(*sentences.shape, -1)


@jax.custom_jvp
def _rows_apart(words: Float[Array, "n_w d"], numbers: Int[Array, " N"]) -> Float[Array, "N 1 d"]:
    """Look up rows in a function that XLA does not inline.

    On a CPU XLA would fuse the look-up with the following reshape, and copy single elements instead of vectors.
    """
    with set_xla_metadata(inlineable="false"):
        return _rows(words, numbers)


@_rows_apart.defjvp
def _rows_tangent(primals, tangents):
    words, numbers = primals
    return _rows_apart(words, numbers), _rows(tangents[0], numbers)


@jax.jit
def _rows(words: Float[Array, "n_w d"], numbers: Int[Array, " N"]) -> Float[Array, "N 1 d"]:
    """Return rows by their numbers, ``Float[N, 1, d]``.

    Rows are gathered as windows of one row, so that the backward pass adds to the gradient without a copy.
    """
    rule = jax.lax.GatherDimensionNumbers(offset_dims=(1, 2), collapsed_slice_dims=(), start_index_map=(0,))
    return jax.lax.gather(words, numbers[:, None], rule, (1, words.shape[1]), mode="promise_in_bounds")


def gathered_logits(
    words: Float[Array, "n_w d"], classifier: Float[Array, "K L d"], sentences: Int[Array, "B L"]
) -> Float[Array, "B K"]:
    """Return the logits by looking up word vectors: ``2 B L d K`` operations for ``B`` sentences.

    Args:
        words: ``Float[n_w, d]``, the input of the classifier.
        classifier: ``Float[K, L, d]``.
        sentences: ``Int[B, L]``.

    Returns:
        ``Float[B, K]``.
    """
    return read_out(classifier, look_up(words, sentences))


def tabulated_logits(
    words: Float[Array, "n_w d"], classifier: Float[Array, "K L d"], sentences: Int[Array, "B L"]
) -> Float[Array, "B K"]:
    """Return the logits by looking up word scores ``<u_kl, w>``: ``2 n_w L d K`` operations for any batch size.

    Arguments and result are those of :func:`gathered_logits`. The table is computed position by position, so that at
    most ``n_w K`` scores are in memory.
    """

    def add(logits, position):
        weights, word_numbers = position
        return logits + (words @ weights.T)[word_numbers], None

    start = jnp.zeros((len(sentences), len(classifier)), words.dtype)
    return jax.lax.scan(add, start, (classifier.swapaxes(0, 1), sentences.T))[0]
