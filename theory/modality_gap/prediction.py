"""The prediction for one task: threshold, branch, least loss, cosines, and the limit of a learnable temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from theory.checks import require_integer, require_positive
from theory.modality_gap.cosines import Cosines, branch_cosines, mixed_threshold
from theory.modality_gap.descent import check_clip, check_gap, decay_rate, end_point
from theory.modality_gap.loss_floor import check_task, largest_gap, margin_loss, threshold
from theory.modality_gap.towers import initial_gap as tower_gap

NO_THRESHOLD = (
    "without mismatch the threshold is infinite: the gap closes at every fixed inverse temperature, "
    "but at a rate that falls like exp(-N/(N-1) beta)"
)
NO_END = (
    "without mismatch the inverse temperature grows without bound, like log t, and the gap falls like its power -{:g}"
)
NOT_DECIDED = "the loss only bounds the gap by this value, to which gradient flow from a symmetric start converges"
CLIPPED = "the inverse temperature stops at the clip, {:g}"


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The prediction for one task.

    Args:
        n_pairs: N.
        mismatch: eps.
        inverse_temperature: beta; its initial value if it is learnable.
        threshold: z*; infinite without mismatch.
        mixed_threshold: least beta at which mixed retrieval fails on the symmetric branch; infinite without mismatch.
        gap: the limit of gradient flow from the symmetric start; at a fixed temperature the largest gap of a minimiser.
        loss: the loss in that limit, nats; at a fixed temperature the least loss of all unit embeddings.
        final_inverse_temperature: the limit of a learnable beta, infinite without mismatch and clip; None if fixed.
        decay_rate: of a small gap at fixed beta, per step and unit of learning rate; negative where the gap grows.
        initial_tower_gap: of two random towers, or None.
        cosines: in the limit, not centred.
        centred_cosines: the same with each modality centred.
        basis: "theorem".
        note: caveats in one sentence; usually empty.
        task: the arguments of the prediction.
    """

    n_pairs: int
    mismatch: float
    inverse_temperature: float
    threshold: float
    mixed_threshold: float
    gap: float
    loss: float
    final_inverse_temperature: float | None
    decay_rate: float
    initial_tower_gap: float | None
    cosines: Cosines
    centred_cosines: Cosines
    basis: str = "theorem"
    note: str = ""
    task: dict[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return a summary of three lines."""
        return (
            f"threshold: {self.threshold:.6g} ({self.basis}, {self.n_pairs} pairs, mismatch {self.mismatch:g})\n"
            f"gap: {self.gap:.6g} at inverse temperature {self.inverse_temperature:g}\n"
            f"loss: {self.loss:.6g}"
        )

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values; infinite and missing numbers become null."""
        values: dict[str, object] = {
            "threshold": _finite(self.threshold),
            "mixed_retrieval_threshold": _finite(self.mixed_threshold),
            "gap": _finite(self.gap),
            "loss": _finite(self.loss),
            "decay_rate": self.decay_rate,
            "cosines": {name: _finite(value) for name, value in self.cosines._asdict().items()},
            "centred_cosines": {name: _finite(value) for name, value in self.centred_cosines._asdict().items()},
        }
        if self.final_inverse_temperature is not None:
            values |= {
                "final_inverse_temperature": _finite(self.final_inverse_temperature),
                "final_gap": _finite(self.gap),
            }
        if self.initial_tower_gap is not None:
            values["initial_tower_gap"] = self.initial_tower_gap
        return values | {"basis": self.basis, "note": self.note}


def predict(
    *,
    n_pairs: int = 16,
    mismatch: float = 0.1,
    inverse_temperature: float = 6.0,
    learnable: bool = False,
    initial_gap: float | None = None,
    temperature_rate: float = 1.0,
    clip: float | None = None,
    depth: int | None = None,
    input_dim: int | None = None,
) -> Prediction:
    """Return the prediction for one task.

    Args:
        n_pairs: N >= 2; embeddings have at least N dimensions.
        mismatch: eps in [0, 1 - 1/N).
        inverse_temperature: beta > 0; its initial value if it is learnable.
        learnable: whether ``s = log beta`` is trained.
        initial_gap: of the symmetric start, in [0, 2); required if beta is learnable, otherwise without effect.
        temperature_rate: ``1/k = N eta_s/eta_x``, for a learnable beta.
        clip: the largest beta that training allows, or None.
        depth: hidden layers of two random towers; None for no prediction of their gap.
        input_dim: dimensions of the isotropic inputs of the towers; None for infinitely many.

    Raises: ValueError, one line that names the field.
    """
    n_pairs, mismatch = check_task(n_pairs, mismatch)
    beta = require_positive("inverse_temperature", inverse_temperature)
    if depth is None and input_dim is not None:
        raise ValueError(f"input_dim: expected none without depth, got {input_dim}")
    rate = _check_learnable(learnable, initial_gap, temperature_rate, clip, beta)
    critical, end, final, notes = threshold(n_pairs, mismatch), beta, None, [] if mismatch else [NO_THRESHOLD]
    if learnable:
        end, gap = end_point(n_pairs, mismatch, beta, initial_gap, exponent=1 / rate, clip=clip)  # pyright: ignore[reportArgumentType]
        final, is_clipped = end, clip is not None and end == clip
        notes += [CLIPPED.format(clip)] if is_clipped else []
        notes += [NO_END.format(1 / rate)] if math.isinf(end) else []
    else:
        gap = largest_gap(n_pairs, mismatch, beta)
        notes += [NOT_DECIDED] if gap else []
    is_endless = math.isinf(end)
    return Prediction(
        n_pairs=n_pairs,
        mismatch=mismatch,
        inverse_temperature=beta,
        threshold=critical,
        mixed_threshold=mixed_threshold(n_pairs, mismatch),
        gap=gap,
        loss=0.0 if is_endless else float(margin_loss(n_pairs, mismatch, end * (1 - gap**2 / 4))),
        final_inverse_temperature=final,
        decay_rate=decay_rate(n_pairs, mismatch, beta, 1.0),
        initial_tower_gap=None if depth is None else tower_gap(n_pairs, depth, input_dim),
        cosines=branch_cosines(n_pairs, gap),
        centred_cosines=branch_cosines(n_pairs, gap, is_centred=True),
        note="; ".join(notes),
        task={"n_pairs": n_pairs, "mismatch": mismatch, "inverse_temperature": beta}
        | ({"learnable": True, "initial_gap": initial_gap, "temperature_rate": rate, "clip": clip} if learnable else {})
        | ({} if depth is None else {"depth": require_integer("depth", depth, minimum=0), "input_dim": input_dim}),
    )


def _check_learnable(learnable: bool, initial_gap, temperature_rate, clip, beta: float) -> float:
    """Return the rate of s, or raise ValueError for an argument that does not fit a fixed or a learnable beta."""
    check_clip(clip, beta)
    if not learnable and clip is not None:
        raise ValueError(f"clip: expected none with a fixed inverse temperature, got {clip:g}")
    if learnable and initial_gap is None:
        raise ValueError("initial_gap: expected a number in [0, 2) with a learnable inverse temperature, got None")
    if initial_gap is not None:
        check_gap("initial_gap", initial_gap)
    return require_positive("temperature_rate", temperature_rate)


def _finite(value: float) -> float | None:
    """Return the number, or None if it is not finite."""
    return value if math.isfinite(value) else None
