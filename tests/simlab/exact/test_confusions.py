"""Labels that are uncertain, in the exact risk of free features."""

import jax
import numpy as np
import pytest
from scipy.special import log_softmax

from simlab.exact.minimise import minimise
from simlab.exact.risk import ExactRisk, WeightedSentences, risk

pytestmark = pytest.mark.quick

CONFUSIONS = np.array([[0.8, 0.15, 0.05], [0.15, 0.8, 0.05], [0.05, 0.05, 0.9]])
POPULATION = WeightedSentences(np.arange(3)[:, None], np.arange(3), np.full(3, 1 / 3))


def problem(**fields):
    sizes = {"n_words": 3, "n_classes": 3, "embedding_dim": 3, "weight_decay": (0.05, 0.02)}
    return ExactRisk(population=POPULATION, **{**sizes, "confusions": CONFUSIONS, **fields})


def test_the_risk_is_that_of_the_distributions():
    rng, exact = np.random.default_rng(0), problem()
    features, classifier = rng.standard_normal((2, 3, 3))
    expected = -np.mean(np.sum(CONFUSIONS * log_softmax(features @ classifier.T, axis=1), axis=1))
    expected += 0.025 * np.sum(features**2) + 0.01 * np.sum(classifier**2)
    with jax.enable_x64(True):
        value = risk(exact.shape, exact.data(), np.concatenate([features.ravel(), classifier.ravel()]))
    assert float(value) == pytest.approx(expected, rel=1e-13)


def test_certain_labels_are_the_identity():
    """The same risk is descended from the same starts; its minima differ by rounding alone."""
    certain = minimise(problem(confusions=None), n_restarts=1)
    identity = minimise(problem(confusions=np.eye(3)), n_restarts=1)
    assert identity.risk[0] == pytest.approx(certain.risk[0], rel=1e-14)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"confusions": np.eye(2)}, "confusions: expected 3 rows of 3 probabilities that sum to 1"),
        ({"confusions": 0.5 * np.eye(3)}, "confusions: expected 3 rows of 3 probabilities that sum to 1"),
        ({"heads": (3,)}, "heads: expected None with confusions"),
    ],
)
def test_bad_input_names_the_field(fields, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        problem(**fields)
