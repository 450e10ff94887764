"""Claims of representation kernels: the descent that they rest on, and that wrong predictions fail."""

import numpy as np
import pytest

from experiments.representation_kernels.claims import suite
from experiments.representation_kernels.claims.descent import descend
from experiments.verification.claim import FAIL, PASS
from theory import representation_kernels as theory

TABLE = np.array([[3.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 4.0]]) / 15


@pytest.mark.parametrize("encoders", [1, 2])
def test_a_descent_ends_where_the_softmax_is_the_law(encoders):
    end = descend(TABLE, 3, encoders)
    conditional = TABLE / TABLE.sum(axis=1, keepdims=True)
    entropy = -np.sum(TABLE * np.log(conditional / TABLE.sum(axis=0)))
    assert end.loss == pytest.approx(entropy + np.log(3), abs=1e-9)
    ratios = np.log(conditional)
    expected = ratios - ratios.mean(axis=0) - ratios.mean(axis=1, keepdims=True) + ratios.mean()
    np.testing.assert_allclose(end.kernel, expected, atol=1e-5)


def test_right_claims_pass():
    assert {claim.status for claim in suite.check_representation_kernels()} == {PASS}


def test_wrong_predictions_fail(monkeypatch):
    learn = theory.learn_table

    def wrong(table, encoders=2):
        right = learn(table, encoders)
        return right._replace(kernel=1.001 * right.kernel, excess=right.excess + 1e-9)

    monkeypatch.setattr(theory, "learn_table", wrong)
    claims = [*suite.check_indefinite(), *suite.check_tables()]
    held = [claim.status for claim in claims if "control" not in claim.claim and "descent" not in claim.claim]
    assert set(held) == {FAIL}


def test_controls_fail_where_there_is_nothing_to_tell_apart(monkeypatch):
    monkeypatch.setattr(suite, "TOO_FEW", 12)
    table = suite.ring_table
    monkeypatch.setattr(suite, "ring_table", lambda window, block=1: table("exponential", block))
    claims = [*suite.check_encoders(), *suite.check_indefinite()]
    assert {claim.status for claim in claims if "control" in claim.claim} == {FAIL}
