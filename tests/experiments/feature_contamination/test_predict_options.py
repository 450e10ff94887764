"""``simlab predict feature-contamination``: what Python returns, the table, and bad options."""

import json

import pytest

from experiments.commands.cli import main
from theory import feature_contamination

pytestmark = pytest.mark.quick


def printed(capsys, options):
    assert main(["predict", "feature-contamination", *options.split()]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "task"),
    [
        ("", {}),
        ("--core-features 8 --leaky-slope 0.1", {"core_features": 8, "leaky_slope": 0.1}),
        ("--background-mean 0.2 --background-deviation 0.1", {"background_mean": 0.2, "background_deviation": 0.1}),
        ("--core-mean 1 --strength-deviation 0.1", {"core_mean": 1.0, "strength_deviation": 0.1}),
    ],
)
def test_json_is_what_python_returns(capsys, options, task):
    expected = feature_contamination.predict(**{"core_features": 32, "background_features": 32} | task).to_json()
    assert json.loads(printed(capsys, f"{options} --json")) == expected


def test_the_table_leaves_out_a_law_that_does_not_apply(capsys):
    lines = [line.split() for line in printed(capsys, "").splitlines()]
    assert [line[0] for line in lines] == ["ratio", "ood_accuracy", "one_line_law", "basis", "note"]
    assert float(lines[0][1]) == pytest.approx(0.8265, abs=5e-5)
    assert "one_line_law" not in printed(capsys, "--leaky-slope 0.5")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--leaky-slope 2", "leaky_slope: expected a number in [0, 1], got 2.0"),
        ("--leaky-slope -0.1", "leaky_slope: expected a number in [0, 1], got -0.1"),
        ("--strength-deviation 0", "strength_deviation: expected a positive finite number, got 0.0"),
        ("--core-features 0", "core_features: expected at least 1, got 0"),
        ("--core-mean 0", "core_mean: expected a positive finite number, got 0.0"),
    ],
)
def test_bad_options_are_one_line(capsys, options, line):
    assert main(["predict", "feature-contamination", *options.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"
