"""``simlab predict superposition``: what Python returns, the table, and bad options."""

import json

import pytest

from experiments.commands.cli import main
from theory import superposition

pytestmark = pytest.mark.quick


def printed(capsys, options):
    assert main(["predict", "superposition", *options.split()]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "task"),
    [
        ("", {}),
        ("--n-features 2 --n-hidden 1 --importance 1,0.3", {"n_features": 2, "n_hidden": 1, "importance": (1, 0.3)}),
        ("--n-features 60 --n-hidden 20", {"n_features": 60, "n_hidden": 20}),
        ("--nonlinearity linear", {"nonlinearity": "linear"}),
    ],
)
def test_json_is_what_python_returns(capsys, options, task):
    expected = superposition.predict(**{"n_features": 5, "n_hidden": 2, "active_probability": 0.1} | task).to_json()
    values = json.loads(printed(capsys, f"{options} --json"))
    task_of_values = values.pop("task")
    assert values == expected
    assert superposition.predict(**task_of_values).to_json() == expected, "the task is what predict takes"


def test_the_table_has_a_line_for_features_of_the_same_numbers(capsys):
    lines = printed(capsys, "--active-probability 0.5").splitlines()
    assert lines[0] == "task: n_features=5 n_hidden=2 active_probability=0.5 importance=1 nonlinearity=relu"
    assert lines[2].split(maxsplit=1) == ["geometry", "2 antipodal pairs, 1 dropped"]
    assert [line.split()[:3] for line in lines[-2:]] == [["1", "to", "4"], ["5", "no", "0"]]


def test_without_a_prediction_the_table_says_why(capsys):
    shown = printed(capsys, "--n-features 60 --n-hidden 20")
    assert "no prediction" in shown
    assert "more than two features per dimension" in shown
    assert "nan" not in shown


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--active-probability 0", "active_probability: expected a number in (0, 1], got 0.0"),
        ("--active-probability 2", "active_probability: expected a number in (0, 1], got 2.0"),
        (
            "--n-features 2 --n-hidden 3",
            "n_features: expected at least n_hidden=3, got 2: with fewer features than dimensions there is nothing to "
            "superpose",
        ),
        ("--n-hidden 0", "n_hidden: expected at least 1, got 0"),
        ("--importance 1,0.3", "importance: expected 5 numbers, one for each feature, got 2"),
        ("--importance 1,1,1,1,-1", "importance: expected a positive finite number, got -1.0"),
        ("--importance much", "importance: expected numbers separated by commas, got 'much'"),
        ("--importance 1,much", "importance: expected numbers separated by commas, got 'much'"),
        ("--n-features 100000000", "n_features: expected at most 500000 with n_hidden=2, got 100000000"),
    ],
)
def test_bad_options_are_one_line(capsys, options, line):
    assert main(["predict", "superposition", *options.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"
