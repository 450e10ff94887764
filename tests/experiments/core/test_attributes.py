"""What a run says of itself in the attributes of its dataset, without any training."""

import dataclasses
import json
from types import SimpleNamespace

import matplotlib.figure
import pytest
import xarray

from experiments.catalogue import load_attribute
from experiments.core.attributes import axis_label, declarations
from experiments.core.configuration import Configuration
from experiments.core.output import draw_figures
from experiments.phenomena import PHENOMENA
from experiments.registry import find_experiment
from figures.declared import axis_label as label_of
from figures.declared import certificate_of, panels_of, quantities_of

pytestmark = pytest.mark.quick


def attributes_of(name, axes=(), **changes):
    plan = find_experiment(name).plan("quick", changes, axes=axes)
    return declarations(plan, plan.phenomenon.load_comparison())


@pytest.mark.parametrize(
    ("name", "axes", "figures"),
    [
        ("neural-collapse", {}, ["neural_collapse.class_means", "neural_collapse.collapse_curves"]),
        ("uniform-small-sample", {"weight_decay": [1e-3, 2e-3]}, ["sweeps.sweep"]),
        (
            "uniform-small-sample",
            {"weight_decay": [1e-3, 2e-3, 3e-3], "learning_rate": [0.1, 0.2, 0.3]},
            ["sweeps.sweep", "sweeps.map"],
        ),
        (
            "uniform-small-sample",
            {"weight_decay": [1e-3, 2e-3, 3e-3], "learning_rate": [0.1, 0.2]},
            ["sweeps.sweep"],
        ),
        (
            "uniform-small-sample",
            {"weight_decay": [1e-3, 2e-3, 3e-3], "optimizer": ["sgd", "adam", "rmsprop"]},
            ["sweeps.sweep"],
        ),
        (
            "uniform-small-sample",
            {"weight_decay": [1e-3, 2e-3, 3e-3], "learning_rate": [0.1, 0.2, 0.3], "layer_norm": [False, True]},
            ["sweeps.sweep"],
        ),
        ("tail-or-sample", {}, ["sweeps.sweep", "feature_collapse.tail_or_sample", "feature_collapse.eight_panels"]),
        ("deep-networks", {}, ["sweeps.sweep", "layer_collapse.deep_networks"]),
    ],
)
def test_figures_follow_from_what_varies(name, axes, figures):
    assert json.loads(attributes_of(name, axes)["figures"]) == figures


def test_the_question_of_a_talk_is_in_the_attributes_of_its_experiment():
    talk = json.loads(attributes_of("noise")["talk"])
    assert talk == {"figure": "feature_collapse.noise", "question": "What does noise do?"}
    assert "talk" not in attributes_of("collapse-point")


@pytest.mark.parametrize("name", PHENOMENA)
def test_what_a_phenomenon_declares_is_read_back(name):
    phenomenon = load_attribute(PHENOMENA[name])
    comparison = phenomenon.load_comparison()
    attributes = {"quantities": json.dumps({name: dataclasses.asdict(q) for name, q in comparison.quantities.items()})}
    dataset = xarray.Dataset(coords={"quantity": list(comparison.quantities)}, attrs=attributes)
    read = quantities_of(dataset)
    assert list(read) == list(comparison.quantities)
    for name, quantity in comparison.quantities.items():
        assert (read[name].label, read[name].unit, read[name].headline) == (
            quantity.label,
            quantity.unit,
            quantity.headline,
        )
        assert [panel.label for panel in read[name].panels] == [panel.label for panel in quantity.panels]
    assert panels_of(dataset)
    assert certificate_of(dataset) is None


def test_axes_have_labels_and_units():
    axes = {"weight_decay": [1e-3], "n_words": [6], "word_frequency": ["zipf"], "initial_scale": [1.0]}
    labels = json.loads(attributes_of("uniform-small-sample", axes)["axis_labels"])
    assert labels == {
        "weight_decay": "weight decay (nats)",
        "n_words": "number of words",
        "word_frequency": "word frequencies",
        "initial_scale": "initial scale",
    }
    dataset = xarray.Dataset(attrs={"axis_labels": json.dumps(labels)})
    assert label_of(dataset, "n_words") == "number of words"
    assert label_of(dataset, "learning_rate") == "learning rate"


def test_the_label_of_a_field_comes_first():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Own(Configuration):
        temperature: float = dataclasses.field(default=1.0, metadata={"label": "temperature", "unit": "nats"})
        width: int = dataclasses.field(default=1, metadata={"label": "hidden width"})

    phenomenon, comparison = SimpleNamespace(configuration=Own), SimpleNamespace(axis_labels={"temperature": "T"})
    assert axis_label("temperature", phenomenon, comparison) == "temperature (nats)"
    assert axis_label("width", phenomenon, comparison) == "hidden width"


def test_a_function_of_the_user_is_drawn_under_its_name(tmp_path):
    def my_figure(dataset):
        figure = matplotlib.figure.Figure(figsize=(1, 1))
        figure.text(0, 0, dataset.attrs["word"])
        return figure

    assert draw_figures(xarray.Dataset(attrs={"figures": "[]", "word": "x"}), tmp_path, [my_figure]) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"my_figure.pdf", "my_figure.png"}
    own = find_experiment("collapse-point")._replace(figures=(my_figure,))
    plan = own.plan("quick", {})
    assert plan.figures == (my_figure,)
    assert json.loads(declarations(plan, plan.phenomenon.load_comparison())["figures"]) == ["sweeps.sweep"]


def test_the_topic_of_every_phenomenon_is_a_phenomenon_of_its_own():
    topics = {name: load_attribute(place).topic for name, place in PHENOMENA.items()}
    assert all(topics[topic] == topic for topic in topics.values())
    assert topics["class-vectors"] == topics["context-at-initialisation"] == "contextual-embeddings"
