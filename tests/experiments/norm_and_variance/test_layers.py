"""Norm and variance in the layers of small transformers: measured by their definitions, held against predictions."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from flax import nnx

from experiments.core.sweep import run_plan
from experiments.norm_and_variance import layers_comparison, layers_reference, regimes, variance_by_layer
from experiments.norm_and_variance.untrained_comparison import predict as predict_untrained
from experiments.norm_and_variance.untrained_configuration import UntrainedConfiguration
from simlab.sweeps.members import Member

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


def hidden_states(configuration, seed):
    """Return the tokens of a network with random weights, and of another one in place of a trained one."""
    spec = regimes.NORM_AND_VARIANCE.make_training_spec(configuration)
    words = spec.task.sample(0).evaluation.words
    network = spec.network.build(spec.task, Scale(0.3), dtype=np.float32, rngs=nnx.Rngs(params=seed))
    return spec, {name: np.asarray(array) for name, array in network.hidden(words).items()}


class Scale(NamedTuple):
    initial_scale: float


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_the_formula_holds_and_layer_norm_pins_it(norm):
    tiny = regimes.contrastive(regimes.SMALL.replace(**TINY, batch_size=4, norm=norm), 60)
    (spec, initial), (_, final) = (hidden_states(tiny, seed) for seed in (0, 1))
    run = SimpleNamespace(initial=initial, final=final)
    member = Member(spec, None, 0)
    measured = layers_comparison.measure(member, run, layers_reference.predict(tiny))
    arrays = measured.arrays
    assert arrays["correlation"].shape == (2, 2)  # the end of a pre-norm network is no layer
    np.testing.assert_allclose(arrays["correlation"], measured.predicted["correlation"], atol=1e-12)
    if norm == "post":
        np.testing.assert_allclose(arrays["correlation"], -1, atol=1e-6)
        np.testing.assert_allclose(arrays["square"], 1, rtol=1e-6)
    else:
        assert np.all(np.abs(arrays["correlation"]) < 0.99)
    vectors = initial["block 1"][:, -spec.task.sentence_length :].reshape(-1, 16).astype(float)
    share = np.sum(vectors.mean(0) ** 2) / np.mean(np.sum(vectors**2, axis=1))
    assert arrays["mean_share"][0, 1] == pytest.approx(share, rel=1e-9)


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
    choices = UntrainedConfiguration(width=128, depth=2, n_evaluation=48)
    regime = variance_by_layer.EXPERIMENT.regimes[0]._replace(quick=choices)
    experiment = variance_by_layer.EXPERIMENT._replace(regimes=(regime,))
    run = run_plan(experiment.plan("quick", {}, 2)).isel(regime=0)
    prediction = predict_untrained(choices)
    # Fluctuations of a network are of order 1/sqrt(width) = 0.09.
    np.testing.assert_allclose(run.within_share.mean("seed"), prediction.arrays["within_share"], atol=0.1)
    np.testing.assert_allclose(run.mean_share.mean("seed"), prediction.arrays["mean_share"], atol=0.1)
    assert float(run.learned.sel(quantity="formula_error").max()) < 1e-12


def test_errors_have_a_slope_over_widths():
    choices = UntrainedConfiguration(depth=1, n_evaluation=48)
    regime = variance_by_layer.EXPERIMENT.regimes[0]._replace(quick=choices)
    experiment = variance_by_layer.EXPERIMENT._replace(regimes=(regime,))
    run = run_plan(experiment.plan("quick", {}, 2, {"width": (16, 32, 64)})).isel(regime=0)
    assert run.error_slope.sizes == {"quantity": run.sizes["quantity"]}
    errors = run.learned.sel(quantity="variance_error").mean("seed")
    slope = np.polyfit(np.log([16, 32, 64]), np.log(errors), 1)[0]
    assert run.error_slope.sel(quantity="variance_error").item() == pytest.approx(slope, rel=1e-9)
    assert np.isnan(run.error_slope.sel(quantity="last_mean_share").item())
