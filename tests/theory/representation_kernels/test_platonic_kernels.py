"""PMI kernels of a ring against matrices of all pairs, and the theorem against direct minimisation of InfoNCE."""

import re

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import representation_kernels as theory

EVENTS = 12


def joint(window="exponential", width=2.0, floor=0.05, n=EVENTS):
    """The probabilities of all pairs, by their definition."""
    distance = np.abs(np.arange(n)[:, None] - np.arange(n))
    distance = np.minimum(distance, n - distance)
    reach = np.exp(-distance / width) if window == "exponential" else np.exp(-(distance**2) / (2 * width**2))
    return (1 - floor) * reach / reach.sum() + floor / n**2


def pmi(pairs):
    return np.log(pairs / np.outer(pairs.sum(axis=1), pairs.sum(axis=0)))


def alignment(first, second):
    centring = np.eye(len(first)) - 1 / len(first)
    first, second = centring @ first @ centring, centring @ second @ centring
    return np.sum(first * second) / np.linalg.norm(first) / np.linalg.norm(second)


@pytest.mark.parametrize("window", ["exponential", "gaussian"])
@pytest.mark.parametrize("block", [1, 2, 3, 4, 6])
def test_rows_give_what_matrices_give(window, block):
    pairs = joint(window)
    members = np.kron(np.eye(EVENTS // block), np.ones((block, 1)))
    coarse = members.T @ pairs @ members
    kernel, coarse_kernel = pmi(pairs), pmi(coarse)
    prediction = theory.predict(events=EVENTS, blocks=block, window=window)
    assert prediction.cka == pytest.approx(alignment(kernel, members @ coarse_kernel @ members.T), abs=1e-13)
    assert prediction.mutual_information == pytest.approx(np.sum(pairs * kernel), abs=1e-14)
    assert prediction.block_information == pytest.approx(np.sum(coarse * coarse_kernel), abs=1e-14)
    assert prediction.block_information <= prediction.mutual_information + 1e-14
    least = []
    for one in (kernel, coarse_kernel):
        basis = np.linalg.svd(np.ones((1, len(one))))[2][1:]
        least.append(np.linalg.eigvalsh(basis @ one @ basis.T)[0])
    holds = (prediction.positive_semidefinite, prediction.blocks_positive_semidefinite)
    assert holds == tuple(value > -1e-12 for value in least)
    assert bool(prediction.note) != all(holds)
    assert holds[0] == (window == "exponential")


def test_sides_of_a_pair_may_show_blocks_of_different_sizes():
    members = np.kron(np.eye(4), np.ones((3, 1)))
    pairs = joint()
    mixed = members.T @ pairs
    prediction = theory.predict(events=EVENTS, blocks=3, partner_blocks=1)
    assert prediction.block_information == pytest.approx(np.sum(mixed * pmi(mixed)), abs=1e-14)
    assert prediction.cka == pytest.approx(alignment(members @ pmi(mixed), pmi(pairs)), abs=1e-13)
    same = theory.predict(events=EVENTS, blocks=3, partner_blocks=3)
    assert same.to_json() == theory.predict(events=EVENTS, blocks=3).to_json()


def test_equal_views_are_alike_and_coarser_ones_less():
    values = [theory.predict(events=EVENTS, blocks=block).cka for block in (1, 2, 3, 4, 6)]
    assert values[0] == pytest.approx(1, abs=1e-14)
    assert np.all(np.diff(values) < 0)


@pytest.mark.parametrize("window", ["exponential", "gaussian"])
def test_two_encoders_learn_the_kernel_and_lose_the_log_count_less_the_information(window):
    """InfoNCE over all scores, as two encoders of enough dimensions reach every matrix of scores."""
    n = 6
    pairs = joint(window, n=n)

    def loss(point):
        scores = point.reshape(n, n)
        softmax = np.exp(scores - scores.max(axis=1, keepdims=True))
        softmax /= softmax.sum(axis=1, keepdims=True)
        rows = pairs.sum(axis=1, keepdims=True)
        return -np.sum(pairs * np.log(softmax)), (rows * softmax - pairs).ravel()

    start = np.random.default_rng(0).normal(size=n * n)
    end = minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-10, "maxiter": 2000})
    learned, prediction = end.x.reshape(n, n), theory.predict(events=n, blocks=1, window=window)
    assert end.fun == pytest.approx(np.log(n) - prediction.mutual_information, abs=1e-12)
    assert prediction.loss == pytest.approx(np.log(n) - prediction.mutual_information, abs=1e-14)
    # Up to a constant per row. A slope of 1e-8 over a curvature of at least p_ij > 0.004 leaves 1e-5.
    difference = learned - pmi(pairs)
    np.testing.assert_allclose(difference, np.tile(difference.mean(axis=1, keepdims=True), n), atol=1e-5)


def test_one_encoder_falls_short_exactly_where_pmi_is_not_semidefinite():
    n, excesses = 6, []
    for window in ("exponential", "gaussian"):
        pairs = joint(window, n=n)

        def loss(point, pairs=pairs):
            vectors = point.reshape(n, n)
            scores = vectors @ vectors.T
            log_sums = np.log(np.sum(np.exp(scores), axis=1))
            softmax = np.exp(scores - log_sums[:, None])
            error = softmax / n - pairs
            return log_sums.mean() - np.sum(pairs * scores), ((error + error.T) @ vectors).ravel()

        starts = np.random.default_rng(0).normal(size=(3, n * n))
        options = {"ftol": 0, "gtol": 1e-9, "maxiter": 5000}
        least = min(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).fun for start in starts)
        prediction = theory.predict(events=n, blocks=1, window=window)
        excesses.append((prediction.positive_semidefinite, least - np.log(n) + prediction.mutual_information))
    (first, none), (second, some) = excesses
    assert (first, second) == (True, False)
    assert abs(none) < 1e-7
    assert some > 1e-4


def test_many_events_need_no_matrix():
    prediction = theory.predict(events=1_000_000, blocks=1000, width=500)
    assert 0 < prediction.cka < 1


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"blocks": 5}, "blocks: expected a divisor of events=12 below it, got 5"),
        ({"blocks": 12}, "blocks: expected a divisor of events=12 below it, got 12"),
        ({"blocks": 0}, "blocks: expected at least 1, got 0"),
        ({"events": 2}, "events: expected at least 3, got 2"),
        ({"width": 0}, "width: expected a positive finite number, got 0"),
        ({"width": 1e-3, "floor": 0}, "width: expected a window that leaves no event without a partner, got 0.001"),
        (
            {"width": 0.1, "floor": 0, "window": "gaussian", "events": 90},
            "floor: expected a positive share, as distant events never co-occur with width=0.1",
        ),
        ({"floor": 1}, "floor: expected a number in [0, 1), got 1"),
        ({"partner_blocks": 5}, "partner_blocks: expected a divisor of events=12 below it, got 5"),
        (
            {"partner_blocks": 1, "encoders": 1},
            "encoders: expected 2, as both sides of a pair do not show the same, got 1",
        ),
        (
            {"partner_blocks": 1, "events": 6000},
            "events: expected at most 4096 with partner_blocks=1, got 6000",
        ),
        ({"window": "flat"}, "window: expected one of exponential, gaussian, got 'flat'"),
    ],
)
def test_bad_input_is_one_line(changes, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        theory.predict(**changes)
