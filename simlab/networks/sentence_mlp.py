"""A multi-layer perceptron on the concatenated word vectors of a sentence."""

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layers import (
    ACTIVATIONS,
    DeepSentenceClassifier,
    initial_classifier,
    initial_embeddings,
    linear,
)
from simlab.validation import check_choice, check_count


class SentenceMLP(DeepSentenceClassifier):
    """Concatenated embeddings, ``depth`` hidden layers, and a linear readout.

    ``x^0 = (w_{x_1}, .., w_{x_L})`` and ``x^i = activation(V_i x^{i-1} + b_i)``; the readout is linear in the last
    layer. The first layer merges the positions: ``hidden`` returns ``Float[B, L, d]``, then ``depth`` times
    ``Float[B, 1, width]``, and the classifier is ``Float[K, 1, width]`` (``Float[K, L, d]`` if ``depth`` is 0).
    Interface and initial weights are those of :mod:`simlab.networks.layers`.

    Args:
        n_words: ``n_w``.
        sentence_length: ``L``.
        n_classes: ``K``.
        embedding_dim: ``d``.
        depth: number of hidden layers, at least 0.
        width: number of units of each hidden layer.
        activation: ``"relu"`` or ``"gelu"``.
        initial_scale: standard deviation of the initial embeddings only. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.

    Raises:
        ValueError: ``depth``, ``width`` or ``activation`` is out of range; the message names it.
    """

    def __init__(
        self,
        *,
        n_words: int,
        sentence_length: int,
        n_classes: int,
        embedding_dim: int,
        depth: int,
        width: int = 256,
        activation: str = "relu",
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        check_count("depth", depth, 0)
        check_count("width", width)
        self.activation = check_choice("activation", activation, ACTIVATIONS)
        self.embeddings = initial_embeddings(rngs, n_words, embedding_dim, initial_scale, dtype)
        sizes = (sentence_length * embedding_dim, *depth * (width,))
        # He's variance: ReLU halves the second moment of a centred normal; GELU reduces that of a standard one to 0.43.
        self.layers = nnx.List([linear(*pair, dtype, rngs, gain=2.0) for pair in pairwise(sizes)])
        n_positions, last_width = (1, width) if depth else (sentence_length, embedding_dim)
        self.classifier = initial_classifier(rngs, (n_classes, n_positions, last_width), dtype)

    def hidden(self, sentences: jax.Array) -> tuple[jax.Array, ...]:
        """Return the tokens ``Float[B, L, d]``, then ``Float[B, 1, width]`` after each activation."""
        tokens = [self.representation()[sentences]]
        for layer in self.layers:
            flat = tokens[-1].reshape(len(sentences), 1, -1)
            tokens.append(ACTIVATIONS[self.activation](layer(flat)))
        return tuple(tokens)
