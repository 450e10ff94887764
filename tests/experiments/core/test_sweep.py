"""Sweeps from the command line and from Python: named axes in, one labelled dataset out."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import xarray

from experiments.commands.cli import main
from experiments.core.axes import Axis, make_axes, overlaps, parse_axis, vary
from experiments.core.configuration import Configuration, option
from experiments.feature_collapse.configuration import QUICK, WordConfiguration
from experiments.sweep import run
from simlab.storage.parts import open_store
from simlab.storage.results import load_dataset
from theory import feature_collapse

SIZES = "--n-words 6 --n-classes 8 --sentence-length 2 --embedding-dim 4 --batch-size 8 --n-evaluation 20 --epochs 8"
SWEPT = "--seeds 2 --vary weight-decay=1e-3,2e-3 --vary embedding-dim=4,6"
SMALL = {"n_words": 6, "n_classes": 8, "sentence_length": 2, "embedding_dim": 4, "batch_size": 8, "n_evaluation": 20}


def simlab(*words):
    return main([str(word) for word in words])


def identical(one, other):
    """Whether two datasets agree to the bit, NaN included."""
    assert set(one.variables) == set(other.variables)
    return all(one[name].equals(other[name]) for name in one.variables)


@pytest.fixture(scope="module")
def saved_sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweeps") / "decay"
    words = f"run uniform-small-sample {SIZES} {SWEPT} --quiet"
    assert simlab(*words.replace("--embedding-dim 4 ", "").split(), "--out", folder) == 0
    return folder


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("weight-decay=1e-4,3e-4,1e-3", "weight_decay", (1e-4, 3e-4, 1e-3)),
        ("weight_decay=log:1e-4:1e-2:3", "weight_decay", (1e-4, 1e-3, 1e-2)),
        ("learning-rate=lin:0.1:0.3:3", "learning_rate", (0.1, 0.2, 0.3)),
        ("n-words=lin:6:12:3", "n_words", (6, 9, 12)),
        ("n-classes=5,all", "n_classes", (5, "all")),
        ("word-frequency=uniform,zipf:1.5", "word_frequency", ("uniform", "zipf:1.5")),
        ("layer-norm=false,true", "layer_norm", (False, True)),
    ],
)
def test_an_axis_is_read_from_its_text(text, name, values):
    axis = parse_axis(text, WordConfiguration)
    assert axis.name == name
    assert axis.values == (pytest.approx(values) if isinstance(values[-1], float) else values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--vary wieght-decay=1", "vary: expected one of .*, got 'wieght_decay' .did you mean 'weight_decay'"),
        ("--vary weight-decay", "vary: expected NAME=VALUE,VALUE,... or NAME=log:FROM:TO:N, got 'weight-decay'"),
        ("--vary weight-decay=1e-3,1e-3", "vary weight_decay: expected at least one value, all different, got"),
        ("--vary weight-decay=log:0:1:3", "vary weight_decay: expected positive end points of a logarithmic scale"),
        ("--vary weight-decay=log:1:2", "vary weight_decay: expected log:FROM:TO:N, got 'log:1:2'"),
        ("--vary n-words=log:6:12:3", "vary n_words: expected whole numbers, got 'log:6:12:3'"),
        ("--vary n-words=6,7", "n_words: expected a multiple of n_concepts=3, got 7"),
        ("--vary weight-decay=1e-3,-1", "weight_decay: expected a non-negative finite number, got -1.0"),
        ("--vary weight-decay=1e-3,2e-3 --weight-decay 1", "vary weight_decay: weight_decay is set twice"),
        (
            "--vary weight-decay=1e-3 --embedding-weight-decay 1",
            "vary weight_decay: embedding_weight_decay is set twice",
        ),
        ("--vary n-words=6 --vary n-words=9", "vary n_words: n_words is set twice"),
        ("--vary layer-norm=yes", "vary layer_norm: expected one of true, false, got 'yes'"),
        ("--shard 2/2", "shard: expected I/N with I from 0 to N-1, got '2/2'"),
        ("--chunk 0", "chunk: expected a whole number of at least 1, got '0'"),
        ("--until loss=1", "until: expected gradient-norm=X, got 'loss=1'"),
        ("--until gradient-norm=-1", "until_gradient_norm: expected a positive finite number, got -1.0"),
        ("--class-shards 7", "class_shards: expected a divisor of n_classes=300, got 7"),
        ("--class-shards 10", "class_shards: expected at most the 8 devices of this process, got 10"),
        ("--shard 0/2 --overwrite", "overwrite: expected a single process, got 'several'"),
    ],
)
def test_bad_sweeps_are_one_line_and_write_nothing(tmp_path, capsys, options, message):
    import re

    assert simlab("run", "uniform-small-sample", *options.split(), "--out", tmp_path / "run", "--quiet") == 2
    printed = capsys.readouterr().err
    assert re.match(f"simlab: {message}", printed), printed
    assert printed.count("\n") == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_last_axis_runs_fastest():
    axes = (Axis("weight_decay", (1.0, 2.0)), Axis("n_words", (6, 9)))
    points = [(one.embedding_weight_decay, one.n_words) for one in vary(QUICK, axes)]
    assert points == [(1.0, 6), (1.0, 9), (2.0, 6), (2.0, 9)]
    assert make_axes({"n_words": np.array([6, 9])}, WordConfiguration)[0].values == (6, 9)


def test_a_sweep_is_one_dataset_on_its_axes(saved_sweep):
    with xarray.open_dataset(saved_sweep / "results.nc") as dataset:
        assert dataset.embeddings.dims == ("regime", "weight_decay", "embedding_dim", "seed", "word", "dimension")
        assert dataset.learned.shape == (1, 2, 2, 2, 11)
        assert dataset.weight_decay.values.tolist() == [1e-3, 2e-3]
        # What quantities hold has the unit of each, and no unit of its own.
        assert "unit" in dataset.coords
        assert dataset.learned.sel(quantity="test_risk").unit == "nats"
        assert not {"units"} & {*dataset.learned.attrs, *dataset.predicted.attrs}
        assert json.loads(dataset.attrs["axes"]) == ["weight_decay", "embedding_dim"]
        # A smaller member is padded, and nothing else is missing.
        padded = dataset.embeddings.isnull()
        assert padded.sel(embedding_dim=4).isel(dimension=slice(4, 6)).all()
        assert not padded.sel(embedding_dim=4).isel(dimension=slice(0, 4)).any()
        assert not padded.sel(embedding_dim=6).any()
        for decay in (1e-3, 2e-3):
            task = {"n_words": 6, "n_classes": 8, "sentence_length": 2, "weight_decay": decay}
            prediction = feature_collapse.predict(embedding_dim=6, **task)
            cell = dataset.sel(weight_decay=decay, embedding_dim=6, regime="uniform-small-sample")
            assert float(cell.risk_predicted) == prediction.risk
            assert float(cell.predicted.sel(quantity="classifier_norm")) == prediction.classifier_norm
        # A seed has the same latents whatever else varies, and another weight decay teaches something else.
        assert (dataset.latents == dataset.latents.isel(weight_decay=0, embedding_dim=0)).all()
        norms = dataset.learned.sel(quantity="embedding_norm")
        assert (abs(norms.diff("weight_decay")) > 1e-6).all()


def test_python_gives_what_the_command_saves(saved_sweep):
    sizes = {name: value for name, value in SMALL.items() if name != "embedding_dim"}
    axes = {"weight_decay": [1e-3, 2e-3], "embedding_dim": [4, 6]}
    dataset = run("uniform-small-sample", seeds=2, vary=axes, epochs=8, **sizes)
    with xarray.open_dataset(saved_sweep / "results.nc") as saved:
        assert identical(dataset, saved.load())


def test_a_run_is_made_again_from_its_folder(saved_sweep, tmp_path):
    assert simlab("run", "--from", saved_sweep, "--out", tmp_path / "again", "--no-figures", "--quiet") == 0
    with (
        xarray.open_dataset(saved_sweep / "results.nc") as one,
        xarray.open_dataset(tmp_path / "again" / "results.nc") as other,
    ):
        assert identical(one.load(), other.load())
        assert one.attrs["layout"] == other.attrs["layout"]


@pytest.mark.parametrize(
    "beside",
    ["uniform-small-sample", "--preset paper", "--first-seed 3", "--trajectories", "--epochs 4", "--layer-norm"],
)
def test_what_would_change_a_run_is_refused_beside_from(saved_sweep, tmp_path, capsys, beside):
    assert simlab("run", *beside.split(), "--from", saved_sweep, "--out", tmp_path / "again") == 2
    message = f"from: expected no option that changes the saved run, got {beside.split()[0]!r}"
    assert message in capsys.readouterr().err
    assert not (tmp_path / "again").exists()


def test_a_run_is_made_again_in_a_layout_that_is_asked_for(saved_sweep, tmp_path):
    assert simlab("run", "--from", saved_sweep, "--out", tmp_path, "--chunk", 1, "--no-figures", "--quiet") == 0
    with (
        xarray.open_dataset(saved_sweep / "results.nc") as first,
        xarray.open_dataset(tmp_path / "results.nc") as again,
    ):
        assert [group["rows"] for group in json.loads(again.attrs["layout"])["groups"]] == [1, 1]
        np.testing.assert_allclose(again.learned, first.learned, rtol=1e-4, atol=1e-6)


def test_the_same_command_again_changes_nothing_and_another_is_refused(saved_sweep, capsys):
    words = f"run uniform-small-sample {SIZES} {SWEPT} --no-figures --quiet"
    words = words.replace("--embedding-dim 4 ", "")
    before = (saved_sweep / "results.nc").read_bytes()
    assert simlab(*words.split(), "--out", saved_sweep) == 0
    assert (saved_sweep / "results.nc").read_bytes() == before
    capsys.readouterr()
    assert simlab(*words.replace("--epochs 8", "--epochs 9").split(), "--out", saved_sweep) == 2
    printed = capsys.readouterr().err
    assert "configuration.uniform-small-sample.epochs: 8 there, 9 here" in printed
    assert printed.count("\n") == 1
    assert (saved_sweep / "results.nc").read_bytes() == before


@pytest.mark.parametrize("own", [True, False])
def test_parts_left_by_a_kill_at_the_very_end_are_cleared_but_not_those_of_another_sweep(saved_sweep, tmp_path, own):
    folder = tmp_path / "finished"
    folder.mkdir()
    (folder / "results.nc").write_bytes((saved_sweep / "results.nc").read_bytes())
    with xarray.open_dataset(folder / "results.nc") as dataset:
        sweep = json.loads(dataset.attrs["sweep"]) | {"settings": json.loads(dataset.attrs["settings"])}
    open_store(folder, sweep if own else sweep | {"seeds": [7]}, dict, {}, print)
    words = f"run uniform-small-sample {SIZES} {SWEPT} --no-figures --quiet"
    assert simlab(*words.replace("--embedding-dim 4 ", "").split(), "--out", folder) == 0
    assert (folder / "parts").exists() == (not own)


def test_a_plan_is_told_and_nothing_is_run(tmp_path, capsys):
    words = f"run feature-collapse {SIZES} --seeds 3 --vary weight-decay=1e-3,2e-3 --plan"
    assert simlab(*words.split(), "--out", tmp_path / "run", "--no-figures") == 0
    printed = capsys.readouterr().out
    assert "24 members = 4 regimes x axes: weight_decay (2) x 3 seeds" in printed
    # Uniform and Zipf words share a program where the samples are of the same size.
    assert "uniform-small-sample, zipf-small-sample" in printed
    assert "compilations: 3 programs" in printed
    assert "estimated time" in printed
    assert list(tmp_path.iterdir()) == []


def test_a_varied_regime_prints_and_draws_the_sweep(saved_sweep, capsys):
    assert simlab("plot", saved_sweep) == 0
    assert {path.name for path in saved_sweep.iterdir()} == {"results.nc", "sweep.pdf", "sweep.png"}


def test_members_that_converge_stop_early(tmp_path, capsys):
    words = f"run uniform-small-sample {SIZES.replace('--epochs 8', '--n-steps 6000')} --n-records 60 --seeds 3 --quiet"
    options = "--source population --learning-rate 1 --weight-decay 0.02 --until gradient-norm=1e-3 --initial-scale 0.3"
    assert simlab(*words.split(), *options.split(), "--no-figures", "--out", tmp_path) == 0
    assert "3 converged" in capsys.readouterr().out
    with xarray.open_dataset(tmp_path / "results.nc") as dataset:
        assert set(dataset.status.values.ravel()) == {"converged"}
        assert (dataset.steps_taken < 6000).all()
        assert (dataset.history_gradient_norm.min("record") <= 1e-3).all()


def test_trajectories_are_kept_when_asked(tmp_path):
    dataset = run("zipf-small-sample", epochs=8, n_records=4, trajectories=True, **SMALL)
    assert dataset.embeddings_trajectory.dims == ("regime", "seed", "record", "word", "dimension")
    assert dataset.embeddings_trajectory.shape == (1, 1, 5, 6, 4)
    assert (dataset.embeddings_trajectory.isel(record=-1) == dataset.embeddings).all()
    assert "embeddings_trajectory" not in run("zipf-small-sample", epochs=8, n_records=4, **SMALL)


@dataclass(frozen=True, kw_only=True)
class Penalised(Configuration):
    """Two penalties that one name sets."""

    aliases: ClassVar = {"penalty": ("first", "second")}
    first: float = option(1.0, "of the first")
    second: float = option(0.0, "of the second")


def test_an_alias_sets_its_fields_wherever_they_are_not_zero():
    assert Penalised().replace(penalty=3) == Penalised(first=3.0)
    assert Penalised(second=2.0).replace(penalty=3) == Penalised(first=3.0, second=3.0)
    # A field that is given beside it wins.
    assert Penalised(second=2.0).replace(penalty=3, second=0.0) == Penalised(first=3.0)
    with pytest.raises(ValueError, match="penalty: expected a non-negative finite number, got -1"):
        Penalised().replace(penalty=-1)


def test_an_alias_is_an_axis_which_no_field_of_it_may_cross():
    axis = parse_axis("penalty=1,2", Penalised)
    assert [one.first for one in vary(Penalised(), (axis,))] == [1.0, 2.0]
    assert overlaps("penalty", Penalised, ["second", "n_steps"]) == ["second"]
    assert overlaps("first", Penalised, ["second", "penalty"]) == ["penalty"]
    with pytest.raises(ValueError, match="vary first: penalty is set twice"):
        make_axes({"penalty": [1.0], "first": [2.0]}, Penalised)


def test_python_takes_an_alias_as_any_other_override():
    dataset = run("zipf-layer-norm", epochs=1, weight_decay=5e-3, **SMALL)
    (configuration,) = json.loads(dataset.attrs["configuration"]).values()
    assert configuration["classifier_weight_decay"] == 5e-3
    assert configuration["embedding_weight_decay"] == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--dtype float16", "dtype: expected one of float32, float64, got 'float16'"),
        ("--schedule cosin", "schedule: expected one of constant, cosine, warmup-cosine, got 'cosin'"),
        (
            "--schedule warmup-cosine --n-steps 20 --warmup-steps 20",
            "warmup_steps: expected between 1 and n_steps-1=19 with schedule=warmup-cosine, got 20",
        ),
        ("--warmup-steps -1", "warmup_steps: expected a whole number of at least 0, got -1"),
    ],
)
def test_type_and_schedule_are_checked(capsys, options, message):
    assert simlab("run", "uniform-small-sample", *options.split()) == 2
    assert capsys.readouterr().err.startswith(f"simlab: {message}")


def test_float64_from_the_command_line_reaches_the_theorem_to_twelve_digits(tmp_path):
    """The minimum of a saturated task is a theorem; float32 stops at the rounding of its risk, 6e-8."""
    words = "run uniform-small-sample --n-words 6 --n-classes all --sentence-length 2 --embedding-dim 4"
    words += " --source population --optimizer lbfgs --n-steps 200 --n-records 2 --initial-scale 0.3 --quiet"
    assert main([*words.split(), "--dtype", "float64", "--out", str(tmp_path / "run"), "--no-figures"]) == 0
    dataset = load_dataset(tmp_path / "run").sel(quantity="test_risk").isel(regime=0, seed=0)
    assert dataset.embeddings.dtype == np.float64
    assert float(dataset.learned) == pytest.approx(float(dataset.predicted), rel=1e-12)
