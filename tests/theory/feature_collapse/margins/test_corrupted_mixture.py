"""Word noise with fewer classes than latents: the kappa formula, written out over words and corrupted positions."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize

from theory import feature_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.corrupted_mixture import expected_corrupted_mixture
from theory.feature_collapse.margins.type_three import solve_type_three
from theory.feature_collapse.margins.type_three_sampled import solve_type_three_sampled
from theory.feature_collapse.margins.type_two import solve_type_two
from theory.feature_collapse.noise import corruption_counts

EPS = np.finfo(np.float64).eps


def corrupted_sets(length, chance):
    """Every set of corrupted positions with its probability."""
    for corrupted in itertools.product((False, True), repeat=length):
        yield np.array(corrupted), chance ** sum(corrupted) * (1 - chance) ** (length - sum(corrupted))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 4.0])
@pytest.mark.parametrize("word_noise", [1e-3, 0.2, 0.9])
@pytest.mark.parametrize("n_classes", [2, 40, 242])
def test_integral_against_enumeration_at_30_digits(n_classes, word_noise, scale):
    share = LatentShare(n_concepts=3, sentence_length=5, n_classes=n_classes)
    margins, mu = scale * np.array([2.0, 0.7]), np.array([0.75, 0.25])
    gains = np.log1p(2 * np.exp(-margins))
    rows = np.stack([gains, gains + margins])
    with mpmath.workdps(30):
        kappa, total = mpmath.mpf(n_classes) / 243, mpmath.mpf(0)
        for words in itertools.product(range(2), repeat=5):
            for corrupted, probability in corrupted_sets(5, mpmath.mpf(word_noise) * 2 / 3):
                gain = mpmath.fsum(mpmath.mpf(rows[int(d), b]) for b, d in zip(words, corrupted, strict=True))
                weight = probability * mpmath.fprod(mpmath.mpf(mu[b]) for b in words)
                total += weight * mpmath.log1p(kappa * mpmath.expm1(gain))
    value = expected_corrupted_mixture(share, rows, mu, word_noise).value
    # As without noise: some 100 eps of phases and of terms that cancel by at most sqrt(K) / log K.
    assert abs(float(value / total - 1)) < 1e-13


@pytest.mark.parametrize("n_classes", [2, 40, 242])
def test_derivatives_of_the_corrupted_integral(n_classes):
    share = LatentShare(n_concepts=3, sentence_length=5, n_classes=n_classes)
    gains, mu = np.array([[0.3, 0.8], [2.2, 1.2]]), np.array([0.75, 0.25])
    mean = expected_corrupted_mixture(share, gains, mu, 0.3)
    step, shifts = 1e-5, 1e-5 * np.eye(4).reshape(4, 2, 2)
    values = [[expected_corrupted_mixture(share, gains + s * h, mu, 0.3) for s in (1, -1)] for h in shifts]
    gradient = np.array([(up.value - down.value) / (2 * step) for up, down in values])
    hessian = np.array([(up.gradient - down.gradient).ravel() / (2 * step) for up, down in values])
    # Central differences: truncation L^3 step^2 = 1e-8, at third derivatives of at most L^3 / 4; rounding 1e-15 / step.
    np.testing.assert_allclose(mean.gradient.ravel(), gradient, atol=1e-8)
    products = np.array([mean.hessian_product(h.reshape(2, 2)).ravel() for h in np.eye(4)])
    np.testing.assert_allclose(products, hessian, atol=1e-8)


@pytest.mark.parametrize("length", [1, 7, 1000])
def test_corruption_counts_are_binomial(length):
    share = LatentShare(n_concepts=4, sentence_length=length, n_classes=2)
    for word_noise in (1e-9, 0.3, 0.999):
        got = corruption_counts(share, word_noise)
        with mpmath.workdps(30):
            chance = mpmath.mpf(word_noise) * 3 / 4
            # Half a thousand logarithms of size up to 20 are added: their rounding is below 20 sqrt(500) eps.
            for m in sorted({0, 1, length // 4, length // 2, length}):
                exact = mpmath.binomial(length, m) * chance**m * (1 - chance) ** (length - m)
                assert got[m] == pytest.approx(float(exact), rel=2e4 * EPS, abs=1e-300)


@pytest.mark.parametrize(("label_noise", "word_noise"), [(0.0, 0.15), (0.2, 0.4), (0.3, 0.0)])
@pytest.mark.parametrize(("n_classes", "decay"), [(4, 1e-3), (20, 5e-3)])
@pytest.mark.parametrize("kind", ["I", "II", "III"])
def test_kappa_formula_is_minimised(kind, n_classes, decay, label_noise, word_noise):
    n_concepts, length, dim = 3, 3, 4
    frequencies = np.array([0.5, 0.5]) if kind == "I" else np.array([0.8, 0.2])
    kappa, eta = n_classes / 27, 1.5

    def risk(margins):
        """The formula of the docstring, every choice of words and of corrupted positions written out."""
        gains, total = np.log1p(2 * np.exp(-margins)), 0.0
        for words in itertools.product(range(2), repeat=length):
            words = np.array(words)
            for corrupted, probability in corrupted_sets(length, word_noise / eta):
                exponent = gains[words].sum() + margins[words][corrupted].sum()
                mixture = np.log(1 - kappa + kappa * np.exp(exponent))
                total += frequencies[words].prod() * probability * mixture
        total += label_noise * (1 - word_noise) * length / eta * frequencies @ margins
        if kind == "II":
            return total + decay / 2 * n_classes * length * (margins[0] / (eta * math.sqrt(dim))) ** 2
        # The least lam/2 (n_c |r|^2 + K L c^2) at given products, by arithmetic and geometric mean.
        return total + decay * math.sqrt(n_concepts * n_classes * length) * np.linalg.norm(margins) / eta

    prediction = feature_collapse.predict(
        n_words=6,
        sentence_length=length,
        n_classes=n_classes,
        word_frequency=frequencies,
        weight_decay=decay,
        layer_norm=kind == "II",
        embedding_dim=dim,
        label_noise=label_noise,
        word_noise=word_noise,
    )
    assert not prediction.is_theorem
    margins = eta * prediction.classifier_norm * prediction.embedding_norms
    assert prediction.risk == pytest.approx(risk(margins), abs=50 * EPS)
    common = kind != "III"
    steps = np.ones((1, 2)) if common else np.eye(2)
    solution = minimize(lambda t: risk(t @ steps), np.full(len(steps), 1.0), method="BFGS", options={"gtol": 1e-7})
    # BFGS with finite differences stops at a gradient of 1e-7 and curvatures above 1e-3.
    assert prediction.risk < solution.fun + 50 * EPS
    np.testing.assert_allclose(margins, solution.x @ steps, atol=1e-4)
    for direction in steps:
        slope = (risk(margins + 1e-5 * direction) - risk(margins - 1e-5 * direction)) / 2e-5
        # Rounding 50 eps / step and truncation step^2.
        assert abs(slope) < 1e-9


@pytest.mark.parametrize("word_noise", [0.1, 0.4])
def test_kappa_formula_one_class_short(noisy_population, noisy_risk, word_noise):
    # The approximation replaces the latents by their share: with one latent in K missing it errs by O(1/K). A gradient
    # of 1e-5 leaves an excess risk below 1e-10 / 1e-3.
    latents = np.array(list(itertools.product(range(3), repeat=3)))[np.random.default_rng(1).permutation(27)[:26]]
    population = noisy_population(latents, (1.0,), 3, 0.0, word_noise)
    least, *_ = noisy_risk(population, 3, 26, 4, 1e-3).minimise(gtol=1e-5)
    prediction = feature_collapse.predict(
        n_words=3, sentence_length=3, n_classes=26, weight_decay=1e-3, embedding_dim=4, word_noise=word_noise
    )
    assert prediction.risk == pytest.approx(least, rel=1 / 26)


def test_kappa_formula_meets_the_saturated_one():
    # At kappa = 1 - 1e-12 the difference is O(1 - kappa); the integral is good to 1e-13.
    huge, mu = 3**26, np.array([0.7, 0.3])
    near = LatentShare(n_concepts=3, sentence_length=26, n_classes=huge - 1)
    limit = LatentShare(n_concepts=3, sentence_length=26, n_classes=huge)
    sampled = solve_type_three_sampled(near, mu, 1e-9, label_noise=0.1, word_noise=0.2)
    saturated = solve_type_three(limit, mu, 1e-9, noise=0.28)
    assert sampled.risk == pytest.approx(saturated.risk, rel=1e-12)
    two = [solve_type_two(share, 2, 4, 1e-15, label_noise=0.1, word_noise=0.2).risk for share in (near, limit)]
    assert two[0] == pytest.approx(two[1], rel=1e-12)
