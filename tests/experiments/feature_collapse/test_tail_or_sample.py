"""Tail or sample: what is derived of a run without training, against computations of its own, and its figures."""

import json

import jax
import numpy as np
import pytest
import xarray

from experiments.core.experiment import make_plan
from experiments.feature_collapse.quantities import QUANTITIES
from experiments.registry import find_experiment
from figures import draw
from simlab.sweeps.layout import Layout
from simlab.sweeps.program import Program
from theory.feature_collapse.samples.sampling_noise import critical_sample, noise_ratio

EXPERIMENT = find_experiment("tail-or-sample")
FIXED = {"n_words": 6, "sentence_length": 2, "embedding_dim": 4}
AXES = {"word_frequency": ["zipf:0", "zipf:1"], "per_class": [5, 20]}
SEEDS = (0, 1)
SPECTRUM = np.array([3.0, 1.0, 0.05, 0.02])


@pytest.fixture(scope="module")
def plan():
    return EXPERIMENT.plan("quick", FIXED, SEEDS, AXES)


@pytest.fixture(scope="module")
def derived(plan):
    """A run whose learned values are drawn at random; and what is derived of it."""
    grid = {"regime": list(plan.configurations), **{axis.name: list(axis.values) for axis in plan.axes}}
    shape = [len(values) for values in grid.values()]
    rng = np.random.default_rng(0)
    spectra = np.broadcast_to(SPECTRUM, (*shape, len(SEEDS), 4)).copy()
    spectra[0, 0, 0, 0] = np.nan
    spectra[0, 0, 0, 1] = 0
    members = (*grid, "seed")
    dataset = xarray.Dataset(
        {
            "learned": ((*members, "quantity"), rng.uniform(0.1, 0.9, (*shape, len(SEEDS), len(QUANTITIES)))),
            "predicted": ((*grid, "quantity"), rng.uniform(0.1, 0.9, (*shape, len(QUANTITIES)))),
            "classifier_singular_values": ((*members, "singular_value"), spectra),
            "embeddings": ((*members, "word", "dimension"), rng.normal(size=(*shape, len(SEEDS), 6, 4))),
            "embeddings_predicted": ((*members, "word", "dimension"), rng.normal(size=(*shape, len(SEEDS), 6, 4))),
            "word_concept": (("regime", "word"), np.tile(np.arange(6) // 2, (2, 1))),
            "status": (members, np.full((*shape, len(SEEDS)), "finished")),
            "kind": (tuple(grid), np.full(shape, "Type I")),
        },
        coords=grid | {"seed": list(SEEDS), "quantity": list(QUANTITIES)},
        attrs={
            "experiment": "tail-or-sample",
            "axes": json.dumps(list(AXES)),
            "configuration": json.dumps(plan.describe()["configuration"]),
        },
    )
    return EXPERIMENT.derive(dataset, plan)


def test_the_noise_is_that_of_the_training_set_which_the_member_is_given(plan, derived):
    cell = next(one for one in plan.cells if one.configuration.layer_norm and one.configuration.per_class == 20)
    task = cell.spec.task.sample(1)
    sample = jax.device_get(Program(cell.spec, Layout(1, 1, 1)).sample(np.uint32(1), task))
    expected = noise_ratio(cell.prediction, task.latents, sample.inputs, sample.classes)
    found = derived.noise_ratio.sel(regime=cell.regime, word_frequency="zipf:0", per_class=20, seed=1)
    # The noise is the largest singular value of a float64 array.
    assert found.item() == pytest.approx(expected, rel=1e-12)


def test_collapse_begins_where_theory_says_whatever_the_sample(plan, derived):
    cell = plan.cells[0]
    expected = critical_sample(cell.prediction, cell.spec.task.sample(0).latents)
    found = derived.isel(regime=0, word_frequency=0)
    assert set(found.critical_per_class.values) == {expected.per_class}
    assert set(found.critical_per_class_error.values) == {expected.error}


def test_dimensions_in_use(derived):
    dims = derived.classifier_dimensions.values
    assert np.isnan(dims[0, 0, 0, 0])
    assert dims[0, 0, 0, 1] == 0
    assert set(dims.ravel()[2:]) == {3}  # 1% of the largest is 0.03
    assert np.all(derived.dimensions_predicted == 2)


def test_words_are_missing_from_a_sample_as_often_as_counted_by_hand(derived):
    # 5 sentences of each of 9 classes hold each of 3 concepts 30 times; words are drawn with 2/3 and 1/3.
    unseen = 2 / 3 * (1 / 3) ** 30 + 1 / 3 * (2 / 3) ** 30
    known = derived.isel(regime=0).sel(word_frequency="zipf:1", per_class=5)
    assert 1 - known.known_words_accuracy.item() == pytest.approx(1 - (1 - unseen * 2 / 3) ** 2, rel=1e-8)


def test_no_network_is_predicted_for_few_random_latents():
    cells = {"one": EXPERIMENT.regimes[0].quick.replace(**FIXED, n_classes=5)}
    plan = make_plan("tail-or-sample", EXPERIMENT.phenomenon, cells, SEEDS)
    spectra = np.broadcast_to(SPECTRUM, (1, 2, 4))
    dataset = xarray.Dataset({"classifier_singular_values": (("regime", "seed", "singular_value"), spectra)})
    derived = EXPERIMENT.derive(dataset, plan)
    assert np.all(np.isnan(derived.noise_ratio))
    assert np.all(np.isnan(derived.critical_per_class))


def test_the_figure_shows_means_over_seeds_and_where_collapse_begins(derived):
    figure = draw("feature_collapse.tail_or_sample", derived)
    accuracy = derived.learned.isel(regime=0, word_frequency=1).sel(quantity="test_accuracy")
    shown = [line.get_ydata() for line in figure.axes[0].lines if line.get_marker() == "^"]
    np.testing.assert_allclose(shown[0], accuracy.mean("seed"), rtol=1e-12)
    last = figure.axes[-1]
    marks = [line.get_xdata()[0] for line in last.lines if line.get_markerfacecolor() == "none"]
    np.testing.assert_allclose(marks, derived.critical_per_class.isel(regime=1, per_class=0))


def test_the_picture_of_all_combinations_names_each(derived):
    figure = draw("feature_collapse.eight_panels", derived)
    assert len(figure.axes) == 8
    titles = [" ".join(ax.get_title().split()) for ax in figure.axes]
    names = [f"{law}, {size} per class" for law in ("uniform", "Zipf") for size in (5, 20)]
    accuracy = derived.learned.sel(quantity="test_accuracy").isel(seed=0)
    shown = [f"{name} accuracy {one:.0%}" for name, one in zip(names, accuracy[0].values.ravel(), strict=True)]
    assert titles == [*shown, *(f"accuracy {one:.0%}" for one in accuracy[1].values.ravel())]
