import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import xarray

from experiments.commands.cli import main
from experiments.feature_collapse.claims.collapse_types import check_setting, compare_configuration
from experiments.feature_collapse.claims.curvature import rotation_directions
from experiments.feature_collapse.claims.integral import sum_over_multisets
from experiments.feature_collapse.claims.optimality import certify_prediction
from experiments.feature_collapse.claims.setting import Setting
from experiments.neural_collapse.claims.factor_collapse import SETTINGS, Factors, check_factors
from experiments.verification import suite
from experiments.verification.claim import FAIL, NOT_APPLICABLE, PASS, compare, must_exceed, not_applicable
from experiments.verification.tolerance import position_tolerance, risk_tolerance
from simlab.exact.minimise import minimise

TINY = Setting(n_concepts=2, ranks=2, length=2, weight_decay=1e-2, law="zipf")


@pytest.mark.quick
def test_a_claim_passes_up_to_its_tolerance_and_no_further():
    assert compare("c", "s", [1.0, 2.0], [1.0, 2.5], 0.5).status == PASS
    failed = compare("c", "s", [1.0, 2.0], [1.0, 2.5], 0.4)
    assert (failed.status, failed.predicted, failed.learned, failed.error) == (FAIL, 2.0, 2.5, 0.5)
    assert compare("c", "s", 1.0, math.nan, math.inf).status == FAIL


@pytest.mark.quick
def test_a_control_fails_where_nothing_differs():
    assert must_exceed("c", "s", 1e-3, 2e-3).status == PASS
    assert must_exceed("c", "s", 1e-3, 1e-4).status == FAIL
    assert must_exceed("c", "s", 1e-3, math.nan).status == FAIL


@pytest.mark.quick
def test_a_claim_that_does_not_apply_names_the_assumption():
    claim = not_applicable("c", "s", "saturated latents")
    assert claim.status == NOT_APPLICABLE
    assert claim.to_json()["predicted"] is None
    assert claim.to_json()["note"] == "saturated latents"
    assert not suite.any_failed([claim])


def test_type_three_is_verified_to_the_last_digits():
    claims = list(check_setting(TINY))
    assert len(claims) == 6
    assert all(claim.status == PASS for claim in claims)
    assert all(claim.tolerance < 1e-9 for claim in claims)


@pytest.mark.quick
def test_a_wrong_prediction_fails():
    """The minimiser of another weight decay, one part in a million off, must not pass."""
    other = replace(TINY, weight_decay=1.000001e-2)
    claims = compare_configuration("wrong", "none", TINY, other.minimum)
    failed = {claim.claim.split(": ")[1] for claim in claims if claim.status == FAIL}
    # Cosines do not depend on the weight decay; distances within a concept are taken between vectors over their norms.
    assert failed == {"word norms", "classifier norms", "within-concept distance", "risk"}


def test_a_solver_that_did_not_converge_fails_its_claims():
    """Whatever its gradient would allow."""
    unfinished = minimise(TINY.risk, max_steps=3)
    assert unfinished.status[unfinished.best] != "converged"
    assert position_tolerance(unfinished) == risk_tolerance(unfinished) == 0.0
    claims = list(compare_configuration("unfinished", "none", TINY, unfinished))
    assert len(claims) == 6
    assert all(claim.status == FAIL for claim in claims)


def test_the_certificate_accepts_the_prediction_and_refuses_a_disturbed_one():
    assert certify_prediction(TINY).gap < 1e-12
    disturbed = certify_prediction(TINY, scale=1.01)
    assert disturbed.gap > disturbed.risk - TINY.prediction.risk > 1e-6


SIGNS = Factors(sizes=(2, 2), decays=(3e-2, 1e-2))


def failures(claims):
    return {claim.claim.split(": ")[-1] for claim in claims if claim.status == FAIL}


def test_factors_are_verified_to_the_last_digits():
    claims = list(check_factors(SIGNS, SIGNS.minimum))
    assert len(claims) == 9
    assert all(claim.status == PASS for claim in claims)
    assert all(0 < claim.tolerance < 1e-9 for claim in claims)


def test_factors_of_another_weight_decay_fail():
    """One part in a million off: directions of factors do not depend on it, and the gap is of second order in it."""
    other = replace(SIGNS, decays=(3.000003e-2, 1e-2))
    assert failures(check_factors(SIGNS, other.minimum)) == {
        "Gram matrix of the features",
        "Gram matrix of the classifier",
        "logits",
        "risk",
        "sigma_max / lam",
    }


def test_a_feature_out_of_its_place_fails():
    """By a millionth: everything that is computed from features."""
    features = SIGNS.minimum.embeddings.copy()
    features[SIGNS.minimum.best, 0] += 1e-6
    assert failures(check_factors(SIGNS, SIGNS.minimum._replace(embeddings=features))) == {
        "Gram matrix of the features",
        "logits",
        "feature minus the mean features of its values",
        "spread of a factor's differences over the other factors",
        "cosine between mean features of two factors",
        "sigma_max / lam",
        "duality gap (nats)",
    }


def test_the_settings_of_factors_are_what_they_say():
    """Every pair of values equally often; of three factors one has vanished; the Latin square is no full factorial."""
    for setting in SETTINGS:
        for f, g in itertools.combinations(range(len(setting.sizes)), 2):
            pairs = setting.sizes[f] * setting.sizes[g]
            counts = np.bincount(setting.sizes[g] * setting.labels[:, f] + setting.labels[:, g], minlength=pairs)
            assert np.all(counts == len(setting.labels) / pairs)
    assert [setting.prediction.vanished.tolist() for setting in SETTINGS] == [
        [False, False],
        [False, False, False],
        [False, False, True],
        [False, False, False],
    ]
    assert [len(setting.labels) for setting in SETTINGS] == [12, 12, 12, 9]


@pytest.mark.quick
@pytest.mark.parametrize(("dim", "rank", "expected"), [(3, 1, 2), (4, 2, 5), (5, 4, 10), (2, 2, 1)])
def test_rotation_directions(dim, rank, expected):
    """The rank of the tangent vectors of all rotations at a random configuration."""
    points = np.random.default_rng(0).normal(size=(6, rank)) @ np.eye(rank, dim)
    tangents = []
    for i, j in itertools.combinations(range(dim), 2):
        generator = np.zeros((dim, dim))
        generator[i, j], generator[j, i] = 1, -1
        tangents.append((points @ generator).ravel())
    assert rotation_directions(dim, rank) == expected == np.linalg.matrix_rank(np.array(tangents))


@pytest.mark.quick
def test_the_sum_over_multisets_is_the_sum_over_sentences():
    gains, frequencies = np.array([0.3, 0.1, 0.7]), np.array([0.5, 0.3, 0.2])
    total = 0.0
    for words in itertools.product(range(3), repeat=4):
        weight = math.prod(frequencies[word] for word in words)
        total += weight * math.log(1 - 0.4 + 0.4 * math.exp(sum(gains[word] for word in words)))
    assert sum_over_multisets(0.4, 4, gains, frequencies) == pytest.approx(total, rel=1e-13)


def test_verify_prints_the_contract(capsys, tmp_path):
    assert main(["verify", "integral", "--json", "--out", str(tmp_path), "--quiet"]) == 0
    claims = json.loads(capsys.readouterr().out)
    assert {"claim", "source", "predicted", "learned", "error", "tolerance", "status"} <= set(claims[0])
    assert {claim["status"] for claim in claims} == {"pass"}
    with xarray.open_dataset(tmp_path / "results.nc") as dataset:
        assert dataset.sizes["claim"] == len(claims)
    assert (tmp_path / "verified_claims.pdf").is_file()


def test_a_failed_claim_sets_the_exit_status(monkeypatch, capsys):
    monkeypatch.setattr(suite, "_check", lambda groups: iter([compare("2 is 3", "none", 3.0, 2.0, 0.1)]))
    assert main(["verify", "integral", "--quiet"]) == 1
    assert "1 claims: 0 pass, 1 fail" in capsys.readouterr().out


@pytest.mark.quick
def test_an_unknown_group_gets_the_nearest(capsys):
    assert main(["verify", "curvatur"]) == 2
    assert "did you mean 'curvature'" in capsys.readouterr().err
