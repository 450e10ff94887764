"""Encoders of two modalities: free unit embeddings, and two towers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.losses.info_nce import unit_vectors
from simlab.networks.encoders.pairs import PairEncoder
from simlab.networks.layers import affine
from simlab.tasks.pairs import ViewPair

if TYPE_CHECKING:
    from jaxtyping import Array, Float


class ModalityEncoder(PairEncoder):
    """Unit embeddings of images and of texts, and the parameter ``s = log beta`` of the inverse temperature.

    Attributes:
        log_inverse_temperature: ``s``, a scalar.
    """

    log_inverse_temperature: nnx.Param

    def inverse_temperature(self, clip: jax.Array | float) -> Float[Array, ""]:
        """Return ``exp(min(s, log(clip)))``."""
        return jnp.exp(_at_most(self.log_inverse_temperature[...], jnp.log(clip)))

    def embed_pairs(self, pairs: ViewPair) -> tuple[Float[Array, "B m"], Float[Array, "B m"]]:
        """Return the unit embeddings of images and of texts."""
        raise NotImplementedError

    def representation(self, data: Any) -> dict[str, jax.Array]:
        """Return ``images`` and ``texts``, the unit embeddings of all images and texts."""
        images, texts = self.embed_pairs(ViewPair(jnp.asarray(data.images), jnp.asarray(data.texts)))
        return {"images": images, "texts": texts}


class FreeModalities(ModalityEncoder):
    """Embeddings ``v/|v|`` with one parameter vector v for each image and each text.

    The initial embeddings are either symmetric, a simplex of vertices ``u_i`` with both modalities shifted in opposite
    directions, ``x_i = (u_i cos(a), sin(a))`` and ``y_i = (u_i cos(a), -sin(a))``; or two random cones about
    independent axes.

    Args:
        n_pairs: ``N``.
        output_dim: ``d``, at least N.
        initial_gap: ``2 sin(a)`` of the symmetric start. May be traced, like the next two arguments.
        cone_spread: root-mean-square norm of the random vector added to the unit axis of a cone; 0 for a symmetric
            start.
        inverse_temperature: initial value of beta.
        dtype: of the parameters.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_pairs: int,
        output_dim: int,
        initial_gap: jax.Array | float,
        cone_spread: jax.Array | float,
        inverse_temperature: jax.Array | float,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        symmetric = _symmetric_start(n_pairs, output_dim, jnp.asarray(initial_gap, dtype))
        axes = jax.random.normal(rngs.params(), (2, 1, output_dim), dtype)
        axes = axes / jnp.linalg.norm(axes, axis=2, keepdims=True)
        spread = jax.random.normal(rngs.params(), (2, n_pairs, output_dim), dtype) * output_dim**-0.5
        cones = axes + cone_spread * spread
        cones = cones / jnp.linalg.norm(cones, axis=2, keepdims=True)
        start = jnp.where(jnp.asarray(cone_spread) > 0, cones, symmetric)
        self.images, self.texts = nnx.Param(start[0]), nnx.Param(start[1])
        self.log_inverse_temperature = nnx.Param(jnp.log(jnp.asarray(inverse_temperature, dtype)))

    def embed_pairs(self, pairs: ViewPair) -> tuple[Float[Array, "B m"], Float[Array, "B m"]]:
        """Return the unit embeddings of the images and texts with these numbers."""
        images, texts = self.images[...][pairs.first], self.texts[...][pairs.second]
        return unit_vectors(images), unit_vectors(texts)


class TwoTowers(ModalityEncoder):
    """One multi-layer perceptron for each modality: ReLU layers and a linear readout, normalised to unit vectors.

    Initial weights have variance 2/fan_in (He et al., 2015) before ReLUs and 1/fan_in in the readout; biases are zero.

    Args:
        image_dim: dimension of images.
        text_dim: dimension of texts.
        hidden_width: width of each hidden layer.
        depth: number of hidden layers, 0 for a linear map.
        output_dim: ``d``.
        inverse_temperature: initial value of beta. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        image_dim: int,
        text_dim: int,
        hidden_width: int,
        depth: int,
        output_dim: int,
        inverse_temperature: jax.Array | float,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        hidden = (hidden_width,) * depth
        self.image_tower = _make_tower((image_dim, *hidden, output_dim), dtype, rngs)
        self.text_tower = _make_tower((text_dim, *hidden, output_dim), dtype, rngs)
        self.log_inverse_temperature = nnx.Param(jnp.log(jnp.asarray(inverse_temperature, dtype)))

    def embed_pairs(self, pairs: ViewPair) -> tuple[Float[Array, "B m"], Float[Array, "B m"]]:
        """Return the unit embeddings of images and of texts."""
        return _embed(self.image_tower, pairs.first), _embed(self.text_tower, pairs.second)


def _make_tower(widths: tuple[int, ...], dtype, rngs: nnx.Rngs) -> nnx.List:
    """Return layers with these widths; the last one is the readout."""
    layers = []
    for number, (fan_in, fan_out) in enumerate(pairwise(widths)):
        gain = 1.0 if number == len(widths) - 2 else 2.0
        kernel = jax.random.normal(rngs.params(), (fan_in, fan_out), dtype) * (gain / fan_in) ** 0.5
        layers.append(nnx.Dict(kernel=nnx.Param(kernel), bias=nnx.Param(jnp.zeros(fan_out, dtype))))
    return nnx.List(layers)


def _embed(tower: nnx.List, inputs: Float[Array, "B p"]) -> Float[Array, "B m"]:
    *hidden, readout = tower
    for layer in hidden:
        inputs = jax.nn.relu(affine(layer, inputs))
    return unit_vectors(affine(readout, inputs))


def _symmetric_start(n_pairs: int, output_dim: int, gap: jax.Array) -> Float[Array, "2 N d"]:
    """Return the symmetric start of both modalities; the simplex has the Gram matrix ``(I - J/N) N/(N-1)``.

    Its vertices are columns of a Householder reflection that maps the direction of equal entries to the last axis.
    """
    equal = jnp.full(n_pairs, n_pairs**-0.5, gap.dtype)
    normal = equal - jnp.eye(n_pairs, dtype=gap.dtype)[-1]
    reflection = jnp.eye(n_pairs, dtype=gap.dtype) - 2 * jnp.outer(normal, normal) / jnp.sum(normal**2)
    vertices = reflection[:, :-1] * (n_pairs / (n_pairs - 1)) ** 0.5
    sine = gap / 2
    images = jnp.concatenate([jnp.sqrt(1 - sine**2) * vertices, jnp.full((n_pairs, 1), sine)], axis=1)
    start = jnp.stack([images, images.at[:, -1].multiply(-1)])
    return jnp.pad(start, ((0, 0), (0, 0), (0, output_dim - n_pairs)))


@jax.custom_vjp
def _at_most(value: jax.Array, limit: jax.Array) -> jax.Array:
    """Return the minimum of both; at the limit only gradients along which descent lowers the value are kept."""
    return jnp.minimum(value, limit)


def _at_most_forward(value, limit):
    return jnp.minimum(value, limit), value >= limit


def _at_most_backward(is_clipped, cotangent):
    own = jnp.where(is_clipped, jnp.maximum(cotangent, 0), cotangent)
    return own, jnp.zeros_like(cotangent)


_at_most.defvjp(_at_most_forward, _at_most_backward)
