import numpy as np
import pytest

from simlab.metrics.matching import match_vectors

pytestmark = pytest.mark.quick


def polygon(corners):
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


CROSS = np.concatenate([np.eye(6), -np.eye(6)])
SIMPLEX = np.eye(9) - 1 / 9


@pytest.mark.parametrize("vectors", [polygon(7), CROSS, SIMPLEX], ids=["polygon", "orthoplex", "simplex"])
def test_a_rotated_scaled_and_shuffled_code_is_put_back_in_order(vectors):
    rng = np.random.default_rng(0)
    dim = vectors.shape[1]
    learned = 3 * vectors[rng.permutation(len(vectors))] @ np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    learned += 1e-3 * rng.normal(size=learned.shape)
    order = match_vectors(learned, vectors)
    assert sorted(order) == list(range(len(vectors)))
    # Noise of 1e-3 on vectors of length 3 moves inner products by about 3 * 2 * 1e-3 * sqrt(dim).
    assert np.abs(learned[order] @ learned[order].T - 9 * vectors @ vectors.T).max() < 0.05


def test_other_shapes_do_not_match():
    rng = np.random.default_rng(1)
    assert match_vectors(rng.normal(size=(7, 2)), polygon(7)) is None
    assert match_vectors(np.zeros((7, 2)), polygon(7)) is None
    assert match_vectors(np.full((7, 2), np.nan), polygon(7)) is None
