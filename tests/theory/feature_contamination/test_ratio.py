"""The contamination ratio against integration of another kind, samples, its limits and the law in one line."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from theory import feature_contamination as contamination

pytestmark = pytest.mark.quick

CASES = [
    ({"core_features": 32, "background_features": 32}, 0.0),
    ({"core_features": 32, "background_features": 32}, 0.25),
    ({"core_features": 16, "background_features": 64, "background_mean": 0.3, "background_deviation": 0.1}, 0.1),
    ({"core_features": 64, "background_features": 32, "background_mean": 1.0, "strength_deviation": 0.4}, 0.0),
]


@pytest.mark.parametrize(("task", "slope"), CASES)
def test_the_ratio_solves_its_equation(task, slope):
    """Both sides by adaptive quadrature over B, with C integrated out; D+ = 1 up to exp(-20) here."""
    features = contamination.check_features(**task)
    r = contamination.contamination_ratio(features, slope)
    core = norm(features.core_projection, features.core_deviation)
    background = norm(features.background_projection, features.background_deviation)
    low, high = background.ppf(1e-15), background.isf(1e-15)

    def expect(function):
        middle = (features.core_projection / r, features.background_projection)
        points = [point for point in middle if low < point < high]
        return quad(lambda b: function(b) * background.pdf(b), low, high, points=points, epsabs=1e-12, limit=200)[0]

    def core_below(limit):
        return core.mean() * core.cdf(limit) - features.core_deviation**2 * core.pdf(limit)

    left = (1 - slope) * expect(lambda b: b * core.sf(r * b))
    right = r * ((1 + slope) * core.mean() + (1 - slope) * expect(lambda b: core_below(r * b)))
    assert left == pytest.approx(right, abs=1e-9)


@pytest.mark.parametrize(("task", "slope"), CASES)
def test_there_is_one_root_and_it_attracts(task, slope):
    features = contamination.check_features(**task)
    r = contamination.contamination_ratio(features, slope)
    ratios = np.geomspace(1e-3, 1e3, 200)
    drift = np.array([contamination.ratio_drift(features, ratio, slope) for ratio in ratios])
    assert np.all(drift[ratios < r] > 0)
    assert np.all(drift[ratios > r] < 0)


def test_aligned_neurons_of_the_three_variable_ode_keep_the_ratio():
    features = contamination.check_features(core_features=16, background_features=48, background_mean=0.2)
    r = contamination.contamination_ratio(features, 0.05)
    scale = np.geomspace(0.01, 1, 3)
    neurons = contamination.Neurons(scale * 4, scale * r * math.sqrt(48), scale**2 * (1 + r**2))
    drift = contamination.neuron_drift(neurons, np.ones(3), features, leaky_slope=0.05)
    np.testing.assert_allclose(drift.background_sum / drift.core_sum, r * math.sqrt(48) / 4, rtol=1e-10)
    np.testing.assert_allclose(drift.square_norm, 2 * scale * drift.core_sum / 4 * (1 + r**2), rtol=1e-10)


def test_samples_of_uniform_strengths_have_no_drift_at_the_ratio():
    """The Gaussian approximation errs by the fourth cumulant, about 1/(20 d): far below the sampling error here."""
    features = contamination.check_features(core_features=32, background_features=32)
    r = contamination.contamination_ratio(features)
    core, background = np.random.default_rng(0).uniform(size=(2, 400_000, 32)).sum(axis=-1) / math.sqrt(32)
    terms = background * (r * background < core) - r * core * (1 + (r * background > core))
    assert abs(terms.mean()) < 5 * terms.std() / math.sqrt(len(terms))
    wrong = background * (1.02 * r * background < core) - 1.02 * r * core * (1 + (1.02 * r * background > core))
    assert abs(wrong.mean()) > 5 * wrong.std() / math.sqrt(len(wrong))


def test_limits():
    wide = contamination.check_features(core_features=64, background_features=64)
    for slope in (0.5, 0.75, 1.0):
        assert contamination.contamination_ratio(wide, slope) == pytest.approx((1 - slope) / (1 + slope), rel=1e-6)
    weak = contamination.check_features(core_features=36, background_features=64, background_mean=0.05)
    assert contamination.undisturbed_ratio(weak) == pytest.approx(0.1 * 4 / 3)
    assert contamination.contamination_ratio(weak) == pytest.approx(0.1 * 4 / 3, rel=1e-6)


def test_a_strong_background_is_held_where_both_projections_are_equal():
    """There q = (M^2 - 1)/(M^2 + 1) with M = E B/E C, and r M - 1 = -k sqrt(1 + 1/M^2) sigma/E C."""
    rests = []
    for d in (400, 40_000):
        strong = contamination.check_features(core_features=d, background_features=d, background_mean=5.0)
        rest = contamination.contamination_ratio(strong) / contamination.strong_background_ratio(strong) - 1
        rests.append(rest * strong.core_projection / strong.core_deviation)
    limit = -norm.isf(99 / 101) * math.hypot(1, 0.1)
    # The next term falls as sigma/E C, by ten.
    assert rests[1] == pytest.approx(limit, rel=2e-3)
    assert (rests[0] - limit) / (rests[1] - limit) == pytest.approx(10, rel=0.2)


def test_the_law_in_one_line():
    """Its error is of the order of q, which goes to zero with d."""
    for d, expected in ((4, 0.6894), (32, 0.8270), (256, 0.9164), (4096, 0.9724)):
        features = contamination.check_features(core_features=d, background_features=d)
        law = contamination.one_line_law(features)
        q = (1 - law) / (1 + law)
        assert norm.isf(q) / q == pytest.approx(math.sqrt(2 * d) * 0.5 * math.sqrt(12), rel=1e-9)
        assert abs(law - contamination.contamination_ratio(features)) < q**2 / 4
        assert law == pytest.approx(expected, abs=5e-5)
    assert math.isnan(contamination.one_line_law(features, 0.1))
    other = contamination.check_features(core_features=4, background_features=5)
    assert math.isnan(contamination.one_line_law(other))


def test_accuracy_out_of_distribution_is_that_of_samples():
    features = contamination.check_features(core_features=8, background_features=8)
    rng = np.random.default_rng(0)
    core = rng.normal(features.core_projection, features.core_deviation, 400_000)
    background = rng.normal(features.background_projection, features.background_deviation, 400_000)
    for ratio in (0.7, 1.1):
        output = np.maximum(core - ratio * background, 0) / 2
        hits = np.where(output > 0, 1.0, 0.5)
        expected = contamination.ood_accuracy(features, ratio)
        assert abs(hits.mean() - expected) < 5 * hits.std() / math.sqrt(len(hits))
    assert contamination.ood_accuracy(features, 0.7, 0.1) == 1.0


def test_predict():
    prediction = contamination.predict(core_features=32, background_features=32)
    assert prediction.to_json()["basis"] == "approximation"
    assert prediction.ratio == pytest.approx(0.8265, abs=5e-5)
    linear = contamination.predict(core_features=32, background_features=8, leaky_slope=1.0)
    assert linear.to_json() | {"note": ""} == {
        "ratio": 0.0, "ood_accuracy": 1.0, "one_line_law": None, "basis": "theorem", "note": ""
    }  # fmt: skip
    assert "contamination ratio: 0.826" in repr(prediction)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"core_features": 0}, "core_features: expected at least 1, got 0"),
        ({"background_features": 2.5}, "background_features: expected an integer, got 2.5"),
        ({"leaky_slope": 1.5}, r"leaky_slope: expected a number in \[0, 1\], got 1.5"),
        ({"leaky_slope": math.nan}, r"leaky_slope: expected a number in \[0, 1\], got nan"),
        ({"core_mean": 0.0}, "core_mean: expected a positive finite number, got 0.0"),
        ({"background_mean": -1.0}, "background_mean: expected a non-negative finite number, got -1.0"),
        ({"strength_deviation": 0.0}, "strength_deviation: expected a positive finite number, got 0.0"),
        ({"background_deviation": 0.0}, "background_deviation: expected a positive finite number, got 0.0"),
    ],
)
def test_bad_input_is_one_line(change, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        contamination.predict(**{"core_features": 4, "background_features": 4} | change)
