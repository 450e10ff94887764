"""Moments by group against NumPy in float64, however the vectors are cut into batches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simlab.metrics import moments as streaming
from simlab.metrics.contextual.norm_and_variance import GroupMoments, group_moments

pytestmark = pytest.mark.quick

N_VECTORS, DIM, N_GROUPS, BATCH = 6000, 8, 5, 500
EPSILON = float(np.finfo(np.float32).eps)
# Of a batch a group has at most 130 vectors: a sum of so many terms of one sign has at most so many rounding errors.
SUM_ERROR = 130 * EPSILON
add = jax.jit(streaming.add)


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(1).integers(-1, N_GROUPS + 1, size=N_VECTORS)


def draw(ratio):
    """Return float32 vectors whose squared mean is so many times their variance."""
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=DIM)
    return (rng.normal(size=(N_VECTORS, DIM)) + np.sqrt(ratio) * signs).astype(np.float32)


def accumulate(vectors, groups, begun=None):
    total = streaming.empty_moments(N_GROUPS, DIM) if begun is None else begun
    for start in range(0, len(vectors), BATCH):
        total = add(total, vectors[start : start + BATCH], groups[start : start + BATCH])
    return total


def reference(vectors, groups):
    parts = [vectors[groups == group].astype(np.float64) for group in range(N_GROUPS)]
    return GroupMoments(
        np.array([len(part) for part in parts]),
        np.array([part.mean(0) for part in parts]),
        np.array([((part - part.mean(0)) ** 2).sum(0) for part in parts]),
    )


@pytest.mark.parametrize("ratio", [0.0, 1.0, 1e3, 1e6])
def test_the_variance_keeps_its_digits_however_large_the_mean(ratio, groups):
    vectors = draw(ratio)
    streamed, wanted = group_moments(accumulate(vectors, groups)), reference(vectors, groups)
    np.testing.assert_array_equal(streamed.count, wanted.count)
    np.testing.assert_allclose(streamed.spread, wanted.spread, rtol=SUM_ERROR)
    # A mean is off by the rounding of sums of deviations, which are a few standard deviations, not of the mean.
    np.testing.assert_allclose(streamed.mean, wanted.mean, atol=10 * EPSILON, rtol=EPSILON**1.5)
    np.testing.assert_allclose(streamed.square, streamed.mean_square + streamed.variance, rtol=1e-15)


def test_the_difference_of_mean_squares_would_fail_here(groups):
    vectors = draw(1e6)
    chosen = vectors[groups == 0]
    naive = np.mean(chosen**2, axis=0) - np.mean(chosen, axis=0) ** 2
    assert np.abs(naive / reference(vectors, groups).spread[0] * len(chosen) - 1).max() > 100 * SUM_ERROR


def test_shards_merge_to_the_same_moments(groups):
    vectors = draw(1e6)
    half = N_VECTORS // 2
    merged = streaming.merge(*(accumulate(vectors[part], groups[part]) for part in (slice(half), slice(half, None))))
    wanted = reference(vectors, groups)
    np.testing.assert_allclose(group_moments(merged).spread, wanted.spread, rtol=SUM_ERROR)
    nothing = streaming.empty_moments(N_GROUPS, DIM)
    for same in (streaming.merge(nothing, merged), streaming.merge(merged, nothing)):
        np.testing.assert_allclose(group_moments(same).mean, group_moments(merged).mean, rtol=EPSILON**1.9)
        np.testing.assert_array_equal(same.spread, merged.spread)


def test_a_saved_pass_goes_on_with_the_same_bits(tmp_path, groups):
    vectors, half = draw(1.0), N_VECTORS // 2
    whole = accumulate(vectors, groups)
    streaming.save_moments(tmp_path / "moments", accumulate(vectors[:half], groups[:half]))
    begun = streaming.load_moments(tmp_path / "moments")
    resumed = accumulate(vectors[half:], groups[half:], begun)
    for before, after in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(before, after)
    (tmp_path / "moments").write_bytes(b"nothing\nof the kind\n")
    with pytest.raises(ValueError, match=r"^moments: expected a file that save_moments wrote.*its checksum is wrong"):
        streaming.load_moments(tmp_path / "moments")


def test_layers_share_groups_and_compile_once(groups):
    vectors = np.stack([draw(1.0), draw(1e3)])
    total = streaming.empty_moments(N_GROUPS, DIM, n_layers=2)
    add_layers = jax.jit(streaming.add_layers)
    for start in range(0, N_VECTORS, BATCH):
        total = add_layers(total, vectors[:, start : start + BATCH], groups[start : start + BATCH])
    assert add_layers._cache_size() == 1
    for layer in range(2):
        alone = accumulate(vectors[layer], groups)
        np.testing.assert_allclose(total.spread[layer], alone.spread, rtol=SUM_ERROR)


def test_vectors_of_half_precision_are_summed_in_single(groups):
    vectors = jnp.asarray(draw(1.0)[:BATCH], jnp.bfloat16)
    total = add(streaming.empty_moments(N_GROUPS, DIM), vectors, groups[:BATCH])
    wanted = reference(np.asarray(vectors, np.float32), groups[:BATCH])
    np.testing.assert_allclose(group_moments(total).spread, wanted.spread, rtol=SUM_ERROR)


@pytest.mark.parametrize("field", ["n_groups", "dim", "n_layers"])
def test_sizes_are_checked(field):
    with pytest.raises(ValueError, match=f"^{field}: expected a whole number of at least 1, got 0$"):
        streaming.empty_moments(**{"n_groups": 1, "dim": 1, field: 0})
