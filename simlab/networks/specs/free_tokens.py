"""The specification of free tokens."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.networks.specs.sentence_encoder import POOLINGS
from simlab.sizes import check_array
from simlab.tasks.paired.memorised_pairs import MemorisedPairs
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


FREE_NORMS = ("layer", "rms")


@dataclass(frozen=True, kw_only=True)
class FreeTokens(Architecture[MemorisedPairs]):
    """The specification of :class:`simlab.networks.encoders.free_tokens.FreeTokens`.

    Args:
        embedding_dim: ``d``, at least 3.
        pooling: ``mean``, ``cls`` or ``max``.
        norm: ``layer``, or ``rms``, which does not centre the vectors.
        initial_anisotropy: approximate initial cosine of any two vectors, below 1.
    """

    embedding_dim: int = 48
    pooling: str = "mean"
    norm: str = "layer"
    initial_anisotropy: float = 0.0

    def __post_init__(self):
        check_count("embedding_dim", self.embedding_dim, 3)
        check_choice("pooling", self.pooling, POOLINGS)
        check_choice("norm", self.norm, FREE_NORMS)
        if check_real("initial_anisotropy", self.initial_anisotropy) >= 1:
            raise invalid("initial_anisotropy", "a number below 1", self.initial_anisotropy)

    @property
    def layers(self) -> tuple[str, ...]:
        """The name of the only layer."""
        return ("tokens",)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has pairs that are drawn once, and the vectors fit in memory."""
        if not isinstance(task, MemorisedPairs):
            raise invalid("network", "one that reads the examples of the task, not their numbers", type(task).__name__)
        check_array(
            "tokens",
            n_sentences=task.n_evaluation,
            sentence_length=task.sentence_length,
            embedding_dim=self.embedding_dim,
        )

    def width(self, task: MemorisedPairs) -> int:
        """Return the numbers per sentence: its tokens and its vector."""
        return (task.sentence_length + 1) * self.embedding_dim

    def build(self, task: MemorisedPairs, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.encoders.free_tokens import FreeTokens as Network

        return Network(
            n_sentences=task.n_evaluation,
            n_tokens=task.sentence_length + (self.pooling == "cls"),
            dim=self.embedding_dim,
            pooling=self.pooling,
            norm=self.norm,
            initial_anisotropy=self.initial_anisotropy,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
