"""How alike two modalities learn the events of a world, if one of them sees blocks of events."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from theory.representation_kernels.ring_world import (
    coarse_row,
    is_semidefinite,
    kernel_alignment,
    mutual_information,
    ring_row,
)

UNTIED = "PMI of {} is not positive semidefinite: a pair of encoders learns it, a single encoder does not"


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelPrediction:
    """What two modalities learn: each the pointwise mutual information of what it sees, up to constants.

    Args:
        cka: linear CKA of the two kernels on the events.
        mutual_information: of a pair of events, nats; the least InfoNCE is the log-count less this.
        block_information: of a pair of blocks, nats; never more.
        positive_semidefinite: whether PMI of events is, on vectors that sum to zero: then one encoder reaches it too.
        blocks_positive_semidefinite: the same of PMI of blocks.
        basis: "theorem".
        note: what else a reader must know, in a sentence; mostly nothing.
        task: the numbers that it was made from.
    """

    cka: float
    mutual_information: float
    block_information: float
    positive_semidefinite: bool
    blocks_positive_semidefinite: bool
    basis: str = "theorem"
    note: str = ""
    task: dict[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values."""
        values = dataclasses.asdict(self)
        del values["task"]
        return values


def predict(
    *, events: int = 12, blocks: int = 3, window: str = "exponential", width: float = 2.0, floor: float = 0.05
) -> KernelPrediction:
    """Return the predicted alignment of a modality that sees events with one that sees blocks of them.

    Args:
        events: n, on a ring.
        blocks: B, events of a block; it divides n.
        window: within which events co-occur, "exponential" or "gaussian".
        width: of the window, events.
        floor: share of pairs that are drawn evenly, in [0, 1).

    Raises: ValueError, one line that names the field.
    """
    row = ring_row(events, window, width, floor)
    coarse = coarse_row(row, blocks)
    kernels = np.log(row), np.log(coarse)
    semidefinite = {name: is_semidefinite(one) for name, one in zip(("events", "blocks"), kernels, strict=True)}
    falls_short = " and ".join(name for name, holds in semidefinite.items() if not holds)
    return KernelPrediction(
        cka=kernel_alignment(*kernels),
        mutual_information=mutual_information(row),
        block_information=mutual_information(coarse),
        positive_semidefinite=semidefinite["events"],
        blocks_positive_semidefinite=semidefinite["blocks"],
        note=UNTIED.format(falls_short) if falls_short else "",
        task={"events": events, "blocks": blocks, "window": window, "width": float(width), "floor": float(floor)},
    )
