"""The specification of encoders of symbols, one for both modalities or one for each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simlab.networks.specs.architecture import Architecture
from simlab.sizes import MOST_LAYERS, check_array, widest_layer
from simlab.tasks.paired.cooccurrence import CooccurrenceTask
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.networks.encoders.symbols import SymbolEncoder as Network
    from simlab.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class SymbolEncoder(Architecture[CooccurrenceTask]):
    """Free vectors, or a multi-layer perceptron; :mod:`simlab.networks.encoders.symbols`.

    Args:
        output_dim: ``m``.
        n_encoders: 1 for a shared encoder of both sides of a pair, or 2.
        hidden_width: width of the hidden layers; None for free vectors.
        depth: number of hidden layers.
        code_dim: dimension of the random codes of symbols, the input of the perceptron; None for one-hot codes.
    """

    output_dim: int
    n_encoders: int = 1
    hidden_width: int | None = None
    depth: int = 1
    code_dim: int | None = None

    def __post_init__(self):
        check_count("output_dim", self.output_dim)
        check_count("n_encoders", self.n_encoders, 1, 2)
        check_count("depth", self.depth, maximum=MOST_LAYERS)
        if self.hidden_width is not None:
            check_count("hidden_width", self.hidden_width, maximum=widest_layer())
        if self.code_dim is not None:
            check_count("code_dim", self.code_dim)

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless the task has symbols, the same on both sides for a shared encoder."""
        if not isinstance(task, CooccurrenceTask):
            raise invalid("network", "one that reads the examples of the task, not symbols", type(task).__name__)
        if self.n_encoders == 1 and not task.is_shared:
            raise invalid("n_encoders", "2, as both sides of a pair do not show the same symbols", 1)
        check_array("vectors", output_dim=self.output_dim, n_symbols=max(task.shape))

    def width(self, task: CooccurrenceTask) -> int:
        """Return the width of the widest layer."""
        return max(self.output_dim, self.hidden_width or 1, self.code_dim or 1)

    def build(self, task: CooccurrenceTask, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights; it has a row for every event, also for a coarse modality."""
        from simlab.networks.encoders.symbols import TwoEncoders

        encoders = [self._build_one(n, hyper, dtype, rngs) for n in task.shape[: self.n_encoders]]
        return encoders[0] if len(encoders) == 1 else TwoEncoders(*encoders)

    def _build_one(self, n_symbols: int, hyper, dtype, rngs: "nnx.Rngs") -> "Network":
        from simlab.networks.encoders.symbols import FreeSymbols, SymbolMLP

        shared = {
            "n_symbols": n_symbols,
            "output_dim": self.output_dim,
            "initial_scale": hyper.initial_scale,
            "dtype": dtype,
            "rngs": rngs,
        }
        if self.hidden_width is None:
            return FreeSymbols(**shared)
        return SymbolMLP(hidden_width=self.hidden_width, depth=self.depth, code_dim=self.code_dim, **shared)
