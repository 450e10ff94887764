"""The spectral contrastive loss over all pairs of a finite population, each with its probability."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.losses.contrastive import SpectralContrastive
from simlab.tasks.paired.manifold_pairs import ManifoldGraph, PairGraph
from simlab.validation import invalid

if TYPE_CHECKING:
    from jaxtyping import Array, Float

    from simlab.networks.encoders.pairs import PairEncoder
    from simlab.training.spec import TrainingSpec


@dataclass(frozen=True, kw_only=True)
class GraphSpectral(SpectralContrastive):
    """``-2 sum_ij P_ij f_i.f_j + sum_ij w_i w_j (f_i.f_j)^2`` (HaoChen et al., 2021).

    ``P`` holds the probabilities of pairs and ``w`` its row sums. The second term is the squared norm of the weighted
    second moment of the embeddings, so that P is the only matrix of all pairs.
    """

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless each step uses the whole graph."""
        if not isinstance(spec.task, ManifoldGraph) or not spec.source.is_population:
            raise invalid(
                "objective", "one for the examples of the task, not the loss of a graph", type(spec.task).__name__
            )

    def loss(self, network: "PairEncoder", batch: PairGraph, data, hyper, key) -> "Float[Array, '']":  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the loss of the graph."""
        import jax.numpy as jnp

        embeddings = network(batch.inputs)
        moment = embeddings.T @ (jnp.sum(batch.joint, axis=1)[:, None] * embeddings)
        return -2 * jnp.sum(embeddings * (batch.joint @ embeddings)) + jnp.sum(moment**2)
