import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.frames import equiangular_frame

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps


@settings(deadline=None, max_examples=60)
@given(n=st.integers(2, 40), extra=st.integers(0, 20), centred=st.booleans())
def test_frame_is_a_simplex_for_any_size(n, extra, centred):
    dim = n - 1 + extra + centred
    frame = equiangular_frame(n, dim, orthogonal_to_ones=centred)
    # An inner product or a sum of n unit-sized terms rounds by at most about n eps.
    tolerance = 4 * n * EPS
    expected = np.full((n, n), -1 / (n - 1))
    np.fill_diagonal(expected, 1.0)
    np.testing.assert_allclose(frame @ frame.T, expected, atol=tolerance, rtol=0)
    np.testing.assert_allclose(frame.sum(axis=0), 0, atol=tolerance)
    if centred:
        np.testing.assert_allclose(frame.sum(axis=1), 0, atol=tolerance)


def test_frame_is_tight_on_its_span():
    frame = equiangular_frame(5, 4)
    # Sums of 5 products of entries below 1, scaled by 5/4.
    np.testing.assert_allclose(frame.T @ frame, 5 / 4 * np.eye(4), atol=20 * EPS)


def test_frame_is_deterministic_and_float64():
    first, second = equiangular_frame(7, 9), equiangular_frame(7, 9)
    assert first.dtype == np.float64
    assert np.array_equal(first, second)


def test_layer_norm_leaves_the_centred_frame_on_its_sphere():
    frame = equiangular_frame(4, 10, orthogonal_to_ones=True)
    normalised = (frame - frame.mean(axis=1, keepdims=True)) / frame.std(axis=1, keepdims=True)
    # The standard deviation of 10 entries rounds by a few eps, relative to entries up to sqrt(10).
    np.testing.assert_allclose(normalised, np.sqrt(10) * frame, atol=100 * EPS)


@pytest.mark.parametrize(
    ("n", "dim", "centred", "message"),
    [
        (4, 2, False, "embedding_dim: expected at least 3 for n_concepts=4, got 2"),
        (4, 3, True, "embedding_dim: expected at least 4 for n_concepts=4, got 3"),
        (1, 3, False, "n_concepts: expected at least 2, got 1"),
        (3, 2.5, False, "embedding_dim: expected an integer, got 2.5"),
    ],
)
def test_wrong_sizes_are_named(n, dim, centred, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        equiangular_frame(n, dim, orthogonal_to_ones=centred)
