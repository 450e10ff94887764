"""The spectrum of a linear embedding and its effective rank, at known answers."""

import numpy as np
import pytest

from simlab.metrics.spectrum import effective_rank, linear_spectrum

pytestmark = pytest.mark.quick


def test_the_spectrum_is_that_of_the_covariance_of_the_embedding():
    rng = np.random.default_rng(0)
    mixing, weights = rng.normal(size=(4, 4)), rng.normal(size=(6, 4))
    covariance = mixing @ mixing.T
    embedded = np.linalg.eigvalsh(weights @ covariance @ weights.T)[::-1]
    spectrum = linear_spectrum(weights, covariance)
    np.testing.assert_allclose(spectrum, embedded[:4], rtol=1e-12)
    np.testing.assert_allclose(linear_spectrum(weights[:2], covariance)[2:], 0)
    assert np.isnan(linear_spectrum(weights * np.inf, covariance)).all()


def test_small_eigenvalues_keep_their_digits():
    weights = np.diag([1.0, 1e-12])
    np.testing.assert_allclose(linear_spectrum(weights, np.eye(2)), [1.0, 1e-24], rtol=1e-14)


def test_effective_rank_at_known_answers():
    np.testing.assert_allclose(effective_rank(np.array([2.0, 2.0, 2.0, 0.0])), 3, rtol=1e-14)
    assert effective_rank(np.array([5.0, 0.0])) == 1.0
    assert effective_rank(np.zeros(3)) == 0.0
    assert np.isnan(effective_rank(np.array([1.0, np.nan])))
