"""A lower bound on the grouped risk by convex duality, which certifies the distance from the minimum.

The conjugate of the cross-entropy is minus an entropy (see `dual_entropy`), and that of mu |Y|_* bounds the largest
singular value of the gradient by mu. So any distributions q_k over classes give a lower bound,

    min f >= sum_k pi_k H(q_k)    if    sigma_max of the matrix with columns sqrt(pi_k) (q_k - e_k) is at most mu
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import xlogy

from theory.neural_collapse.grouped_risk import GroupedRisk

if TYPE_CHECKING:
    from jaxtyping import Float


class GroupedLogits(NamedTuple):
    """A point in the coordinates of `class_groups`.

    Args:
        margins: a, nats, float64 (G,); zero for groups whose classes coincide and for groups of one class.
        averages: B, float64 (G, G).
        cross_entropy, penalty: nats.
        lower_bound: on the risk of features and classifier of any dimension, nats.
        residual: norm of the gradient of the smooth form, divided by mu.
    """

    margins: Float[np.ndarray, " G"]
    averages: Float[np.ndarray, "G G"]
    cross_entropy: float
    penalty: float
    lower_bound: float
    residual: float

    @property
    def risk(self) -> float:
        """Cross-entropy plus penalty, nats."""
        return self.cross_entropy + self.penalty


def certify_grouped(
    risk: GroupedRisk, margins: Float[np.ndarray, " G"], averages: Float[np.ndarray, "G G"], *, residual: float
) -> GroupedLogits:
    """Return a and B with their risk and the lower bound of convex duality.

        min f >= sum_k pi_k H(e_k + theta (p_k - e_k)),     theta = min(1, mu / sigma_max(dF/dY)),   Y = Z diag(sqrt pi)

    Args:
        risk: the grouped risk.
        margins: a, nats, float64 (G,).
        averages: B, float64 (G, G).
        residual: reported unchanged.

    Valid: for every a and B.
    """
    logits = risk.logits(margins, averages)
    errors = risk.errors(logits)
    cross_entropy = risk.cross_entropy(logits)
    penalty = risk.decay * (
        risk.margin_nuclear_norms @ np.abs(margins) + np.linalg.svd(averages, compute_uv=False).sum()
    )
    theta = min(1.0, risk.decay / _sigma_max(risk, errors))
    error_probability = -theta * errors[-1]
    # -q log q, summed over the classes that an entry represents; entries that represent none have q = 0.
    spread = -(xlogy(theta * errors[:-1], theta * errors[:-1]) - _shared(theta * errors[:-1], risk)).sum(axis=0)
    entropy = spread - (1 - error_probability) * np.log1p(-error_probability)
    return GroupedLogits(
        margins=margins,
        averages=averages,
        cross_entropy=cross_entropy,
        penalty=float(penalty),
        lower_bound=float(risk.weights @ entropy),
        residual=residual,
    )


def _shared(mass: Float[np.ndarray, "G G"], risk: GroupedRisk) -> Float[np.ndarray, "G G"]:
    """Return mass times the log of the number of classes that share it; 0 if no class does."""
    return np.multiply(mass, risk.log_multiplicity[:-1], out=np.zeros_like(mass), where=mass > 0)


def _sigma_max(risk: GroupedRisk, errors: Float[np.ndarray, "G+1 G"]) -> float:
    """Return the largest singular value of dF/dY: of the block of averages and of each group's differences."""
    counts = risk.groups.counts
    averages = risk.logits_adjoint(risk.weights * errors)[1]
    several = counts > 1
    between = np.divide(errors[:-1].diagonal(), counts - 1, out=np.zeros_like(counts), where=several) - errors[-1]
    within = (np.sqrt(risk.groups.shares) * between)[several]
    return max(float(np.linalg.norm(averages, 2)), float(within.max(initial=0.0)))
