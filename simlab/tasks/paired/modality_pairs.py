"""Pairs of an image and a text of the same object, some of them mismatched.

Object i is a latent vector ``l_i`` with standard normal entries. Its image is ``A l_i`` and its text ``B l_i``; A and B
are isometries, a random reflection each, so that the cosines of the inputs of both modalities are those of the latents.
With probability eps, the mismatch rate, the text of a pair is that of another object, drawn uniformly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array, check_int32
from simlab.tasks.batch import AnyArray
from simlab.tasks.pairs import PairTask, ViewPair
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    import jax


class Modalities(NamedTuple):
    """A realisation of :class:`ModalityPairs`. A pytree of arrays.

    Attributes:
        images: ``Float[N, D_x]``, or the numbers of the objects, ``Int32[N]``, where there are no inputs.
        texts: ``Float[N, D_y]``, or the same numbers.
        mismatch: eps, a scalar.
    """

    images: AnyArray
    texts: AnyArray
    mismatch: AnyArray


class SoftPairs(NamedTuple):
    """All images and all texts, and the probability of each text given each image.

    Attributes:
        first: images.
        second: texts.
        targets: ``Float[N, N]``; rows and columns sum to 1.
    """

    first: AnyArray
    second: AnyArray
    targets: AnyArray


@dataclass(frozen=True, kw_only=True)
class ModalityPairs(PairTask):
    """The static part of the task.

    Args:
        n_pairs: N, the number of objects, each with an image and a text.
        mismatch: eps, the share of pairs whose text is that of another object; in [0, 1 - 1/N).
        latent_dim: dimension of the latent vectors; None for free embeddings, whose inputs are the numbers of the
            objects.
        image_dim: D_x, at least ``latent_dim``.
        text_dim: D_y, at least ``latent_dim``.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    n_pairs: int = 16
    mismatch: float = 0.0
    latent_dim: int | None = None
    image_dim: int = 1
    text_dim: int = 1
    evaluations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        n_pairs = check_int32("n_pairs", check_count("n_pairs", self.n_pairs, 2), "pairs")
        if check_real("mismatch", self.mismatch) >= 1 - 1 / n_pairs:
            raise invalid("mismatch", f"a number in [0, {1 - 1 / n_pairs:g}), 1 - 1/n_pairs", self.mismatch)
        check_array("targets", 8, n_pairs=n_pairs, columns=n_pairs)
        if self.latent_dim is not None:
            check_count("latent_dim", self.latent_dim)
            for name in ("image_dim", "text_dim"):
                check_count(name, getattr(self, name), self.latent_dim)
                check_array("inputs", n_pairs=n_pairs, **{name: getattr(self, name)})

    @property
    def n_examples(self) -> int:
        """N, the number of objects."""
        return self.n_pairs

    @property
    def example_size(self) -> int:
        """Numbers per pair."""
        return 2 if self.latent_dim is None else self.image_dim + self.text_dim

    @property
    def compile_key(self) -> ModalityPairs:
        """The task without its mismatch rate, which is data to the compiled code."""
        return replace(self, mismatch=0.0)

    def sample(self, seed: int) -> Modalities:
        """Return the inputs, drawn with ``seed``, and the mismatch rate."""
        mismatch = np.asarray(self.mismatch, float)
        if self.latent_dim is None:
            numbers = np.arange(self.n_pairs, dtype=np.int32)
            return Modalities(numbers, numbers, mismatch)
        rng = np.random.default_rng(seed)
        latents = rng.standard_normal((self.n_pairs, self.latent_dim))
        images, texts = (_embed(latents, rng.standard_normal(dim)) for dim in (self.image_dim, self.text_dim))
        return Modalities(images, texts, mismatch)

    def draw(self, key: jax.Array, data: Modalities, size: int) -> ViewPair:
        """Return ``size`` pairs of uniformly drawn objects, each mismatched with probability eps."""
        import jax
        import jax.numpy as jnp

        thing_key, match_key, other_key = jax.random.split(key, 3)
        things = jax.random.randint(thing_key, (size,), 0, self.n_pairs)
        shifts = jax.random.randint(other_key, (size,), 1, self.n_pairs)
        is_mismatched = jax.random.uniform(match_key, (size,)) < data.mismatch
        partners = jnp.where(is_mismatched, (things + shifts) % self.n_pairs, things)
        return ViewPair(jnp.asarray(data.images)[things], jnp.asarray(data.texts)[partners])

    def population(self, data: Modalities) -> SoftPairs:
        """Return all images and texts with the probabilities of the pairs."""
        import jax.numpy as jnp

        others = jnp.asarray(data.mismatch) / (self.n_pairs - 1)
        is_pair = jnp.eye(self.n_pairs, dtype=bool)
        return SoftPairs(data.images, data.texts, jnp.where(is_pair, 1 - data.mismatch, others))


def _embed(latents: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return latents, ``Float[N, k]``, padded with zeros to the length of ``normal`` and reflected along it."""
    padded = np.pad(latents, ((0, 0), (0, len(normal) - latents.shape[1])))
    return padded - 2 / (normal @ normal) * np.outer(padded @ normal, normal)
