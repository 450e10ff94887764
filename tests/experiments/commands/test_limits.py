"""Values that no float32 holds, literal paths, full disks, other versions, linked folders: one line each."""

import errno
import json
import os
from argparse import Namespace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray

from experiments.commands.cli import main, with_home
from experiments.commands.plan_report import _bytes_per_member
from experiments.commands.run import members_at_zero
from experiments.core.experiment import plan_from_description
from experiments.registry import find_experiment
from simlab.storage.parts import remove_parts
from simlab.storage.results import write_atomically
from simlab.validation import invalid

pytestmark = pytest.mark.quick

EXPERIMENT = find_experiment("uniform-small-sample")
FLOAT32 = "expected a number within the range of float32, as dtype is float32, got"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("run uniform-small-sample --learning-rate 1e39", f"learning_rate: {FLOAT32} 1e+39"),
        ("run uniform-small-sample --weight-decay 1e-46", f"embedding_weight_decay: {FLOAT32} 1e-46"),
        ("run uniform-small-sample --vary learning-rate=0.1,1e-46", f"learning_rate: {FLOAT32} 1e-46"),
        ("run uniform-small-sample --until gradient-norm=1e-46", f"until: {FLOAT32} 1e-46"),
        ("run uniform-small-sample --until gradient-norm=1e39", f"until: {FLOAT32} 1e+39"),
        (
            "predict feature-collapse --n-words 12 --word-frequency inf,1,1,1",
            "word_frequency: expected positive finite numbers, got inf among them",
        ),
        (
            "run uniform-small-sample --sentence-length 10000 --n-classes all",
            "n_classes: expected less than 2^31, as classes are numbered in int32, got about 10^4771",
        ),
    ],
)
def test_what_no_number_holds_is_named(words, line, capsys):
    assert main(words.split()) == 2
    assert capsys.readouterr().err == f"simlab: {line}\n"


def test_float64_holds_more():
    plan = EXPERIMENT.plan("quick", {"learning_rate": 1e39, "weight_decay": 1e-46, "dtype": "float64"})
    assert plan.cells[0].hyperparameters.learning_rate == 1e39


def test_probabilities_that_underflow_blame_the_weight_decay(capsys):
    words = "predict feature-collapse --n-words 12 --n-classes 20 --word-frequency zipf:50 --weight-decay 1e-300"
    assert main(words.split()) == 1
    assert capsys.readouterr().err.startswith("simlab: weight_decay: expected one at which float64 solves")


def test_a_long_number_is_told_as_a_power():
    assert str(invalid("n", "less", 3**600)) == "n: expected less, got about 10^286"
    assert str(invalid("n", "less", 2**200)) == f"n: expected less, got {2**200}"


def test_home_is_expanded_wherever_a_path_is_read(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    read = with_home(Namespace(out="~/x", folders=["~/a", "b"], source_folder="~", overview=None, title="~/x"))
    assert vars(read) == {
        "out": "/home/me/x", "folders": ["/home/me/a", "b"], "source_folder": "/home/me", "overview": None,
        "title": "~/x",
    }  # fmt: skip


def test_fields_of_another_version_are_named_with_the_versions():
    description = json.loads(json.dumps(EXPERIMENT.plan("quick", {}).describe()))
    assert plan_from_description(description, EXPERIMENT).describe() == EXPERIMENT.plan("quick", {}).describe()
    description["configuration"]["uniform-small-sample"]["new_knob"] = 3
    line = r"^configuration: expected fields of simlab \S+, as the run was written by simlab 9.9, got 'new_knob'$"
    with pytest.raises(ValueError, match=line):
        plan_from_description(description, EXPERIMENT, "9.9")


def test_a_full_disk_is_told_with_the_file(tmp_path):
    def write(temporary):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left") as raised:
        write_atomically(tmp_path / "page.html", write)
    assert raised.value.filename == str(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_the_parts_is_removed_with_what_it_leads_to(tmp_path):
    elsewhere = tmp_path / "scratch"
    elsewhere.mkdir()
    (elsewhere / "00.done").write_bytes(b"")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "parts").symlink_to(elsewhere)
    remove_parts(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []
    assert not elsewhere.exists()


def test_a_plan_counts_trajectories():
    program = SimpleNamespace(
        bytes_needed=lambda: 1000,
        layout=SimpleNamespace(member_shards=2, rows=8),
        spec=SimpleNamespace(n_segments=9),
        representation_bytes=40,
    )
    assert _bytes_per_member(program, trajectories=False) == 250
    assert _bytes_per_member(program, trajectories=True) == 250 + 10 * 40


def test_members_near_zero_are_named():
    plan = EXPERIMENT.plan("quick", {"until": "gradient-norm=0.01"})
    dims = ("regime", "seed")
    dataset = xarray.Dataset(
        {
            "status": (dims, np.array([["finished", "converged", "finished"]])),
            "history_gradient_norm": ((*dims, "record"), np.array([[[0.1, 0.001], [0.1, 0.001], [0.1, 0.1]]])),
        },
        coords={"regime": ["uniform-small-sample"], "seed": [4, 5, 6]},
    )
    [line] = members_at_zero(dataset, plan)
    assert line.startswith("until: regime uniform-small-sample: seeds 4 end near zero weights")
    assert members_at_zero(dataset, EXPERIMENT.plan("quick", {})) == []
