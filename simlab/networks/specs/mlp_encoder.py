"""The specification of the multi-layer perceptron for observations of a manifold."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import MOST_LAYERS, widest_layer
from simlab.tasks.paired.manifold_pairs import ManifoldTask
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class MLPEncoder(Architecture[ManifoldTask]):
    """Hidden layers of GELU units, :class:`simlab.networks.encoders.mlp.MLPEncoder`.

    Args:
        output_dim: ``d``.
        hidden_width: width of each hidden layer.
        depth: number of hidden layers, at least 1.
        is_unit: whether embeddings are normalised to unit vectors.
    """

    output_dim: int
    hidden_width: int = 64
    depth: int = 2
    is_unit: bool = False

    def __post_init__(self):
        check_count("output_dim", self.output_dim, maximum=widest_layer())
        check_count("hidden_width", self.hidden_width, maximum=widest_layer())
        check_count("depth", self.depth, maximum=MOST_LAYERS)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has observations of points on a manifold."""
        if not isinstance(task, ManifoldTask):
            raise invalid("network", "one that reads the examples of the task, not observations", type(task).__name__)

    def width(self, task: ManifoldTask) -> int:
        """Return the width of the widest layer."""
        return max(task.n_inputs, self.hidden_width, self.output_dim)

    def build(self, task: ManifoldTask, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.encoders.mlp import MLPEncoder as Network

        return Network(
            n_inputs=task.n_inputs,
            hidden_width=self.hidden_width,
            depth=self.depth,
            output_dim=self.output_dim,
            is_unit=self.is_unit,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
