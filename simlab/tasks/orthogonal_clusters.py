"""Clusters around orthogonal means, half of them with each of two labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray, Batch
from simlab.tasks.task import Task
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    import jax


class Clusters(NamedTuple):
    """A realisation of :class:`OrthogonalClusters`. A pytree of arrays.

    Attributes:
        means: ``mu``, ``Float[k, d]``, orthogonal and of equal norm.
        classes: ``Int32[k]``, 1 in the first half of the clusters and 0 in the other.
        noise: standard deviation of each coordinate about the mean.
    """

    means: AnyArray
    classes: AnyArray
    noise: AnyArray


@dataclass(frozen=True, kw_only=True)
class OrthogonalClusters(Task):
    """The static part of the task: its sizes. The directions of the means are drawn with the seed.

    Args:
        n_clusters: ``k``, even.
        input_dim: ``d``, at least ``k``.
        mean_norm: ``|mu|``.
        noise: root-mean-square distance from the mean over ``|mu|``.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    n_clusters: int
    input_dim: int
    mean_norm: float = 1.0
    noise: float = 0.3
    evaluations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        if check_count("n_clusters", self.n_clusters, 2) % 2:
            raise invalid("n_clusters", "an even number, half of each label", self.n_clusters)
        check_count("input_dim", self.input_dim)
        check_array("directions", 8, input_dim=self.input_dim, n_clusters=self.n_clusters)
        if self.input_dim < self.n_clusters:
            raise invalid("input_dim", f"at least n_clusters={self.n_clusters} orthogonal directions", self.input_dim)
        check_real("mean_norm", self.mean_norm, positive=True)
        check_real("noise", self.noise)

    @property
    def example_size(self) -> int:
        """``d``."""
        return self.input_dim

    @property
    def compile_key(self) -> OrthogonalClusters:
        """The task without the norm of the means and the noise, which are data to the compiled code."""
        return replace(self, mean_norm=1.0, noise=0.0)

    def sample(self, seed: int) -> Clusters:
        """Return the clusters, their directions drawn with ``seed``; NumPy arrays."""
        normal = np.random.default_rng(seed).standard_normal((self.input_dim, self.n_clusters))
        means = self.mean_norm * np.linalg.qr(normal)[0].T
        classes = (np.arange(self.n_clusters) < self.n_clusters // 2).astype(np.int32)
        return Clusters(means, classes, np.array(self.noise * self.mean_norm / self.input_dim**0.5))

    def draw(self, key: jax.Array, data: Clusters, size: int) -> Batch:
        """Return ``size`` examples, taken from the clusters in turn."""
        import jax
        import jax.numpy as jnp

        cluster = np.arange(size) % self.n_clusters
        normal = jax.random.normal(key, (size, self.input_dim), data.means.dtype)
        return Batch(jnp.asarray(data.means)[cluster] + data.noise * normal, jnp.asarray(data.classes)[cluster])
