"""The finite-size ladder: exact power laws, means of draws whose rate is 1/2, and what is refused."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import linregress, t

from experiments import (
    Configuration,
    Experiment,
    Measured,
    Phenomenon,
    Prediction,
    Quantity,
    Regime,
    Variable,
    main,
    option,
    standard_comparison,
)
from simlab.metrics.power_law import fit_rate
from simlab.storage.results import load_dataset

SIZES = np.array([16.0, 64.0, 256.0, 1024.0, 4096.0])


def test_an_exact_power_law_is_found():
    rate = fit_rate(SIZES, 3 * SIZES**-0.75)
    assert rate == pytest.approx((0.75, 0.0, 3.0), abs=1e-12)


def test_the_interval_is_that_of_linear_regression():
    errors = SIZES**-0.5 * np.exp(np.random.default_rng(0).normal(size=5) / 5)
    fitted = linregress(np.log(SIZES), np.log(errors))
    rate = fit_rate(SIZES, errors)
    assert (rate.exponent, rate.prefactor) == pytest.approx((-fitted.slope, np.exp(fitted.intercept)), rel=1e-12)
    assert rate.half_width == pytest.approx(t.ppf(0.975, 3) * fitted.stderr, rel=1e-10)


def test_zero_and_missing_errors_are_left_out():
    errors = np.array([1.0, 0.5, 0.0, np.nan, 1 / 16])
    assert fit_rate(SIZES, errors) == fit_rate(SIZES[[0, 1, 4]], errors[[0, 1, 4]])
    assert np.isnan(fit_rate(SIZES[:2], errors[:2]).exponent)


@dataclass(frozen=True, kw_only=True)
class Draws(Configuration):
    """How many numbers are drawn."""

    size: int = option(1000, "numbers drawn")


def mean_of_draws(member, run, prediction):
    """Return the mean, and a quantity that is predicted without error."""
    drawn = np.random.default_rng(member.seed).standard_normal(member.subject.size)
    return Measured(quantities={"mean": drawn.mean(), "exact": 0.0}, arrays={"draws": drawn[:3]})


NOTHING = {"mean": 0.0, "exact": 0.0}
MEASUREMENT = Experiment(
    name="mean-of-draws",
    summary="a measurement without training",
    regimes=(Regime("normal", "", Draws()),),
    phenomenon=Phenomenon(
        name="mean-of-draws",
        configuration=Draws,
        predict=lambda choices: Prediction(basis="theorem", quantities=NOTHING, arrays={"draws": np.zeros(3)}),
        load_comparison=lambda: standard_comparison(
            quantities={name: Quantity(label=name, headline="compared") for name in NOTHING},
            arrays={"draws": Variable(("draw",), "first draws")},
            measure=mean_of_draws,
        ),
    ),
    seeds={"quick": 64},
)
LADDER = ["--ladder", "size=16,64,256,1024,4096", "--quiet", "--out"]


def test_the_mean_of_draws_falls_like_the_root(tmp_path, capsys):
    assert main(MEASUREMENT, [*LADDER, str(tmp_path)]) == 0
    assert "|learned - predicted| ~ size^-r" in capsys.readouterr().out
    dataset = load_dataset(tmp_path).isel(regime=0)
    # The root mean square of 64 seeds has a relative error of 128^-1/2, the slope one of 0.020; five of these.
    assert dataset.ladder_exponent.sel(quantity="mean").item() == pytest.approx(0.5, abs=0.1)
    assert np.isnan(dataset.ladder_exponent.sel(quantity="exact").item())
    assert (tmp_path / "ladder.pdf").is_file()


def test_a_sweep_without_the_ladder_is_another_run(tmp_path, capsys):
    words = ["--seeds", "2", "--no-figures"]
    assert main(MEASUREMENT, ["--vary", "size=16,64,256", "--quiet", "--out", str(tmp_path), *words]) == 0
    assert main(MEASUREMENT, ["--ladder", "size=16,64,256", "--quiet", "--out", str(tmp_path), *words]) == 2
    assert "ladder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("size=16,64", "ladder: expected at least 3 positive numbers, got '16,64'"),
        ("sizes=16,64,256", "vary: expected one of "),
        ("optimizer=sgd,adam,lbfgs", "ladder: expected at least 3 positive numbers, got 'sgd,adam,lbfgs'"),
    ],
)
def test_what_is_no_ladder_is_refused_in_one_line(axis, message, tmp_path, capsys):
    assert main(MEASUREMENT, ["--ladder", axis, "--out", str(tmp_path / "none")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "none").exists()
