"""The specification of the linear encoder."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import check_array
from simlab.tasks.paired.gaussian_pairs import GaussianPairs
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class LinearEncoder(Architecture[GaussianPairs]):
    """``z = W x``, :class:`simlab.networks.encoders.linear.LinearEncoder`.

    Args:
        output_dim: ``m``, below or above the number of inputs.
    """

    output_dim: int

    def __post_init__(self):
        check_count("output_dim", self.output_dim)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has Gaussian pairs."""
        if not isinstance(task, GaussianPairs):
            raise invalid("network", "one that reads the examples of the task, not pairs", type(task).__name__)
        check_array("weights", output_dim=self.output_dim, n_inputs=task.n_inputs)

    def width(self, task: GaussianPairs) -> int:
        """Return the larger of ``d`` and ``m``."""
        return max(task.n_inputs, self.output_dim)

    def build(self, task: GaussianPairs, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.encoders.linear import LinearEncoder as Network

        return Network(
            n_inputs=task.n_inputs,
            output_dim=self.output_dim,
            initial_scale=hyper.initial_scale,
            dtype=dtype,
            rngs=rngs,
        )
