"""A transformer encoder of sentences: the hidden states of every layer, and one vector per sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.encoders.blocks import EncoderBlock
from simlab.networks.encoders.pairs import PairEncoder
from simlab.networks.encoders.pooling import pool
from simlab.networks.layers import initial_embeddings, linear
from simlab.networks.normalisation import Normalisation

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float, Int


class SentenceEncoder(PairEncoder):
    """Embeddings and positions, ``depth`` blocks, a pooling.

    With ``norm="post"`` the embeddings and the output of every block are normalised; with ``norm="pre"`` the residual
    stream is not, and a LayerNorm follows the last block. In both cases the pooled tokens have norm ``sqrt(d)``, unless
    the LayerNorms have scale and offset.

    Args:
        n_words: number of words, without special tokens.
        n_marks: number of special tokens, numbered after the words; the first of them is the padding.
        sentence_length: ``L``, the largest length.
        dim: ``d``, at least 3.
        depth: number of blocks.
        n_heads: a divisor of ``d``.
        norm: ``post`` or ``pre``.
        affine: whether LayerNorms have scale and offset.
        activation: ``relu`` or ``gelu``.
        zero_queries: whether query weights are initially zero.
        has_positions: whether there are positional embeddings.
        has_padding: whether sentences may be shorter than ``L``; otherwise nothing is masked.
        pooling: ``mean``, ``max`` or ``cls``, which adds a leading token before the words.
        n_outputs: outputs of a linear readout, of the sentence's vector or of each token; 0 for none.
        initial_scale: standard deviation of initial embeddings and positions. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_words: int,
        n_marks: int,
        sentence_length: int,
        dim: int,
        depth: int,
        n_heads: int,
        norm: str = "post",
        affine: bool = False,
        activation: str = "gelu",
        zero_queries: bool = False,
        has_positions: bool = True,
        has_padding: bool = False,
        pooling: str = "mean",
        n_outputs: int = 0,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        self.n_words, self.padding, self.pooling = n_words, n_words if has_padding else None, pooling
        self.leading = n_words + n_marks - 1 if pooling == "cls" else None
        self.embeddings = initial_embeddings(rngs, n_words + n_marks, dim, initial_scale, dtype)
        n_positions = sentence_length + (pooling == "cls")
        self.positions = initial_embeddings(rngs, n_positions, dim, initial_scale, dtype) if has_positions else None
        normalisation = "layer-affine" if affine else "layer"
        self.blocks = nnx.List(
            [
                EncoderBlock(
                    dim,
                    n_heads=n_heads,
                    norm=norm,
                    normalisation=normalisation,
                    activation=activation,
                    zero_queries=zero_queries,
                    dtype=dtype,
                    rngs=rngs,
                )
                for _ in range(depth)
            ]
        )
        self.norm, self.outer_norm = norm, Normalisation(normalisation, dim, dtype)
        self.readout = linear(dim, n_outputs, dtype, rngs) if n_outputs else None

    def tokens_of(self, sentences: Int[Array, "B L"]) -> Int[Array, "B T"]:
        """Return the numbers of all tokens: the leading token, if there is one, and the words."""
        if self.leading is None:
            return sentences
        first = jnp.full_like(sentences[:, :1], self.leading)
        return jnp.concatenate([first, sentences], axis=1)

    def hidden(self, sentences: Int[Array, "B L"]) -> dict[str, Float[Array, "B T d"]]:
        """Return the tokens of every layer by name.

        The names are ``embedding``, ``block 1`` and so on; with ``norm="pre"`` these are the residual stream, and
        ``final`` is the LayerNorm of the last one.
        """
        tokens = self.tokens_of(sentences)
        is_seen = self._is_seen(tokens)
        states = self.embeddings[...][tokens]
        if self.positions is not None:
            states = states + self.positions[...][None, : tokens.shape[1]]
        states = self.outer_norm(states) if self.norm == "post" else states
        layers = {"embedding": states}
        for number, block in enumerate(self.blocks, 1):
            states = block(states, is_seen)
            layers[f"block {number}"] = states
        if self.norm == "pre":
            layers["final"] = self.outer_norm(states)
        return layers

    def last(self, sentences: Int[Array, "B L"]) -> Float[Array, "B T d"]:
        """Return the tokens of the last layer."""
        return list(self.hidden(sentences).values())[-1]

    def __call__(self, inputs: Int[Array, "B L"]) -> Float[Array, "B d"]:
        """Return the vectors of sentences."""
        return pool(self.last(inputs), self._is_seen(self.tokens_of(inputs)), self.pooling)

    def token_logits(self, sentences: Int[Array, "B L"]) -> Float[Array, "B L n_outputs"]:
        """Return the readout of the last layer at each word, divided by ``sqrt(d)``."""
        states = self.last(sentences)[:, -sentences.shape[1] :]
        return self._read(states * states.shape[-1] ** -0.5)

    def sentence_logits(self, sentences: Int[Array, "B L"]) -> Float[Array, "B n_outputs"]:
        """Return the readout of the vectors of sentences."""
        return self._read(self(sentences))

    def _read(self, vectors: jax.Array) -> jax.Array:
        if self.readout is None:
            raise ValueError("n_outputs: expected at least 1 for logits, got 0")
        return self.readout(vectors)

    def _is_seen(self, tokens: Int[Array, "B T"]) -> Bool[Array, "B T"] | None:
        return None if self.padding is None else tokens != self.padding

    def representation(self, data: Any) -> dict[str, jax.Array]:
        """Return, for the evaluation sentences of a language, the tokens of every layer by name and ``sentence``."""
        words = data.evaluation.words
        return {**self.hidden(words), "sentence": self(words)}
