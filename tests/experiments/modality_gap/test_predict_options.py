"""``simlab predict modality-gap``: what Python returns, the table, and bad options."""

import json

import pytest

from experiments.commands.cli import main
from theory import modality_gap

pytestmark = pytest.mark.quick


def printed(capsys, options):
    assert main(["predict", "modality-gap", *options.split()]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "task"),
    [
        ("", {}),
        ("--n-pairs 16 --mismatch 0.1 --inverse-temperature 6", {"inverse_temperature": 6.0}),
        (
            "--learnable --initial-gap 1.2 --inverse-temperature 2 --temperature-rate 0.5 --clip 40",
            {"learnable": True, "initial_gap": 1.2, "inverse_temperature": 2.0, "temperature_rate": 0.5, "clip": 40.0},
        ),
        ("--mismatch 0 --learnable --initial-gap 1", {"mismatch": 0.0, "learnable": True, "initial_gap": 1.0}),
        ("--depth 3 --input-dim 8", {"depth": 3, "input_dim": 8}),
    ],
)
def test_json_is_what_python_returns(capsys, options, task):
    expected = modality_gap.predict(**task)
    shown = json.loads(printed(capsys, f"{options} --json"))
    assert shown.pop("task")["n_pairs"] == 16
    assert shown == json.loads(json.dumps(expected.to_json()))
    assert {"threshold", "gap", "loss", "basis"} <= shown.keys()


def test_the_table_says_when_there_is_no_threshold(capsys):
    shown = printed(capsys, "--mismatch 0 --learnable --initial-gap 1")
    lines = [line.split() for line in shown.splitlines()]
    assert ["threshold", "inf"] in lines
    assert ["final", "inverse", "temperature", "inf"] in lines
    assert "note: without mismatch the threshold is infinite" in shown


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--n-pairs 1", "n_pairs: expected at least 2, got 1"),
        ("--mismatch 0.9375", "mismatch: expected a number in [0, 0.9375), 1 - 1/n_pairs, got 0.9375"),
        ("--inverse-temperature 0", "inverse_temperature: expected a positive finite number, got 0.0"),
        ("--learnable", "initial_gap: expected a number in [0, 2) with a learnable inverse temperature, got None"),
        ("--learnable --initial-gap 2", "initial_gap: expected a number in [0, 2), got 2"),
        (
            "--learnable --initial-gap 1 --clip 5",
            "clip: expected at least the inverse temperature of the start, 6, got 5",
        ),
        ("--clip 9", "clip: expected none with a fixed inverse temperature, got 9"),
        (
            "--learnable --initial-gap 1 --temperature-rate 0",
            "temperature_rate: expected a positive finite number, got 0.0",
        ),
        ("--depth -1", "depth: expected at least 0, got -1"),
    ],
)  # fmt: skip
def test_bad_options_are_one_line(capsys, options, line):
    assert main(["predict", "modality-gap", *options.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"
