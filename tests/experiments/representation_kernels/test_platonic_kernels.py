"""Kernels of events that networks learn, beside their prediction; the experiment's cells, and choices it refuses."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.registry import find_experiment
from experiments.representation_kernels.configuration import KernelConfiguration
from experiments.representation_kernels.phenomenon import PLATONIC_KERNELS
from experiments.representation_kernels.reference import DISTANT, NARROW, SHALLOW, predict
from experiments.representation_kernels.regimes import derive
from theory import representation_kernels as theory

TWO = KernelConfiguration(events=6, output_dim=5, encoders=2, n_steps=250, n_records=1, temperature=0.5)
REGIMES = {"two": TWO, "modalities": TWO.replace(partner_blocks=1), "gaussian": TWO.replace(window="gaussian")}
BLOCKS = [1, 2, 3]


@pytest.fixture(scope="module")
def plan():
    return make_plan("tiny", PLATONIC_KERNELS, REGIMES, [0, 1], {"blocks": BLOCKS})


@pytest.fixture(scope="module")
def dataset(plan):
    return derive(run_plan(plan), plan)


def learned(dataset, quantity):
    return dataset.learned.sel(quantity=quantity)


def test_kernels_and_losses_are_predicted(dataset):
    """The accuracy of the issue, on any seed; losses exceed their minimum by a square of the error of the kernel."""
    assert learned(dataset, "kernel_error").max() < 1e-4
    difference = learned(dataset, "loss") - dataset.predicted.sel(quantity="loss")
    assert np.abs(difference).max() < (2 * 1e-4) ** 2 / 2
    assert np.abs(learned(dataset, "excess")).max() < 1e-7
    assert set(dataset.basis.values.ravel()) == {"theorem"}


def test_kernels_learned_apart_are_as_alike_as_predicted(dataset):
    assert np.abs(dataset.alignment - dataset.alignment_predicted).max() < 1e-4
    assert np.abs(dataset.cka_matrix.values - dataset.cka_matrix_predicted.values).max() < 1e-4
    assert dataset.alignment.sel(regime="two", blocks=1).values.tolist() == pytest.approx([1, 1])
    for block in BLOCKS[1:]:
        expected = theory.predict(events=6, blocks=block).cka
        assert np.abs(dataset.alignment.sel(regime="two", blocks=block) - expected).max() < 1e-4
        assert np.all(dataset.alignment.sel(regime="modalities", blocks=block) > expected + 1e-3)
    assert dataset.cell.values[1] == "two blocks=2"
    worlds = dataset.cka_matrix.values[0, 6]
    assert worlds < 0.99, "another world has another kernel"


def test_events_of_a_block_share_a_row_of_the_kernel(dataset):
    kernel = dataset.kernel.sel(regime="two", blocks=3, seed=0).values
    np.testing.assert_allclose(kernel, np.kron(kernel[::3, ::3], np.ones((3, 3))), atol=1e-12)
    np.testing.assert_allclose(dataset.pmi.sel(regime="two", blocks=3).values, kernel, atol=1e-4)


def test_predictions_say_what_they_rest_on():
    one = TWO.replace(encoders=1)
    assert predict(one).basis == "theorem"
    indefinite = predict(one.replace(window="gaussian"))
    assert (indefinite.basis, indefinite.kind) == ("certified", "Gram matrix")
    assert indefinite.quantities["excess"] > 1e-3
    assert indefinite.quantities["pmi_distance"] > 0.01
    narrow = predict(one.replace(output_dim=4))
    assert (narrow.basis, narrow.note) == ("approximation", NARROW.format(4, 5))
    shallow = one.replace(architecture="mlp", hidden_width=5)
    assert predict(shallow).caveats == (SHALLOW.format(5, 6),)
    assert predict(shallow.replace(blocks=2)).basis == "theorem"
    assert DISTANT


def test_the_experiment_has_two_of_everything_and_a_control():
    plan = find_experiment("platonic-kernels").plan("quick", {})
    configurations = plan.configurations.values()
    assert {one.architecture for one in configurations} == {"free", "mlp"}
    assert {one.encoders for one in configurations} == {1, 2}
    assert {one.output_dim for one in configurations} == {3, 12, 24}
    bases = {(cell.regime, cell.configuration.blocks): cell.prediction.basis for cell in plan.cells}
    assert bases["one-encoder", 1] == bases["two-modalities", 6] == "theorem"
    assert bases["one-encoder", 3] == bases["indefinite", 1] == "certified"
    assert bases["narrow", 1] == "approximation"
    paper = find_experiment("platonic-kernels").plan("paper", {})
    assert all(np.isfinite(cell.prediction.quantities["cka"]) for cell in paper.cells)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--blocks 5", "blocks: expected a divisor of events=12 below it, got 5"),
        ("--blocks 12", "blocks: expected a divisor of events=12 below it, got 12"),
        ("--partner-blocks 7", "partner_blocks: expected a divisor of events=12 below it, got 7"),
        (
            "--encoders 1 --partner-blocks 2",
            "encoders: expected 2: the two sides of a pair have different blocks, got 1",
        ),
        ("--encoders 3", "encoders: expected at most 2, got 3"),
        ("--events 2", "events: expected a whole number of at least 3, got 2"),
        ("--width 0.001 --floor 0", "width: expected a window that leaves no event without a partner, got 0.001"),
        ("--floor 1", "floor: expected a number below 1, got 1.0"),
        ("--temperature 0", "temperature: expected a positive finite number, got 0.0"),
        ("--output-dim 0", "output_dim: expected a whole number of at least 1, got 0"),
        ("--architecture deep", "architecture: expected one of free, mlp, got 'deep'"),
        ("--window flat", "window: expected one of exponential, gaussian, got 'flat'"),
    ],
)
def test_bad_choices_are_one_line(tmp_path, capsys, words, message):
    assert main(["run", "platonic-kernels", *words.split(), "--out", str(tmp_path / "run")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"simlab: {message}")
