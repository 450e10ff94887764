"""Norms over time against gradient descent on enumerated populations, and their late times against asymptotics."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from theory import feature_collapse
from theory.feature_collapse.dynamics.flow import collapsed_descent, collapsed_flow
from theory.feature_collapse.dynamics.no_weight_decay import flow_norms, path_norms
from theory.frames import equiangular_frame

EPS = np.finfo(np.float64).eps
MU = np.array([0.7, 0.3])
SMALL = {"n_concepts": 3, "n_words": 6, "sentence_length": 2, "word_frequency": MU}
START = {"embedding_norms": (0.5, 0.2), "classifier_norm": 0.3}
SKEWED = {"n_concepts": 3, "n_words": 9, "sentence_length": 3, "word_frequency": "zipf"}


def descend(task, rate, n_steps, decays):
    """Gradient descent on all weights from the collapsed START, by the definition of the risk."""
    frame = equiangular_frame(3, 4)
    embeddings = np.kron(frame, np.array(START["embedding_norms"])[:, None])
    classifier = START["classifier_norm"] * frame[task.latents]
    for _ in range(n_steps):
        _, by_word, by_class = task.risk(embeddings, classifier, *decays)
        embeddings, classifier = embeddings - rate * by_word, classifier - rate * by_class
    return embeddings, classifier


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("decays", [(0.0, 0.0), (0.02, 0.005)])
def test_descent_of_the_norms_is_that_of_the_network(enumerated_task, decays, noise):
    task = enumerated_task.saturated(3, 2, MU, noise)
    embeddings, classifier = descend(task, 0.5, 200, decays)
    followed = collapsed_descent(
        **SMALL,
        **START,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
        word_noise=noise,
        learning_rate=0.5,
        n_steps=200,
        steps_per_record=100,
    )
    r, c = followed.embedding_norms[2], followed.classifier_norms[2]
    frame = equiangular_frame(3, 4)
    # A step rounds sums of 36 probabilities, 40 eps; errors off the collapsed form grow by less than e^{0.2 * 100}.
    atol = 200 * 40 * EPS * math.exp(3)
    np.testing.assert_allclose(embeddings, np.kron(frame, r[:, None]), atol=atol, rtol=0)
    np.testing.assert_allclose(classifier, c * frame[task.latents], atol=atol, rtol=0)
    assert task.cross_entropy(embeddings, classifier)[0] == pytest.approx(followed.cross_entropies[2], abs=atol)
    assert followed.embedding_norms.shape == (3, 2)


@pytest.mark.parametrize("decays", [(0.0, 0.0), (0.02, 0.005)])
def test_flow_is_the_limit_of_small_learning_rates(enumerated_task, decays):
    task, time = enumerated_task.saturated(3, 2, MU), 8.0
    ends = []
    for rate in (0.08, 0.04, 0.02):
        embeddings, classifier = descend(task, rate, round(time / rate), decays)
        ends.append(np.append(np.linalg.norm(embeddings[:2], axis=1), np.linalg.norm(classifier[0, 0])))
    # The error of gradient descent is a series in the learning rate: two extrapolations leave the third order, which
    # is smaller than the last correction by more than the learning rate itself.
    once = [2 * fine - coarse for coarse, fine in itertools.pairwise(ends)]
    twice = once[1] + (once[1] - once[0]) / 3
    flow = collapsed_flow(
        **SMALL, **START, weight_decay=decays[0], classifier_weight_decay=decays[1], times=[0.0, time]
    )
    correction = np.abs(once[1] - once[0]).max()
    assert correction < 1e-3
    state = np.append(flow.embedding_norms[1], flow.classifier_norms[1])
    np.testing.assert_allclose(state, twice, atol=0.1 * correction, rtol=0)
    np.testing.assert_allclose(flow.embedding_norms[0], START["embedding_norms"], rtol=EPS)


def test_flow_conserves_the_difference_of_the_squares():
    flow = collapsed_flow(**SMALL, **START, times=np.geomspace(1e-3, 1e12, 20))
    difference = 3 * (flow.embedding_norms**2).sum(axis=1) - 9 * 2 * flow.classifier_norms**2
    # Some 2000 steps of relative error 1e-12, of squares up to 100 that leave a difference of 0.75.
    exact = 3 * (0.5**2 + 0.2**2) - 18 * 0.3**2
    np.testing.assert_allclose(difference, exact, atol=100 * 2000 * 1e-13)
    assert np.all(np.diff(flow.cross_entropies) < 0)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_flow_ends_at_the_prediction(noise):
    decays = {"weight_decay": 0.01, "classifier_weight_decay": 0.03}
    prediction = feature_collapse.predict(**SMALL, n_classes="all", **decays, label_noise=noise)
    flow = collapsed_flow(**SMALL, **START, **decays, label_noise=noise, times=[3e3])
    # What is left decays like e^{-0.01 t}, e^{-30}; the integrator's error is 1e-12 a step and is damped too.
    np.testing.assert_allclose(flow.embedding_norms[0], prediction.embedding_norms, rtol=1e-10)
    assert flow.classifier_norms[0] == pytest.approx(prediction.classifier_norm, rel=1e-10)
    assert flow.cross_entropies[0] == pytest.approx(prediction.cross_entropy, rel=1e-9)


def test_flow_grows_from_the_saddle_at_the_escape_rate():
    # Near zero r and c grow like e^{(sigma - lam) t} along r proportional to mu.
    sigma = np.linalg.norm(MU) * math.sqrt(2 / 27)
    start = {"embedding_norms": 1e-12, "classifier_norm": 1e-12}
    flow = collapsed_flow(**SMALL, **start, weight_decay=0.01, times=[80.0, 90.0])
    growth = np.log(flow.embedding_norms[1] / flow.embedding_norms[0]) / 10
    # What is orthogonal to mu falls behind by e^{-sigma t} = 6e-8, and margins at t = 90 are below 1e-8.
    np.testing.assert_allclose(growth, sigma - 0.01, rtol=2e-7)
    ratio = flow.embedding_norms[1, 1] / flow.embedding_norms[1, 0]
    assert ratio == pytest.approx(MU[1] / MU[0], rel=2e-7)


def test_records_and_times_fit_together():
    twice = collapsed_flow(**SMALL, **START, times=[1.0, 1.0, 2.0])
    assert np.array_equal(twice.embedding_norms[0], twice.embedding_norms[1])
    assert twice.classifier_norms.shape == (3,)
    still = collapsed_flow(**SMALL, embedding_norms=0.0, classifier_norm=0.0, times=[0.0, 5.0])
    assert not still.embedding_norms.any()
    assert still.cross_entropies == pytest.approx(math.log(9), rel=4 * EPS)
    paper = collapsed_flow(
        n_concepts=3,
        n_words=1200,
        sentence_length=15,
        n_classes=3**15,
        word_frequency="zipf",
        weight_decay=1e-6,
        embedding_norms=1e-3,
        classifier_norm=1e-3,
        times=[3e7],
    )
    prediction = feature_collapse.predict(n_classes="all", word_frequency="zipf", weight_decay=1e-6)
    # e^{-1e-6 * 3e7} is left.
    np.testing.assert_allclose(paper.embedding_norms[0], prediction.embedding_norms, rtol=1e-9)


def exact_path_margins(decay):
    """The two published equations for SKEWED at 40 digits: y (n_c - 1 + e^y) = A mu for every word, and then for A."""
    with mpmath.workdps(40):
        logs = [mpmath.log(mpmath.mpf(n) / 11) for n in (6, 3, 2)]
        guess = -mpmath.log(decay)
        marginal_penalty = mpmath.mpf(decay) * mpmath.sqrt(3 * 27 * 3) / mpmath.mpf(1.5)

        def margin(target):
            return mpmath.findroot(lambda y: mpmath.log(y * (2 + mpmath.e**y)) - target, guess)

        def excess(level):
            size = mpmath.norm([margin(level + log) for log in logs])
            return level - mpmath.log(size) - mpmath.log(3 * 2 / marginal_penalty)

        level = mpmath.findroot(excess, (guess, guess + 5))
        return np.array([float(margin(level + log)) for log in logs])


def test_path_to_next_order():
    errors = []
    for decay in (1e-20, 1e-40, 1e-80):
        late, exact = path_norms(**SKEWED, weight_decay=decay), exact_path_margins(decay)
        prediction = feature_collapse.predict(**SKEWED, n_classes="all", weight_decay=decay)
        # The exact solver at any lam: e^y amplifies the rounding of y, 200 eps.
        margins = 1.5 * prediction.classifier_norm * prediction.embedding_norms
        np.testing.assert_allclose(margins, exact, rtol=20 * EPS)
        errors.append(np.abs(late.margins - exact).max() * late.mean_margin**2)
        relative = 2 * errors[-1] / late.mean_margin**3
        np.testing.assert_allclose(late.embedding_norms, prediction.embedding_norms, rtol=relative)
        assert late.classifier_norm == pytest.approx(prediction.classifier_norm, rel=relative)
        assert late.cross_entropy == pytest.approx(prediction.cross_entropy, rel=2 * errors[-1] / late.mean_margin**2)
        ratio = prediction.embedding_norms[0] / prediction.embedding_norms[2]
        # At the next order the ratio differs by (log 3)^2 / V^2 and a few such terms.
        assert ratio == pytest.approx(1 + math.log(3) / late.mean_margin, abs=5 / late.mean_margin**2)
    # The error is c/V^2 with corrections of order 1/V: c settles.
    assert errors[2] == pytest.approx(errors[1], rel=0.02)
    assert errors[1] == pytest.approx(errors[0], rel=0.04)


def test_late_flow_to_next_order():
    start = {"embedding_norms": (1.0, 0.7, 0.5), "classifier_norm": 0.3}
    imbalance = 3 * (1 + 0.49 + 0.25) - 81 * 0.09
    times = [1e16, 1e32, 1e64]
    flow = collapsed_flow(**SKEWED, **start, times=times)
    errors = []
    for row, time in enumerate(times):
        late = flow_norms(**SKEWED, time=time, imbalance=imbalance)
        margins = 1.5 * flow.classifier_norms[row] * flow.embedding_norms[row]
        errors.append(np.abs(late.margins - margins).max() * late.mean_margin**2)
        relative = 2 * errors[-1] / late.mean_margin**3
        np.testing.assert_allclose(late.embedding_norms, flow.embedding_norms[row], rtol=relative)
        assert late.classifier_norm == pytest.approx(flow.classifier_norms[row], rel=relative)
        # Growth like sqrt(log t): (3/81)^{1/4} ... to leading order, which misses log log t / log t.
        leading = (81 / 9) ** 0.25 * math.sqrt(math.log(time) / 1.5)
        assert flow.embedding_norms[row].mean() == pytest.approx(
            leading, rel=2 * math.log(math.log(time)) / math.log(time)
        )
    # The error is c/V^2 with corrections of order 1/V: c settles.
    assert errors[2] == pytest.approx(errors[1], rel=0.05)
    assert errors[1] == pytest.approx(errors[0], rel=0.1)


def test_flow_is_the_path_at_the_decay_of_its_time():
    flow = flow_norms(**SKEWED, time=1e30)
    path = path_norms(**SKEWED, weight_decay=1 / (2e30 * flow.mean_margin))
    # Ei(V) = e^V / V (1 + 1/V + ..): the mean margins differ by 1/V.
    assert path.mean_margin == pytest.approx(flow.mean_margin, abs=1.5 / flow.mean_margin)
    # The frequency effect has the opposite sign at the next order.
    spreads = [np.ptp(late.margins) - math.log(3) for late in (flow, path)]
    np.testing.assert_allclose(np.array(spreads) * flow.mean_margin, [math.log(3), -math.log(3)], rtol=0.05)


@pytest.mark.parametrize(
    ("call", "changes", "message"),
    [
        (collapsed_flow, {"n_classes": 8}, "n_classes: expected all 9 latents, got 8"),
        (collapsed_flow, {"weight_decay": -1}, "weight_decay: expected a non-negative finite number, got -1"),
        (collapsed_flow, {"times": [2.0, 1.0]}, "times: expected finite numbers that rise from zero or above, got "),
        (collapsed_flow, {"times": [-1.0]}, "times: expected finite numbers that rise from zero or above, got "),
        (collapsed_flow, {"embedding_norms": (1, 2, 3)}, "embedding_norms: expected one number or 2, got an array of "),
        (collapsed_flow, {"embedding_norms": -1}, "embedding_norms: expected non-negative finite numbers, got -1.0"),
        (collapsed_flow, {"classifier_norm": math.nan}, "classifier_norm: expected a non-negative finite number, got"),
        (collapsed_flow, {"word_noise": 1}, r"word_noise: expected a number in \[0, 1\), got 1"),
        (collapsed_descent, {"learning_rate": 0}, "learning_rate: expected a positive finite number, got 0"),
        (
            collapsed_descent,
            {"n_steps": 5, "steps_per_record": 2},
            "n_steps: expected a multiple of steps_per_record=2",
        ),
        (path_norms, {"weight_decay": 0.0}, "weight_decay: expected a positive finite number, got 0.0"),
        (path_norms, {"weight_decay": 0.5}, "weight_decay: expected less, for a mean margin above 0.424, got "),
        (flow_norms, {"time": 0.1}, "time: expected more, for a mean margin above 0.424, got "),
        (flow_norms, {"time": 1e-3}, "time: expected one at which margins are from 0.38 to 700, got 0.001"),
        (flow_norms, {"time": -1}, "time: expected a positive finite number, got -1"),
    ],
)
def test_wrong_arguments_are_named(call, changes, message):
    given = {
        collapsed_flow: START | {"times": [1.0]},
        collapsed_descent: START | {"learning_rate": 0.1, "n_steps": 4},
        path_norms: {"weight_decay": 1e-9},
        flow_norms: {"time": 1e9},
    }[call]
    with pytest.raises(ValueError, match="^" + message):
        call(**SMALL, **given | changes)
