"""The two-variable ODE: quadrature against samples, drift against the slope of the loss, odd activations."""

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.stats import norm

from theory import feature_contamination as contamination
from theory.feature_contamination import AlignedNetwork
from theory.feature_contamination.aligned import _means
from theory.feature_contamination.quadrature import project

FEATURES = contamination.check_features(
    core_features=16, background_features=9, background_mean=0.4, background_deviation=0.4
)
NETWORKS = [
    AlignedNetwork(loss="logistic"),
    AlignedNetwork(loss="hinge"),
    AlignedNetwork(loss="hinge", leaky_slope=0.3),
    AlignedNetwork(loss="hinge", leaky_slope=1.0),
    AlignedNetwork(loss="logistic", activation="tanh"),
    AlignedNetwork(loss="logistic", activation="gelu"),
]
POINTS = [(0.6, 0.4), (0.5, 0.01), (0.3, 0.9)]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("point", [*POINTS, (0.5, 0.0)])
def test_nodes_are_a_probability_of_the_right_moments(network, point):
    nodes = project(FEATURES, *point, network.cuts)
    for value, mean in (
        (np.ones_like(nodes.core), 1.0),
        (nodes.core, FEATURES.core_projection),
        ((nodes.background - FEATURES.background_projection) ** 2, FEATURES.background_deviation**2),
        (nodes.own - point[0] * nodes.core - point[1] * nodes.background, 0.0),
        (nodes.other + point[0] * nodes.core - point[1] * nodes.background, 0.0),
    ):
        assert np.sum(nodes.weight * value) == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("features", [FEATURES, FEATURES.flipped()], ids=["inside", "outside"])
def test_means_are_those_of_samples(network, features):
    rng, (c, b) = np.random.default_rng(0), POINTS[0]
    core = rng.normal(features.core_projection, features.core_deviation, 400_000)
    background = rng.normal(features.background_projection, features.background_deviation, 400_000)
    margin = (network.value(c * core + b * background) - network.value(b * background - c * core)) / 2
    loss = np.maximum(1 - margin, 0) if network.loss == "hinge" else np.log1p(np.exp(-margin))
    for values, expected in zip((margin, loss), _means(features, network, c, b), strict=True):
        assert abs(values.mean() - expected) < 5 * values.std() / np.sqrt(len(values))


def test_means_of_the_hinge_loss_are_those_of_adaptive_quadrature():
    """The range is cut at seven deviations, beyond which 4e-12 of the probability lies; the loss there is below 4."""
    c, b = POINTS[0]
    core, background = (
        norm(FEATURES.core_projection, FEATURES.core_deviation),
        norm(FEATURES.background_projection, FEATURES.background_deviation),
    )

    def integrand(x, y):
        margin = (max(c * x + b * y, 0) - max(b * y - c * x, 0)) / 2
        return max(1 - margin, 0) * core.pdf(x) * background.pdf(y)

    ends = [law.mean() + side * 7 * law.std() for law in (background, core) for side in (-1, 1)]
    expected = dblquad(integrand, *ends, epsabs=1e-6)[0]
    assert _means(FEATURES, AlignedNetwork(loss="hinge"), c, b)[1] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("point", POINTS)
def test_the_drift_is_minus_the_slope_of_the_loss(network, point):
    """Central differences err by h^2/6 of the third derivative, here below 1e-6; the nodes by 1e-9 over h."""
    step = 1e-4
    drift = contamination.aligned_drift(FEATURES, network, *point)
    for index in (0, 1):
        shift = step * np.eye(2)[index]
        ahead, behind = (_means(FEATURES, network, *(point + sign * shift))[1] for sign in (1, -1))
        assert drift[index] == pytest.approx((behind - ahead) / (2 * step), abs=2e-5)


def test_before_margins_matter_curves_are_straight_at_the_ratio():
    features = contamination.check_features(core_features=32, background_features=32)
    ratio, times = contamination.contamination_ratio(features), np.linspace(0, 0.1, 5)
    curves = contamination.aligned_curves(features, AlignedNetwork(loss="hinge"), times)
    np.testing.assert_allclose(curves.background_weight / curves.core_weight, ratio, rtol=1e-6)
    rate = contamination.aligned_drift(features, AlignedNetwork(loss="hinge"), 1e-6, ratio * 1e-6)[0]
    np.testing.assert_allclose(curves.core_weight, rate * times, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(curves.loss, 1 - curves.margin, atol=1e-9)


def test_a_flow_descends_and_contamination_costs_margin():
    features = contamination.check_features(core_features=32, background_features=32)
    curves = contamination.aligned_curves(features, AlignedNetwork(), np.linspace(0, 4, 9))
    assert np.all(np.diff(curves.loss) < 0)
    assert np.all(curves.ood_margin < 0.2 * curves.margin + 1e-6)
    assert np.all((curves.ood_accuracy > 0.9) & (curves.ood_accuracy < 1))


@pytest.mark.parametrize(
    "network", [AlignedNetwork(activation="tanh"), AlignedNetwork(leaky_slope=1.0)], ids=["tanh", "linear"]
)
def test_odd_activations_behave_the_same_out_of_distribution(network):
    assert contamination.aligned_drift(FEATURES, network, 0.5, 0.0)[1] == pytest.approx(0, abs=1e-12)
    decay = contamination.aligned_drift(FEATURES, network, 0.5, 0.1)[1]
    assert decay < -1e-3 if network.activation == "tanh" else decay == 0
    relu = contamination.aligned_drift(FEATURES, AlignedNetwork(), 0.5, 0.0)[1]
    assert relu > 0.1
    inside, outside = (_means(features, network, 0.6, 0.4) for features in (FEATURES, FEATURES.flipped()))
    np.testing.assert_allclose(inside, outside, atol=1e-9)
    curves = contamination.aligned_curves(FEATURES, network, np.linspace(0, 4, 5))
    np.testing.assert_allclose(curves.background_weight, 0, atol=1e-12)
    np.testing.assert_allclose(curves.ood_loss, curves.loss, atol=1e-9)


def test_a_gelu_is_contaminated_late():
    network = AlignedNetwork(activation="gelu")
    curves = contamination.aligned_curves(FEATURES, network, np.array([0.01, 0.02, 4.0]))
    ratio = curves.background_weight / curves.core_weight
    assert ratio[1] / ratio[0] == pytest.approx(2, rel=0.1)  # b' grows with c, which grows with time
    assert ratio[0] < 0.05 < 0.3 < ratio[2]
    assert np.isnan(curves.ood_accuracy).all()


@pytest.mark.parametrize(
    ("network", "line"),
    [
        (AlignedNetwork(activation="gelu", loss="hinge"), "loss: expected logistic with activation gelu, got 'hinge'"),
        (AlignedNetwork(activation="sine"), "activation: expected one of relu, tanh, gelu, got 'sine'"),
        (AlignedNetwork(loss="squared"), "loss: expected one of hinge, logistic, got 'squared'"),
        (AlignedNetwork(leaky_slope=-1.0), r"leaky_slope: expected a number in \[0, 1\], got -1.0"),
    ],
)
def test_bad_input_is_one_line(network, line):
    with pytest.raises(ValueError, match=f"^{line}$"):
        contamination.aligned_curves(FEATURES, network, np.array([0.0, 1.0]))


@pytest.mark.parametrize(("activation", "slope", "is_odd"), [
    (np.tanh, lambda h: 1 - np.tanh(h) ** 2, True),
    (lambda h: h**3, lambda h: 3 * h**2, True),
    (lambda h: np.maximum(h, 0), lambda h: (h > 0).astype(float), False),
])  # fmt: skip
def test_a_network_without_background_weights_gets_none_if_it_is_odd(activation, slope, is_odd):
    """The gradient of the logistic loss over pairs of examples that differ in the label alone, of any weights."""
    rng = np.random.default_rng(0)
    weights = np.concatenate([rng.normal(size=(6, 5)), np.zeros((6, 4))], axis=1)
    output = np.array([1, -1, 1, -1, 1, -1]) / 6
    strengths = rng.exponential(size=(300, 9))
    gradient = 0.0
    for label in (1.0, -1.0):
        inputs = strengths * np.repeat([label, 1.0], [5, 4])
        hidden = inputs @ weights.T
        pull = label / (1 + np.exp(label * activation(hidden) @ output))
        gradient = gradient + (pull[:, None] * output * slope(hidden)).T @ inputs / 600
    size = np.abs(gradient[:, 5:]).max()
    assert size < 1e-15 * 300 if is_odd else size > 1e-3
