"""Norm of the mean and variance from moments, against the definitions on all vectors."""

import numpy as np
import pytest

from simlab.metrics.contextual.norm_and_variance import (
    GroupMoments,
    mean_cosine,
    pooled_mean,
    rogue_share,
    trade_off,
    variance_shares,
)

pytestmark = pytest.mark.quick

N_VECTORS, DIM, N_GROUPS = 400, 6, 20
ROUNDING = 1e-12  # sums of 400 numbers in float64


def moments_of(vectors, groups, n_groups):
    parts = [vectors[groups == group] for group in range(n_groups)]
    return GroupMoments(
        np.array([len(part) for part in parts]),
        np.array([part.mean(0) if len(part) else np.zeros(DIM) for part in parts]),
        np.array([((part - part.mean(0)) ** 2).sum(0) if len(part) else np.zeros(DIM) for part in parts]),
    )


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    groups = rng.integers(N_GROUPS - 1, size=N_VECTORS)  # the last group is empty
    vectors = rng.normal(size=(N_VECTORS, DIM)) + rng.normal(size=(N_GROUPS, DIM))[groups] + 1
    return vectors, groups


def test_pooled_moments_are_those_of_all_vectors(data):
    vectors, groups = data
    moments = moments_of(vectors, groups, N_GROUPS)
    labels = np.arange(N_GROUPS) % 3
    for pooled, wanted in (
        (moments.pool(), moments_of(vectors, np.zeros(N_VECTORS, int), 1)),
        (moments.pool(labels), moments_of(vectors, labels[groups], 3)),
    ):
        np.testing.assert_array_equal(pooled.count, wanted.count)
        np.testing.assert_allclose(pooled.mean, wanted.mean, rtol=ROUNDING)
        np.testing.assert_allclose(pooled.spread, wanted.spread, rtol=ROUNDING)


def test_shares_are_those_of_the_definitions(data):
    vectors, groups = data
    shares = variance_shares(moments_of(vectors, groups, N_GROUPS))
    square = np.mean(np.sum(vectors**2, axis=1))
    means = np.array([vectors[groups == group].mean(0) for group in groups])
    total = np.mean(np.sum((vectors - vectors.mean(0)) ** 2, axis=1))
    within = np.mean(np.sum((vectors - means) ** 2, axis=1))
    assert shares.mean_share == pytest.approx(np.sum(vectors.mean(0) ** 2) / square, rel=ROUNDING)
    assert shares.within_share == pytest.approx(within / total, rel=ROUNDING)
    assert shares.between_share == pytest.approx((total - within) / square, rel=1e-11)
    assert shares.mean_share + total / square == pytest.approx(1, rel=ROUNDING)


def test_the_trade_off_is_perfect_where_all_norms_are_equal(data):
    vectors, groups = data
    on_sphere = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pinned = trade_off(moments_of(on_sphere, groups, N_GROUPS))
    assert pinned.n_groups == N_GROUPS - 1
    assert pinned.correlation == pytest.approx(-1, abs=ROUNDING)
    assert pinned.slope == pytest.approx(-1, abs=ROUNDING)
    free = trade_off(moments_of(vectors, groups, N_GROUPS))
    assert free.correlation > -0.9


def test_scale_and_offset_act_on_moments(data):
    vectors, groups = data
    rng = np.random.default_rng(2)
    scale, offset = rng.uniform(0.2, 2, size=DIM), rng.normal(size=DIM)
    moved = moments_of(vectors, groups, N_GROUPS).transform(scale, offset)
    wanted = moments_of(vectors * scale + offset, groups, N_GROUPS)
    np.testing.assert_allclose(moved.mean[:-1], wanted.mean[:-1], rtol=ROUNDING)
    np.testing.assert_allclose(moved.spread, wanted.spread, rtol=ROUNDING)


def test_mean_cosines_need_no_pairs(data):
    vectors, groups = data
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    moments = moments_of(unit, groups, N_GROUPS)
    cosines = unit @ unit.T
    different = ~np.eye(N_VECTORS, dtype=bool)
    by_group = mean_cosine(moments.count, moments.mean)
    for group in (0, 7):
        same = (groups == group)[:, None] & (groups == group) & different
        assert by_group[group] == pytest.approx(cosines[same].mean(), rel=1e-11)
    assert np.isnan(by_group[-1])
    mean = pooled_mean(moments.count, moments.mean)
    assert mean_cosine(np.array([N_VECTORS]), mean[None])[0] == pytest.approx(cosines[different].mean(), rel=1e-11)
    squares = unit.mean(0) ** 2
    assert rogue_share(mean) == pytest.approx(squares.max() / squares.sum(), rel=ROUNDING)


def test_too_few_groups_have_no_correlation(data):
    vectors, groups = data
    moments = moments_of(vectors, groups, N_GROUPS)
    assert np.isnan(trade_off(moments.take(slice(2))).correlation)
    assert trade_off(moments, least_count=10_000).n_groups == 0
