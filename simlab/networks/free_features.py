"""Unconstrained features: a free vector for each sample, and a linear classifier."""

import jax
import jax.numpy as jnp
from flax import nnx

from simlab.networks.logits import look_up, read_out, split_heads
from simlab.networks.two_layer import initial_weights


class FreeFeatures(nnx.Module):
    """Logits ``W h_i`` of samples ``i`` whose features ``h_i`` are parameters; no biases.

    Source: Zhu et al. (arXiv 2105.02375); Mixon, Parshall, Pi (arXiv 2011.11619). ``W`` is the classifier.

    Args:
        n_samples: ``N``.
        n_classes: ``K``, rows of the classifier.
        heads: sizes of the classifier's heads, which sum to ``K``, or None for one.
        feature_dim: ``d``.
        initial_scale: factor ``s`` of the initial weights: features ``s N(0, 1)``, classifier uniform in
            ``+- s / sqrt(d)``. May be traced.
        dtype: of the weights.
        rngs: the stream ``params`` is used.
    """

    def __init__(
        self,
        *,
        n_samples: int,
        n_classes: int,
        heads: tuple[int, ...] | None = None,
        feature_dim: int,
        initial_scale: jax.Array | float = 1.0,
        dtype: jnp.dtype = jnp.float32,
        rngs: nnx.Rngs,
    ):
        features, classifier = initial_weights(rngs, n_samples, (n_classes, 1, feature_dim), dtype)
        self.features = nnx.Param(initial_scale * features)
        self.classifier = nnx.Param(initial_scale * classifier[:, 0])
        self.heads = heads

    def representation(self, data=None) -> jax.Array:
        """Return the features of all samples, ``Float[N, d]``."""
        return self.features[...]

    def __call__(self, samples: jax.Array) -> jax.Array:
        """Return the logits, ``Float[B, K]`` or of each head ``Float[B, F, max K_f]``, of samples ``Int[B]``."""
        features = look_up(self.features[...], samples[:, None])
        return split_heads(read_out(self.classifier[...][:, None], features), self.heads)
