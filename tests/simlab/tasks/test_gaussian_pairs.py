"""Gaussian pairs: the law that is asked for, the covariances of draws, data sets, and bad fields."""

import re

import jax
import numpy as np
import pytest
from scipy.linalg import eigh

from simlab.tasks.paired.gaussian_pairs import GaussianPairs, PairMoments
from simlab.tasks.pairs import ViewPair

pytestmark = pytest.mark.quick

RATIOS = (0.3, 1.0, 2.5)
TASK = GaussianPairs(variances=(0.5, 1.0, 2.0), augmentation_ratios=RATIOS)


@pytest.mark.parametrize("is_aligned", [False, True])
def test_the_law_has_the_eigenvalues_that_are_asked_for(is_aligned):
    law = GaussianPairs(variances=TASK.variances, augmentation_ratios=RATIOS, is_aligned=is_aligned).sample(0)
    np.testing.assert_allclose(np.linalg.eigvalsh(law.covariance), TASK.variances, rtol=1e-13)
    np.testing.assert_allclose(eigh(law.augmentation, law.covariance, eigvals_only=True), RATIOS, rtol=1e-13)
    commutator = law.covariance @ law.augmentation - law.augmentation @ law.covariance
    assert (np.abs(commutator).max() < 1e-13) == is_aligned


def test_the_law_depends_on_its_own_seed_alone():
    first, again, other = TASK.sample(0), TASK.sample(7), GaussianPairs(
        variances=TASK.variances, augmentation_ratios=RATIOS, law_seed=1
    ).sample(0)  # fmt: skip
    assert np.array_equal(first.input_factor, again.input_factor)
    assert np.abs(first.input_factor - other.input_factor).max() > 0.1


@pytest.mark.parametrize("views", [1, 2])
def test_draws_have_the_moments_of_the_population(views):
    task = GaussianPairs(variances=TASK.variances, augmentation_ratios=RATIOS, views=views)
    law, size = jax.tree.map(lambda array: np.asarray(array, np.float32), task.sample(0)), 200_000
    first, second = (np.asarray(view, float) for view in task.draw(jax.random.key(0), law, size)[:2])
    moments = task.population(law)
    assert isinstance(moments, PairMoments)
    # Five standard errors of a product of Gaussians of variance at most 2 (1 + 2.5) = 7.
    error = 5 * 7 * 2**0.5 / size**0.5
    np.testing.assert_allclose(first.T @ first / size, moments.metric, atol=error)
    np.testing.assert_allclose((first - second).T @ (first - second) / size, moments.spread, atol=2 * error)
    np.testing.assert_allclose(first.T @ second / size, moments.overlap, atol=error)


def test_a_data_set_is_the_population():
    task = GaussianPairs(variances=TASK.variances, augmentation_ratios=RATIOS, views=2, n_pairs=10)
    assert (task.n_examples, task.can_draw, TASK.can_draw) == (10, False, True)
    pairs = task.population(task.sample(3))
    assert isinstance(pairs, ViewPair)
    assert pairs.first.shape == (10, 3)
    assert np.array_equal(pairs.first, task.sample(4).pairs.first)


def test_numbers_of_the_law_share_one_compilation():
    other = GaussianPairs(variances=(3.0, 1.0, 1.0), augmentation_ratios=(1.0, 1.0, 0.0), law_seed=3, is_aligned=True)
    assert TASK.compile_key == other.compile_key


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"variances": ()}, "variances: expected at least one number, got ()"),
        ({"variances": (1.0, 0.0, 1.0)}, "variances: expected a positive finite number, got 0.0"),
        ({"augmentation_ratios": (1.0,)}, "augmentation_ratios: expected 3 numbers, one for each variance, got 1"),
        ({"augmentation_ratios": (1.0, -1.0, 1.0)}, "augmentation_ratios: expected a non-negative finite number, got"),
        ({"views": 3}, "views: expected at most 2, got 3"),
        ({"n_pairs": 0}, "n_pairs: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_fields_are_named(changes, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}"):
        GaussianPairs(**{"variances": TASK.variances, "augmentation_ratios": RATIOS} | changes)
