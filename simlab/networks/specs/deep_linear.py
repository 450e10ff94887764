"""The specification of a deep linear network and of its initial weights."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import MOST_LAYERS, check_array, widest_layer
from simlab.tasks.item_properties import ItemProperties, check_items
from simlab.validation import check_choice, check_count

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task

STARTS = ("aligned", "balanced", "random")


@dataclass(frozen=True, kw_only=True)
class DeepLinear(Architecture[ItemProperties]):
    """``x -> W_N .. W_1 x`` without biases, :class:`simlab.networks.deep_linear.DeepLinear`.

    Args:
        n_layers: ``N``.
        hidden_width: width of every hidden layer.
        start: ``random`` (normal entries with standard deviation ``initial_scale``), ``balanced``
            (``W_{l+1}^T W_{l+1} = W_l W_l^T``, all singular values of the map equal to ``initial_strength``, random
            singular directions) or ``aligned`` (balanced, with the singular directions of the task).
    """

    n_layers: int = 2
    hidden_width: int = 64
    start: str = "random"

    def __post_init__(self):
        check_count("n_layers", self.n_layers, maximum=MOST_LAYERS)
        check_count("hidden_width", self.hidden_width, maximum=widest_layer())
        check_choice("start", self.start, STARTS)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has items and properties, and the layers fit in memory."""
        shape = check_items(task).shape
        check_array(
            "layers", n_layers=self.n_layers, hidden_width=self.hidden_width, widest=max(self.hidden_width, *shape)
        )

    def sizes(self, task: ItemProperties) -> tuple[int, ...]:
        """Return the ``N + 1`` widths, from the items to the properties."""
        n_properties, n_items = task.shape
        return n_items, *(self.hidden_width,) * (self.n_layers - 1), n_properties

    def width(self, task: ItemProperties) -> int:
        """Return the width of the widest layer."""
        return max(self.sizes(task))

    def build(self, task: ItemProperties, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights."""
        from simlab.networks.deep_linear import DeepLinear as Network

        return Network(
            sizes=self.sizes(task),
            start=self.start,
            target=task.matrix(),
            initial_scale=hyper.initial_scale,
            initial_strength=hyper.initial_strength,
            dtype=dtype,
            rngs=rngs,
        )
