"""A multi-layer perceptron whose features are penalised instead of its weights."""

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.layers import affine
from simlab.networks.logits import split_heads


class FeatureMLP(nnx.Module):
    """``depth`` hidden layers of hyperbolic tangents, linear features, and a classifier ``W`` without biases.

    Hyperbolic tangents are odd functions with mean zero over inputs: a common mean would dominate their Gram matrix,
    and gradient descent would need a hundred times as many steps.

    Args:
        input_dim: ``p``.
        hidden_width: width of each hidden layer.
        depth: number of hidden layers.
        feature_dim: ``d``.
        n_classes: ``K``, rows of the classifier.
        heads: sizes of the classifier's heads, or None for one.
        initial_scale: factor on the initial classifier and on the features. May be traced. Initial weights of hidden
            layers have variance ``2 / fan_in``, and biases are uniform in +-1.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        input_dim: int,
        hidden_width: int,
        depth: int,
        feature_dim: int,
        n_classes: int,
        heads: tuple[int, ...] | None = None,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        widths = (input_dim, *(hidden_width,) * depth)
        layers = []
        for fan_in, fan_out in pairwise(widths):
            kernel = jax.random.normal(rngs.params(), (fan_in, fan_out), dtype) * (2 / fan_in) ** 0.5
            bias = jax.random.uniform(rngs.params(), (fan_out,), dtype, -1.0, 1.0)
            layers.append(nnx.Dict(kernel=nnx.Param(kernel), bias=nnx.Param(bias)))
        last = jax.random.normal(rngs.params(), (widths[-1], feature_dim), dtype) * widths[-1] ** -0.5
        layers.append(nnx.Dict(kernel=nnx.Param(initial_scale * last), bias=nnx.Param(jnp.zeros(feature_dim, dtype))))
        self.backbone = nnx.List(layers)
        classifier = jax.random.normal(rngs.params(), (n_classes, feature_dim), dtype) * feature_dim**-0.5
        self.classifier = nnx.Param(initial_scale * classifier)
        self.heads = heads

    def features(self, inputs: jax.Array) -> jax.Array:
        """Return the features ``Float[B, d]`` of inputs ``Float[B, p]``."""
        *hidden, last = self.backbone
        for layer in hidden:
            inputs = jnp.tanh(affine(layer, inputs))
        return affine(last, inputs)

    def representation(self, data) -> jax.Array:
        """Return the features of all samples, ``Float[N, d]``."""
        return self.features(jnp.asarray(data.inputs))

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Return the logits, ``Float[B, K]``, or those of each head, see :func:`simlab.networks.logits.split_heads`."""
        return split_heads(self.features(inputs) @ self.classifier[...].T, self.heads)
