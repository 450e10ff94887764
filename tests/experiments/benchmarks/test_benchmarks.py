"""The benchmarks: the clock, the counts, the contestants and the command; no test looks at a speed."""

import json
import math
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.atlas.entries import NAMES
from experiments.benchmarks import ours
from experiments.benchmarks.arithmetic import step_cost
from experiments.benchmarks.measurement import Contestant, Measurement, summarise, take_turns
from experiments.benchmarks.report import format_measurements, measurements_to_dataset
from experiments.benchmarks.settings import TASKS
from experiments.commands.cli import main
from simlab.data.sources import FixedSample
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.training.spec import TrainingSpec

SPEC = TrainingSpec(
    task=TASKS["small"][0],
    source=FixedSample(n_examples=81, batch_size=81),
    network=TwoLayer(embedding_dim=8),
    objective=CrossEntropy(),
    n_steps=3,
    steps_per_record=3,
    n_evaluation=81,
)
RATES = Hyperparameters(learning_rate=0.5, initial_scale=0.3, embedding_weight_decay=0.01, classifier_weight_decay=0.02)


def test_turns_are_timed_per_step_in_changing_order():
    order = []

    def contestant(name, seconds, steps):
        return Contestant(name, lambda: (order.append(name), time.sleep(seconds)), steps)

    seconds = take_turns([contestant("a", 0.02, 1), contestant("b", 0.04, 4)], rounds=3)
    assert order == ["a", "b", "a", "b", "b", "a", "a", "b"]  # the first turn of each is not timed
    # A sleep lasts at least as long as asked for.
    assert np.all(seconds["a"] >= 0.02)
    assert np.all(seconds["b"] >= 0.01)
    assert len(seconds["a"]) == len(seconds["b"]) == 3


def test_a_measurement_is_a_median_with_quartiles():
    found = summarise(("step", "case", "who"), "time", "s", [5.0, 1.0, 2.0, 4.0, 3.0])
    assert (found.low, found.value, found.high, found.rounds) == (2.0, 3.0, 4.0, 5)
    nothing = Measurement("step", "case", "nobody", "time", "s", math.nan, math.nan, math.nan, 0, note="not here")
    assert nothing.to_json()["value"] is None
    table = format_measurements([found, nothing])
    assert "3 (2 to 4)" in table
    assert "nobody: not here" in table
    dataset = measurements_to_dataset([found, nothing])
    assert dataset.value.values[0] == 3.0
    assert dataset.contestant.values[1] == "nobody"


def test_operations_are_those_that_the_compiler_counts():
    cost = step_cost(SPEC)

    def products(words, classifier, gradient):
        return words @ classifier.T, gradient.T @ words, gradient @ classifier

    shapes = [(cost.batch, cost.width), (cost.classes, cost.width), (cost.batch, cost.classes)]
    compiled = jax.jit(products).lower(*(jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes)).compile()
    assert (cost.batch, cost.width, cost.classes) == (81, 32, 81)
    assert cost.flops == compiled.cost_analysis()["flops"]


def test_a_turn_of_ours_takes_the_steps_of_its_members():
    contestant = ours.training("ours", SPEC, RATES, Layout(4, 4, 2))
    contestant.turn()
    assert contestant.steps == 4 * SPEC.steps_per_record
    assert {fact.quantity for fact in contestant.facts} == {"compile time", "memory"}


def test_pytorch_trains_the_same_network():
    """From the same weights on the same full batch three steps agree to float32 rounding."""
    torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
    from experiments.benchmarks import pytorch

    member = Member(SPEC, RATES, 0)
    [start] = train_members([member._replace(hyperparameters=RATES._replace(learning_rate=1e-30))])
    loop = pytorch.begin(SPEC, RATES)
    with torch.no_grad():
        for weights, value in zip(
            loop.network.parameters(), (start.final["embeddings"], start.final["classifier"]), strict=True
        ):
            weights.copy_(torch.tensor(value.reshape(weights.shape)))
    loop.take(SPEC.n_steps)
    [run] = train_members([member])
    embeddings, classifier = pytorch.weights_of(loop.network, SPEC)
    np.testing.assert_allclose(embeddings, run.final["embeddings"], atol=1e-5)
    np.testing.assert_allclose(classifier, run.final["classifier"], atol=1e-5)
    assert np.abs(run.final["embeddings"] - start.final["embeddings"]).max() > 1e-3


def test_without_pytorch_its_place_stays_empty(monkeypatch, capsys):
    from experiments.benchmarks import pytorch

    monkeypatch.setattr("experiments.benchmarks.step.TURN_SECONDS", 1e-3)
    monkeypatch.setattr(pytorch, "is_installed", lambda: False)
    monkeypatch.setattr(pytorch, "compiled_training", _missing)
    arguments = ["bench", "step", "--sizes", "small", "--rounds", "1", "--members", "2", "--json", "--quiet"]
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    rows = {(one["contestant"], one["quantity"]): one for one in printed["measurements"]}
    assert rows["simlab, alone", "time"]["value"] > 0
    assert rows["PyTorch, eager", "time"]["value"] is None
    assert "not installed" in rows["PyTorch, eager", "time"]["note"]
    assert printed["machine"].startswith("CPU: ")


def _missing(*arguments):
    raise ImportError("No module named 'torch'")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["stpe"],
            "name: expected one of training, step, overheads, word-table, minimum, scaling, superposition, "
            "contamination, contrastive, encoder, "
            "got 'stpe' (did you mean 'step'?)",
        ),
        (["--rounds", "0"], "rounds: expected a whole number of at least 1, got '0'"),
        (["--sizes", "small,large"], "sizes: expected one of small, paper, got 'large'"),
        (["--preset", "fast"], "preset: expected one of quick, paper, got 'fast'"),
        (
            ["training", "--only", "modality-gab"],
            f"only: expected one of {', '.join(NAMES)}, got 'modality-gab' (did you mean 'modality-gap'?)",
        ),
        (["--members", "x"], "members: expected a whole number of at least 1, got 'x'"),
    ],
)
def test_bad_input_is_one_line(arguments, line, capsys):
    assert main(["bench", *arguments]) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"


def test_a_whole_batch_is_an_epoch():
    whole = replace(SPEC, source=FixedSample(n_examples=81, batch_size="all"))
    [by_rows], [by_all] = train_members([Member(SPEC, RATES, 0)]), train_members([Member(whole, RATES, 0)])
    # The same sums in another order.
    np.testing.assert_allclose(by_all.final["classifier"], by_rows.final["classifier"], atol=1e-6)
