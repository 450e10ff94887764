"""The specification of the multi-layer perceptron whose features are penalised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture, SplitAxis
from simlab.networks.specs.vector_measures import VectorMeasures
from simlab.sizes import MOST_LAYERS, widest_layer
from simlab.tasks.labelled_samples import LabelledTask
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class FeatureMLP(VectorMeasures, Architecture[LabelledTask]):
    """A multi-layer perceptron from random inputs to features, and a linear classifier without biases.

    The penalty applies to the features of the training set and to the classifier; the other weights are not penalised.
    If the perceptron can realise any features, its minimum is that of unconstrained features.

    Args:
        embedding_dim: ``d``, the dimension of the features.
        hidden_width: width of each hidden layer.
        depth: number of hidden layers, at least 1.
    """

    embedding_dim: int = 16
    hidden_width: int = 256
    depth: int = 2

    def __post_init__(self):
        check_count("embedding_dim", self.embedding_dim)
        check_count("hidden_width", self.hidden_width, maximum=widest_layer())
        check_count("depth", self.depth, maximum=MOST_LAYERS)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has inputs."""
        _input_dim(task)

    def width(self, task: LabelledTask) -> int:
        """Return the width of the widest layer."""
        return max(_input_dim(task), self.hidden_width, self.embedding_dim)

    def split_axes(self, task: LabelledTask) -> Mapping[str, SplitAxis]:
        """Return the class axis of the classifier, ``Float[K, d]``."""
        return {"classifier": SplitAxis("n_classes", (task.n_classes, self.embedding_dim))}

    def build(self, task: LabelledTask, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.feature_mlp import FeatureMLP as Network

        return Network(
            input_dim=_input_dim(task),
            hidden_width=self.hidden_width,
            depth=self.depth,
            feature_dim=self.embedding_dim,
            n_classes=task.n_classes,
            heads=task.heads,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )


def _input_dim(task: "Task") -> int:
    """Return ``p``, the dimension of the inputs, or raise ``ValueError`` for a task without any."""
    if not isinstance(task, LabelledTask) or task.input_dim is None:
        raise invalid("input_dim", "the dimension of the inputs that the network reads", None)
    return task.input_dim
