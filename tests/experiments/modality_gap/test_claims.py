"""Claims of the modality gap: their oracle, and that wrong predictions fail."""

import numpy as np
import pytest

from experiments.modality_gap.claims import course, floor, towers
from experiments.modality_gap.claims.minimum import loss_and_gradients, random_cones
from experiments.verification.claim import FAIL, PASS
from theory import modality_gap as theory


def test_the_gradients_are_slopes_of_the_loss_of_theory():
    vectors, beta, step = random_cones(4, 3, 0.8, 0), 2.5, 1e-6

    def loss(vectors, beta):
        unit = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
        embeddings = theory.symmetric_embeddings(4, 0.0)._replace(images=unit[0], texts=unit[1])
        return theory.embeddings_loss(embeddings, 0.2, beta)

    value, gradient, by_log_beta = loss_and_gradients(vectors, 0.2, beta)
    assert value == pytest.approx(loss(vectors, beta), rel=1e-13)
    for place in ((0, 0, 0), (1, 2, 1), (0, 3, 2)):
        shift = np.zeros_like(vectors)
        shift[place] = step
        slope = (loss(vectors + shift, beta) - loss(vectors - shift, beta)) / (2 * step)
        assert slope == pytest.approx(gradient[place], abs=1e-8)
    slope = (loss(vectors, beta * np.exp(step)) - loss(vectors, beta * np.exp(-step))) / (2 * step)
    assert slope == pytest.approx(by_log_beta, abs=1e-8)


def statuses(claims):
    return [claim.status for claim in claims if "control" not in claim.claim]


def test_right_predictions_pass_and_wrong_ones_fail(monkeypatch):
    monkeypatch.setattr(floor, "SPREADS", (0.3,))
    assert set(statuses(floor._check_task(3, 0.1))) == {PASS}
    monkeypatch.setattr(theory, "minimal_loss", lambda *task: theory.margin_loss(*task[:2], task[2]))
    monkeypatch.setattr(theory, "largest_gap", lambda *task: 0.2)
    checked = statuses(floor._check_task(3, 0.1))
    assert checked[0] == FAIL, "above the threshold the loss of a closed gap is not the least"
    assert checked[2] == FAIL, "gaps above a too small bound"


def test_a_wrong_end_and_a_wrong_rate_fail(monkeypatch):
    monkeypatch.setattr(course, "N_PAIRS", 4)
    end, rate = theory.end_point, theory.decay_rate
    assert set(statuses(course._check_decay())) == {PASS}
    monkeypatch.setattr(theory, "end_point", lambda *task, **more: tuple(1.01 * x for x in end(*task, **more)))
    monkeypatch.setattr(theory, "decay_rate", lambda *task: 1.001 * rate(*task))
    assert set(statuses(course._check_decay())) == {FAIL}
    monkeypatch.setattr(course, "RATES", (0.32, 0.16, 0.08))
    assert statuses(course._check_product()).count(FAIL) >= 4


def test_towers_of_another_depth_fail(monkeypatch):
    monkeypatch.setattr(towers, "N_DRAWS", 4)
    right = theory.initial_gap
    monkeypatch.setattr(theory, "initial_gap", lambda n, depth, dim: right(n, depth + 1, dim))
    assert FAIL in statuses(towers.check_towers())
