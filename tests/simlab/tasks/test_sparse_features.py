"""Sparse features: p is the probability of being active, and weighted masks give the same means as drawn ones."""

import jax
import numpy as np
import pytest

from simlab.losses.reconstruction import Hyperparameters, Reconstruction
from simlab.networks.specs.autoencoder import Autoencoder
from simlab.tasks.sparse_features import SparseFeatures, all_masks, mask_probabilities, weighted_inputs

pytestmark = pytest.mark.quick

N_DRAWS = 20_000


@pytest.mark.parametrize("p", [0.1, 0.8])
def test_a_feature_is_active_with_probability_p_and_uniform_then(p):
    task = SparseFeatures(n_features=3, active_probability=p)
    examples = task.draw(jax.random.key(0), _law(task), N_DRAWS)
    active, values = np.asarray(examples.thresholds) < p, np.asarray(examples.values)
    error = np.sqrt(p * (1 - p) / N_DRAWS)
    assert np.abs(active.mean(axis=0) - p).max() < 5 * error
    assert abs(np.mean(active[:, 0] & active[:, 1]) - p**2) < 5 * np.sqrt(p**2 * (1 - p**2) / N_DRAWS)
    assert values.min() >= 0
    assert values.max() < 1
    # Mean and mean square of a uniform number, of variances 1/12 and 4/45.
    assert abs(values.mean() - 1 / 2) < 5 * np.sqrt(1 / 12 / values.size)
    assert abs((values**2).mean() - 1 / 3) < 5 * np.sqrt(4 / 45 / values.size)


def test_every_mask_has_its_probability():
    masks = all_masks(4)
    assert len({tuple(mask) for mask in masks.T}) == 16
    probabilities = mask_probabilities(masks, 0.3)
    by_hand = [np.prod([0.3 if active else 0.7 for active in mask]) for mask in masks.T]
    np.testing.assert_allclose(probabilities, by_hand, rtol=1e-12)


@pytest.mark.parametrize("weights_masks", [True, False])
def test_moments_of_weighted_and_of_drawn_masks(weights_masks):
    p = 0.3
    task = SparseFeatures(n_features=3, active_probability=p, weights_masks=weights_masks)
    law = _law(task)
    inputs, weights = map(np.asarray, weighted_inputs(task.draw(jax.random.key(1), law, N_DRAWS), law))
    # Float32 weights of N_DRAWS columns.
    assert abs(weights.sum() - 1) < 1e-4
    assert inputs.shape == (3, N_DRAWS * task.columns_per_draw)
    second = (inputs * weights) @ inputs.T
    expected = np.full((3, 3), p**2 / 4) + np.eye(3) * (p / 3 - p**2 / 4)
    # Of x_i x_j, at most E x^4 = p/5.
    assert np.abs(second - expected).max() < 5 * np.sqrt(p / 5 / N_DRAWS)


def test_probability_and_importance_are_data():
    task = SparseFeatures(n_features=2, active_probability=0.1, importance=(1.0, 0.3))
    assert task.compile_key == SparseFeatures(n_features=2, active_probability=0.9, importance=2.0).compile_key
    assert task.compile_key != SparseFeatures(n_features=2, weights_masks=True).compile_key
    np.testing.assert_array_equal(task.sample(0).importance, [1.0, 0.3])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"active_probability": 0.0}, r"active_probability: expected a number in \(0, 1\], got 0.0"),
        ({"active_probability": 1.5}, r"active_probability: expected a number in \(0, 1\], got 1.5"),
        ({"active_probability": True}, r"active_probability: expected a number in \(0, 1\], got True"),
        ({"importance": (1.0,)}, "importance: expected 2 numbers, one for each feature, got 1"),
        ({"importance": (1.0, 0.0)}, "importance: expected a positive finite number, got 0.0"),
        ({"n_features": 0}, "n_features: expected a whole number of at least 1, got 0"),
        ({"n_features": 11, "weights_masks": True}, "n_features: expected at most 10, got 11"),
    ],
)
def test_bad_input_is_named(fields, message):
    with pytest.raises(ValueError, match=message):
        SparseFeatures(**{"n_features": 2} | fields)


def test_the_gradient_of_a_feature_comes_with_its_importance():
    """Feature 2 has no importance to speak of: the gradient of its bias vanishes with it."""
    task = SparseFeatures(n_features=2, active_probability=0.5, importance=(1.0, 1e-6), weights_masks=True)
    law, spec = _law(task), Autoencoder(n_hidden=1)
    from flax import nnx

    network = spec.build(task, Hyperparameters(0.1, 1.0), dtype=np.float32, rngs=nnx.Rngs(params=0))
    batch = task.draw(jax.random.key(0), law, 8)
    gradient = nnx.grad(lambda module: Reconstruction().loss(module, batch, law, None, None))(network)
    first, second = np.abs(np.asarray(gradient["bias"][...])) * 1e-6  # the loss is divided by the least importance
    assert first > 1e-3
    assert second < 1e-5


def _law(task):
    return jax.tree.map(lambda array: np.asarray(array, np.float32), task.sample(0))
