"""The interface of a network for the contrastive objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flax import nnx

from simlab.tasks.pairs import ViewPair

if TYPE_CHECKING:
    import jax
    from jaxtyping import Array, Float


class PairEncoder(nnx.Module):
    """A network that embeds both sides of positive pairs, with a shared encoder unless a subclass has two."""

    def __call__(self, inputs: jax.Array) -> Float[Array, "B m"]:
        """Return the embeddings of one side."""
        raise NotImplementedError

    def embed_pairs(self, pairs: ViewPair) -> tuple[Float[Array, "B m"], Float[Array, "B m"]]:
        """Return the embeddings of both sides."""
        return self(pairs.first), self(pairs.second)

    def representation(self, data: Any) -> dict[str, jax.Array]:
        """Return the named arrays of the learned representation, which comparisons use.

        Args:
            data: the realisation of the task.
        """
        raise NotImplementedError
