"""Signed features: core features whose sign is the label, and background features independent of it.

    x = y sum_core z_j m_j + sum_background z_j m_j

with ``y`` = +-1 the label, orthonormal ``m_j``, and independent strengths ``z_j``. Out of distribution the sign of the
background is flipped. The setting of Zhang et al., *Feature contamination* (ICML 2024, arXiv 2406.03345).

As in the toy experiment of the authors, the core may also be a sphere: its direction is uniform, and its radius, 1 or
2, is the label, which no linear network can read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray, Batch
from simlab.tasks.task import Task
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Float

STRENGTHS = ("uniform", "gaussian")
CORES = ("signed", "spheres")
UNIFORM_DEVIATION = 1 / math.sqrt(12)
OUT_OF_DISTRIBUTION = "ood"


class SignedLaw(NamedTuple):
    """A realisation of :class:`SignedFeatures`; all values may vary without a new compilation.

    Attributes:
        core_mean: mean strength of a core feature, a scalar.
        background_mean: mean strength of a background feature, a scalar.
        deviation: standard deviation of both strengths.
        directions: ``m_j`` as rows, ``Float[n, p]``, core features first; None where inputs are the features. The
            inputs ``features @ directions`` are never formed: with ``n`` smaller than ``p`` a layer ``W`` is faster as
            ``features @ (W directions^T)^T``, in value and gradient.
    """

    core_mean: AnyArray
    background_mean: AnyArray
    deviation: AnyArray
    directions: AnyArray | None


@dataclass(frozen=True, kw_only=True)
class SignedFeatures(Task):
    """The static part of the task: its sizes, and the distribution of the strengths.

    Args:
        core_features: ``d_c``, their number.
        background_features: ``d_b``, their number.
        input_dim: ``p``, the dimension in which features lie along random orthonormal directions, at least
            ``d_c + d_b``; None for inputs that are the features themselves.
        strengths: their distribution, ``uniform`` or ``gaussian``.
        core: ``signed``, or ``spheres`` of radius 1 for the first label (class 1) and 2 for the other.
        core_mean: mean strength of a core feature, positive.
        background_mean: mean strength of a background feature, not negative.
        strength_deviation: standard deviation of the strengths, positive; by default that of uniform on [0, 1].

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    core_features: int
    background_features: int
    input_dim: int | None = None
    strengths: str = "uniform"
    core: str = "signed"
    core_mean: float = 0.5
    background_mean: float = 0.5
    strength_deviation: float = UNIFORM_DEVIATION
    evaluations: ClassVar[tuple[str, ...]] = ("test", OUT_OF_DISTRIBUTION)

    def __post_init__(self):
        check_count("core_features", self.core_features)
        check_count("background_features", self.background_features)
        check_choice("strengths", self.strengths, STRENGTHS)
        check_choice("core", self.core, CORES)
        check_real("core_mean", self.core_mean, positive=True)
        check_real("background_mean", self.background_mean)
        check_real("strength_deviation", self.strength_deviation, positive=True)
        if self.input_dim is not None:
            check_count("input_dim", self.input_dim)
            check_array("directions", 8, input_dim=self.input_dim, n_features=self.n_features)
            if self.input_dim < self.n_features:
                raise invalid("input_dim", f"at least the {self.n_features} features", self.input_dim)

    @property
    def n_features(self) -> int:
        """``d_c + d_b``."""
        return self.core_features + self.background_features

    @property
    def n_inputs(self) -> int:
        """The dimension of the inputs."""
        return self.input_dim or self.n_features

    @property
    def example_size(self) -> int:
        """Numbers drawn per example."""
        return self.n_features

    @property
    def compile_key(self) -> SignedFeatures:
        """The task without the means and the deviation of its strengths, which are data to the compiled code."""
        return replace(self, core_mean=1.0, background_mean=1.0, strength_deviation=1.0)

    def sample(self, seed: int) -> SignedLaw:
        """Return a realisation; directions, where there are any, are drawn with ``seed``."""
        directions = None
        if self.input_dim is not None:
            normal = np.random.default_rng(seed).standard_normal((self.input_dim, self.n_features))
            directions = np.linalg.qr(normal)[0].T
        means = np.array(self.core_mean), np.array(self.background_mean)
        return SignedLaw(*means, np.array(self.strength_deviation), directions)

    def abstract(self) -> SignedLaw:
        """Return arrays with the shapes and types of a realisation, without drawing the directions."""
        law = replace(self, input_dim=None).sample(0)
        if self.input_dim is None:
            return law
        return law._replace(directions=np.zeros((self.n_features, self.input_dim)))

    def draw(self, key: jax.Array, data: SignedLaw, size: int) -> Batch:
        """Return ``size`` examples with alternating labels; ``inputs`` are their features."""
        return self._draw(key, data, size, 1.0)

    def draw_evaluation(self, name: str, key: jax.Array, data: SignedLaw, size: int) -> Batch:
        """Return ``size`` examples; in the set ``ood`` the sign of the background is flipped."""
        return self._draw(key, data, size, -1.0 if name == OUT_OF_DISTRIBUTION else 1.0)

    def _draw(self, key: jax.Array, data: SignedLaw, size: int, background_sign: float) -> Batch:
        import jax.numpy as jnp

        is_core = np.arange(self.n_features)[None] < self.core_features
        classes = jnp.arange(size, dtype=jnp.int32) % 2
        labels = (2 * classes - 1).astype(data.core_mean.dtype)
        means = jnp.where(is_core, data.core_mean, data.background_mean)
        signs = jnp.where(is_core, labels[:, None], background_sign)
        features = signs * (means + data.deviation * self._draw_noise(key, size, data.core_mean.dtype))
        if self.core == "spheres":
            core = self._draw_spheres(key, 2 - classes.astype(labels.dtype))
            features = jnp.concatenate([core, features[:, self.core_features :]], axis=1)
        return Batch(features, classes)

    def _draw_spheres(self, key: jax.Array, radii: jax.Array) -> jax.Array:
        """Return random points on spheres of these radii, ``Float[size, d_c]``."""
        import jax
        import jax.numpy as jnp

        normal = jax.random.normal(jax.random.fold_in(key, 1), (len(radii), self.core_features), radii.dtype)
        return radii[:, None] * normal / jnp.linalg.norm(normal, axis=1, keepdims=True)

    def _draw_noise(self, key: jax.Array, size: int, dtype) -> jax.Array:
        """Return strengths of mean 0 and variance 1."""
        import jax

        shape = (size, self.n_features)
        if self.strengths == "gaussian":
            return jax.random.normal(key, shape, dtype)
        return math.sqrt(12) * (jax.random.uniform(key, shape, dtype) - 0.5)


def feature_weights(weights: Float[AnyArray, "m p"], data: SignedLaw) -> Float[AnyArray, "m n"]:
    """Return the weights of the units on the features, core features first."""
    return weights if data.directions is None else weights @ data.directions.T
