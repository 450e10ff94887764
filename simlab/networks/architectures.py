"""Which network is trained: frozen specifications, checked before JAX is imported, that build it when it is needed.

An architecture (:class:`Architecture`) answers these questions about itself:

``check(task, source)``
    whether it fits a task and its data, or ``ValueError``;
``build(task, hyper, dtype=..., rngs=...)``
    the network, a Flax NNX module; the hyperparameters may scale its initial weights;
``width(task)``
    how many numbers it holds for each example, so that populations that do not fit are refused;
``split_axes(task)``
    which of its parameters have a first axis that may be split over devices.

Those of classifiers also ``measure(network, task, data)`` what is recorded of their representation over training, and
give its ``shape_names(task)``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from simlab.losses.objective import SplitAxis
from simlab.networks.names import NORMALISATIONS
from simlab.tasks.labelled_samples import LabelledTask
from simlab.tasks.sentence_task import SentenceTask
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task

DEEP_NETWORKS = ("two-layer", "mlp", "transformer-pre", "transformer-post", "mixer")
# Width of the hidden layer of a feed-forward network in units of its inputs, as in the papers of transformer and mixer.
EXPANSION = 4


class Architecture(Protocol):
    """The specification of a network. Subclass it as a frozen, hashable dataclass; ``build`` is required."""

    def build(self, task: "Task", hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights.

        All that is trained is ``nnx.Param``; variables of any other type stay as they are.

        Args:
            task: gives the sizes.
            hyper: the objective's hyperparameters, which may be traced.
            dtype: of the weights.
            rngs: random streams; ``params`` is that of the initial weights.
        """
        raise NotImplementedError

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` for a task or source that this network does not fit."""

    def width(self, task: "Task") -> int:
        """Return the numbers that the widest layer holds for each example."""
        return 1

    def split_axes(self, task: "Task") -> Mapping[str, SplitAxis]:
        """Return the parameters whose first axis may be split over devices, by name."""
        return MappingProxyType({})


def check_architecture(network: object) -> None:
    """Raise ``ValueError`` unless an object can build a network."""
    if getattr(type(network), "build", Architecture.build) is Architecture.build:
        raise invalid("network", "an Architecture with a method build", type(network).__name__)


@dataclass(frozen=True, kw_only=True)
class TwoLayer(Architecture):
    """A vector for each word, perhaps normalised, and a linear classifier.

    The network is :class:`simlab.networks.two_layer.SentenceClassifier`, and with normalisations other than LayerNorm
    :class:`simlab.networks.normalised_classifier.NormalisedClassifier`.

    Args:
        embedding_dim: ``d``; at least 3 with LayerNorm, whose output cannot turn in two dimensions.
        normalisation: of the vectors, a name of :mod:`simlab.networks.normalisation`; ``layer`` makes the network
        ``h*``.
    """

    embedding_dim: int = 100
    normalisation: str = "none"

    def __post_init__(self):
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
        check_count("embedding_dim", self.embedding_dim, 3 if self.normalisation.startswith("layer") else 1)

    @property
    def layer_norm(self) -> bool:
        """Whether vectors pass through a LayerNorm without parameters."""
        return self.normalisation == "layer"

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task is made of sentences, and batches hold them as often as they occur."""
        _check_sentences(task)
        if self.normalisation == "batch" and source.is_population:
            wanted = "another one with the population, whose sentences a batch does not hold as often as they occur"
            raise invalid("normalisation", wanted, "batch")

    def width(self, task: "Task") -> int:
        """Return ``L d``."""
        return task.sentence_length * self.embedding_dim

    def split_axes(self, task: "Task") -> Mapping[str, SplitAxis]:
        """Return the classes of the classifier, ``Float[K, L, d]``."""
        return {"classifier": SplitAxis("n_classes", (task.n_classes, task.sentence_length, self.embedding_dim))}

    def build(self, task: "Task", hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        settings = {"initial_scale": hyper.initial_scale, "dtype": dtype, "rngs": rngs}
        sizes = {
            "n_words": task.n_words,
            "sentence_length": task.sentence_length,
            "n_classes": task.n_classes,
            "embedding_dim": self.embedding_dim,
        }
        if self.normalisation in ("none", "layer"):
            from simlab.networks.two_layer import SentenceClassifier

            return SentenceClassifier(**sizes, layer_norm=self.layer_norm, **settings)
        from simlab.networks.normalised_classifier import NormalisedClassifier

        return NormalisedClassifier(**sizes, normalisation=self.normalisation, **settings)

    def measure(self, network: "nnx.Module", task: "Task", data):
        """Return a :class:`simlab.metrics.vectors.VectorShape`."""
        from simlab.metrics.vectors import measure

        return measure(network, task, data)

    def shape_names(self, task: "Task") -> tuple[str, ...]:
        """Return the names of what is measured."""
        from simlab.metrics.vectors import VectorShape

        return VectorShape._fields


@dataclass(frozen=True, kw_only=True)
class FreeFeatures(Architecture):
    """A free vector for each sample and a linear classifier, :class:`simlab.networks.free_features.FreeFeatures`.

    Args:
        feature_dim: ``d``.
    """

    feature_dim: int = 16

    def __post_init__(self):
        check_count("feature_dim", self.feature_dim)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has labelled samples without inputs."""
        if not isinstance(task, LabelledTask):
            raise invalid("network", "one that reads the examples of the task, not samples", type(task).__name__)
        if task.input_dim is not None:
            raise invalid("input_dim", "None, as free features read no inputs", task.input_dim)

    def width(self, task: "Task") -> int:
        """Return ``d``."""
        return self.feature_dim

    def split_axes(self, task: "Task") -> Mapping[str, SplitAxis]:
        """Return the classes of the classifier, ``Float[K, d]``."""
        return {"classifier": SplitAxis("n_classes", (task.n_classes, self.feature_dim))}

    def build(self, task: "Task", hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.free_features import FreeFeatures as Network

        return Network(
            n_samples=task.n_examples,
            n_classes=task.n_classes,
            heads=task.heads,
            feature_dim=self.feature_dim,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )

    def measure(self, network: "nnx.Module", task: "Task", data):
        """Return a :class:`simlab.metrics.vectors.VectorShape`."""
        from simlab.metrics.vectors import measure

        return measure(network, task, data)

    def shape_names(self, task: "Task") -> tuple[str, ...]:
        """Return the names of what is measured."""
        from simlab.metrics.vectors import VectorShape

        return VectorShape._fields


@dataclass(frozen=True, kw_only=True)
class FeatureMLP(Architecture):
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

    def __post_init__(self):
        check_count("embedding_dim", self.embedding_dim)
        check_count("hidden_width", self.hidden_width)
        check_count("depth", self.depth)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has inputs."""
        if not isinstance(task, LabelledTask) or task.input_dim is None:
            raise invalid("input_dim", "the dimension of the inputs that the network reads", None)

    def width(self, task: "Task") -> int:
        """Return the width of the widest layer."""
        return max(task.input_dim, self.hidden_width, self.embedding_dim)

    def split_axes(self, task: "Task") -> Mapping[str, SplitAxis]:
        """Return the classes of the classifier, ``Float[K, d]``."""
        return {"classifier": SplitAxis("n_classes", (task.n_classes, self.embedding_dim))}

    def build(self, task: "Task", hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.feature_mlp import FeatureMLP as Network

        return Network(
            input_dim=task.input_dim,
            hidden_width=self.hidden_width,
            depth=self.depth,
            feature_dim=self.embedding_dim,
            n_classes=task.n_classes,
            heads=task.heads,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )

    def measure(self, network: "nnx.Module", task: "Task", data):
        """Return a :class:`simlab.metrics.vectors.VectorShape`."""
        from simlab.metrics.vectors import measure

        return measure(network, task, data)

    def shape_names(self, task: "Task") -> tuple[str, ...]:
        """Return the names of what is measured."""
        from simlab.metrics.vectors import VectorShape

        return VectorShape._fields


@dataclass(frozen=True, kw_only=True)
class DeepClassifier(Architecture):
    """A deep network on sentences, or beside it the two-layer network with the same initial weights.

    The networks and what they have in common are described in :mod:`simlab.networks.layers`. All their weights are
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

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task is made of sentences."""
        _check_sentences(task)

    def width(self, task: "Task") -> int:
        """Return the width of the widest layer, all positions together; of attention, the number of its weights."""
        tokens = task.sentence_length * self.embedding_dim
        if self.kind == "two-layer":
            return tokens
        if self.kind == "mlp":
            return max(tokens, self.hidden_width)
        attention = self.n_heads * task.sentence_length**2 if self.kind.startswith("transformer") else 0
        return max(EXPANSION * tokens, attention)

    def split_axes(self, task: "Task") -> Mapping[str, SplitAxis]:
        """Return the classes of the classifier, ``Float[K, P, m]`` as in :mod:`simlab.networks.layers`."""
        merged = self.kind == "mlp"
        last = (1, self.hidden_width) if merged else (task.sentence_length, self.embedding_dim)
        return {"classifier": SplitAxis("n_classes", (task.n_classes, *last))}

    def build(self, task: "Task", hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
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

    def measure(self, network: "nnx.Module", task: "Task", data):
        """Return a :func:`simlab.metrics.layers.layer_shape`."""
        from simlab.metrics.layers import measure

        return measure(network, task, data, self.width(task))

    def shape_names(self, task: "Task") -> tuple[str, ...]:
        """Return the names of what is measured."""
        from simlab.metrics.layers import layer_shape

        return layer_shape(self.n_layers)._fields


def _check_sentences(task: "Task") -> None:
    """Raise ``ValueError`` unless the task is made of sentences."""
    if not isinstance(task, SentenceTask):
        raise invalid("network", "one that reads the examples of the task, not sentences", type(task).__name__)
