"""The specification of the transformer encoder of sentences."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.names import EXPANSION
from simlab.networks.specs.architecture import Architecture
from simlab.sizes import MOST_LAYERS, check_array
from simlab.tasks.contextual_language import ContextualLanguage
from simlab.tasks.paired.memorised_pairs import MemorisedPairs
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task

NORMS = ("post", "pre")
ACTIVATIONS = ("relu", "gelu")
POOLINGS = ("mean", "cls", "max")
READOUTS = ("none", "words", "classes")
# Special tokens, numbered after the words: padding, masked word, leading token.
N_MARKS = 3


@dataclass(frozen=True, kw_only=True)
class SentenceEncoder(Architecture[ContextualLanguage]):
    """The specification of :class:`simlab.networks.encoders.sentence_encoder.SentenceEncoder`.

    Args:
        embedding_dim: ``d``, at least 3, as in two dimensions the output of a LayerNorm has only two values.
        depth: number of blocks.
        n_heads: a divisor of ``d``.
        norm: ``post`` or ``pre``.
        affine: whether LayerNorms have scale and offset.
        activation: ``relu`` or ``gelu``.
        zero_queries: whether query weights are initially zero, so that attention is initially uniform.
        has_positions: whether there are positional embeddings.
        pooling: ``mean``, ``cls`` or ``max``.
        readout: the target of a linear readout: ``words`` at each token, ``classes`` of each sentence, or ``none``.
    """

    embedding_dim: int = 48
    depth: int = 2
    n_heads: int = 4
    norm: str = "post"
    affine: bool = False
    activation: str = "gelu"
    zero_queries: bool = False
    has_positions: bool = True
    pooling: str = "mean"
    readout: str = "none"

    def __post_init__(self):
        check_count("embedding_dim", self.embedding_dim, 3)
        check_count("depth", self.depth, 0, MOST_LAYERS)
        check_choice("norm", self.norm, NORMS)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("pooling", self.pooling, POOLINGS)
        check_choice("readout", self.readout, READOUTS)
        if self.embedding_dim % check_count("n_heads", self.n_heads):
            raise invalid("n_heads", f"a divisor of embedding_dim={self.embedding_dim}", self.n_heads)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers whose tokens the network returns."""
        names = ("embedding", *(f"block {number}" for number in range(1, self.depth + 1)))
        return (*names, "final") if self.norm == "pre" else names

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task is a language whose sentences are drawn."""
        if not isinstance(task, ContextualLanguage) or isinstance(task, MemorisedPairs):
            raise invalid("network", "one that reads the examples of the task, not sentences", type(task).__name__)
        check_array("embeddings", n_words=task.n_words, embedding_dim=self.embedding_dim)

    def width(self, task: ContextualLanguage) -> int:
        """Return the numbers per sentence in the widest layer, or in the attention weights if they are more."""
        length = task.sentence_length + (self.pooling == "cls")
        return max(EXPANSION * length * self.embedding_dim, self.n_heads * length**2)

    def build(self, task: ContextualLanguage, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.encoders.sentence_encoder import SentenceEncoder as Network

        return Network(
            n_words=task.n_words,
            n_marks=N_MARKS,
            sentence_length=task.sentence_length,
            dim=self.embedding_dim,
            depth=self.depth,
            n_heads=self.n_heads,
            norm=self.norm,
            affine=self.affine,
            activation=self.activation,
            zero_queries=self.zero_queries,
            has_positions=self.has_positions,
            has_padding=task.shortest is not None,
            pooling=self.pooling,
            n_outputs={"none": 0, "words": task.n_words, "classes": task.n_classes}[self.readout],
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
