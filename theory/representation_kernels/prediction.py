"""The alignment of two modalities that are trained on the same events, one of them on blocks of events."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from theory.representation_kernels.learned import LearnedKernel, check_encoders, learn_ring, learn_table
from theory.representation_kernels.ring_world import coarse_row, is_semidefinite, kernel_alignment, ring_row, ring_table
from theory.representation_kernels.tables import alignment, coarsen, on_events

if TYPE_CHECKING:
    from jaxtyping import Float

MIXED = "the sides of a pair show blocks of different sizes, which only a pair of encoders can learn"
MOST_MIXED = 4096
UNTIED = "PMI of {} is not positive semidefinite: a pair of encoders learns it, a single encoder does not"


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelPrediction:
    """The kernels of two modalities: each is the pointwise mutual information of its observations, up to constants.

    A single encoder learns the Gram matrix of least loss instead, see :mod:`.semidefinite`.

    Args:
        cka: linear CKA of the two kernels on the events.
        mutual_information: of a pair of events, nats; the least InfoNCE is the log number of candidates minus this.
        block_information: of a pair of blocks, nats; at most `mutual_information`.
        positive_semidefinite: whether PMI of events is positive semidefinite on vectors that sum to zero, so that one
            encoder attains it too.
        blocks_positive_semidefinite: the same for PMI of blocks; false if the sides of a pair show different blocks.
        loss: the least InfoNCE of the coarse modality with all n events as candidates, nats.
        excess: the least loss of events minus (log number of candidates - information), nats; 0 if PMI is learned.
        block_excess: the same for blocks.
        gap: upper bound on `excess` and `block_excess` minus their true values, nats.
        basis: "theorem" if both modalities learn PMI, otherwise "certified".
        note: caveats in one sentence; usually empty.
        task: the arguments of the prediction.
    """

    cka: float
    mutual_information: float
    block_information: float
    positive_semidefinite: bool
    blocks_positive_semidefinite: bool
    loss: float
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
    partner_blocks: int | None = None,
) -> KernelPrediction:
    """Return the predicted alignment of a modality of events with a modality of blocks of events.

    Args:
        events: n, on a ring.
        blocks: B, events per block; it divides n.
        window: within which events co-occur, "exponential" or "gaussian".
        width: of the window, in events.
        floor: share of pairs that are drawn uniformly, in [0, 1).
        encoders: per modality: 2, one for each side of a pair, or 1 for both.
        partner_blocks: events per block on the other side of a pair of the coarse modality; ``blocks`` if not given. If
            the two differ, two encoders are needed, and a matrix of all pairs is built.

    Raises:
        ValueError: one line that names the field.
        ArithmeticError: the convex program of one encoder does not converge.
    """
    check_encoders(encoders)
    row = ring_row(events, window, width, floor)
    coarse = coarse_row(row, blocks)
    partner = blocks if partner_blocks is None else partner_blocks
    is_mixed = len(coarse_row(row, partner, "partner_blocks")) != len(coarse)
    fine = learn_ring(row, encoders)
    if is_mixed:
        rough, cka = _learn_mixed(row, blocks, partner, encoders)
        semidefinite = {"events": is_semidefinite(np.log(row)), "blocks": False}
    else:
        rough = learn_ring(coarse, encoders)
        cka = kernel_alignment(fine.kernel, rough.kernel)
        semidefinite = {"events": is_semidefinite(np.log(row)), "blocks": is_semidefinite(np.log(coarse))}
    falls_short = " and ".join(name for name, holds in semidefinite.items() if not holds)
    return KernelPrediction(
        cka=cka,
        mutual_information=fine.information,
        block_information=rough.information,
        positive_semidefinite=semidefinite["events"],
        blocks_positive_semidefinite=semidefinite["blocks"],
        loss=float(np.log(len(row))) - rough.information + rough.excess,
        excess=fine.excess,
        block_excess=rough.excess,
        gap=max(fine.gap, rough.gap),
        basis="theorem" if fine.basis == rough.basis == "theorem" else "certified",
        note=MIXED if is_mixed else UNTIED.format(falls_short) if falls_short else "",
        task={
            "events": events,
            "blocks": blocks,
            "window": window,
            "width": float(width),
            "floor": float(floor),
            "encoders": encoders,
            **({"partner_blocks": partner} if is_mixed else {}),
        },
    )


def _learn_mixed(row: Float[np.ndarray, " n"], blocks: int, partner: int, encoders: int) -> tuple[LearnedKernel, float]:
    """Return the kernel learned from pairs with blocks of different sizes, and its CKA with PMI of events."""
    n = len(row)
    if encoders == 1:
        raise ValueError("encoders: expected 2, as both sides of a pair do not show the same, got 1")
    if n > MOST_MIXED:
        raise ValueError(f"events: expected at most {MOST_MIXED} with partner_blocks={partner}, got {n}")
    table = ring_table(row)
    learned = learn_table(coarsen(table, blocks, partner))
    return learned, alignment(on_events(learned.kernel, n, n), np.log(n**2 * table))
