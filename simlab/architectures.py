"""Which network is trained: frozen specifications, checked before JAX is imported, that build it when it is needed.

An architecture answers five questions about itself:

``check(task)``
    whether it fits a task, or ``ValueError``;
``n_weights(task)`` and ``width(task)``
    how many weights it has, and how many numbers it holds for each example;
``build(task, ...)``
    the network, a Flax NNX module: a function from inputs to logits with a ``representation(distribution)`` (the
    vectors of words or samples that its classifier sees) and a parameter ``classifier``;
``measure(network, task, distribution)``
    what is recorded of its shape over training.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from simlab.labelled_samples import LabelledTask
from simlab.normalisation_names import NORMALISATIONS
from simlab.tasks import SentenceTask
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

Task = SentenceTask | LabelledTask

DEEP_NETWORKS = ("two-layer", "mlp", "transformer-pre", "transformer-post", "mixer")
# Width of the hidden layer of a feed-forward network in units of its inputs, as in the papers of transformer and mixer.
EXPANSION = 4


@dataclass(frozen=True, kw_only=True)
class TwoLayer:
    """A vector for each word (or sample), perhaps normalised, and a linear classifier.

    The network is :class:`simlab.networks.SentenceClassifier`, and with normalisations other than LayerNorm
    :class:`simlab.normalised_classifier.NormalisedClassifier`.

    Args:
        embedding_dim: ``d``; at least 3 with LayerNorm, whose output cannot turn in two dimensions.
        normalisation: of the vectors, a name of :mod:`simlab.normalisation`; ``layer`` makes the network ``h*``.
    """

    embedding_dim: int = 100
    normalisation: str = "none"
    penalises_features: ClassVar[bool] = False

    def __post_init__(self):
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
        check_count("embedding_dim", self.embedding_dim, 3 if self.normalisation.startswith("layer") else 1)

    @property
    def layer_norm(self) -> bool:
        """Whether vectors pass through a LayerNorm without parameters."""
        return self.normalisation == "layer"

    def check(self, task: Task) -> None:
        """Raise ``ValueError`` for a task whose inputs this network would not read, or would not normalise."""
        if isinstance(task, LabelledTask) and task.input_dim is not None:
            raise invalid("input_dim", "None, as free features read no inputs", task.input_dim)
        if isinstance(task, LabelledTask) and self.normalisation != "none":
            raise invalid("normalisation", "none for free features", self.normalisation)

    def n_weights(self, task: Task) -> int:
        """Return ``(n_w + K L) d``, and ``d`` for each trainable vector of the normalisation."""
        trainable = {"layer-affine": 2, "rms-affine": 1}.get(self.normalisation, 0)
        return (task.n_words + task.n_classes * task.sentence_length + trainable) * self.embedding_dim

    def width(self, task: Task) -> int:
        """Return ``L d``."""
        return task.sentence_length * self.embedding_dim

    def build(self, task: Task, **settings) -> "nnx.Module":
        """Return the network; for the settings see its class."""
        sizes = {
            "n_words": task.n_words,
            "sentence_length": task.sentence_length,
            "n_classes": task.n_classes,
            "embedding_dim": self.embedding_dim,
        }
        if self.normalisation in ("none", "layer"):
            from simlab.networks import SentenceClassifier

            return SentenceClassifier(**sizes, heads=task.heads, layer_norm=self.layer_norm, **settings)
        from simlab.normalised_classifier import NormalisedClassifier

        return NormalisedClassifier(**sizes, normalisation=self.normalisation, **settings)

    def measure(self, network: "nnx.Module", task: Task, distribution):
        """Return a :class:`simlab.vector_shape.VectorShape`."""
        from simlab.vector_shape import measure

        return measure(network, task, distribution)


@dataclass(frozen=True, kw_only=True)
class FeatureMLP:
    """A multi-layer perceptron from random inputs to features, and a linear classifier, without biases, upon them.

    The penalty falls on the features that it gives to the training set, and on the classifier; its other weights are
    free. If it can give each sample any feature, its minimum is that of unconstrained features.

    Args:
        embedding_dim: ``d``, of the features.
        hidden_width: of each hidden layer.
        depth: hidden layers, at least 1.
    """

    embedding_dim: int = 16
    hidden_width: int = 256
    depth: int = 2
    penalises_features: ClassVar[bool] = True

    def __post_init__(self):
        check_count("embedding_dim", self.embedding_dim)
        check_count("hidden_width", self.hidden_width)
        check_count("depth", self.depth)

    def check(self, task: Task) -> None:
        """Raise ``ValueError`` unless the task has inputs."""
        if not isinstance(task, LabelledTask) or task.input_dim is None:
            raise invalid("input_dim", "the dimension of the inputs that the network reads", None)

    def n_weights(self, task: Task) -> int:
        """Return the number of weights and biases."""
        widths = (task.input_dim, *(self.hidden_width,) * self.depth, self.embedding_dim)
        hidden = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))
        return hidden + task.n_classes * self.embedding_dim

    def width(self, task: Task) -> int:
        """Return the width of the widest layer."""
        return max(task.input_dim, self.hidden_width, self.embedding_dim)

    def build(self, task: Task, **settings) -> "nnx.Module":
        """Return the network; for the settings see its class."""
        from simlab.feature_mlp import FeatureMLP as Network

        return Network(
            input_dim=task.input_dim,
            hidden_width=self.hidden_width,
            depth=self.depth,
            feature_dim=self.embedding_dim,
            n_classes=task.n_classes,
            heads=task.heads,
            **settings,
        )

    def measure(self, network: "nnx.Module", task: Task, distribution):
        """Return a :class:`simlab.vector_shape.VectorShape`."""
        from simlab.vector_shape import measure

        return measure(network, task, distribution)


@dataclass(frozen=True, kw_only=True)
class DeepClassifier:
    """A deep network on sentences, or beside it the two-layer network with the same initial weights.

    The networks and what they have in common are described in :mod:`simlab.deep_networks`. All their weights are
    penalised: those of the words with ``lam_W``, all others with ``lam_U``.

    Args:
        kind: one of ``DEEP_NETWORKS``.
        embedding_dim: ``d``; at least 3 where a LayerNorm has to turn vectors: in transformers and in the mixer.
        depth: hidden layers or blocks, at least 1; the two-layer network has none, whatever it says here.
        hidden_width: of each hidden layer of the MLP.
        n_heads: of each attention of a transformer, a divisor of ``d``.
    """

    kind: str = "mlp"
    embedding_dim: int = 16
    depth: int = 2
    hidden_width: int = 64
    n_heads: int = 2
    penalises_features: ClassVar[bool] = False

    def __post_init__(self):
        check_choice("network", self.kind, DEEP_NETWORKS)
        check_count("embedding_dim", self.embedding_dim, 1 if self.kind in ("two-layer", "mlp") else 3)
        check_count("depth", self.depth)
        check_count("hidden_width", self.hidden_width)
        check_count("n_heads", self.n_heads)
        if self.kind.startswith("transformer") and self.embedding_dim % self.n_heads:
            raise invalid("n_heads", f"a divisor of embedding_dim={self.embedding_dim}", self.n_heads)

    @property
    def n_layers(self) -> int:
        """The embedding layer, and the hidden layers or blocks."""
        return 1 if self.kind == "two-layer" else self.depth + 1

    def check(self, task: Task) -> None:
        """Raise ``ValueError`` unless the task is made of sentences."""
        if isinstance(task, LabelledTask):
            raise invalid("network", "one that reads samples, as the task has no sentences", self.kind)

    def n_weights(self, task: Task) -> int:
        """Return the number of weights and biases."""
        d, length, hidden = self.embedding_dim, task.sentence_length, self.n_layers - 1
        embeddings, classifier = task.n_words * d, task.n_classes * length * d
        if self.kind == "mlp":
            widths = (length * d, *(self.hidden_width,) * hidden)
            layers = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))
            return embeddings + layers + task.n_classes * widths[-1]
        if self.kind == "mixer":
            layers = hidden * (_feed_forward_weights(length) + _feed_forward_weights(d))
        else:  # queries, keys, values and their mixing; nothing of it in the two-layer network
            layers = hidden * (4 * (d + 1) * d + _feed_forward_weights(d))
        positions = length * d if self.kind.startswith("transformer") else 0
        return embeddings + positions + layers + classifier

    def width(self, task: Task) -> int:
        """Return the width of the widest layer, all positions together; of attention, the number of its weights."""
        tokens = task.sentence_length * self.embedding_dim
        if self.kind == "two-layer":
            return tokens
        if self.kind == "mlp":
            return max(tokens, self.hidden_width)
        attention = self.n_heads * task.sentence_length**2 if self.kind.startswith("transformer") else 0
        return max(EXPANSION * tokens, attention)

    def build(self, task: Task, **settings) -> "nnx.Module":
        """Return the network; for the settings see its class."""
        sizes = {
            "n_words": task.n_words,
            "sentence_length": task.sentence_length,
            "n_classes": task.n_classes,
            "embedding_dim": self.embedding_dim,
            "depth": self.n_layers - 1,
        }
        if self.kind in ("two-layer", "mlp"):
            from simlab.sentence_mlp import SentenceMLP

            return SentenceMLP(**sizes, width=self.hidden_width, **settings)
        if self.kind == "mixer":
            from simlab.mixer import SentenceMixer

            return SentenceMixer(**sizes, **settings)
        from simlab.transformer import SentenceTransformer

        norm = self.kind.removeprefix("transformer-")
        return SentenceTransformer(**sizes, n_heads=self.n_heads, norm=norm, **settings)

    def measure(self, network: "nnx.Module", task: Task, distribution):
        """Return a :func:`simlab.layer_shape.layer_shape`."""
        from simlab.layer_shape import measure

        return measure(network, task, distribution, self.width(task))


def _feed_forward_weights(dim: int) -> int:
    """Return the weights and biases of two layers, ``m -> 4 m -> m``."""
    return 2 * EXPANSION * dim**2 + (EXPANSION + 1) * dim


Architecture = TwoLayer | FeatureMLP | DeepClassifier
