"""How alike two modalities learn the events of a world, if one of them sees blocks of events."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from theory.representation_kernels.learned import check_encoders, learn_ring
from theory.representation_kernels.ring_world import coarse_row, is_semidefinite, kernel_alignment, ring_row

UNTIED = "PMI of {} is not positive semidefinite: a pair of encoders learns it, a single encoder does not"


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelPrediction:
    """What two modalities learn: each the pointwise mutual information of what it sees, up to constants.

    A single encoder learns the nearest kernel that is a Gram matrix, see :mod:`.semidefinite`.

    Args:
        cka: linear CKA of the two kernels on the events.
        mutual_information: of a pair of events, nats; the least InfoNCE is the log-count less this.
        block_information: of a pair of blocks, nats; never more.
        positive_semidefinite: whether PMI of events is, on vectors that sum to zero: then one encoder reaches it too.
        blocks_positive_semidefinite: the same of PMI of blocks.
        excess: of the least loss of events above the log-count less the information, nats: 0 where PMI is learned.
        block_excess: the same of blocks.
        gap: how far below these the true ones may lie, nats.
        basis: "theorem" where both learn PMI, else "certified".
        note: what else a reader must know, in a sentence; mostly nothing.
        task: the numbers that it was made from.
    """

    cka: float
    mutual_information: float
    block_information: float
    positive_semidefinite: bool
    blocks_positive_semidefinite: bool
    excess: float = 0.0
    block_excess: float = 0.0
    gap: float = 0.0
    basis: str = "theorem"
    note: str = ""
    task: dict[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values."""
        values = dataclasses.asdict(self)
        del values["task"]
        return values


def predict(
    *,
    events: int = 12,
    blocks: int = 3,
    window: str = "exponential",
    width: float = 2.0,
    floor: float = 0.05,
    encoders: int = 2,
) -> KernelPrediction:
    """Return the predicted alignment of a modality that sees events with one that sees blocks of them.

    Args:
        events: n, on a ring.
        blocks: B, events of a block; it divides n.
        window: within which events co-occur, "exponential" or "gaussian".
        width: of the window, events.
        floor: share of pairs that are drawn evenly, in [0, 1).
        encoders: of a modality: 2, one for each of a pair, or 1 for both.

    Raises:
        ValueError: one line that names the field.
        ArithmeticError: the convex program of one encoder does not converge.
    """
    check_encoders(encoders)
    row = ring_row(events, window, width, floor)
    coarse = coarse_row(row, blocks)
    semidefinite = {name: is_semidefinite(np.log(kernel)) for name, kernel in (("events", row), ("blocks", coarse))}
    falls_short = " and ".join(name for name, holds in semidefinite.items() if not holds)
    fine, rough = (learn_ring(kernel, encoders) for kernel in (row, coarse))
    return KernelPrediction(
        cka=kernel_alignment(fine.kernel, rough.kernel),
        mutual_information=fine.information,
        block_information=rough.information,
        positive_semidefinite=semidefinite["events"],
        blocks_positive_semidefinite=semidefinite["blocks"],
        excess=fine.excess,
        block_excess=rough.excess,
        gap=max(fine.gap, rough.gap),
        basis="theorem" if fine.basis == rough.basis == "theorem" else "certified",
        note=UNTIED.format(falls_short) if falls_short else "",
        task={
            "events": events,
            "blocks": blocks,
            "window": window,
            "width": float(width),
            "floor": float(floor),
            "encoders": encoders,
        },
    )
