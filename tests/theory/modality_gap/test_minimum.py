"""Threshold, least loss and gaps of minimisers against a direct minimisation, and what is refused."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from theory import modality_gap as theory

pytestmark = pytest.mark.quick

EPS = float(np.finfo(float).eps)


def loss_by_hand(images, texts, mismatch, beta):
    """The symmetric loss, one cross-entropy at a time."""
    size, total = len(images), 0.0
    for i in range(size):
        for first, second in ((images, texts), (texts, images)):
            scores = [beta * first[i] @ other for other in second]
            log_sum = math.log(sum(math.exp(score) for score in scores))
            for j, score in enumerate(scores):
                total += (1 - mismatch if i == j else mismatch / (size - 1)) * (log_sum - score) / 2
    return total / size


def unit(rng, *shape):
    vectors = rng.normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.mark.parametrize(("n_pairs", "mismatch"), [(2, 0.3), (3, 0.6), (16, 0.1)])
def test_the_threshold_is_the_minimum_of_the_loss_of_equal_margins(n_pairs, mismatch):
    lowest = minimize_scalar(
        lambda z: float(theory.margin_loss(n_pairs, mismatch, z)), bounds=(0, 20), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    # of a parabola with values of rounding eps the place is known to sqrt(eps)
    assert theory.threshold(n_pairs, mismatch) == pytest.approx(lowest.x, abs=1e-6)
    above = theory.minimal_loss(n_pairs, mismatch, 50.0)
    assert above == pytest.approx(lowest.fun, rel=1e-14)
    entropy = -(1 - mismatch) * math.log(1 - mismatch) - mismatch * math.log(mismatch / (n_pairs - 1))
    assert above == pytest.approx(entropy, rel=1e-13)


def test_without_mismatch_there_is_no_threshold_and_the_gap_closes():
    assert theory.threshold(16, 0.0) == math.inf
    assert theory.largest_gap(16, 0.0, 100.0) == 0.0
    assert theory.minimal_loss(16, 0.0, 2.0) == pytest.approx(math.log1p(15 * math.exp(-32 / 15)), rel=1e-14)


def test_near_the_largest_mismatch_the_threshold_vanishes():
    excess = 1e-9
    # log((1 - eps)(N - 1)/eps) at eps = 1 - 1/N - x is x N^2/(N - 1) to first order
    assert theory.threshold(4, 0.75 - excess) == pytest.approx(0.75 * excess * 16 / 3, rel=1e-6)


def test_the_loss_is_the_one_by_hand():
    rng = np.random.default_rng(0)
    images, texts = unit(rng, 4, 3), unit(rng, 4, 3)
    embeddings = theory.embeddings_of_gap(4, 0.2, 10.0, 0.3)._replace(images=images, texts=texts)
    assert theory.embeddings_loss(embeddings, 0.2, 3.0) == pytest.approx(loss_by_hand(images, texts, 0.2, 3.0))


@pytest.mark.parametrize("n_pairs", [2, 3, 6, 7])
def test_symmetric_embeddings_are_a_simplex_and_a_shift(n_pairs):
    images, texts = theory.symmetric_embeddings(n_pairs, 1.2)
    np.testing.assert_allclose(
        images @ images.T, 0.64 * (np.eye(n_pairs) * n_pairs - 1) / (n_pairs - 1) + 0.36, atol=1e-15
    )
    np.testing.assert_allclose(texts[:, :-1], images[:, :-1])
    assert theory.gap_of(theory.symmetric_embeddings(n_pairs, 1.2)) == pytest.approx(1.2)


@pytest.mark.parametrize("n_pairs", [4, 5, 8])
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_minimisers_have_every_gap_up_to_the_largest(n_pairs, share):
    mismatch, beta = 0.1, 3 * theory.threshold(n_pairs, 0.1)
    gap = share * theory.largest_gap(n_pairs, mismatch, beta)
    images, texts = embeddings = theory.embeddings_of_gap(n_pairs, mismatch, beta, gap)
    for side in (images, texts):
        np.testing.assert_allclose(np.linalg.norm(side, axis=1), 1, atol=64 * EPS)
    assert theory.gap_of(embeddings) == pytest.approx(gap, abs=64 * EPS)
    assert loss_by_hand(images, texts, mismatch, beta) == pytest.approx(
        theory.minimal_loss(n_pairs, mismatch, beta), abs=64 * EPS * beta
    )


def test_no_unit_vectors_are_below_the_minimum_or_above_the_bound_on_the_gap():
    """Random vectors, and the end of a minimisation over five in three dimensions, where the simplex does not fit."""
    rng = np.random.default_rng(1)
    for beta in (1.0, 6.0):
        for _ in range(50):
            images = unit(rng, 5, 3)
            texts = images + rng.uniform(0, 3) * rng.normal(size=(1, 3))
            texts /= np.linalg.norm(texts, axis=1, keepdims=True)
            embeddings = theory.symmetric_embeddings(5, 0.0)._replace(images=images, texts=texts)
            margin = theory.mean_margin(embeddings, beta)
            assert theory.gap_of(embeddings) <= 2 * math.sqrt(1 - margin / (1.25 * beta)) + 1e-12
            assert theory.embeddings_loss(embeddings, 0.1, beta) >= theory.margin_loss(5, 0.1, margin / 1.25) - 1e-12

    def objective(point):
        images, texts = point.reshape(2, 5, 3)
        images, texts = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (images, texts))
        return loss_by_hand(images, texts, 0.1, 1.0)

    end = minimize(objective, rng.normal(size=30))
    assert end.fun > theory.minimal_loss(5, 0.1, 1.0) + 1e-3


def test_cosines_of_the_branch_are_those_of_its_embeddings():
    n_pairs, mismatch = 6, 0.2
    edge = theory.mixed_threshold(n_pairs, mismatch)
    for beta, is_found in ((0.999 * edge, 1.0), (1.001 * edge, 0.0)):
        gap = theory.largest_gap(n_pairs, mismatch, beta)
        images, texts = theory.symmetric_embeddings(n_pairs, gap)
        cosines = theory.branch_cosines(n_pairs, gap)
        assert cosines.matched == pytest.approx(images[0] @ texts[0])
        assert cosines.unmatched == pytest.approx(images[0] @ texts[1])
        assert cosines.within == pytest.approx(images[0] @ images[1])
        assert cosines.mixed_retrieval == is_found
        centred = theory.branch_cosines(n_pairs, gap, is_centred=True)
        images, texts = (side - side.mean(axis=0) for side in (images, texts))
        norm = np.linalg.norm(images[0])
        assert centred.matched == pytest.approx(images[0] @ texts[0] / norm**2)
        assert centred.within == pytest.approx(images[0] @ images[1] / norm**2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.threshold(1, 0.1), "n_pairs: expected at least 2, got 1"),
        (lambda: theory.threshold(4, 0.75), r"mismatch: expected a number in \[0, 0.75\), 1 - 1/n_pairs, got 0.75"),
        (lambda: theory.threshold(4, -0.1), r"mismatch: expected a number in \[0, 1\), got -0.1"),
        (lambda: theory.minimal_loss(4, 0.1, 0.0), "inverse_temperature: expected a positive finite number, got 0.0"),
        (lambda: theory.embeddings_of_gap(3, 0.1, 9.0, 0.1), "n_pairs: expected at least 4, got 3"),
        (lambda: theory.embeddings_of_gap(4, 0.1, 5.0, 1.9), "gap: expected a number from 0 to"),
        (lambda: theory.embeddings_of_gap(4, 0.1, 0.5, 0.0), "gap: expected a number from 0 to 0 at beta >="),
    ],
)
def test_what_is_out_of_range_is_one_line(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
