"""The predicted network, and the basis of the prediction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.superposition.gain import dimensionalities, gains, represented_features

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from theory.superposition.task import SuperpositionTask

# Without a prediction, numbers are NaN and `basis` is "none".
BASES = ("theorem", "numerical", "ansatz", "none")


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """The minimiser x' = relu(W^T W x + b) of a task.

    It is one of many: the hidden space may be rotated, and features of the same importance exchanged. The columns of W
    are ordered by D_i, so that dropped features come last, unless importances distinguish the features.

    Args:
        features: the features and the shape of the network.
        geometry: the codes that the features form, in words; "no prediction" if there is none.
        basis: "theorem" (proved), "numerical" (an exact objective minimised from many starts), "ansatz" (the best of a
            symmetric family), or "none".
        note: caveats in one sentence; usually empty.
        weights: W, float64 (m, n).
        bias: b, float64 (n,).
        loss: sum_i I_i E (x_i - x'_i)^2.
    """

    features: SuperpositionTask
    geometry: str
    basis: str
    note: str
    weights: Float[np.ndarray, "m n"]
    bias: Float[np.ndarray, " n"]
    loss: float

    @property
    def task(self) -> dict[str, object]:
        """The arguments of `predict` as plain JSON values."""
        return {**asdict(self.features), "importance": [*self.features.importance]}

    @property
    def is_predicted(self) -> bool:
        """Whether there is a prediction."""
        return self.basis != "none"

    @property
    def gram(self) -> Float[np.ndarray, "n n"]:
        """W^T W, which is invariant under rotations of the hidden space."""
        return self.weights.T @ self.weights

    @property
    def norms(self) -> Float[np.ndarray, " n"]:
        """|w_i| of each feature."""
        return np.linalg.norm(self.weights, axis=0)

    @property
    def feature_dimensionalities(self) -> Float[np.ndarray, " n"]:
        """D_i of each feature, in the order of the features."""
        return dimensionalities(self.weights)

    @property
    def dimensionalities(self) -> Float[np.ndarray, " n"]:
        """The multiset of D_i, largest first."""
        return np.sort(self.feature_dimensionalities)[::-1]

    @property
    def gains(self) -> Float[np.ndarray, " n"]:
        """The adversarial gain of each output while it is active."""
        return gains(self.weights)

    @property
    def represented(self) -> Bool[np.ndarray, " n"]:
        """Whether |w_i| > 0.15, for each feature; all false without a prediction."""
        return represented_features(self.weights)

    def __repr__(self) -> str:
        """Return a summary of four lines."""
        task = self.features
        lines = (
            f"{self.geometry} ({self.basis})",
            f"task: {task.n_features} features, {task.n_hidden} dimensions, p = {task.active_probability:g}, "
            f"{task.nonlinearity}",
            f"loss: {self.loss:.6g}",
            f"represented: {int(self.represented.sum())}; norms {self.norms.min():.6g} to {self.norms.max():.6g}",
        )
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values; without a prediction all numbers are null."""
        numbers = {
            "dimensionalities": self.dimensionalities.tolist(),
            "represented": self.represented.tolist(),
            "loss": self.loss,
            "norms": self.norms.tolist(),
            "bias": self.bias.tolist(),
        }
        if not self.is_predicted:
            numbers = dict.fromkeys(numbers)
        return {"geometry": self.geometry, **numbers, "basis": self.basis, "note": self.note}
