"""Types I and II against mpmath at 60 digits, against scipy, and against the enumerated risk."""

import math
import time

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from theory import feature_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.type_one import solve_type_one
from theory.feature_collapse.margins.type_two import solve_type_two
from theory.frames import equiangular_frame

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps
# Logarithms of size |log kappa| <= 1100 (L = 1000) are formed in float64, so that margins and hence a cross-entropy are
# right to about 1100 eps = 2.4e-13 there; up to L = 200 to 250 eps. Three times that.
RELATIVE = {15: 2e-14, 200: 2e-13, 1000: 8e-13, 3: 2e-14, 1: 2e-14}
TASKS = [
    (3, 15, 1000, 1e-3),
    (3, 15, 1000, 1e-8),
    (3, 15, 3**15 - 1, 1e-6),
    (3, 3, 27, 1e-3),
    (2, 1, 2, 1e-2),
    (10, 3, 17, 1e-12),
    (3, 200, 1000, 1e-3),
    (3, 1000, 1000, 1e-3),
    (3, 1000, 50, 1e-6),
]


def exact_cross_entropy(n_concepts, length, n_classes, margin):
    kappa = mpmath.mpf(n_classes) / mpmath.mpf(n_concepts) ** length
    return mpmath.log(1 - kappa + kappa * (1 + (n_concepts - 1) * mpmath.exp(-margin)) ** length)


def exact_margin(n_concepts, length, n_classes, constant, slope, guess):
    def imbalance(margin):
        error = (n_concepts - 1) * mpmath.exp(-margin)
        kappa = mpmath.mpf(n_classes) / mpmath.mpf(n_concepts) ** length
        total = 1 - kappa + kappa * (1 + error) ** length
        return kappa * length * error * (1 + error) ** (length - 1) / total - constant - slope * margin

    return mpmath.findroot(imbalance, guess, tol=1e-90)


@pytest.mark.parametrize(("n_concepts", "length", "n_classes", "decay"), TASKS)
def test_type_one_to_60_digits(n_concepts, length, n_classes, decay):
    share = LatentShare(n_concepts=n_concepts, sentence_length=length, n_classes=n_classes)
    network = solve_type_one(share, 7, decay)
    with mpmath.workdps(60):
        # tau is the argument of the published objective, with exponent -eta t / sqrt(n_w K L).
        eta, n_words = mpmath.mpf(n_concepts) / (n_concepts - 1), 7 * n_concepts
        scale = mpmath.sqrt(n_words * n_classes * length)
        guess = share.eta * network.embedding_norms[0] * network.classifier_norm
        margin = exact_margin(n_concepts, length, n_classes, mpmath.mpf(decay) * scale / eta, 0, guess)
        tau = margin * scale / eta
        expected = (
            mpmath.sqrt(tau / n_words),
            mpmath.sqrt(tau / (n_classes * length)),
            exact_cross_entropy(n_concepts, length, n_classes, margin),
            mpmath.mpf(decay) * tau,
        )
        got = (network.embedding_norms[0], network.classifier_norm, network.cross_entropy, network.penalty)
        for value, truth in zip(got, expected, strict=True):
            assert abs(value / truth - 1) < RELATIVE[length]


@pytest.mark.parametrize(("n_concepts", "length", "n_classes", "decay"), TASKS)
def test_type_two_to_60_digits(n_concepts, length, n_classes, decay):
    share = LatentShare(n_concepts=n_concepts, sentence_length=length, n_classes=n_classes)
    network = solve_type_two(share, 7, 11, decay)
    with mpmath.workdps(60):
        scale = mpmath.mpf(n_concepts) / (n_concepts - 1) * mpmath.sqrt(11)
        slope = mpmath.mpf(decay) * n_classes * length / scale**2
        margin = exact_margin(n_concepts, length, n_classes, 0, slope, float(scale) * network.classifier_norm)
        expected = (
            margin / scale,
            exact_cross_entropy(n_concepts, length, n_classes, margin),
            mpmath.mpf(decay) / 2 * n_classes * length * (margin / scale) ** 2,
        )
        got = (network.classifier_norm, network.cross_entropy, network.penalty)
        for value, truth in zip(got, expected, strict=True):
            assert abs(value / truth - 1) < RELATIVE[length]


def test_type_one_minimises_the_published_objective():
    n_concepts, length, n_classes, n_words, decay = 3, 15, 1000, 1200, 1e-3
    kappa, eta = n_classes / n_concepts**length, n_concepts / (n_concepts - 1)

    def objective(t):
        bracket = 1 + (n_concepts - 1) * math.exp(-eta * t / math.sqrt(n_words * n_classes * length))
        return math.log(1 - kappa + kappa * bracket**length) + decay * t

    best = minimize_scalar(objective, bounds=(0, 1e5), method="bounded", options={"xatol": 1e-3})
    prediction = feature_collapse.predict(n_words=n_words, weight_decay=decay)
    # At a minimum the value is quadratic in the error of t: below 1e-6 times a curvature below decay^2 = 1e-6.
    assert prediction.risk == pytest.approx(best.fun, rel=1e-12)
    # The minimum of a rounded function is located to sqrt(eps / curvature) ~ 1e-8 relative, times a margin of 1e3.
    assert prediction.embedding_norms[0] == pytest.approx(math.sqrt(best.x / n_words), rel=1e-5)


@pytest.mark.parametrize("label_noise", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_full_risk_and_its_gradient_at_the_prediction(enumerated_task, layer_norm, label_noise):
    n_concepts, length, n_words_per_concept, dim, decay = 3, 2, 2, 4, 2e-3
    task = enumerated_task.saturated(n_concepts, length, np.full(n_words_per_concept, 0.5), label_noise)
    share = LatentShare(n_concepts=n_concepts, sentence_length=length, n_classes=n_concepts**length)
    if layer_norm:
        network = solve_type_two(share, n_words_per_concept, dim, decay, label_noise=label_noise)
    else:
        network = solve_type_one(share, n_words_per_concept, decay, label_noise=label_noise)
    frame = equiangular_frame(n_concepts, dim, orthogonal_to_ones=layer_norm)
    embeddings = np.repeat(frame, n_words_per_concept, axis=0) * network.embedding_norms[0]
    classifier = network.classifier_norm * frame[task.latents]
    embedding_decay = 0.0 if layer_norm else decay
    value, by_embedding, by_classifier = task.risk(
        embeddings, classifier, embedding_decay, decay, layer_norm=layer_norm
    )
    # Sums of at most 36 probabilities times vectors shorter than 4: rounding below 36 * 4 eps.
    assert value == pytest.approx(network.risk, rel=0, abs=200 * EPS)
    assert max(np.abs(by_embedding).max(), np.abs(by_classifier).max()) < 200 * EPS


def test_type_two_never_vanishes_and_label_noise_can_make_it():
    share = LatentShare(n_concepts=3, sentence_length=3, n_classes=20)
    assert solve_type_two(share, 2, 5, 1e6).classifier_norm > 0
    # At zero the gradient in the margin is L (n_c - 1)/n_c K / (K + 1 - kappa), that of the noise eps L (n_c - 1)/n_c.
    critical = 20 / (21 - 20 / 27)
    assert solve_type_two(share, 2, 5, 1e-3, label_noise=critical * (1 - 1e-6)).classifier_norm > 0
    assert solve_type_two(share, 2, 5, 1e-3, label_noise=critical * (1 + 1e-6)).classifier_norm == 0


@pytest.mark.parametrize("noise", [-0.1, 1.0, math.nan, "0.1"])
def test_label_noise_is_checked(noise):
    share = LatentShare(n_concepts=3, sentence_length=3, n_classes=20)
    with pytest.raises(ValueError, match=r"^label_noise: expected a number in \[0, 1\), got"):
        solve_type_one(share, 2, 1e-3, label_noise=noise)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_paper_scale_takes_no_time(layer_norm):
    start = time.perf_counter()
    prediction = feature_collapse.predict(layer_norm=layer_norm)
    assert time.perf_counter() - start < 1.0
    # The imbalance is a difference of logarithms of size at most |log kappa| = 9.6.
    assert prediction.residual < 100 * EPS
    assert prediction.collapse_type == ("II" if layer_norm else "I")
