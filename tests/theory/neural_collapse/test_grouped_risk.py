"""The grouped form of the risk against dense matrices, finite differences, and points that are not minima."""

import numpy as np
import pytest

from theory.neural_collapse.class_groups import averages_basis, group_classes, spread_logits
from theory.neural_collapse.grouped_certificate import certify_grouped
from theory.neural_collapse.grouped_risk import GroupedRisk
from theory.neural_collapse.grouped_solver import solve_imbalanced

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps
SIZES = (2, 7, 7, 2, 3, 7, 2, 2, 5)


def random_point(seed, decay=0.05, scale=1.0):
    """A grouped risk, and margins and averages without any structure but their symmetry."""
    risk = GroupedRisk(groups=group_classes(SIZES), decay=decay)
    rng = np.random.default_rng(seed)
    margins = scale * np.where(risk.groups.counts > 1, rng.random(risk.groups.counts.size) + 0.1, 0.0)
    basis = averages_basis(risk.groups)
    return risk, margins, basis @ (scale * rng.normal(size=(basis.shape[1], len(basis))))


@pytest.mark.parametrize("seed", range(3))
def test_grouped_numbers_are_those_of_dense_logits(seed):
    risk, margins, averages = random_point(seed)
    point = certify_grouped(risk, margins, averages, residual=0.0)
    logits = spread_logits(risk.groups, margins, averages)
    sizes = np.array(SIZES)
    log_sums = np.log(np.exp(logits).sum(axis=1))
    # Sums of 9 terms of order 1, and one SVD.
    cross_entropy = sizes @ (log_sums - np.diag(logits)) / sizes.sum()
    assert point.cross_entropy == pytest.approx(cross_entropy, rel=50 * EPS)
    weighted = logits * np.sqrt(sizes / sizes.sum())[:, None]
    assert point.penalty == pytest.approx(0.05 * np.linalg.svd(weighted, compute_uv=False).sum(), rel=50 * EPS)
    np.testing.assert_allclose(logits.sum(axis=1), 0, atol=100 * EPS)
    # The dual point, scaled by the largest singular value of the dense gradient.
    errors = np.exp(logits - log_sums[:, None]) - np.eye(9)
    sigma = np.linalg.svd(errors * np.sqrt(sizes / sizes.sum())[:, None], compute_uv=False)[0]
    mixed = np.eye(9) + min(1, 0.05 / sigma) * errors
    assert point.lower_bound == pytest.approx(-(sizes / sizes.sum()) @ (mixed * np.log(mixed)).sum(axis=1), rel=1e-12)


def test_bound_holds_at_every_point():
    least = solve_imbalanced(group_classes(SIZES), 0.05 / np.sqrt(sum(SIZES))).risk
    for seed in range(20):
        risk, margins, averages = random_point(seed, scale=0.3 * seed)
        point = certify_grouped(risk, margins, averages, residual=0.0)
        assert point.lower_bound < least < point.risk


def test_derivatives_are_those_of_finite_differences():
    risk = GroupedRisk(groups=group_classes(SIZES), decay=0.05)
    rng = np.random.default_rng(4)
    n_groups = risk.groups.counts.size
    point = risk.pack(
        rng.random(n_groups), rng.normal(size=(n_groups - 1,) * 2), rng.normal(size=(n_groups, n_groups - 1))
    )
    step = 1e-5
    for _ in range(5):
        direction = rng.normal(size=point.size)
        ahead, behind = (risk.value_and_gradient(point + sign * step * direction) for sign in (1, -1))
        slope = risk.value_and_gradient(point)[1] @ direction
        # Central differences: step^2 times third derivatives of order 10, and rounding of order eps / step.
        assert (ahead[0] - behind[0]) / (2 * step) == pytest.approx(slope, abs=1e-7)
        # The product has an extra term along rotations of P and Q, which vanishes in the others: test on those.
        level = without_rotations(risk, point, direction)
        ahead, behind = (risk.value_and_gradient(point + sign * step * level)[1] for sign in (1, -1))
        np.testing.assert_allclose(risk.hessian(point)(level), (ahead - behind) / (2 * step), atol=1e-7)


def without_rotations(risk, point, direction):
    """Return the part of a direction (d_P, d_Q) with P^T d_P + Q^T d_Q symmetric, by least squares."""
    _, left, right = risk.unpack(point)
    rank = left.shape[1]
    rotations = []
    for i in range(rank):
        for j in range(i):
            turn = np.zeros((rank, rank))
            turn[i, j], turn[j, i] = 1, -1
            rotations.append(risk.pack(np.zeros(len(right)), left @ turn, right @ turn))
    basis = np.array(rotations).T
    return direction - basis @ np.linalg.lstsq(basis, direction, rcond=None)[0]


def test_basis_completes_the_counts():
    groups = group_classes(SIZES)
    whole = np.column_stack([np.sqrt(groups.counts / 9), averages_basis(groups)])
    np.testing.assert_allclose(whole.T @ whole, np.eye(4), atol=20 * EPS)


def test_sizes_need_two_classes():
    with pytest.raises(ValueError, match=r"^samples_per_class: expected one integer for each of K >= 2 classes"):
        group_classes([3])
