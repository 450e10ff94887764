"""Common parts of the deep classifiers of sentences: embedding table, feed-forward layers, readout, and interface.

The networks are :class:`simlab.networks.sentence_mlp.SentenceMLP`,
:class:`simlab.networks.transformer.SentenceTransformer` and :class:`simlab.networks.mixer.SentenceMixer`. Each maps
sentences ``Int[B, L]`` to *tokens*, one vector per position, through an embedding layer and ``depth`` blocks, and the
logits are linear in the last tokens:

``network(sentences)``
    the logits, ``Float[B, K]``, ``h(x)_k = sum_l <u_kl, x_l>`` with ``x_l`` the last tokens; no bias, and no
    normalisation between the last block and the readout;
``network.hidden(sentences)``
    the tokens after the embedding layer and after each block, a tuple of ``depth + 1`` arrays ``Float[B, P, m]``. ``P``
    is ``L`` and ``m`` is ``d``, except in the layers of the MLP, which merges the positions: there ``P`` is 1;
``network.representation(data)``
    the word vectors, ``Float[n_w, d]``, which are the input of the first block;
``network.embeddings``, ``network.classifier``
    the parameters ``Float[n_w, d]`` and ``Float[K, P, m]``, ``P`` and ``m`` those of the last tokens.

With ``depth=0`` the MLP and the mixer are the two-layer network of :mod:`simlab.networks.two_layer`, and so is the
transformer up to its positions. All learned parameters are ``nnx.Param``, and a network has no other state: split it
once and ``vmap`` over the members of its state.

Initial weights, chosen to train with Adam at learning rates of 1e-3 to 1e-2: embeddings ``s N(0, 1)``, where
``s = initial_scale`` scales only the embeddings; classifier weights uniform in ``+- 1 / sqrt(P m)``; matrices normal
with variance ``1 / inputs`` (LeCun), or ``2 / inputs`` (He) before the activations of the MLP, which has no
normalisation or residual connection to preserve the variance; biases zero.
"""

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.logits import read_out
from simlab.networks.names import EXPANSION


class DeepSentenceClassifier(nnx.Module):
    """Base class of networks with ``embeddings``, ``classifier`` and a method ``hidden``."""

    embeddings: nnx.Param
    classifier: nnx.Param

    def representation(self, data=None) -> jax.Array:
        """Return the word vectors, ``Float[n_w, d]``, which are the input of the first block.

        Positions, if the network adds any, are not included.
        """
        return self.embeddings[...]

    def hidden(self, sentences: jax.Array) -> tuple[jax.Array, ...]:
        """Return the tokens after the embedding layer and after each block."""
        raise NotImplementedError

    def __call__(self, sentences: jax.Array) -> jax.Array:
        """Return the logits, ``Float[B, K]``, of sentences ``Int[B, L]``."""
        return read_out(self.classifier[...], self.hidden(sentences)[-1])


def initial_embeddings(
    rngs: nnx.Rngs, n_words: int, dim: int, initial_scale: jax.Array | float, dtype: jnp.dtype
) -> nnx.Param:
    """Return an embedding table ``s N(0, 1)``, ``Float[n_w, d]``; the scale ``s`` may be traced."""
    return nnx.Param(initial_scale * jax.random.normal(rngs.params(), (n_words, dim), dtype))


def initial_classifier(rngs: nnx.Rngs, shape: tuple[int, int, int], dtype: jnp.dtype) -> nnx.Param:
    """Return the readout's weights, ``Float[K, P, m]``, uniform in ``+- 1 / sqrt(P m)``."""
    bound = (shape[1] * shape[2]) ** -0.5
    return nnx.Param(jax.random.uniform(rngs.params(), shape, dtype, -bound, bound))


def gelu(values: jax.Array) -> jax.Array:
    """Return ``x Phi(x)``, with ``Phi`` the exact normal distribution function and not its approximation by a tanh."""
    return jax.nn.gelu(values, approximate=False)


ACTIVATIONS = {"relu": jax.nn.relu, "gelu": gelu}


class FeedForward(nnx.Module):
    """Two layers with biases, applied to the last axis: ``x -> V2 phi(V1 x + b1) + b2``, of hidden width ``4 m``.

    Args:
        dim: ``m``, the dimension of inputs and outputs.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
        activation: a name in ``ACTIVATIONS``.
    """

    def __init__(self, dim: int, dtype: jnp.dtype, rngs: nnx.Rngs, activation: str = "gelu"):
        self.activation = activation
        self.expand = linear(dim, EXPANSION * dim, dtype, rngs)
        self.contract = linear(EXPANSION * dim, dim, dtype, rngs)

    def __call__(self, vectors: jax.Array) -> jax.Array:
        """Return ``Float[..., m]`` from ``Float[..., m]``."""
        return self.contract(ACTIVATIONS[self.activation](self.expand(vectors)))


def affine(layer: nnx.Dict, inputs: jax.Array) -> jax.Array:
    """Return ``inputs kernel + bias`` for the parameters of a layer."""
    return inputs @ layer["kernel"][...] + layer["bias"][...][None]


def linear(inputs: int, outputs: int, dtype: jnp.dtype, rngs: nnx.Rngs, *, gain: float = 1.0) -> nnx.Linear:
    """Return an affine layer with initial weights of variance ``gain / inputs`` and zero biases."""
    weights = nnx.initializers.variance_scaling(gain, "fan_in", "normal")
    return nnx.Linear(inputs, outputs, dtype=dtype, param_dtype=dtype, kernel_init=weights, rngs=rngs)
