"""``simlab predict neural-collapse``: what Python returns, the table, and options of the wrong phenomenon."""

import json
import sys
import types
from collections import namedtuple
from dataclasses import dataclass

import pytest

from experiments.commands import predict as predict_command
from experiments.commands.cli import main
from experiments.core.configuration import option
from experiments.core.predictor import Predictor
from theory import neural_collapse

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("", {}),
        ("--n-classes 4 --samples-per-class 30 --feature-dim 7", {"n_classes": 4, "samples_per_class": 30}),
        (
            "--samples-per-class 50,50,5 --feature-weight-decay 1e-4 --classifier-weight-decay 1e-2",
            {
                "n_classes": 3,
                "samples_per_class": (50, 50, 5),
                "feature_weight_decay": 1e-4,
                "classifier_weight_decay": 1e-2,
            },
        ),
    ],
)
def test_json_is_what_python_returns(capsys, options, arguments):
    assert main(["predict", "neural-collapse", *options.split(), "--json"]) == 0
    printed, prediction = json.loads(capsys.readouterr().out), neural_collapse.predict(**arguments)
    assert printed.pop("task")["n_classes"] == prediction.task["n_classes"]
    assert printed == prediction.to_json()


def test_the_table_has_a_line_for_each_size(capsys):
    assert (
        main(["predict", "neural-collapse", "--samples-per-class", "50,50,5,5", "--classifier-weight-decay", "1"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["50", "5"]
    prediction = neural_collapse.predict(n_classes=4, samples_per_class=(50, 50, 5, 5), classifier_weight_decay=1.0)
    assert f"{prediction.feature_norms[0]:.10g}" in lines[-2]
    assert f"{prediction.risk:.10g}" in "\n".join(lines)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "neural-collapse --n-words 5",
            "option: expected one that 'simlab predict neural-collapse --help' lists, got '--n-words' (an option of "
            "feature-collapse)",
        ),
        (
            "feature-collapse --feature-dim 3",
            "option: expected one that 'simlab predict feature-collapse --help' lists, got '--feature-dim' (an option "
            "of neural-collapse and hierarchical-labels)",
        ),
        ("neural-collapse --n-classes many", "n_classes: expected a whole number, got 'many'"),
        ("neural-collapse --n-classes 3 --samples-per-class 5,4", "samples_per_class: expected 3 integers, got shape"),
        ("neural-collapse --feature-weight-decay 0", "feature_weight_decay: expected"),
        ("neural-collapse --samples-per-class 3,3,2 --feature-dim 1", "feature_dim: expected at least 2"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(capsys, words, line):
    assert main(["predict", *words.split()]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {line}")
    assert printed.count("\n") == 1


def test_a_new_phenomenon_is_predicted_by_its_name_alone(monkeypatch, capsys):
    """All that a phenomenon brings is a record of options, a prediction and its table."""

    @dataclass(frozen=True, kw_only=True)
    class Options:
        width: int = option(3, "of the layer", unit="neurons")

    prediction = namedtuple("Prediction", "width to_json")
    predictor = Predictor(
        options=Options,
        predict=lambda options: prediction(options.width, lambda: {"width": options.width}),
        format=lambda made: f"width {made.width}",
    )
    module = types.ModuleType("another_phenomenon")
    module.PREDICTOR = predictor
    monkeypatch.setitem(sys.modules, "another_phenomenon", module)
    monkeypatch.setattr(predict_command, "PREDICTORS", {"another": "another_phenomenon:PREDICTOR"})
    assert main(["predict", "another", "--width", "5"]) == 0
    assert capsys.readouterr().out == "width 5\n"
    assert main(["predict", "another", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"width": 3}
    with pytest.raises(SystemExit):
        main(["predict", "another", "--help"])
    assert "of the layer (in neurons; default: 3)" in capsys.readouterr().out
