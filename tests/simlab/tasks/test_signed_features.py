"""Signed features: labels that balance, strengths of the right law, a flipped background, rotation."""

import jax
import numpy as np
import pytest

from simlab.tasks.signed_features import SignedFeatures, feature_weights

pytestmark = pytest.mark.quick

SIZE = 20_000
TASK = SignedFeatures(
    core_features=3, background_features=2, core_mean=0.7, background_mean=0.2, strength_deviation=0.4
)


def float32(law):
    return jax.tree.map(np.float32, law)


@pytest.mark.parametrize("strengths", ["uniform", "gaussian"])
@pytest.mark.parametrize(("name", "sign"), [("test", 1.0), ("ood", -1.0)])
def test_labels_balance_and_strengths_have_their_law(strengths, name, sign):
    task = SignedFeatures(**vars(TASK) | {"strengths": strengths})
    batch = task.draw_evaluation(name, jax.random.key(0), float32(task.sample(0)), SIZE)
    inputs, labels = np.asarray(batch.inputs, float), 2 * np.asarray(batch.classes) - 1
    assert labels.sum() == 0
    strengths_drawn = inputs * np.where(np.arange(5) < 3, labels[:, None], sign)
    error = 0.4 / np.sqrt(SIZE)
    assert np.all(np.abs(strengths_drawn.mean(axis=0) - [0.7, 0.7, 0.7, 0.2, 0.2]) < 5 * error)
    # The variance of a sample variance is (kurtosis - 1) sigma^4 / n: 2 for a normal, 0.8 for a uniform law.
    assert np.all(np.abs(strengths_drawn.var(axis=0) - 0.16) < 5 * 0.16 * np.sqrt(2 / SIZE))
    if strengths == "uniform":
        assert np.all(np.abs(strengths_drawn - [0.7, 0.7, 0.7, 0.2, 0.2]) <= 0.4 * np.sqrt(3) + 1e-6)
    correlation = np.corrcoef(strengths_drawn.T) - np.eye(5)
    assert np.abs(correlation).max() < 5 / np.sqrt(SIZE)


def test_rotated_features_lie_along_orthonormal_directions():
    rotated = SignedFeatures(**vars(TASK) | {"input_dim": 8})
    law = rotated.sample(3)
    np.testing.assert_allclose(law.directions @ law.directions.T, np.eye(5), atol=1e-12)
    plain = TASK.draw(jax.random.key(1), float32(TASK.sample(3)), 10)
    batch = rotated.draw(jax.random.key(1), float32(law), 10)
    np.testing.assert_array_equal(batch.inputs, plain.inputs)
    weights, features = np.random.default_rng(0).standard_normal((4, 8)), np.asarray(batch.inputs, float)
    inputs = features @ law.directions
    np.testing.assert_allclose(features @ feature_weights(weights, law).T, inputs @ weights.T, atol=1e-12)
    assert feature_weights(weights, TASK.sample(0)) is weights


def test_numbers_of_the_law_share_a_compilation():
    other = SignedFeatures(**vars(TASK) | {"background_mean": 0.9, "strength_deviation": 0.1})
    assert other.compile_key == TASK.compile_key
    assert SignedFeatures(core_features=4, background_features=2).compile_key != TASK.compile_key


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"core_features": 0}, "core_features: expected a whole number of at least 1, got 0"),
        ({"background_features": 0}, "background_features: expected a whole number of at least 1, got 0"),
        ({"input_dim": 4}, "input_dim: expected at least the 5 features, got 4"),
        ({"strengths": "cauchy"}, "strengths: expected one of uniform, gaussian, got 'cauchy'"),
        ({"core_mean": 0.0}, "core_mean: expected a positive finite number, got 0.0"),
        ({"background_mean": -0.1}, "background_mean: expected a non-negative finite number, got -0.1"),
        ({"strength_deviation": 0.0}, "strength_deviation: expected a positive finite number, got 0.0"),
    ],
)
def test_bad_input_is_one_line(change, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        SignedFeatures(**vars(TASK) | change)
