"""``simlab predict platonic-kernels``: what Python returns, the table, and bad options."""

import json

import pytest

from experiments.commands.cli import main
from theory import representation_kernels

pytestmark = pytest.mark.quick


def printed(capsys, options):
    assert main(["predict", "platonic-kernels", *options.split()]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "task"),
    [
        ("", {}),
        ("--events 12 --blocks 4", {"blocks": 4}),
        ("--blocks 4 --partner-blocks 2", {"blocks": 4, "partner_blocks": 2}),
        ("--encoders 1 --window gaussian", {"encoders": 1, "window": "gaussian"}),
        ("--events 18 --blocks 2 --window gaussian --width 1.5 --floor 0.1",
         {"events": 18, "blocks": 2, "window": "gaussian", "width": 1.5, "floor": 0.1}),
    ],
)  # fmt: skip
def test_json_is_what_python_returns(capsys, options, task):
    expected = representation_kernels.predict(**task)
    assert json.loads(printed(capsys, f"{options} --json")) == expected.to_json() | {"task": expected.task}


def test_the_table_says_when_one_encoder_falls_short(capsys):
    assert "a single encoder does not" not in printed(capsys, "--blocks 6")
    assert "a single encoder does not" in printed(capsys, "--window gaussian")
    assert "excess of one encoder, events" not in printed(capsys, "--window gaussian")
    assert "excess of one encoder, events" in printed(capsys, "--window gaussian --encoders 1")


def test_cells_of_the_experiment_are_predicted_as_it_holds_them_against(capsys):
    from experiments.registry import find_experiment

    records = json.loads(printed(capsys, "--preset quick --json"))
    plan = find_experiment("platonic-kernels").plan("quick", {})
    assert len(records) == len(plan.cells)
    for record, cell in zip(records, plan.cells, strict=True):
        assert record["cka"] == pytest.approx(cell.prediction.quantities["cka"], abs=1e-10)
        assert (record["basis"], record["loss"]) == (cell.prediction.basis, cell.prediction.quantities["loss"])
        assert record["block_excess"] == pytest.approx(cell.prediction.excess, abs=1e-10)
        assert record["block_information"] == pytest.approx(cell.prediction.information, abs=1e-12)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--blocks 5", "blocks: expected a divisor of events=12 below it, got 5"),
        ("--encoders 0", "encoders: expected 1 or 2, got 0"),
        ("--events 0", "events: expected at least 3, got 0"),
        ("--width 0.001 --floor 0", "width: expected a window that leaves no event without a partner, got 0.001"),
    ],
)
def test_bad_options_are_one_line(capsys, options, line):
    assert main(["predict", "platonic-kernels", *options.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"
