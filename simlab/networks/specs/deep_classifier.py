"""The specification of the deep classifiers of sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.names import DEEP_NETWORKS, EXPANSION
from simlab.networks.specs.architecture import Architecture, SplitAxis, check_sentences
from simlab.sizes import MOST_LAYERS, widest_layer
from simlab.tasks.sentence_task import SentenceTask
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class DeepClassifier(Architecture[SentenceTask]):
    """A deep network on sentences, or the two-layer network with the same initial weights for comparison.

    The networks and their common interface are described in :mod:`simlab.networks.layers`. All weights are penalised:
    those of the words with ``lam_W``, all others with ``lam_U``.

    Args:
        kind: one of ``DEEP_NETWORKS``.
        embedding_dim: ``d``; at least 3 for networks with LayerNorm, the transformers and the mixer.
        depth: number of hidden layers or blocks, at least 1; without effect on the two-layer network.
        hidden_width: width of each hidden layer of the MLP.
        n_heads: number of heads of each attention of a transformer, a divisor of ``d``.
    """

    kind: str = "mlp"
    embedding_dim: int = 16
    depth: int = 2
    hidden_width: int = 64
    n_heads: int = 2

    def __post_init__(self):
        check_choice("network", self.kind, DEEP_NETWORKS)
        check_count("embedding_dim", self.embedding_dim, 1 if self.kind in ("two-layer", "mlp") else 3)
        check_count("depth", self.depth, maximum=MOST_LAYERS)
        check_count("hidden_width", self.hidden_width, maximum=widest_layer())
        check_count("n_heads", self.n_heads)
        if self.kind.startswith("transformer") and self.embedding_dim % self.n_heads:
            raise invalid("n_heads", f"a divisor of embedding_dim={self.embedding_dim}", self.n_heads)

    @property
    def n_layers(self) -> int:
        """The number of layers: the embedding layer, and the hidden layers or blocks."""
        return 1 if self.kind == "two-layer" else self.depth + 1

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task is made of sentences."""
        check_sentences(task)

    def width(self, task: SentenceTask) -> int:
        """Return the numbers per sentence in the widest layer, or in the attention weights if they are more."""
        tokens = task.sentence_length * self.embedding_dim
        if self.kind == "two-layer":
            return tokens
        if self.kind == "mlp":
            return max(tokens, self.hidden_width)
        attention = self.n_heads * task.sentence_length**2 if self.kind.startswith("transformer") else 0
        return max(EXPANSION * tokens, attention)

    def split_axes(self, task: SentenceTask) -> Mapping[str, SplitAxis]:
        """Return the class axis of the classifier, ``Float[K, P, m]`` as in :mod:`simlab.networks.layers`."""
        merged = self.kind == "mlp"
        last = (1, self.hidden_width) if merged else (task.sentence_length, self.embedding_dim)
        return {"classifier": SplitAxis("n_classes", (task.n_classes, *last))}

    def build(self, task: SentenceTask, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        settings = {"initial_scale": hyper.initial_scale, "dtype": dtype, "rngs": rngs}
        sizes = {
            "n_words": task.n_words,
            "sentence_length": task.sentence_length,
            "n_classes": task.n_classes,
            "embedding_dim": self.embedding_dim,
            "depth": self.n_layers - 1,
        }
        if self.kind in ("two-layer", "mlp"):
            from simlab.networks.sentence_mlp import SentenceMLP

            return SentenceMLP(**sizes, width=self.hidden_width, **settings)
        if self.kind == "mixer":
            from simlab.networks.mixer import SentenceMixer

            return SentenceMixer(**sizes, **settings)
        from simlab.networks.transformer import SentenceTransformer

        norm = self.kind.removeprefix("transformer-")
        return SentenceTransformer(**sizes, n_heads=self.n_heads, norm=norm, **settings)

    def measure(self, network: "nnx.Module", task: SentenceTask, data):
        """Return the :func:`simlab.metrics.layers.layer_metrics` of the network."""
        from simlab.metrics.layers import measure

        return measure(network, task, data, self.width(task))

    def metric_names(self, task: SentenceTask) -> tuple[str, ...]:
        """Return the names of the metrics."""
        from simlab.metrics.layers import layer_metrics

        return layer_metrics(self.n_layers)._fields
