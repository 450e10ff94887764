"""``simlab predict`` of an experiment's preset, and the task that every prediction is said to be for."""

import json
import re

import pytest

from experiments.catalogue import load_attribute
from experiments.commands import predict as predict_command
from experiments.commands.cli import main
from experiments.core.predictor import Predictor
from experiments.phenomena import PREDICTORS
from experiments.registry import NAMES, find_experiment

PREDICTORS_OF_EXPERIMENTS = {
    phenomenon for phenomenon, place in PREDICTORS.items() if load_attribute(place).knows_configurations
}
MOST_VALUES = 6  # of an axis; of a longer one the two ends are predicted
PREDICTED = [name for name in NAMES if find_experiment(name).phenomenon.name in PREDICTORS_OF_EXPERIMENTS]


def predict(capsys, *words):
    assert main(["predict", *words]) == 0
    return capsys.readouterr().out


def as_json(capsys, *words):
    return json.loads(predict(capsys, *words, "--json"))


@pytest.mark.parametrize("name", PREDICTED)
def test_every_experiment_with_a_predictor_is_predicted_point_by_point(capsys, name):
    experiment = find_experiment(name)
    long = {axis.name: axis.values for axis in experiment.plan("quick", {}, 1).axes if len(axis.values) > MOST_VALUES}
    few = {axis: (values[0], values[-1]) for axis, values in long.items()}
    words = [f"--vary={axis.replace('_', '-')}={low!r},{high!r}" for axis, (low, high) in few.items()]
    printed = as_json(capsys, name, "--preset", "quick", *words)
    records = printed if isinstance(printed, list) else [printed]
    plan = experiment.plan("quick", {}, 1, few)
    assert [record["regime"] for record in records] == [cell.regime for cell in plan.cells]
    for record, cell in zip(records, plan.cells, strict=True):
        [objective] = {"risk", "loss"} & record.keys()
        quantities = getattr(cell.prediction, "quantities", None)
        wanted, value = quantities[objective] if quantities else cell.prediction.risk, record[objective]
        assert value is None if wanted != wanted else value == wanted
        dims = {"embedding_dim", "feature_dim", "n_hidden", "output_dim"} & record["task"].keys()
        assert dims or name == "hidden-manifold"  # InfoNCE finds a sphere in any dimension
        assert all(record["task"][dim] > 0 for dim in dims)
        assert set(record["axes"]) == {axis.name for axis in plan.axes}


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_the_task_is_that_of_the_preset(capsys, preset):
    configuration = find_experiment("uniform-small-sample").regimes[0].configuration(preset)
    record = as_json(capsys, "uniform-small-sample", "--preset", preset)
    names = ("n_concepts", "n_words", "sentence_length", "n_classes", "word_frequency", "embedding_dim", "layer_norm")
    assert {name: record["task"][name] for name in names} == {name: getattr(configuration, name) for name in names}
    assert record["task"]["classifier_weight_decay"] == configuration.classifier_weight_decay
    assert (record["experiment"], record["preset"]) == ("uniform-small-sample", preset)


def test_without_a_preset_an_experiment_is_quick_and_a_phenomenon_is_itself(capsys):
    assert as_json(capsys, "zipf-small-sample") == as_json(capsys, "zipf-small-sample", "--preset=quick")
    phenomenon, experiment = (as_json(capsys, "feature-collapse", *words) for words in ([], ["--preset", "quick"]))
    assert phenomenon["task"]["n_words"] == 1200
    assert [record["task"]["n_words"] for record in experiment] == [600] * 4


@pytest.mark.parametrize(
    ("words", "echoed"),
    [
        ("feature-collapse", "n_words=1200"),
        ("uniform-small-sample", "n_words=600"),
        ("uniform-small-sample --n-words 9 --n-classes 8", "n_words=9 sentence_length=15 n_classes=8"),
        ("feature-collapse --n-classes all --sentence-length 20000", "sentence_length=20000 n_classes=all"),
        ("neural-collapse --samples-per-class 5,4,3", "n_classes=3 samples_per_class=5,4,3 feature_dim=2"),
        ("neural-collapse --preset quick", "factor_sizes=4,6 n_samples=192"),
        ("noise", "n_words=12 sentence_length=2 n_classes=9"),
        ("phase-diagram --vary active-probability=0.1,0.9", "n_features=2 n_hidden=1 nonlinearity=relu"),
    ],
)
def test_the_text_says_what_it_is_for(capsys, words, echoed):
    assert echoed in re.sub(r"\s+", " ", predict(capsys, *words.split()))


def test_the_options_are_those_of_run(capsys):
    record = as_json(capsys, "uniform-small-sample", "--weight-decay", "3e-3", "--layer-norm")
    assert record["task"]["weight_decay"] == 3e-3
    assert record["collapse_type"] == "II"
    records = as_json(capsys, "uniform-small-sample", "--vary", "weight-decay=1e-3,3e-3")
    assert [record["axes"] for record in records] == [{"weight_decay": 1e-3}, {"weight_decay": 3e-3}]
    table = predict(capsys, "uniform-small-sample", "--vary", "weight-decay=1e-3,3e-3").splitlines()
    assert [line.split()[0] for line in table[-3:]] == ["weight_decay", "0.001", "0.003"]


@pytest.mark.parametrize("law", ["long-tail:50:25", "step:50:25"])
def test_laws_of_sizes_are_those_of_run(capsys, law):
    configuration = find_experiment("neural-collapse").regimes[0].quick.replace(samples_per_class=law)
    assert as_json(capsys, "neural-collapse", "--samples-per-class", law)["task"]["samples_per_class"] == [
        *configuration.counts
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "deep-networks",
            "name: expected an experiment on feature-collapse or neural-collapse or superposition or "
            "dimensional-collapse or hidden-manifold or platonic-kernels or modality-gap, "
            "got 'deep-networks' (on layer-collapse)",
        ),
        ("uniform-small-samples", "name: expected one of "),
        ("uniform-small-sample --preset big", "preset: expected one of quick, paper, got 'big'"),
        ("feature-collapse --preset big", "preset: expected one of quick, paper, got 'big'"),
        ("uniform-small-sample --n-words 7", "n_words: expected a multiple of n_concepts=3, got 7"),
        ("uniform-small-sample --vary n-words", "vary: expected NAME=VALUE,VALUE,... or NAME=log:FROM:TO:N, got"),
        (
            "uniform-small-sample --samples-per-class 5",
            "option: expected one that 'simlab predict uniform-small-sample --help' lists, got '--samples-per-class' "
            "(an option of neural-collapse)",
        ),
    ],
)
def test_bad_input_is_one_line(capsys, words, line):
    assert main(["predict", *words.split()]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {line}")
    assert printed.count("\n") == 1


def test_a_predictor_that_knows_options_alone_has_no_experiments(capsys, monkeypatch):
    predictor = Predictor(options=object, predict=object, format=str)
    monkeypatch.setattr(predict_command, "PREDICTORS", {"superposition": "only:OPTIONS"})
    monkeypatch.setattr(predict_command, "load_attribute", lambda place: predictor)
    assert main(["predict", "phase-diagram"]) == 2
    assert capsys.readouterr().err.startswith("simlab: name: expected an experiment on ")
    with pytest.raises(TypeError, match=r"^of_configuration: expected a function, got None$"):
        predictor.predict_configurations([])
