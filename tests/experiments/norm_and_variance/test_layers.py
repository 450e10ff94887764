"""Norm and variance in the layers of small transformers: measured by their definitions, held against predictions."""

import numpy as np
import pytest

from experiments.core.sweep import run_plan
from experiments.norm_and_variance import layers_comparison, layers_reference, regimes, variance_by_layer
from experiments.norm_and_variance.untrained_comparison import predict as predict_untrained

TINY = {"n_classes": 4, "shared": "2:2", "words_per_concept": 2, "n_evaluation": 24, "depth": 1, "embedding_dim": 16}


def test_moments_of_words_are_those_of_their_occurrences():
    rng = np.random.default_rng(0)
    hidden, words = rng.normal(size=(6, 4, 3)).astype(np.float32), rng.integers(6, size=(6, 4))
    found = layers_comparison.word_moments(hidden, words, n_words=5)  # 5 is padding
    for word in range(5):
        part = hidden[words == word].astype(float)
        assert found.count[word] == len(part)
        np.testing.assert_allclose(found.mean[word], part.mean(0) if len(part) else 0, atol=1e-12)
        np.testing.assert_allclose(found.spread[word], ((part - found.mean[word]) ** 2).sum(0), atol=1e-12)


def test_a_trained_network_keeps_the_identity():
    tiny = regimes.contrastive(regimes.SMALL.replace(**TINY, batch_size=4), 60)
    regime = regimes.EXPERIMENT.regimes[0]._replace(quick=tiny)
    run = run_plan(regimes.EXPERIMENT._replace(regimes=(regime,)).plan("quick", {}, 1)).isel(regime=0, seed=0)
    assert run.correlation.shape == (2, 2)
    np.testing.assert_allclose(run.correlation, -1, atol=1e-6)
    np.testing.assert_allclose(run.square, 1, rtol=1e-6)
    learned = run.learned.to_series()
    assert learned["formula_error"] < 1e-12
    # Training on pairs moves the last layer towards what is predicted of it.
    predicted = float(run.within_share_predicted[1, -1])
    assert abs(run.within_share[1, -1] - predicted) < abs(run.within_share[0, -1] - predicted)


def test_what_is_predicted_before_and_after_training():
    tiny = regimes.contrastive(regimes.SMALL.replace(**TINY, batch_size=4), 60)
    arrays = layers_reference.predict(tiny).arrays
    assert np.isfinite(arrays["mean_share"][0]).all()
    assert np.isfinite(arrays["mean_share"][1]).tolist() == [False, True]
    free = layers_reference.predict(tiny.replace(norm="pre"))
    assert free.basis == "none"
    assert not np.isfinite(free.arrays["mean_share"][1]).any()
    with pytest.raises(ValueError, match=r"^network: expected encoder, whose layers are measured, got 'free'$"):
        layers_reference.check_theory(tiny.replace(network="free"))


def test_untrained_networks_come_near_the_kernel():
    choices = variance_by_layer.UntrainedConfiguration(width=128, depth=2, n_evaluation=24)
    regime = variance_by_layer.EXPERIMENT.regimes[0]._replace(quick=choices)
    experiment = variance_by_layer.EXPERIMENT._replace(regimes=(regime,))
    run = run_plan(experiment.plan("quick", {}, 2)).isel(regime=0)
    prediction = predict_untrained(choices)
    # Fluctuations of a network are of order 1/sqrt(width) = 0.09.
    np.testing.assert_allclose(run.within_share.mean("seed"), prediction.arrays["within_share"], atol=0.1)
    np.testing.assert_allclose(run.mean_share.mean("seed"), prediction.arrays["mean_share"], atol=0.1)
    assert float(run.learned.sel(quantity="formula_error").max()) < 1e-12
