"""The claims on norm and variance hold, and fail where they should."""

import numpy as np

from experiments.norm_and_variance import moments_precision, variance_formulas
from experiments.norm_and_variance.claims import identities, precision
from experiments.norm_and_variance.claims.suite import check_norm_and_variance
from simlab.sweeps.measurements import Measurement


def test_all_claims_hold():
    claims = list(check_norm_and_variance())
    assert [one.claim for one in claims if one.status != "pass"] == []
    assert len({one.claim for one in claims}) == len(claims) >= 40
    assert sum(one.claim.startswith("control") for one in claims) == 8


def test_a_biased_variance_fails(monkeypatch):
    unbiased = variance_formulas.compensated_merge
    monkeypatch.setattr(variance_formulas, "compensated_merge", lambda *args: unbiased(*args) * (1 + 2e-5))
    statuses = [one.status for one in precision.check_precision()]
    assert statuses == ["fail", "pass", "pass", "pass"]


def test_tokens_off_the_sphere_fail(monkeypatch):
    draw = identities.draw_occurrences

    def draw_badly(normalised, epsilon=0.0):
        data = draw(normalised, epsilon)
        rng = np.random.default_rng(3)
        return data._replace(vectors=data.vectors * rng.uniform(0.99, 1.01, size=(len(data.vectors), 1)))

    monkeypatch.setattr(identities, "draw_occurrences", draw_badly)
    failed = [one.claim for one in identities.check_identities() if one.status == "fail"]
    assert "LayerNorm: corr(M, V)" in failed
    assert "Q = M + V for each token, LayerNorm" not in failed  # holds for any data


def test_errors_of_five_ways_are_measured_and_predicted():
    choices = moments_precision.PrecisionConfiguration(mean_ratio=1e4, n_vectors=2048, dim=8)
    prediction = moments_precision.predict(choices)
    errors = moments_precision.measure(Measurement(choices, 0), None, prediction).quantities
    assert errors.keys() == moments_precision.QUANTITIES.keys()
    assert errors["compensated"] < 1e-6 < 1e-5 < errors["difference"]
    assert errors["difference"] < 50 * prediction.quantities["difference"]
