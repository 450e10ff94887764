"""Positive pairs of nearby points on a manifold that is embedded non-linearly in a space of more dimensions.

:class:`ManifoldGraph` has finitely many points and all of their pairs, each with its probability: the population of the
spectral loss. :class:`SpherePairs` is a distribution: uniform points of the sphere, and partners that are von
Mises-Fisher about them. With ``folded`` support both points of a pair lie in the same hemisphere; the law of a partner
then depends on more than the cosine, and an encoder need not recover the sphere.

The map to observations is drawn with ``law_seed``, not with the seed of a run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray
from simlab.tasks.paired.manifolds import (
    SineMap,
    check_manifold,
    draw_map,
    grid_coordinates,
    mirror,
    random_coordinates,
    sphere_kernel,
    wrapped_normal_kernel,
)
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Float

SUPPORTS = ("full", "folded")
N_PROBES, MOST_POINTS = 2_000, 4_000
LARGEST_CONCENTRATION = 300.0  # beyond it float32 does not resolve the distance of partners


class PairGraph(NamedTuple):
    """All points and all their pairs.

    Attributes:
        inputs: observations, ``Float[N, D]``.
        joint: probability of each ordered pair, symmetric, ``Float[N, N]``.
    """

    inputs: AnyArray
    joint: AnyArray


class ManifoldData(NamedTuple):
    """A realisation. A pytree of arrays.

    Attributes:
        latents: coordinates of evenly spread points, ``Float[N, k]``.
        inputs: their observations, ``Float[N, D]``.
        probes: observations of additional random points, on which dimensions are measured, ``Float[M, D]``.
        joint: the probabilities of pairs of a :class:`ManifoldGraph`, ``Float[N, N]``; otherwise None.
        observe: the map from coordinates to observations.
        concentration: ``kappa`` of partners on the sphere.
        is_folded: 1 if both points of a pair lie in the same hemisphere, else 0.
    """

    latents: AnyArray
    inputs: AnyArray
    probes: AnyArray
    joint: AnyArray | None
    observe: SineMap
    concentration: AnyArray
    is_folded: AnyArray


@dataclass(frozen=True, kw_only=True)
class ManifoldTask(PairTask):
    """Base class of both tasks.

    Args:
        n_points: ``N``, the number of evenly spread points: the whole population, or points on which an encoder is
            measured.
        concentration: ``kappa`` of partners on the sphere.
        support: the support of partners on the sphere, ``full`` or ``folded``.
        observed_dim: ``D``, the dimension of an observation.
        frequency: standard deviation of the entries of ``B`` in the map ``sin(B z + c)``.
        law_seed: seed of this map.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    n_points: int = 256
    concentration: float = 8.0
    support: str = "full"
    observed_dim: int = 12
    frequency: float = 1.5
    law_seed: int = 0
    manifold: ClassVar[str] = "sphere"
    evaluations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        check_manifold(self.manifold, check_count("n_points", self.n_points))
        check_count("observed_dim", self.observed_dim)
        check_count("law_seed", self.law_seed, 0)
        check_real("frequency", self.frequency, positive=True)
        if check_real("concentration", self.concentration, positive=True) > LARGEST_CONCENTRATION:
            raise invalid("concentration", f"at most {LARGEST_CONCENTRATION:g}", self.concentration)
        check_choice("support", self.support, SUPPORTS)
        check_array("observations", 8, n_points=self.n_points, observed_dim=self.observed_dim)

    @property
    def n_inputs(self) -> int:
        """``D``."""
        return self.observed_dim

    @property
    def example_size(self) -> int:
        """Numbers per pair."""
        return 2 * self.observed_dim

    @property
    def compile_key(self) -> Self:
        """The task without the numbers of its law, which are data to the compiled code."""
        return replace(self, concentration=1.0, support="full", frequency=1.0, law_seed=0)

    def sample(self, seed: int) -> ManifoldData:
        """Return points, observations and the pairs of a graph; none of them depends on the seed of the run."""
        latents = grid_coordinates(self.manifold, self.n_points)
        observe = draw_map(latents.shape[1], self.observed_dim, self.frequency, self.law_seed)
        probes = random_coordinates(self.manifold, N_PROBES, np.random.default_rng((self.law_seed, 1)))
        return ManifoldData(
            latents,
            observe(latents),
            observe(probes),
            self.joint(latents),
            observe,
            np.float64(self.concentration),
            np.float64(self.support == "folded"),
        )

    def joint(self, latents: Float[np.ndarray, "N k"]) -> Float[np.ndarray, "N N"] | None:
        """Return the probability of each pair, or None where pairs are drawn from a law."""
        return None


@dataclass(frozen=True, kw_only=True)
class ManifoldGraph(ManifoldTask):
    """Finitely many points with all their pairs.

    On the circle, and for each angle of the torus, the angle between the points of a pair is wrapped normal on the
    grid; on the sphere the probability of a pair is proportional to ``exp(kappa z.z')``.

    Args:
        manifold: ``circle``, ``torus`` or ``sphere``.
        width: standard deviation of this angle, radians; without effect on the sphere.
    """

    manifold: str = "circle"  # pyright: ignore[reportIncompatibleVariableOverride]
    width: float = 0.5
    can_draw: ClassVar[bool] = False

    def __post_init__(self):
        super().__post_init__()
        check_real("width", self.width, positive=True)
        check_count("n_points", self.n_points, maximum=MOST_POINTS)  # there are n_points^2 pairs
        if self.manifold != "sphere" and self.support != "full":
            raise invalid("support", f"full on the {self.manifold}", self.support)

    @property
    def n_examples(self) -> int:
        """The number of points."""
        return self.n_points

    @property
    def compile_key(self) -> Self:
        """The task without the numbers of its law, which are data to the compiled code."""
        return replace(super().compile_key, width=1.0)

    def joint(self, latents: Float[np.ndarray, "N k"]) -> Float[np.ndarray, "N N"]:
        """Return the probability of each pair."""
        if self.manifold == "sphere":
            kernel = sphere_kernel(latents, self.concentration, is_folded=self.support == "folded")
        elif self.manifold == "circle":
            kernel = wrapped_normal_kernel(self.n_points, self.width)
        else:
            ring = wrapped_normal_kernel(isqrt(self.n_points), self.width)
            kernel = np.kron(ring, ring)
        return kernel / kernel.sum()

    def population(self, data: ManifoldData) -> PairGraph:
        """Return all points and pairs."""
        return PairGraph(data.inputs, data.joint)


@dataclass(frozen=True, kw_only=True)
class SpherePairs(ManifoldTask):
    """Pairs of a uniform point on the sphere and a partner with density proportional to ``exp(kappa z.z')``."""

    population = PairTask.population  # not implemented: pairs are drawn

    def draw(self, key: jax.Array, data: ManifoldData, size: int) -> ViewPair:
        """Return the observations of ``size`` pairs."""
        import jax.numpy as jnp

        points, partners = draw_partners(key, data.concentration, size, data.inputs.dtype)
        leaves = (partners[:, 2] * points[:, 2] < 0) & (data.is_folded > 0)
        partners = jnp.where(leaves[:, None], mirror(partners), partners)
        return ViewPair(data.observe(points), data.observe(partners))


def draw_partners(key: jax.Array, concentration, size: int, dtype) -> tuple[jax.Array, jax.Array]:
    """Return uniform points on the sphere and von Mises-Fisher partners, ``Float[B, 3]`` each.

    The cosine of their angle is drawn by inversion of its distribution function
    ``(e^{kappa t} - e^{-kappa})/(e^kappa - e^{-kappa})``; the direction of the partner about the point is uniform.
    """
    import jax
    import jax.numpy as jnp

    point_key, cosine_key, direction_key = jax.random.split(key, 3)
    points = _unit(jax.random.normal(point_key, (size, 3), dtype))
    share = jax.random.uniform(cosine_key, (size,), dtype)
    # 1 - cosine, without the cancellation in 1 + log(...)/kappa near 1.
    fall = -jnp.log1p(-share * -jnp.expm1(-2 * concentration)) / concentration
    normal = jax.random.normal(direction_key, (size, 3), dtype)
    tangent = _unit(normal - jnp.sum(normal * points, axis=1, keepdims=True) * points)
    sine = jnp.sqrt(jnp.maximum(fall * (2 - fall), 0.0))
    return points, points * (1 - fall)[:, None] + tangent * sine[:, None]


def _unit(vectors: jax.Array) -> jax.Array:
    import jax.numpy as jnp

    return vectors / jnp.sqrt(jnp.sum(vectors**2, axis=1, keepdims=True))
