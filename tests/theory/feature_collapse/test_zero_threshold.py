import itertools
import math

import numpy as np
import pytest

from theory import feature_collapse
from theory.feature_collapse.zero_threshold import zero_threshold

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps


@pytest.mark.parametrize("seed", range(5))
def test_threshold_is_the_top_singular_value_at_zero(enumerated_task, zipf, seed):
    rng = np.random.default_rng(seed)
    latents = rng.integers(0, 3, size=(7, 3))
    task = enumerated_task(latents, zipf(2), 3)
    gradient = task.logit_matrix_gradient(np.zeros((6, 2)), np.zeros((7, 3, 2)))
    # An SVD of entries below 1 is exact to a small multiple of eps; the threshold itself is of order 0.1.
    top = np.linalg.svd(gradient, compute_uv=False)[0]
    assert zero_threshold(latents, zipf(2), 3) == pytest.approx(top, abs=50 * EPS)


def test_zero_loses_stability_exactly_there(enumerated_task, zipf):
    latents = np.random.default_rng(3).integers(0, 3, size=(5, 2))
    task = enumerated_task(latents, zipf(2), 3)
    threshold = zero_threshold(latents, zipf(2), 3)
    left, _, right = np.linalg.svd(task.logit_matrix_gradient(np.zeros((6, 1)), np.zeros((5, 2, 1))))
    size = 1e-3
    embeddings, classifier = -size * right[0][:, None], size * left[:, 0].reshape(5, 2, 1)
    for ratio in (1 - 1e-2, 1 + 1e-2):
        decay = threshold * ratio
        change = task.risk(embeddings, classifier, decay, decay)[0] - math.log(5)
        # R - log K = (lam - lam_th) size^2 + O(size^4): 1e-8 threshold against 1e-12, and rounding of 1e-15.
        assert np.sign(change) == np.sign(ratio - 1)
        assert change == pytest.approx((decay - threshold) * size**2, abs=2 * size**4)


def test_all_latents_are_balanced(zipf):
    latents = np.array(list(itertools.product(range(3), repeat=4)))
    by_latents = zero_threshold(latents, zipf(3), 3)
    by_numbers = zero_threshold(None, zipf(3), 3, sentence_length=4, n_classes=81)
    # The published condition, lam^2 < (L / n_c^{L+1}) sum mu^2.
    published = math.sqrt(4 / 3**5 * (zipf(3) ** 2).sum())
    assert by_latents == pytest.approx(published, rel=20 * EPS)
    assert by_numbers == pytest.approx(published, rel=20 * EPS)


@pytest.mark.parametrize("frequency", ["uniform", "zipf"])
@pytest.mark.parametrize("decays", [(1.0, 1.0), (4.0, 0.25), (0.01, 100.0)])
def test_prediction_vanishes_at_the_threshold(frequency, decays):
    task = {"n_words": 9, "sentence_length": 3, "n_classes": "all", "word_frequency": frequency}
    threshold = feature_collapse.predict(**task).zero_threshold
    for ratio, is_zero in ((1 - 1e-9, False), (1 + 1e-9, True), (100.0, True)):
        prediction = feature_collapse.predict(
            **task,
            weight_decay=threshold * ratio * decays[0],
            classifier_weight_decay=threshold * ratio * decays[1],
        )
        assert prediction.is_zero == is_zero
        assert prediction.is_theorem
        # Below by a relative 1e-9 the risk differs from log K by O(1e-18).
        assert prediction.risk == pytest.approx(math.log(27), rel=10 * EPS)
        assert np.all((prediction.embedding_norms == 0) == is_zero)


def test_given_latents_decide_and_make_zero_exact(zipf):
    latents = np.array([[0, 1, 2], [0, 2, 1], [0, 0, 1], [1, 1, 1]])
    task = {"n_words": 9, "sentence_length": 3, "n_classes": 4, "word_frequency": zipf(3), "latents": latents}
    below = feature_collapse.predict(**task, weight_decay=1e-3)
    assert below.zero_threshold == zero_threshold(latents, zipf(3), 3)
    assert not below.is_theorem
    above = feature_collapse.predict(**task, weight_decay=below.zero_threshold * 1.001)
    assert above.is_zero
    assert above.is_theorem
    assert above.risk == above.cross_entropy == math.log(4)


def test_one_class_has_nothing_to_learn():
    for layer_norm in (False, True):
        prediction = feature_collapse.predict(n_classes=1, layer_norm=layer_norm)
        assert prediction.is_zero
        assert prediction.is_theorem
        assert prediction.risk == prediction.cross_entropy == 0
        assert prediction.zero_threshold == (None if layer_norm else 0)


def test_numbers_or_latents_are_needed(zipf):
    with pytest.raises(ValueError, match=r"^latents: expected an array \(K, L\), or both"):
        zero_threshold(None, zipf(3), 3, sentence_length=4)
