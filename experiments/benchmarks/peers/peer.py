"""What a phenomenon's module says of its training in PyTorch."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

# A tensor or a parameter of PyTorch, which is optional.
Tensor = Any


class Peer(NamedTuple):
    """A training in PyTorch.

    Attributes:
        parameters: by the name of ours, which for a layer ends in ``kernel`` where ours is the transpose of
            ``nn.Linear.weight``.
        loss: of a batch, given as the tensors that ours sees, without weight decay.
        draw: returns a fresh batch; None where the batches are those of a fixed sample.
    """

    parameters: Mapping[str, Tensor]
    loss: Callable[..., Tensor]
    draw: Callable[[], tuple[Tensor, ...]] | None = None
