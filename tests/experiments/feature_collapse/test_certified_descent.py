"""Certified descent: excess over the best bound of a training set, on made-up runs, and what proves the bound."""

import json

import numpy as np
import pytest
import xarray

from experiments.core.experiment import make_plan
from experiments.feature_collapse.questions import certified_descent_derived as descent
from experiments.registry import find_experiment
from figures import draw

EXPERIMENT = find_experiment("certified-descent")
FIXED = {"n_words": 6, "sentence_length": 2, "n_classes": 5, "embedding_dim": 3, "per_class": 4, "n_evaluation": 20}
AXES = {"initial_scale": [0.1, 1.0], "batch_size": [2, 5]}
SEEDS = (0, 1)
N_RECORDS = 4


def a_run(plan, rng):
    """Return a run with risks and bounds drawn at random; the first member's own bound is the best of its seed."""
    grid = {"regime": list(plan.configurations), **{axis.name: list(axis.values) for axis in plan.axes}}
    members = (*grid, "seed")
    shape = [*map(len, grid.values()), len(SEEDS)]
    risk = rng.uniform(1.1, 2, shape)
    history = rng.uniform(2, 3, (*shape, N_RECORDS))
    bound = rng.uniform(0.1, 0.5, shape)
    bound[0, 0, 0, 0] = 1.0
    return xarray.Dataset(
        {
            "training_risk": (members, risk),
            "risk_lower_bound": (members, bound),
            "duality_gap": (members, risk - bound),
            "history_risk": ((*members, "record"), history),
        },
        coords=grid | {"seed": list(SEEDS), "step": ("record", np.arange(N_RECORDS) * 100)},
        attrs={
            "experiment": EXPERIMENT.name,
            "axes": json.dumps(list(AXES)),
            "configuration": json.dumps(plan.describe()["configuration"]),
        },
    )


@pytest.fixture
def wider(monkeypatch):
    """What proves the bounds, in place of L-BFGS: a risk of 1 and a bound of 0.9; and what was asked of it."""
    asked = []

    def run_plan(plan):
        asked.append(plan)
        shape = (len(plan.configurations), len(plan.seeds))
        values = {"training_risk": np.full(shape, 1.0), "risk_lower_bound": np.full(shape, 0.9)}
        return xarray.Dataset({name: (("regime", "seed"), array) for name, array in values.items()})

    monkeypatch.setattr(descent, "run_plan", run_plan)
    return asked


def test_members_of_one_training_set_share_the_best_bound(wider):
    plan = EXPERIMENT.plan("quick", FIXED, SEEDS, AXES)
    dataset = a_run(plan, np.random.default_rng(0))
    derived = EXPERIMENT.derive(dataset, plan)
    best = derived.best_lower_bound
    assert set(best.isel(regime=0, seed=0).values.ravel()) == {1.0}
    assert set(best.isel(regime=0, seed=1).values.ravel()) == {0.9}
    assert set(best.isel(regime=1).values.ravel()) == {0.9}
    np.testing.assert_allclose(derived.excess, (dataset.training_risk - best) / dataset.training_risk)
    np.testing.assert_allclose(derived.history_excess, (dataset.history_risk - best) / dataset.history_risk)
    np.testing.assert_allclose(derived.relative_gap, dataset.duality_gap / dataset.training_risk)
    assert derived.descended_excess.isel(regime=1).values == pytest.approx(0.1)


def test_records_of_a_part_of_the_training_set_say_nothing_of_its_risk(wider):
    plan = EXPERIMENT.plan("quick", FIXED | {"n_evaluation": 10}, SEEDS, AXES)
    derived = EXPERIMENT.derive(a_run(plan, np.random.default_rng(0)), plan)
    assert np.all(np.isnan(derived.history_excess))
    assert np.all(np.isfinite(derived.excess))


def test_fresh_sentences_have_no_training_set(wider):
    cells = {"fresh": EXPERIMENT.regimes[0].quick.replace(**FIXED | {"per_class": None}, source="fresh")}
    plan = make_plan(EXPERIMENT.name, EXPERIMENT.phenomenon, cells, SEEDS)
    nothing = np.full((1, 2), np.nan)
    names = ("risk_lower_bound", "duality_gap")
    dataset = xarray.Dataset(
        {name: (("regime", "seed"), nothing) for name in names}
        | {
            "training_risk": (("regime", "seed"), nothing + 1),
            "history_risk": (("regime", "seed", "record"), nothing[..., None]),
        }
    )
    assert np.all(np.isnan(EXPERIMENT.derive(dataset, plan).excess))
    assert wider == []


@pytest.mark.parametrize("layer_norm", [False, True])
def test_a_network_and_the_wider_one_that_computes_the_same_are_equally_penalised(wider, layer_norm):
    plan = EXPERIMENT.plan("quick", FIXED, SEEDS, AXES)
    EXPERIMENT.derive(a_run(plan, np.random.default_rng(0)), plan)
    name = next(one for one, cell in plan.configurations.items() if cell.layer_norm == layer_norm)
    narrow = plan.configurations[name]
    wide = next(
        cell
        for cell in wider[0].configurations.values()
        if cell.per_class == narrow.per_class and cell.layer_norm == layer_norm
    )
    rng = np.random.default_rng(1)
    words, classifier = rng.normal(size=(6, 3)), rng.normal(size=(5, 2, 3))
    if layer_norm:
        words -= words.mean(axis=1, keepdims=True)
        words *= np.sqrt(3) / np.linalg.norm(words, axis=1, keepdims=True)
    # Words of LayerNorm have the length sqrt(d), sum to zero, and shall give the same logits.
    longer = np.sqrt(wide.embedding_dim / 3) if layer_norm else 1.0
    pad = wide.embedding_dim - 3
    padded = np.pad(words * longer, ((0, 0), (0, pad))), np.pad(classifier / longer, ((0, 0), (0, 0), (0, pad)))
    sentences = rng.integers(0, 6, (7, 2))
    np.testing.assert_allclose(logits(*padded, sentences), logits(words, classifier, sentences), rtol=1e-12)

    def penalty(configuration, words, classifier):
        decays = configuration.embedding_weight_decay, configuration.classifier_weight_decay
        return sum(decay * np.sum(one**2) for decay, one in zip(decays, (words, classifier), strict=True))

    assert pad > 0
    assert penalty(wide, *padded) == pytest.approx(penalty(narrow, words, classifier), rel=1e-14)


def logits(words, classifier, sentences):
    return np.einsum("nld,kld->nk", words[sentences], classifier)


def test_the_figure_shows_means_of_the_excess(wider):
    plan = EXPERIMENT.plan("quick", FIXED, SEEDS, AXES)
    derived = EXPERIMENT.derive(a_run(plan, np.random.default_rng(0)), plan)
    figure = draw("feature_collapse.certified_descent", derived)
    below = figure.axes[len(plan.configurations)]
    marks = [line for line in below.lines if line.get_marker() == "o" and line.get_markerfacecolor() != "none"]
    expected = derived.excess.isel(regime=0, initial_scale=0).mean("seed")
    np.testing.assert_allclose(marks[0].get_ydata(), expected, rtol=1e-12)
