"""``simlab predict contextual-embeddings``: what Python returns, the table, and bad options."""

import json

import pytest

from experiments.commands.cli import main
from theory import contextual_embeddings as theory

pytestmark = pytest.mark.quick


def printed(capsys, options):
    assert main(["predict", "contextual-embeddings", *options.split()]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "task"),
    [
        ("--n-classes 24 --exclusive 3 --shared 3:3,2:8 --function-words 4 --replacement 0.2 --temperature 0.5", {}),
        ("--batch-size 64 --replacement-draws", {"batch_size": 64, "replacement_draws": True}),
        ("--n-classes 8 --shared none --largest-prior 0.7", {"n_classes": 8, "shared": (), "largest_prior": 0.7}),
    ],
)
def test_json_is_what_python_returns(capsys, options, task):
    expected = theory.predict(**task)
    shown = json.loads(printed(capsys, f"{options} --json"))
    assert shown.pop("task") == expected.task
    assert shown == expected.to_json()


def test_the_table_has_a_line_for_each_kind(capsys):
    lines = [line.split() for line in printed(capsys, "--embedding-dim 10").splitlines()]
    assert ["shared", "by", "8", "0.0869565"] in lines
    assert ["basis", "approximation"] in lines


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--shared 3x3", "shared: expected POSITIONS:CLASSES separated by commas, such as 3:3,2:8, or none, got '3x3'"),
        ("--temperature 0", "temperature: expected a positive finite number, got 0.0"),
        (
            "--batch-size 30",
            "batch_size: expected at most n_classes=24, as classes are drawn without replacement, got 30",
        ),
    ],
)
def test_bad_options_are_one_line(capsys, options, line):
    assert main(["predict", "contextual-embeddings", *options.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"
