import itertools
import json

import numpy as np
import pytest
import xarray
from scipy.optimize import minimize_scalar

import figures
from experiments.feature_collapse.quantities import QUANTITIES
from experiments.feature_collapse.questions import noise_derived as noise
from experiments.feature_collapse.questions.noise import EXPERIMENT

EPS = np.finfo(np.float64).eps
AXES = {"weight_decay": [0.01, 0.1], "label_noise": [0.0, 0.3], "word_noise": [0.0, 0.3]}
SEEDS = (0, 1)


def fake_run(fixed, axes):
    """A run without training: what was learned is drawn at random, one member diverged; and what is derived of it."""
    plan = EXPERIMENT.plan("quick", fixed, SEEDS, axes)
    grid = {"regime": list(plan.configurations), **{axis.name: list(axis.values) for axis in plan.axes}}
    shape = [len(values) for values in grid.values()]
    learned = np.random.default_rng(0).uniform(0.1, 0.9, (*shape, len(SEEDS), len(QUANTITIES)))
    learned.reshape(-1, len(QUANTITIES))[0] = np.nan
    dataset = xarray.Dataset(
        {"learned": ((*grid, "seed", "quantity"), learned)},
        coords=grid | {"seed": list(SEEDS), "quantity": list(QUANTITIES)},
        attrs={"experiment": "noise", "configuration": json.dumps(plan.describe()["configuration"])},
    )
    return noise.derive(dataset, plan)


@pytest.fixture(scope="module")
def derived():
    return fake_run({}, AXES)


def shown_and_meant(length, word_noise):
    """The joint law of the latent of a class and the concepts that its sentence shows, for three concepts."""
    every = list(itertools.product(range(3), repeat=length))
    chance = lambda meant, shown: (1 - word_noise) * (meant == shown) + word_noise / 3  # noqa: E731
    return np.array(
        [[np.prod([chance(*pair) for pair in zip(k, x, strict=True)]) for x in every] for k in every]
    ) / len(every)


def test_two_noises_of_one_size_are_predicted_to_give_one_network(derived):
    effective = derived.effective_noise.sel(regime="zipf-words", weight_decay=0.01)
    np.testing.assert_allclose(effective, [[0, 0.3], [0.3, 0.51]], atol=2 * EPS)
    curves = derived.curve_predicted
    label, word = (curves.sel(noise_kind=name).drop_sel(quantity="test_accuracy") for name in noise.NOISES)
    np.testing.assert_allclose(label, word, rtol=1e-12)
    assert noise.LEVELS[10] == pytest.approx(0.3)
    accuracy = curves.sel(regime="equal-words", weight_decay=0.01, quantity="test_accuracy").isel(level=10)
    # The best that anyone can do is to name the likeliest class of what is shown.
    assert accuracy.sel(noise_kind="word_noise").item() == pytest.approx(shown_and_meant(2, 0.3).max(axis=0).sum())
    assert accuracy.sel(noise_kind="label_noise").item() == pytest.approx(0.7 + 0.3 / 9)


@pytest.mark.parametrize("label_noise", [0.0, 0.3])
def test_the_entropy_of_a_label_is_that_of_the_enumerated_law(derived, label_noise):
    joint = (1 - label_noise) * shown_and_meant(3, 0.3)
    joint += label_noise / 27 * joint.sum(axis=0) / (1 - label_noise)
    entropy = -np.sum(joint * np.log(joint / joint.sum(axis=0)))
    one = derived.label_entropy.sel(regime="free-lengths", weight_decay=0.1, label_noise=label_noise)
    assert one.sel(word_noise=0.3).item() == pytest.approx(entropy, rel=1e-13)
    assert derived.label_entropy.min() == 0


def test_each_network_is_taken_at_its_best_weight_decay(derived):
    for regime, label, word in itertools.product(derived.regime.values, range(2), range(2)):
        one = derived.sel(regime=regime).isel(label_noise=label, word_noise=word)
        for name, quantity, best in (
            ("least_cross_entropy", "test_cross_entropy", np.nanargmin),
            ("most_accuracy", "test_accuracy", np.nanargmax),
        ):
            values = one.learned.sel(quantity=quantity).values
            chosen = best([np.mean(row) if np.isfinite(row).all() else np.nan for row in values])
            np.testing.assert_array_equal(one[name], values[chosen])
            assert one[f"{name}_decay"].item() == AXES["weight_decay"][chosen]


def joint_of_words(mu, replaced):
    """The joint law ``[z, a, b]`` of the concept that is meant and the word (a, b) that is shown."""
    joint = np.zeros((3, 3, len(mu)))
    for meant in range(3):
        joint[meant, meant] += mu * (1 - replaced) / 3
        joint[meant] += (mu @ replaced) * mu / 9
    return joint


@pytest.mark.parametrize("case", range(3))
def test_reliability_is_that_of_the_enumerated_law(derived, case):
    mu, length = derived.reliability_frequency.values, 3
    one = derived.isel(reliability=case)
    assert one.reliability_replaced.values @ mu == pytest.approx(derived.reliability_replaced.values[0] @ mu)
    assert np.all(np.sign(np.diff(one.reliability_replaced)) == (1, 0, -1)[case])
    joint = joint_of_words(mu, one.reliability_replaced.values)

    def cross_entropy(margins):
        # The concept that a word shows is ahead of each other one by its margin.
        scores = np.eye(3)[:, :, None] * margins
        return -length * np.sum(joint * (scores - np.log(np.exp(scores).sum(axis=0))))

    np.testing.assert_allclose(one.reliability_margin_limit, np.log(joint[0, 0] / joint[1, 0]), rtol=1e-12)
    least = cross_entropy(one.reliability_margin_limit.values)
    # A difference of numbers near 2, each of them a sum of 180 terms.
    rounding = {"rtol": 0, "atol": 1e-13}
    excess = [cross_entropy(margins) - least for margins in one.reliability_margin.values]
    np.testing.assert_allclose(one.reliability_excess, excess, **rounding)
    equal = minimize_scalar(lambda margin: cross_entropy(np.full(len(mu), margin)), bounds=(0, 10), method="bounded")
    # Brent's place is off by 1e-5, its square is what the value is off by.
    np.testing.assert_allclose(one.reliability_equal_lengths, equal.fun - least, rtol=0, atol=1e-9)


@pytest.mark.parametrize("fixed", [{}, {"label_noise": 0.0, "classifier_weight_decay": 0.02}])
def test_the_figure_shows_the_best_of_each_network(derived, fixed):
    dataset = fake_run(fixed, {"word_noise": AXES["word_noise"]}) if fixed else derived
    figures.draw("feature_collapse.noise", dataset.isel(seed=[0]))  # without a warning
    figure = figures.draw("feature_collapse.noise", dataset)
    accuracy, costs = figure.axes[4], figure.axes[7]
    shown = {bars.get_label(): bars.lines[0] for bars in accuracy.containers}
    assert len(shown) == 4
    expected = dataset.sel(regime="equal-lengths").most_accuracy.mean("seed")
    if not fixed:
        expected = expected.sel(label_noise=0.0)
    np.testing.assert_allclose(shown["equal lengths (LayerNorm)"].get_xydata().T, [[0, 0.3], expected], rtol=1e-14)
    level = [line.get_ydata()[0] for line in costs.lines if len(line.get_ydata()) == 2]
    np.testing.assert_array_equal(level, dataset.reliability_equal_lengths.values[[0, 2]])


def test_every_legend_of_the_figure_is_short_and_names_each_look_once(derived):
    figure = figures.draw("feature_collapse.noise", derived)
    legends = [*figure.legends, *filter(None, (ax.get_legend() for ax in figure.axes))]
    assert len(legends) == 4
    for legend in legends:
        names = [text.get_text() for text in legend.get_texts()]
        assert len(names) <= 6
        assert len(set(names)) == len(names)
    for ax in figure.axes:  # what stands beside a line names it alone
        beside = [text.get_text() for text in ax.texts]
        assert len(set(beside)) == len(beside)
