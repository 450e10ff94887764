"""The predicted embedding of a linear encoder: which directions survive, and with what variance.

Let ``P = M^{1/2} W^T W M^{1/2}``, whose non-zero eigenvalues are those of the covariance ``W M W^T`` of the embedding.
The expected loss plus the weight decay ``lam/2 |W|^2`` is, up to a constant,

    distance:  [tr(T P)/tau - logdet(I + P/tau) + tr((I + P/tau)^{-1})]/2,   T = M^{-1/2} (D + tau lam I) M^{-1/2}
    dot:       -tr(R P)/tau + tr(P^2)/(2 tau^2),                             R = M^{-1/2} (A - (tau lam/2) I) M^{-1/2}
    spectral:  -2 tr(R P) + tr(P^2),                                         R = M^{-1/2} (A - (lam/4) I) M^{-1/2}

All terms but the first depend only on the eigenvalues of P. By von Neumann's trace inequality the first is least if P
commutes with T (or R) and its largest eigenvalues go with the smallest t (the largest r). So each direction is
minimised separately, and with m < d dimensions the m best directions survive:

    distance:  tau f(t)     collapsed iff t >= 2      (`curve`; commuting, one view: t = (q + tau lam)/s)
    dot:       tau r_+      collapsed iff r <= 0      (commuting: r = (s - tau lam/2)/(s + q))
    spectral:  r_+
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """The minimiser of the expected loss, up to a rotation of the embedding.

    Args:
        similarity: "distance", "dot" or "spectral".
        levels: t (distance) or r (other similarities) of each direction, which decides on collapse, float64 (d,).
        eigenvalues: variance of the embedding along each direction, float64 (d,); 0 if the direction collapsed or no
            dimension of the embedding is left for it. In the order of the given ratios, otherwise largest first.
        gram: ``W^T W``, float64 (d, d).
        loss: expected loss without weight decay, minus the logarithm of the number of negatives, nats.
        finite_batch: the eigenvalues with the first-order correction for a finite batch, float64 (d,), or None.
        basis: "theorem".
        note: caveats in one sentence; usually empty.
        task: the arguments of the prediction.
    """

    similarity: str
    levels: Float[np.ndarray, " d"]
    eigenvalues: Float[np.ndarray, " d"]
    gram: Float[np.ndarray, "d d"]
    loss: float
    finite_batch: Float[np.ndarray, " d"] | None = None
    basis: str = "theorem"
    note: str = ""
    task: dict[str, object] = field(default_factory=dict)

    @property
    def collapsed(self) -> Bool[np.ndarray, " d"]:
        """Whether each direction is absent from the embedding."""
        return self.eigenvalues == 0

    @property
    def rank(self) -> int:
        """The number of directions that survive."""
        return int(np.sum(~self.collapsed))

    def __repr__(self) -> str:
        """Return a summary of three lines."""
        largest, least = self.eigenvalues.max(), self.eigenvalues.min()
        return (
            f"rank {self.rank} of {len(self.eigenvalues)} ({self.basis}, {self.similarity})\n"
            f"eigenvalues: {least:.6g} to {largest:.6g}\n"
            f"loss: {self.loss:.6g}"
        )

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values."""
        values: dict[str, object] = {
            "eigenvalues": self.eigenvalues.tolist(),
            "collapsed": self.collapsed.tolist(),
            "rank": self.rank,
            "levels": self.levels.tolist(),
            "loss": self.loss,
        }
        if self.finite_batch is not None:
            values["finite_batch_eigenvalues"] = self.finite_batch.tolist()
        return values | {"basis": self.basis, "note": self.note}
