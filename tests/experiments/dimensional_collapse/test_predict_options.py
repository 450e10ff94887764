"""``simlab predict dimensional-collapse``: what Python returns, the table, and bad options."""

import json

import pytest

from experiments.commands.cli import main
from theory import dimensional_collapse

pytestmark = pytest.mark.quick


def printed(capsys, options):
    assert main(["predict", "dimensional-collapse", *options.split()]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "task"),
    [
        ("", {"augmentation_ratios": (0.5, 1.0, 1.5, 2.5)}),
        ("--augmentation-ratios 2.5,0.5 --output-dim 1", {"augmentation_ratios": (2.5, 0.5), "output_dim": 1}),
        (
            "--augmentation-ratios 0,2 --similarity dot --temperature 0.1",
            {"augmentation_ratios": (0, 2), "similarity": "dot", "temperature": 0.1},
        ),
        (
            "--augmentation-ratios 1,2 --weight-decay 0.3 --views 2",
            {"augmentation_ratios": (1, 2), "weight_decay": 0.3, "views": 2},
        ),
        ("--augmentation-ratios 1,2 --batch-size 64", {"augmentation_ratios": (1, 2), "batch_size": 64}),
    ],
)
def test_json_is_what_python_returns(capsys, options, task):
    expected = dimensional_collapse.predict(**task)
    shown = json.loads(printed(capsys, f"{options} --json"))
    assert shown.pop("task")["views"] == expected.task["views"]
    assert shown == expected.to_json()


def test_the_table_has_a_line_for_each_direction(capsys):
    lines = printed(capsys, "--augmentation-ratios 0.75,2.5 --batch-size 100000").splitlines()
    assert lines[0].startswith("task: similarity=distance temperature=1")
    assert ["rank", "1 of 2"] in [line.split(maxsplit=1) for line in lines]
    assert lines[-2].split()[:3] == ["1", "0.75", "1"]
    assert lines[-1].split() == ["2", "2.5", "0", "0", "yes"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--augmentation-ratios=-1,2", "augmentation_ratios: expected a non-negative finite number, got -1.0"),
        ("--output-dim 0", "output_dim: expected at least 1, got 0"),
        ("--temperature 0", "temperature: expected a positive finite number, got 0.0"),
        ("--temperature -1", "temperature: expected a positive finite number, got -1.0"),
        ("--similarity cosine", "similarity: expected one of distance, dot, spectral, got 'cosine'"),
        ("--augmentation-ratios 1,much", "augmentation_ratios: expected numbers separated by commas, got 'much'"),
    ],
)
def test_bad_options_are_one_line(capsys, options, line):
    assert main(["predict", "dimensional-collapse", *options.split()]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"
