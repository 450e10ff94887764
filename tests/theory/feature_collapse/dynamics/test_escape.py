"""Growth near zero and the plateau, against gradient descent on enumerated populations, in plain NumPy."""

import math

import numpy as np
import pytest

from theory import feature_collapse
from theory.feature_collapse.dynamics.escape import expected_linear_regime, linear_regime, plateau
from theory.feature_collapse.dynamics.modes import escape_modes, escape_rate
from theory.feature_collapse.zero_threshold import zero_threshold

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps
MU = np.array([0.7, 0.3])


def draw_weights(seed, scale, n_words, n_classes, length, dim):
    """Initial weights as networks are given them: s N(0, 1) and uniform in +- s / sqrt(L d)."""
    rng = np.random.default_rng(seed)
    bound = scale / math.sqrt(length * dim)
    return scale * rng.normal(size=(n_words, dim)), rng.uniform(-bound, bound, size=(n_classes, length, dim))


def descend(task, weights, decays, rate):
    """Yield the weights of gradient descent, the initial ones first."""
    embeddings, classifier = weights
    while True:
        yield embeddings, classifier
        _, by_embedding, by_classifier = task.risk(embeddings, classifier, *decays)
        embeddings, classifier = embeddings - rate * by_embedding, classifier - rate * by_classifier


@pytest.mark.parametrize(("n_classes", "length"), [(5, 2), (2, 1), (7, 3)])
def test_modes_are_the_singular_values_at_zero(enumerated_task, n_classes, length):
    latents = np.random.default_rng(n_classes).integers(0, 4, size=(n_classes, length))
    task = enumerated_task(latents, MU, 4)
    gradient = task.logit_matrix_gradient(np.zeros((8, 2)), np.zeros((n_classes, length, 2)))
    values = np.linalg.svd(gradient, compute_uv=False)
    modes = escape_modes(word_frequencies=MU, n_concepts=4, latents=latents)
    rank = modes.singular_values.size
    # Entries below 1, and square roots of eigenvalues of order 0.1 to 1.
    np.testing.assert_allclose(modes.singular_values, values[:rank], rtol=100 * EPS)
    assert np.all(values[rank:] < 100 * EPS)
    assert (modes.null_words, modes.null_rows) == (8 - rank, n_classes * length - rank)
    assert modes.singular_values[0] == pytest.approx(zero_threshold(latents, MU, 4), rel=20 * EPS)


def test_saturated_modes_are_equal_and_noise_weakens_them():
    modes = escape_modes(word_frequencies=MU, n_concepts=4, sentence_length=3, n_classes=64)
    np.testing.assert_allclose(modes.singular_values, np.linalg.norm(MU) * math.sqrt(3 / (4 * 64)), rtol=20 * EPS)
    assert modes.singular_values.shape == (3,)
    noisy = escape_modes(
        word_frequencies=MU, n_concepts=4, sentence_length=3, n_classes=64, label_noise=0.1, word_noise=0.2
    )
    np.testing.assert_allclose(noisy.singular_values, 0.72 * modes.singular_values, rtol=20 * EPS)
    nothing = escape_modes(word_frequencies=MU, n_concepts=4, sentence_length=3, n_classes=1)
    assert nothing.singular_values[0] == pytest.approx(math.sqrt(3 / 4) * np.linalg.norm(MU))


@pytest.mark.parametrize("decays", [(0.02, 0.02), (0.05, 0.004), (0.0, 0.0)])
@pytest.mark.parametrize("rate", [0.05, 1.0])
def test_linear_regime_is_gradient_descent(enumerated_task, decays, rate):
    latents = np.array([[0, 1], [1, 2], [0, 2], [2, 2], [1, 0]])
    task = enumerated_task(latents, MU, 3)
    weights = draw_weights(1, 1e-7, 6, 5, 2, 4)
    regime = linear_regime(
        *weights,
        latents=latents,
        word_frequencies=MU,
        n_concepts=3,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
        learning_rate=rate,
    )
    run = descend(task, weights, decays, rate)
    n_steps = int(20 / rate)
    norms = [next(run) for _ in range(n_steps + 1)]
    steps = np.arange(n_steps + 1)
    words = [math.sqrt((w**2).sum() / 6) for w, _ in norms]
    rows = [math.sqrt((u**2).sum() / 10) for _, u in norms]
    # Weights of 1e-7 growing by less than e^{0.4 * 20}: margins below 1e-8, whose square is what the gradient omits; a
    # step rounds by a few eps, and a softmax near 1/K has errors of eps beside a gradient of 1e-7.
    assert max(words) < 1e-5
    np.testing.assert_allclose(regime.embedding_norms(steps), words, rtol=1e-8)
    np.testing.assert_allclose(regime.classifier_norms(steps), rows, rtol=1e-8)


@pytest.mark.parametrize("decays", [(0.02, 0.02), (0.05, 0.004)])
def test_growth_rate_to_eight_digits(enumerated_task, decays):
    task = enumerated_task.saturated(3, 2, MU)
    sigma = escape_modes(word_frequencies=MU, n_concepts=3, sentence_length=2, n_classes=9).singular_values[0]
    rate = 0.5
    run = descend(task, draw_weights(2, 1e-9, 6, 9, 2, 4), decays, rate)
    sizes = [math.sqrt((w**2).sum()) for w, _ in (next(run) for _ in range(141))]
    growth = math.log(sizes[140] / sizes[100]) / (40 * rate)
    # The slowdown chi is below |W|^2 / 9 here, and the decaying pairs and still parts have fallen behind by
    # e^{-2 * 0.19 * 50} = 6e-9 in the squares, over 20 units of time.
    assert sizes[140] < 3e-4
    assert growth == pytest.approx(escape_rate(sigma, *decays, learning_rate=rate), rel=1e-8)
    # Gradient flow is faster by rho^2 lr / 2 to first order.
    flow = escape_rate(sigma, *decays)
    assert flow - growth == pytest.approx(flow**2 * rate / 2, rel=flow * rate)


@pytest.mark.parametrize("decays", [(0.01, 0.01), (0.04, 0.002), (0.002, 0.04)])
def test_plateau_of_gradient_descent(enumerated_task, decays):
    task, rate = enumerated_task.saturated(3, 2, MU), 0.05
    weights = draw_weights(3, 1e-3, 6, 9, 2, 4)
    final = feature_collapse.predict(
        n_words=6,
        sentence_length=2,
        n_classes="all",
        word_frequency=MU,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
    )
    square = 3 * (final.embedding_norms**2).sum()
    regime = linear_regime(
        *weights,
        latents=task.latents,
        word_frequencies=MU,
        n_concepts=3,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
        learning_rate=rate,
    )
    # What counts is the part of W on the growing modes: along mu, less its mean over concepts.
    logs = []
    for words, _ in descend(task, weights, decays, rate):
        along = np.einsum("abd,b->ad", words.reshape(3, 2, 4), MU / np.linalg.norm(MU))
        logs.append(math.log(((along - along.mean(axis=0)) ** 2).sum() / square))
        if logs[-1] > math.log(0.011):
            break
    for fraction in (0.002, 0.01):
        predicted = plateau(regime, square, fraction=fraction)
        after = next(step for step in range(len(logs)) if logs[step] < math.log(fraction) <= logs[step + 1])
        crossing = after + (math.log(fraction) - logs[after]) / (logs[after + 1] - logs[after])
        rho = escape_rate(regime.singular_values[0], *decays)
        # The delay is right to first order in the slowdown and in lr rho; within a step log |W|^2 bends by lr chi.
        error = abs(crossing - predicted.steps - predicted.delay)
        assert error < (predicted.slowdown + rate * rho) * predicted.delay + 1e-3
        assert abs(crossing - predicted.steps) > 5 * error


def test_ranks_increase_in_the_order_of_the_singular_values(enumerated_task):
    latents = np.array([[0, 0], [0, 0], [1, 0], [2, 1], [1, 2], [0, 0], [0, 1]])
    modes = escape_modes(word_frequencies=MU, n_concepts=3, latents=latents)
    task, scale = enumerated_task(latents, MU, 3), 1e-6
    weights = draw_weights(4, scale, 6, 7, 2, 4)
    rates = escape_rate(modes.singular_values, 0.01)
    run = descend(task, weights, (0.01, 0.01), 1.0)
    n_steps = int(math.log(1e-2 / scale) / rates[0])
    for _ in range(n_steps + 1):
        words, _ = next(run)
    # From s to 1e-2 along the first mode, the second falls behind by s^(1 - rho_2 / rho_1), each up to its start.
    values = np.linalg.svd(words, compute_uv=False)
    expected = (1e-2 / scale) ** (rates[1] / rates[0] - 1)
    assert rates[1] < 0.8 * rates[0]
    assert 0.1 < values[1] / values[0] / expected < 10
    assert values[2] < 1e-2 * values[1]


def test_mean_over_random_starts():
    task = {
        "word_frequencies": MU,
        "n_concepts": 3,
        "weight_decay": 0.03,
        "classifier_weight_decay": 0.01,
        "learning_rate": 0.1,
        "label_noise": 0.1,
    }
    latents = np.array([[0, 1], [1, 2], [0, 2], [2, 2], [1, 0]])
    steps = np.array([0, 30, 200])
    regimes = [linear_regime(*draw_weights(seed, 1e-3, 6, 5, 2, 7), latents=latents, **task) for seed in range(600)]
    mean = expected_linear_regime(
        initial_scale=1e-3, embedding_dim=7, sentence_length=2, n_classes=5, latents=latents, **task
    )
    for name in ("embedding_norms", "classifier_norms"):
        squares = np.array([getattr(regime, name)(steps) ** 2 for regime in regimes])
        error = squares.std(axis=0) / math.sqrt(len(squares))
        assert np.all(np.abs(getattr(mean, name)(steps) ** 2 - squares.mean(axis=0)) < 5 * error)


def test_mean_plateau_at_the_scale_of_the_paper():
    sizes = {"sentence_length": 15, "n_classes": 1000, "weight_decay": 1e-4}
    prediction = feature_collapse.predict(**sizes)
    regime = expected_linear_regime(
        initial_scale=1e-3,
        embedding_dim=100,
        word_frequencies=prediction.word_frequencies,
        n_concepts=3,
        learning_rate=0.1,
        **sizes,
    )
    square = 1200 * prediction.embedding_norms[0] ** 2
    first, second = (plateau(regime, square, fraction=fraction) for fraction in (1e-3, 1e-2))
    # Late in the linear regime |W|^2 grows like (1 + lr rho)^(2 steps).
    rate = escape_rate(regime.singular_values[0], 1e-4, learning_rate=0.1)
    assert (second.steps - first.steps) * 0.1 * 2 * rate == pytest.approx(math.log(10), rel=1e-3)


def test_nothing_grows_above_the_threshold():
    task = {"word_frequencies": MU, "n_concepts": 3, "sentence_length": 2, "n_classes": 9}
    sigma = escape_modes(**task).singular_values[0]
    regimes = [
        expected_linear_regime(
            **task, initial_scale=0.1, embedding_dim=4, weight_decay=ratio * sigma, learning_rate=0.1
        )
        for ratio in (1.01, 0.99)
    ]
    assert plateau(regimes[0], 1.0).steps == math.inf
    assert 0 < plateau(regimes[1], 1e4).steps < math.inf
    assert plateau(regimes[1], 1e-6).steps == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate: expected a positive finite number, got 0.0"),
        ({"learning_rate": 9.0}, "learning_rate: expected less than "),
        ({"weight_decay": -1.0}, "weight_decay: expected a non-negative finite number, got -1.0"),
        ({"classifier_weight_decay": "x"}, "classifier_weight_decay: expected a non-negative finite number, got 'x'"),
        ({"label_noise": 1.0}, r"label_noise: expected a number in \[0, 1\), got 1.0"),
        ({"initial_scale": 0}, "initial_scale: expected a positive finite number, got 0"),
        ({"n_classes": None}, r"latents: expected an array \(K, L\), or both sentence_length and n_classes, got None"),
    ],
)
def test_wrong_arguments_are_named(changes, message):
    task = {"word_frequencies": MU, "n_concepts": 3, "sentence_length": 2, "n_classes": 9, "embedding_dim": 4}
    with pytest.raises(ValueError, match="^" + message):
        expected_linear_regime(**{**task, "initial_scale": 1, "weight_decay": 0.1, "learning_rate": 0.1} | changes)
