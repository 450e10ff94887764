"""Flow, end points, decay and random towers against steps of descent, quadrature and sampling."""

import math

import numpy as np
import pytest

from theory import modality_gap as theory

pytestmark = pytest.mark.quick

N_PAIRS, STEP = 4, 1e-6


def numerical_flow(mismatch, beta, gap, *, rate, temperature_rate, n_steps):
    """Descent with small steps along numerical gradients of the loss in the embeddings' angle and in log(beta).

    The loss on the family is that of its embeddings; all 2 N share the angle: each moves with 1/(2 N) of its slope.
    """
    angle, s = math.asin(gap / 2), math.log(beta)

    def loss(angle, s):
        embeddings = theory.symmetric_embeddings(N_PAIRS, 2 * math.sin(angle))
        return theory.embeddings_loss(embeddings, mismatch, math.exp(s))

    for _ in range(n_steps):
        by_angle = (loss(angle + STEP, s) - loss(angle - STEP, s)) / (2 * STEP)
        by_s = (loss(angle, s + STEP) - loss(angle, s - STEP)) / (2 * STEP)
        angle, s = angle - rate * by_angle / (2 * N_PAIRS), s - temperature_rate * by_s
    return 2 * math.sin(angle), math.exp(s)


@pytest.mark.parametrize("mismatch", [0.0, 0.2])
def test_the_flow_is_the_limit_of_small_steps(mismatch):
    ends = []
    for n_steps in (50, 100, 200):
        rates = {"rate": 20 / n_steps, "temperature_rate": 4 / n_steps}
        ends.append(numerical_flow(mismatch, 2.0, 1.2, n_steps=n_steps, **rates))
    coarse, limit = 2 * np.array(ends[1]) - np.array(ends[0]), 2 * np.array(ends[2]) - np.array(ends[1])
    flow = theory.follow_flow(
        np.array([0.0, 20.0]), N_PAIRS, mismatch, 2.0, 1.2, learning_rate=1.0, temperature_rate=0.2
    )
    # what is left of the error is below the change of the extrapolation, as it falls by four
    np.testing.assert_array_less(
        np.abs(np.array([flow.gap[-1], flow.inverse_temperature[-1]]) - limit), np.abs(limit - coarse) + 1e-7
    )
    assert flow.loss[0] == pytest.approx(
        theory.embeddings_loss(theory.symmetric_embeddings(N_PAIRS, 1.2), mismatch, 2.0), rel=1e-12
    )


@pytest.mark.parametrize(
    ("beta", "gap", "exponent", "clip"),
    [(2.0, 1.2, 1.0, None), (2.0, 1.2, 0.3, None), (9.0, 0.4, 2.0, None), (1.0, 0.5, 1.0, 1.5), (2.0, 1.9, 1.0, 2.8)],
)
def test_the_flow_ends_where_it_is_to_end(beta, gap, exponent, clip):
    flow = theory.follow_flow(
        np.array([0.0, 50.0, 4000.0]), N_PAIRS, 0.2, beta, gap, learning_rate=1.0,
        temperature_rate=1 / (N_PAIRS * exponent), clip=clip,
    )  # fmt: skip
    end = theory.end_point(N_PAIRS, 0.2, beta, gap, exponent=exponent, clip=clip)
    assert (flow.inverse_temperature[-1], flow.gap[-1]) == pytest.approx(end, abs=1e-6)
    if clip is None:
        assert end[1] * end[0] ** exponent == pytest.approx(gap * beta**exponent, rel=1e-12)
        assert end[0] * (1 - end[1] ** 2 / 4) == pytest.approx(theory.threshold(N_PAIRS, 0.2), rel=1e-12)
    else:
        assert end == (clip, theory.largest_gap(N_PAIRS, 0.2, clip))


def test_the_general_exponent_has_the_closed_form_as_its_limit():
    closed = theory.end_point(16, 0.1, 2.0, 1.2)
    assert theory.end_point(16, 0.1, 2.0, 1.2, exponent=1 + 1e-9) == pytest.approx(closed, rel=1e-7)
    critical = theory.threshold(16, 0.1)
    assert closed[0] == pytest.approx((critical + math.sqrt(critical**2 + 4 * 1.2**2)) / 2)
    assert theory.end_point(16, 0.1, 2.0, 0.0) == (critical, 0.0)
    assert theory.end_point(16, 0.0, 2.0, 1.2) == (math.inf, 0.0)
    assert theory.end_point(16, 0.0, 2.0, 1.2, clip=50.0) == (50.0, 0.0)


@pytest.mark.parametrize(("mismatch", "beta"), [(0.0, 3.0), (0.2, 1.0), (0.2, 4.0)])
def test_a_small_gap_decays_at_the_rate_of_the_flow(mismatch, beta):
    rate = theory.decay_rate(N_PAIRS, mismatch, beta, 0.7)
    flow = theory.follow_flow(np.array([0.0, 0.5]), N_PAIRS, mismatch, beta, 1e-3, learning_rate=0.7)
    # the next term is of the order of the squared gap
    assert -math.log(flow.gap[-1] / flow.gap[0]) / 0.5 == pytest.approx(rate, rel=1e-5)
    assert (rate > 0) == (beta < theory.threshold(N_PAIRS, mismatch))


def test_the_cosine_of_a_layer_is_that_of_many_random_units():
    rng, n_units, cosine = np.random.default_rng(0), 400_000, 0.3
    first, other = rng.normal(size=(2, n_units))
    second = cosine * first + math.sqrt(1 - cosine**2) * other
    products = 2 * np.maximum(first, 0) * np.maximum(second, 0)
    error = 5 * products.std() / math.sqrt(n_units)
    assert float(theory.tower_cosine(cosine, 1)) == pytest.approx(products.mean(), abs=error)
    assert theory.tower_cosine(np.array([1.0, -1.0]), 1) == pytest.approx([1.0, 0.0])


def test_the_initial_gap_rises_from_that_of_independent_vectors_to_two_points():
    assert theory.initial_gap(64, 0) == pytest.approx(math.sqrt(2 / 64))
    assert theory.initial_gap(64, 1) == pytest.approx(math.sqrt(2 * (1 / 64 + 63 / 64 / math.pi)))
    assert theory.initial_gap(64, 5000) == pytest.approx(math.sqrt(2), abs=1e-4)


@pytest.mark.parametrize("input_dim", [1, 2, 3, 8])
def test_the_mean_over_isotropic_inputs_is_that_of_samples(input_dim):
    rng = np.random.default_rng(input_dim)
    pair = rng.normal(size=(2, 100_000, input_dim))
    cosines = np.sum(pair[0] * pair[1], axis=1) / np.prod(np.linalg.norm(pair, axis=2), axis=0)
    values = theory.tower_cosine(cosines, 2)
    expected = math.sqrt(2 * (0.1 + 0.9 * values.mean()))
    error = 5 * 0.9 * values.std() / math.sqrt(100_000) / expected
    assert theory.initial_gap(10, 2, input_dim) == pytest.approx(expected, abs=error)


def test_what_is_out_of_range_is_one_line():
    for call, message in (
        (lambda: theory.end_point(4, 0.1, 2.0, 2.0), r"initial_gap: expected a number in \[0, 2\), got 2"),
        (
            lambda: theory.end_point(4, 0.1, 2.0, 1.0, clip=1.0),
            "clip: expected at least the inverse temperature of the",
        ),
        (lambda: theory.initial_gap(4, -1), "depth: expected at least 0, got -1"),
        (lambda: theory.predict(clip=9.0), "clip: expected none with a fixed inverse temperature, got 9"),
        (lambda: theory.predict(learnable=True), r"initial_gap: expected a number in \[0, 2\) with a learnable"),
        (lambda: theory.predict(input_dim=3), "input_dim: expected none without depth, got 3"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            call()


def test_a_prediction_says_what_it_is():
    fixed = theory.predict()
    assert fixed.to_json()["gap"] == theory.largest_gap(16, 0.1, 6.0)
    assert "bounds the gap by this value" in fixed.note
    assert repr(fixed).startswith("threshold: 4.5987 (theorem")
    endless = theory.predict(mismatch=0.0, learnable=True, initial_gap=1.0, depth=1)
    values = endless.to_json()
    assert values["threshold"] is None
    assert values["final_inverse_temperature"] is None
    assert values["final_gap"] == values["loss"] == 0
    assert values["initial_tower_gap"] == theory.initial_gap(16, 1)
    assert "infinite" in endless.note
    assert "log t" in endless.note
