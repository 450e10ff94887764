"""The least loss and the class Gram matrix: enumeration, perturbations, known numbers, bad input."""

import re

import numpy as np
import pytest

from theory import contextual_embeddings as theory
from theory.contextual_embeddings.class_gram import excess_and_slope

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(("batch_size", "draws"), [(2, False), (4, False), (2, True), (4, True)])
def test_the_least_loss_is_that_of_the_simplex_and_no_other(batch_size, draws):
    gram = theory.simplex_gram(5)
    least = theory.minimum_loss(5, batch_size, 0.4, replacement_draws=draws)
    at_simplex = theory.expected_loss(gram, batch_size, 0.4, replacement_draws=draws)
    assert at_simplex == pytest.approx(least, rel=1e-13)
    rng = np.random.default_rng(0)
    for _ in range(5):
        vectors = rng.normal(size=(5, 6))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        other = (gram + 0.1 * vectors @ vectors.T) / 1.1
        assert theory.expected_loss(other, batch_size, 0.4, replacement_draws=draws) > least


def test_limits_of_the_least_loss():
    assert theory.minimum_loss(24, 24, 1e9) == pytest.approx(np.log(24), rel=1e-8)
    assert theory.minimum_loss(24, 24, 1e-3) == 0  # all negatives are far
    # With collisions the loss at tau = 0 is E log(1 + c), here of a single negative.
    assert theory.minimum_loss(4, 2, 1e-3, replacement_draws=True) == pytest.approx(np.log(2) / 4, rel=1e-12)
    large = theory.minimum_loss(10, 100_000, 0.5, replacement_draws=True)
    expected = np.log(100_000 * (0.1 + 0.9 * np.exp(-10 / 9 / 0.5)))  # the law of large numbers
    assert large == pytest.approx(expected, abs=1e-4)


def test_known_anisotropies_of_one_large_class():
    priors = theory.one_large_class(8, 0.7)
    for tau, anisotropy in ((5.0, 0.16), (1.0, 0.2588), (0.05, 0.4071)):
        solution = theory.solve_class_gram(priors, tau)
        assert solution.is_certified
        assert solution.gap < 1e-10
        assert solution.anisotropy == pytest.approx(anisotropy, abs=5e-5)
    assert theory.simplex_anisotropy(np.array(priors)) == pytest.approx(0.4318, abs=5e-5)
    assert theory.floor_anisotropy(0.7) == pytest.approx(0.16)
    assert theory.floor_anisotropy(0.3) == 0
    assert theory.floor_temperature(0.5) == np.inf


def test_the_slope_is_that_of_the_loss():
    rng = np.random.default_rng(1)
    priors, vectors = rng.dirichlet(np.ones(4)), rng.normal(size=(4, 4))
    gram = vectors @ vectors.T
    gram /= np.sqrt(np.outer(np.diag(gram), np.diag(gram)))
    excess, slope = excess_and_slope(priors, 0.3, gram)
    constant = priors @ np.log(priors)
    assert excess + constant == pytest.approx(theory.class_loss(priors, 0.3, gram), rel=1e-12)
    shift = np.zeros((4, 4))
    shift[0, 2] = shift[2, 0] = 1e-6
    change = theory.class_loss(priors, 0.3, gram + shift) - theory.class_loss(priors, 0.3, gram - shift)
    assert change / 4e-6 == pytest.approx(slope[0, 2], rel=1e-7)


def test_the_gap_bounds_the_distance_from_the_minimum():
    priors = np.array([0.5, 0.3, 0.15, 0.05])
    best = theory.solve_class_gram(priors, 0.7)
    worse = theory.certify(priors, 0.7, theory.simplex_gram(4))
    assert 0 < worse.loss - best.loss <= worse.gap


@pytest.mark.parametrize(
    ("priors", "tau", "message"),
    [
        ((0.5, 0.6), 1.0, "class_priors: expected numbers that sum to 1, got a sum of 1.1"),
        ((1.0,), 1.0, "class_priors: expected at least 2 numbers, one for each class, got 1"),
        ((0.5, 0.5), 0.01, "temperature: expected at least 0.02 with unequal priors, got 0.01"),
        ((1.0, 0.0), 1.0, "class_priors: expected a positive finite number, got 0.0"),
    ],
)
def test_bad_priors_are_one_line(priors, tau, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        theory.solve_class_gram(priors, tau)
