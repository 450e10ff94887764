"""Positive pairs of contrastive learning: Gaussian inputs and Gaussian augmentations, with arbitrary covariances.

An input ``x`` is drawn with covariance ``S``, and an augmentation adds independent noise with covariance ``Q``. With
one augmented view the pair is ``(x, x + n)``, with two it is ``(x + n, x + n')``. The *ratios* are the eigenvalues of
``S^{-1} Q``, whether or not the two matrices commute.

The eigenvectors are drawn with ``law_seed``, not with the seed of a run: all seeds of a configuration share the same
law (or data set), and hence the same prediction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    import jax


class PairMoments(NamedTuple):
    """Second moments of pairs, ``Float[d, d]`` each.

    Attributes:
        metric: second moment of an anchor, which is also that of a negative.
        spread: second moment of the difference of a pair.
        overlap: cross moment of the two views of a pair.
    """

    metric: AnyArray
    spread: AnyArray
    overlap: AnyArray


class PairLaw(NamedTuple):
    """A realisation of :class:`GaussianPairs`. A pytree of arrays.

    Attributes:
        input_factor: ``A``, ``Float[d, d]``, with ``S = A A^T``.
        noise_factor: ``B``, ``Float[d, d]``, with ``Q = B B^T``.
        pairs: the data set, or None where pairs are drawn from the law.
    """

    input_factor: AnyArray
    noise_factor: AnyArray
    pairs: ViewPair | None

    @property
    def covariance(self) -> AnyArray:
        """``S``."""
        return self.input_factor @ self.input_factor.T

    @property
    def augmentation(self) -> AnyArray:
        """``Q``."""
        return self.noise_factor @ self.noise_factor.T


@dataclass(frozen=True, kw_only=True)
class GaussianPairs(PairTask):
    """The static part of the task.

    Args:
        variances: eigenvalues of ``S``, positive.
        augmentation_ratios: eigenvalues of ``S^{-1} Q``, not negative, one for each variance.
        is_aligned: whether ``Q`` has the eigenvectors of ``S``, with its eigenvalues in the same order.
        views: number of augmented views in a pair, 1 or 2.
        n_pairs: the size of a data set that is drawn once and is the whole population; None for the law itself.
        law_seed: seed of the eigenvectors and of the data set.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    variances: tuple[float, ...]
    augmentation_ratios: tuple[float, ...]
    is_aligned: bool = False
    views: int = 1
    n_pairs: int | None = None
    law_seed: int = 0
    evaluations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        if not self.variances:
            raise invalid("variances", "at least one number", self.variances)
        for variance in self.variances:
            check_real("variances", variance, positive=True)
        if len(self.augmentation_ratios) != len(self.variances):
            wanted = f"{len(self.variances)} numbers, one for each variance"
            raise invalid("augmentation_ratios", wanted, len(self.augmentation_ratios))
        for ratio in self.augmentation_ratios:
            check_real("augmentation_ratios", ratio)
        check_count("views", self.views, 1, 2)
        check_count("law_seed", self.law_seed, 0)
        if self.n_pairs is not None:
            check_count("n_pairs", self.n_pairs)
            check_array("pairs", 16, n_pairs=self.n_pairs, n_inputs=self.n_inputs)

    @property
    def n_inputs(self) -> int:
        """``d``."""
        return len(self.variances)

    @property
    def can_draw(self) -> bool:
        """Whether pairs are drawn from the law; a data set is the whole population instead."""
        return self.n_pairs is None

    @property
    def n_examples(self) -> int | None:
        """The size of the data set; None where pairs are drawn from the law."""
        return self.n_pairs

    @property
    def example_size(self) -> int:
        """Numbers per pair."""
        return 2 * self.n_inputs

    @property
    def compile_key(self) -> GaussianPairs:
        """The task without the numbers of its law, which are data to the compiled code."""
        ones = (1.0,) * self.n_inputs
        return replace(self, variances=ones, augmentation_ratios=ones, is_aligned=False, law_seed=0)

    def sample(self, seed: int) -> PairLaw:
        """Return the law, and the data set if there is one; both are independent of the seed of the run."""
        rng, shape = np.random.default_rng(self.law_seed), (self.n_inputs, self.n_inputs)
        directions, mixing = (np.linalg.qr(rng.standard_normal(shape))[0] for _ in range(2))
        factor = directions * np.sqrt(self.variances)
        noise = (factor if self.is_aligned else factor @ mixing) * np.sqrt(self.augmentation_ratios)
        if self.n_pairs is None:
            return PairLaw(factor, noise, None)
        normal = rng.standard_normal((3, self.n_pairs, self.n_inputs))
        return PairLaw(factor, noise, _make_pair(normal, factor, noise, self.views))

    def draw(self, key: jax.Array, data: PairLaw, size: int) -> ViewPair:
        """Return ``size`` pairs."""
        import jax

        normal = jax.random.normal(key, (1 + self.views, size, self.n_inputs), data.input_factor.dtype)
        return _make_pair(normal, data.input_factor, data.noise_factor, self.views)

    def population(self, data: PairLaw) -> ViewPair | PairMoments:
        """Return the data set, or the second moments of the law."""
        if data.pairs is not None:
            return data.pairs
        covariance, augmentation = data.covariance, data.augmentation
        if self.views == 1:
            return PairMoments(covariance, augmentation, covariance)
        return PairMoments(covariance + augmentation, 2 * augmentation, covariance)


def _make_pair(normal: AnyArray, input_factor: AnyArray, noise_factor: AnyArray, views: int) -> ViewPair:
    """Return pairs from standard normal numbers, ``Float[1 + views, B, d]`` or more."""
    inputs, noise = normal[0] @ input_factor.T, normal[1] @ noise_factor.T
    first = inputs if views == 1 else inputs + normal[2] @ noise_factor.T
    return ViewPair(first, inputs + noise)
