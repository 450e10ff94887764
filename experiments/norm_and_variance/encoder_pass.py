"""One pass of an encoder over a corpus: moments of tokens by layer, on the device, in O(layers x tokens x d) memory.

Each batch runs through the encoder once. Its hidden states, raw and normalised, are added to running moments by token.
The similarity of a token to its sentence needs only its batch, so sums of it suffice.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from simlab.metrics.moments import Moments, Sums, add_layers, add_to_sums, empty_moments, empty_sums
from simlab.networks.encoders.bert import sentence_means

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float, Int

    from experiments.norm_and_variance.sentences import EncodedCorpus
    from simlab.networks.encoders.bert import BertEncoder


class SentenceSums(NamedTuple):
    """Sums over pairs of tokens within a sentence, by layer; first without special tokens, then with them.

    Attributes:
        intra: mean cosine between a token and the mean of its sentence.
        squares: squared norm of the sum of unit vectors, the sum of the cosines of all pairs.
        repeat_squares: sum of the cosines of pairs of occurrences of the same token.
        pairs: number of pairs, including each occurrence with itself; the same for every layer.
        repeat_pairs: number of pairs of occurrences of the same token.
    """

    intra: Any
    squares: Any
    repeat_squares: Any
    pairs: Any
    repeat_pairs: Any


class PassState(NamedTuple):
    """The sums that a pass has accumulated.

    Attributes:
        tokens: moments of the hidden states by layer and token, before the scale and offset of the final LayerNorm;
            those after it follow exactly.
        directions: sums of the normalised hidden states by layer and token.
        contexts: sums by token, in the last layer, of the normalised sentence vector of each occurrence.
        sentences: sums of :func:`sentence_sums` over sentences.
        n_sentences: number of sentences.
    """

    tokens: Moments
    directions: Sums
    contexts: Sums
    sentences: SentenceSums
    n_sentences: Any


def begin(corpus: EncodedCorpus, n_layers: int, dim: int) -> PassState:
    """Return the state before the first batch.

    Args:
        corpus: the corpus with its groups of tokens.
        n_layers: number of hidden states, including the embeddings.
        dim: dimension d of the hidden states.
    """
    return begin_groups(corpus.groups.n_groups, n_layers, dim)


def begin_groups(n_groups: int, n_layers: int, dim: int) -> PassState:
    """Return the state before the first batch for a number of groups of tokens."""
    return PassState(
        empty_moments(n_groups, dim, n_layers=n_layers),
        empty_sums(n_groups, dim, n_layers=n_layers),
        empty_sums(n_groups, dim, n_layers=1),
        SentenceSums(*(np.zeros((2, n_layers)) for _ in range(5))),
        np.zeros((), int),
    )


def run_pass(encoder: BertEncoder, corpus: EncodedCorpus, state: PassState, n_done: int, on_batch) -> PassState:
    """Run the remaining batches of a corpus through an encoder and return the final state.

    Args:
        encoder: the encoder, whose hidden states are all measured.
        corpus: the corpus.
        state: the state after the first ``n_done`` batches.
        n_done: number of batches already in the state.
        on_batch: called with ``(state, n_done)`` after each batch.
    """
    graph, weights = nnx.split(encoder)
    for number, batch in enumerate(corpus.batches(n_done), start=n_done + 1):
        arrays = (jnp.asarray(batch.ids), jnp.asarray(batch.groups), jnp.asarray(batch.is_word))
        moments, sums = add_batch(graph, weights, state[:3], *arrays)
        pairs = zip(state.sentences, sums, strict=True)
        added = SentenceSums(*(before + np.asarray(new, np.float64).sum(axis=2) for before, new in pairs))
        tokens, directions, contexts = moments
        n_sentences = state.n_sentences + int(batch.is_word.any(axis=1).sum())
        state = PassState(tokens, directions, contexts, added, n_sentences)
        on_batch(state, number)
    return state


@partial(jax.jit, static_argnums=0, donate_argnums=2)
def add_batch(graph, weights, moments: tuple[Moments, Sums, Sums], ids, groups, is_word):
    """Return the moments with a batch added, and the sums within each sentence, ``Float[2, layers, B]``."""
    is_token = groups >= 0
    hidden = nnx.merge(graph, weights).hidden(ids, is_token)
    units = unit_vectors(hidden.tokens)
    flat = (len(units), -1, units.shape[-1])
    sentences = jnp.broadcast_to(unit_vectors(sentence_means(hidden.tokens[-1], is_token))[:, None], units.shape[1:])
    tokens, directions, contexts = moments
    after = (
        add_layers(tokens, hidden.normalised.reshape(flat), groups.ravel()),
        add_to_sums(directions, units.reshape(flat), groups.ravel()),
        add_to_sums(contexts, sentences.reshape(1, *flat[1:]), groups.ravel()),
    )
    by_layer = jax.vmap(sentence_sums, in_axes=(0, 0, None, None))
    sums = [by_layer(hidden.tokens, units, ids, mask) for mask in (is_word, is_token)]
    return after, jax.tree.map(lambda *pair: jnp.stack(pair), *sums)


def unit_vectors(vectors: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
    """Return vectors divided by their norms; zero for a zero vector."""
    squares = jnp.sum(vectors**2, axis=-1, keepdims=True)
    return vectors * jnp.where(squares > 0, jax.lax.rsqrt(jnp.where(squares > 0, squares, 1)), 0)


def sentence_sums(
    tokens: Float[Array, "B L d"], units: Float[Array, "B L d"], ids: Int[Array, "B L"], is_token: Bool[Array, "B L"]
) -> SentenceSums:
    """Return the sums within each sentence, ``Float[B]``; zero for a sentence without tokens.

    Args:
        tokens: hidden states of one layer.
        units: the normalised hidden states.
        ids: vocabulary index of each token.
        is_token: mask of the tokens to count.
    """
    counted = units * is_token[..., None]
    mean = unit_vectors(sentence_means(tokens, is_token))
    n_tokens = jnp.sum(is_token, axis=1)
    is_repeat = (ids[:, :, None] == ids[:, None, :]) & is_token[:, :, None] & is_token[:, None, :]
    return SentenceSums(
        intra=jnp.sum(counted * mean[:, None], axis=(1, 2)) / jnp.maximum(n_tokens, 1),
        squares=jnp.sum(jnp.sum(counted, axis=1) ** 2, axis=-1),
        repeat_squares=jnp.sum(jnp.einsum("bld,bmd->blm", units, units) * is_repeat, axis=(1, 2)),
        pairs=(n_tokens**2).astype(units.dtype),
        repeat_pairs=jnp.sum(is_repeat, axis=(1, 2)).astype(units.dtype),
    )
