"""Predicted codes in the order and the frame of learned ones."""

import numpy as np
import pytest

from simlab.metrics.code_alignment import align_code

pytestmark = pytest.mark.quick

ANGLES = 2 * np.pi * np.arange(5) / 5
PENTAGON = np.stack([np.cos(ANGLES), np.sin(ANGLES)])


def _pairs(n_pairs: int, n_dedicated: int) -> np.ndarray:
    """Return pairs of opposite features, then features of their own."""
    weights = np.zeros((n_pairs + n_dedicated, 2 * n_pairs + n_dedicated))
    for pair in range(n_pairs):
        weights[pair, 2 * pair : 2 * pair + 2] = 1, -1
    weights[n_pairs:, 2 * n_pairs :] = np.eye(n_dedicated)
    return weights


def _turned(weights: np.ndarray, seed: int, noise: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.standard_normal((len(weights), len(weights))))[0]
    shuffled = weights[:, rng.permutation(weights.shape[1])]
    return rotation @ shuffled + noise * rng.standard_normal(weights.shape)


@pytest.mark.parametrize("code", [PENTAGON, _pairs(2, 1), _pairs(10, 10), np.pad(_pairs(2, 0), ((0, 0), (0, 1)))])
@pytest.mark.parametrize("seed", range(3))
def test_order_and_rotation_are_found(code, seed):
    learned = _turned(code, seed, 1e-3)
    aligned = align_code(learned, code)
    # Noise of 1e-3 in each of the m n entries, and twice as much in the entries of the Gram matrix.
    assert np.abs(aligned.weights - learned).max() < 0.01
    assert aligned.gram_distance < 0.02
    np.testing.assert_allclose(np.linalg.norm(aligned.weights, axis=0), np.linalg.norm(code[:, aligned.order], axis=0))
    assert sorted(aligned.order) == list(range(code.shape[1]))


def test_another_code_is_far():
    assert align_code(_turned(_pairs(2, 0), 0, 1e-3), PENTAGON[:, :4]).gram_distance > 0.3


def test_features_that_are_told_apart_keep_their_order():
    code = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    aligned = align_code(code[:, ::-1], code, is_ordered=True)
    assert aligned.order.tolist() == [0, 1, 2]
    assert aligned.gram_distance > 0.5
