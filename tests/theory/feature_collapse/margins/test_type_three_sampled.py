"""Type III for K < n_c^L: the integral against enumeration and mpmath, the optimum against direct minimisation."""

import itertools
import math
import time
from collections import Counter

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize

from theory import feature_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.mellin_barnes import expected_log_mixture
from theory.feature_collapse.margins.type_one import solve_type_one
from theory.feature_collapse.margins.type_three import solve_type_three
from theory.feature_collapse.margins.type_three_sampled import solve_type_three_sampled

EPS = np.finfo(np.float64).eps


def multisets(n_words, length):
    """All multisets of words with the number of sequences that give them."""
    for words in itertools.combinations_with_replacement(range(n_words), length):
        ways = math.factorial(length)
        for count in Counter(words).values():
            ways //= math.factorial(count)
        yield words, ways


def exact_mixture(share, gains, frequencies):
    """The expectation at 40 digits, the gains and frequencies taken as exact."""
    with mpmath.workdps(40):
        kappa = mpmath.mpf(share.n_classes) / share.n_latents
        total = mpmath.mpf(0)
        for words, ways in multisets(len(gains), share.sentence_length):
            probability = ways * mpmath.fprod(mpmath.mpf(frequencies[b]) for b in words)
            gain = mpmath.fsum(mpmath.mpf(gains[b]) for b in words)
            total += probability * mpmath.log1p(kappa * mpmath.expm1(gain))
        return total


@pytest.mark.parametrize("scale", [1e-12, 1e-5, 1e-2, 0.3, 1.0])
@pytest.mark.parametrize("length", [1, 2, 6, 15])
@pytest.mark.parametrize("classes", ["two", "half", "all but one"])
def test_integral_against_enumeration_at_40_digits(classes, length, scale):
    n_latents = 3**length
    n_classes = {"two": 2, "half": (n_latents + 1) // 2, "all but one": n_latents - 1}[classes]
    share = LatentShare(n_concepts=3, sentence_length=length, n_classes=n_classes)
    gains = scale * np.array([0.13, 0.5, 1.09])
    frequencies = np.array([0.6, 0.3, 0.1])
    exact = exact_mixture(share, gains, frequencies / frequencies.sum())
    value = expected_log_mixture(share, gains, frequencies / frequencies.sum()).value
    # rho e^S involves s log rho and L s g, each rounded at sizes up to 17; a few hundred terms of mixed phase then
    # cancel by at most sqrt(K) / log K. Together some 100 eps of relative error; asked for: 1e-12.
    assert abs(float(value / exact - 1)) < 1e-13


def test_integral_for_long_sentences():
    # Two words, L = 200: 201 multisets. kappa = 1000 / 3^200 ~ 4e-93.
    share = LatentShare(n_concepts=3, sentence_length=200, n_classes=1000)
    gains, frequencies = np.array([0.9, 1.09]), np.array([0.5, 0.5])
    value = expected_log_mixture(share, gains, frequencies).value
    # log rho = -213 and L g ~ 200 are rounded, 213 eps, and the outcome is as sensitive as its logarithm.
    assert abs(float(value / exact_mixture(share, gains, frequencies) - 1)) < 2 * 213 * EPS * 10


@pytest.mark.parametrize("classes", [2, 100, 364, 700, 728, 729])
def test_derivatives_of_the_integral(classes):
    share = LatentShare(n_concepts=3, sentence_length=6, n_classes=classes)
    gains, frequencies = np.array([0.2, 0.7, 0.9]), np.array([0.5, 0.3, 0.2])
    mean = expected_log_mixture(share, gains, frequencies)
    step = 1e-5
    shifts = step * np.eye(3)
    values = [[expected_log_mixture(share, gains + s * h, frequencies) for s in (1, -1)] for h in shifts]
    gradient = np.array([(up.value - down.value) / (2 * step) for up, down in values])
    hessian = np.array([(up.gradient - down.gradient) / (2 * step) for up, down in values])
    # Central differences: truncation L^3 step^2 = 2e-8, at third derivatives of at most L^3 / 4; rounding 1e-15 / step.
    np.testing.assert_allclose(mean.gradient, gradient, atol=1e-8)
    products = np.array([mean.hessian_product(direction) for direction in np.eye(3)])
    np.testing.assert_allclose(products, hessian, atol=1e-8)


@pytest.mark.parametrize(("n_classes", "decay"), [(10, 1e-3), (60, 1e-2), (80, 1e-5), (40, 0.04)])
def test_optimum_against_direct_minimisation(n_classes, decay):
    frequencies = np.array([0.6, 0.3, 0.1])
    share = LatentShare(n_concepts=3, sentence_length=4, n_classes=n_classes)
    network = solve_type_three_sampled(share, frequencies, decay)
    words = np.array([w for w, _ in multisets(3, 4)])
    probabilities = np.array([n for _, n in multisets(3, 4)]) * frequencies[words].prod(axis=1)
    kappa = n_classes / 81

    def risk(parameters):
        norms, c = parameters[:3], parameters[3]
        gains = np.log1p(2 * np.exp(-1.5 * c * norms))
        mixture = kappa * np.exp(gains[words].sum(axis=1))
        value = probabilities @ np.log(1 - kappa + mixture)
        tilt = probabilities * mixture / (1 - kappa + mixture)
        by_gain = np.array([tilt @ (words == b).sum(axis=1) for b in range(3)])
        by_product = -1.5 * by_gain * -np.expm1(-gains)
        gradient = np.append(c * by_product + decay * 3 * norms, norms @ by_product + decay * n_classes * 4 * c)
        return value + decay / 2 * (3 * norms @ norms + n_classes * 4 * c * c), gradient

    starts = ([1, 1, 1, 1], [4, 1, 1, 2])
    minima = [minimize(risk, start, jac=True, method="BFGS", options={"gtol": 1e-11}) for start in starts]
    best = min(minima, key=lambda result: result.fun)
    # BFGS stops where rounding hides descent, |g| ~ 1e-8 at worst; curvatures are at least about decay.
    distance = 2 * np.linalg.norm(best.jac) / decay + 1e-12
    point = np.append(network.embedding_norms, network.classifier_norm)
    assert network.risk == pytest.approx(best.fun, abs=1e-14 + distance**2)
    np.testing.assert_allclose(point, best.x, atol=distance, rtol=0)
    # At the prediction the enumerated gradient vanishes to rounding: terms of size c r_b <= 10, 15 multisets.
    assert np.abs(risk(point)[1]).max() < 15 * 10 * EPS


@pytest.mark.parametrize("decay", [1e-6, 1e-3])
def test_saturated_solver_is_the_limit(zipf, decay):
    frequencies = zipf(5)
    share = LatentShare(n_concepts=3, sentence_length=4, n_classes=81)
    saturated = solve_type_three(share, frequencies, decay)
    sampled = solve_type_three_sampled(share, frequencies, decay)
    # Two solvers of one problem, both at a residual of rounding; margins up to 12 amplify it to about 12 eps.
    np.testing.assert_allclose(sampled.embedding_norms, saturated.embedding_norms, rtol=100 * EPS)
    assert sampled.risk == pytest.approx(saturated.risk, rel=100 * EPS)
    # One class short of 3^20 latents, 1 - kappa = 3e-10: the difference is O(1 - kappa).
    huge = 3**20
    near = LatentShare(n_concepts=3, sentence_length=20, n_classes=huge - 1)
    limit = LatentShare(n_concepts=3, sentence_length=20, n_classes=huge)
    small = 1e-9 * decay
    assert solve_type_three_sampled(near, frequencies, small).risk == pytest.approx(
        solve_type_three(limit, frequencies, small).risk, rel=20 / huge
    )


@pytest.mark.parametrize("n_classes", [5, 1000, 3**15 - 1])
def test_uniform_words_give_type_one(n_classes):
    share = LatentShare(n_concepts=3, sentence_length=15, n_classes=n_classes)
    sampled = solve_type_three_sampled(share, np.full(4, 0.25), 1e-6)
    uniform = solve_type_one(share, 4, 1e-6)
    # Closed form against integral: |log rho| up to 16 and the integral's 100 eps.
    np.testing.assert_allclose(sampled.embedding_norms, uniform.embedding_norms, rtol=1e-13)
    assert sampled.cross_entropy == pytest.approx(uniform.cross_entropy, rel=2e-13)


@pytest.mark.parametrize("gap", [1e-2, 1e-6, 1e-10])
def test_near_its_own_threshold(zipf, gap):
    frequencies = zipf(4)
    share = LatentShare(n_concepts=3, sentence_length=5, n_classes=50)
    balanced = np.linalg.norm(frequencies) * math.sqrt(5 / (3 * 50))
    critical = balanced * 50 / (51 - 50 / 243)
    below = solve_type_three_sampled(share, frequencies, critical * (1 - gap))
    assert not below.is_zero
    # Just below, margins grow like the gap and point along mu, up to a relative correction of the order of the gap.
    direction = below.embedding_norms / np.linalg.norm(below.embedding_norms)
    np.testing.assert_allclose(direction, frequencies / np.linalg.norm(frequencies), atol=10 * gap + 1e-14)
    assert solve_type_three_sampled(share, frequencies, critical * (1 + 1e-12)).is_zero


@pytest.mark.parametrize("length", [15, 200, 1000])
def test_paper_scale(length):
    start = time.perf_counter()
    prediction = feature_collapse.predict(word_frequency="zipf", sentence_length=length)
    assert time.perf_counter() - start < 5.0
    assert prediction.collapse_type == "III"
    assert not prediction.is_theorem
    assert np.all(np.diff(prediction.embedding_norms) < 0)
    # |log rho| = L log 3 - log K is rounded, which shifts every tilt alike: 1.1 L eps, and 20 terms of that.
    assert prediction.residual < 20 * 1.1 * length * EPS
