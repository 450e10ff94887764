import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import xarray

from experiments.commands.cli import main
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE
from experiments.registry import NAMES
from experiments.tables.columns import standard_error
from figures.drawing import style
from figures.feature_collapse import overview
from simlab.exact.reduced import minimise_reduced
from theory import feature_collapse

SIZES = "--n-words 6 --n-classes 4 --sentence-length 2 --embedding-dim 4 --batch-size 10 --n-evaluation 20"
TINY = SIZES.split()


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    """One saved run of all four regimes, with two seeds."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert run("run", "feature-collapse", *TINY, "--epochs", 4, "--seeds", 2, "--out", folder, "--quiet") == 0
    return folder


def test_list_has_every_experiment_with_its_time(capsys):
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all("min" in line or " s" in line for line in lines)


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ("", {}),
        ("--word-frequency zipf --weight-decay 2e-3", {"word_frequency": "zipf", "weight_decay": 2e-3}),
        ("--layer-norm", {"layer_norm": True}),
        (
            "--n-concepts 2 --n-words 4 --sentence-length 3 --n-classes all --word-frequency 0.7,0.3 --embedding-dim 5",
            {
                "n_concepts": 2, "n_words": 4, "sentence_length": 3, "n_classes": "all",
                "word_frequency": (0.7, 0.3), "embedding_dim": 5,
            },
        ),
        (
            "--weight-decay 1e-3 --classifier-weight-decay 3e-3",
            {"weight_decay": 1e-3, "classifier_weight_decay": 3e-3},
        ),
    ],
)  # fmt: skip
def test_predict_prints_what_python_returns(capsys, options, arguments):
    assert run("predict", "feature-collapse", *options.split(), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    prediction = feature_collapse.predict(**arguments)
    assert printed.pop("task") == prediction.task
    assert printed == prediction.to_json()
    assert set(printed) == {
        "collapse_type", "embedding_norms", "classifier_norm", "cross_entropy", "risk", "zero_threshold", "exact",
    }  # fmt: skip


def test_predict_says_when_the_minimiser_is_zero(capsys):
    assert run("predict", "feature-collapse", "--weight-decay", 0.1) == 0
    assert "above the zero threshold: the minimiser is the zero network" in capsys.readouterr().out
    assert run("predict", "feature-collapse", "--weight-decay", 0.1, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["embedding_norms"] == [0.0]
    assert printed["risk"] == pytest.approx(np.log(1000), rel=1e-12)


def test_run_leaves_one_labelled_dataset_and_its_figures(tiny_run):
    names = {path.name for path in tiny_run.iterdir()}
    figures = [name.split(".")[-1] for name in FEATURE_COLLAPSE.figures]
    assert names == {"results.nc"} | {f"{name}.{suffix}" for name in figures for suffix in ("pdf", "png")}
    with xarray.open_dataset(tiny_run / "results.nc") as dataset:
        assert dataset.regime.values.tolist() == [
            "uniform-small-sample", "zipf-large-sample", "zipf-small-sample", "zipf-layer-norm",
        ]  # fmt: skip
        assert dataset.sizes["seed"] == 2
        assert dataset.embeddings.dims == ("regime", "seed", "word", "dimension")
        assert dataset.embeddings.shape == dataset.embeddings_predicted.shape
        assert dataset.classifier.shape == dataset.classifier_predicted.shape == (4, 2, 4, 2, 4)
        assert set(dataset.status.values.ravel()) == {"finished"}
        configuration = json.loads(dataset.attrs["configuration"])["zipf-layer-norm"]
        assert configuration["layer_norm"] is True
        assert configuration["embedding_weight_decay"] == 0.0
        for name in ("versions", "git_revision", "device", "python"):
            assert dataset.attrs[name]


def test_the_prediction_in_the_dataset_is_that_of_theory(tiny_run):
    task = {"n_words": 6, "n_classes": 4, "sentence_length": 2, "embedding_dim": 4, "weight_decay": 2e-3}
    with xarray.open_dataset(tiny_run / "results.nc") as dataset:
        zipf = dataset.sel(regime="zipf-small-sample")
        prediction = feature_collapse.predict(word_frequency="zipf", **task)
        norms = np.linalg.norm(zipf.embeddings_predicted.values[0], axis=-1).reshape(3, 2)
        # Stored in float32: 2^-24 relative per entry.
        np.testing.assert_allclose(norms, np.tile(prediction.embedding_norms, (3, 1)), rtol=4 * 2**-24)
        assert float(zipf.risk_predicted) == prediction.risk
        normalised = dataset.sel(regime="zipf-layer-norm")
        assert normalised.collapse_type.item() == "II"
        learned = np.linalg.norm(normalised.embeddings.values, axis=-1)
        np.testing.assert_allclose(learned, 2.0, rtol=1e-5)


def test_every_run_on_a_fixed_sample_is_certified(tiny_run):
    with xarray.open_dataset(tiny_run / "results.nc") as dataset:
        # Float32 training, evaluated in float64: the recorded risk of the whole sample agrees to rounding.
        curves = dataset.history_risk.values.reshape(8, -1)
        recorded = np.array([curve[np.isfinite(curve)][-1] for curve in curves]).reshape(4, 2)
        # The large sample (the second regime) is recorded on a part of it.
        small = [0, 2, 3]
        np.testing.assert_allclose(dataset.training_risk.values[small], recorded[small], rtol=1e-5)
        assert (dataset.risk_lower_bound > 0).all()
        np.testing.assert_allclose(dataset.duality_gap, dataset.training_risk - dataset.risk_lower_bound, atol=1e-12)


def test_the_exact_column_is_the_reduced_minimum_of_each_seeds_latents(tiny_run):
    with xarray.open_dataset(tiny_run / "results.nc") as dataset:
        uniform = dataset.sel(regime="uniform-small-sample").isel(seed=1)
        minimum = minimise_reduced(uniform.latents.values, 3, 2, 4, 2e-3)
        assert float(uniform.exact_minimum.sel(quantity="test_risk")) == pytest.approx(minimum.risk, rel=1e-12)
        assert float(uniform.exact_minimum.sel(quantity="embedding_norm")) == pytest.approx(
            minimum.embedding_norm, rel=1e-9
        )
        # Unequal words without LayerNorm collapse only approximately: nothing exact is known for these latents.
        assert dataset.exact_minimum.sel(regime="zipf-small-sample").isnull().all()


def test_plot_redraws_from_the_file_alone(tiny_run, tmp_path, capsys):
    (tmp_path / "results.nc").write_bytes((tiny_run / "results.nc").read_bytes())
    assert run("plot", tmp_path) == 0
    assert (tmp_path / "overview.pdf").read_bytes() == (tiny_run / "overview.pdf").read_bytes()


def test_redrawing_gives_the_same_bytes_wherever_the_memory_lies(tiny_run, tmp_path):
    files, kept = set(), []
    with xarray.open_dataset(tiny_run / "results.nc") as dataset:
        # The layout's solver orders by address: without rounding, eight drawings agree in 3 of 100 cases.
        for size in range(8):
            style.save(overview.draw(dataset), tmp_path / "overview.pdf")
            files.add((tmp_path / "overview.pdf").read_bytes())
            kept.append([bytes(97 * size)] * size)
    assert len(files) == 1


def test_a_run_is_not_overwritten_without_being_told(tiny_run, capsys):
    before = (tiny_run / "results.nc").read_bytes()
    assert run("run", "uniform-small-sample", *TINY, "--epochs", 2, "--out", tiny_run) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(
        "simlab: out: expected a folder without another run in it (experiment: 'feature-collapse' there, "
        "'uniform-small-sample' here; "
    )
    assert (tiny_run / "results.nc").read_bytes() == before


def test_overwrite_replaces_a_run(tmp_path):
    (tmp_path / "results.nc").write_text("another run")
    words = ("run", "uniform-small-sample", *TINY, "--epochs", 2, "--out", tmp_path, "--no-figures", "--quiet")
    assert run(*words, "--overwrite") == 0
    with xarray.open_dataset(tmp_path / "results.nc") as dataset:
        assert dataset.regime.values.tolist() == ["uniform-small-sample"]
    assert [path.name for path in tmp_path.iterdir()] == ["results.nc"]


BAD_INPUT = [
    ("--n-words 1201", "n_words: expected a multiple of n_concepts=3, got 1201"),
    ("--n-concepts 1", "n_concepts: expected "),
    ("--n-words many", "n_words: expected a whole number, got 'many'"),
    ("--n-classes 10 --sentence-length 2", "n_classes: expected "),
    ("--n-classes most", "n_classes: expected "),
    ("--weight-decay -1e-3", "weight_decay: expected a non-negative finite number, got -0.001"),
    ("--weight-decay nan", "weight_decay: expected a non-negative finite number, got nan"),
    ("--embedding-weight-decay 0", "embedding_weight_decay: expected a positive finite number, got 0.0"),
    ("--classifier-weight-decay inf", "classifier_weight_decay: expected a positive finite number, got inf"),
    ("--weight-decay much", "weight_decay: expected a number, got 'much'"),
    ("--n-words 6 --word-frequency 0.5,0.6", "word_frequency: expected "),
    ("--n-words 6 --word-frequency 1.5,-0.5", "word_frequency: expected "),
    ("--n-words 6 --word-frequency 0.5,0.3,0.2", "word_frequency: expected "),
    ("--word-frequency zipfy", "word_frequency: expected "),
    ("--embedding-dim 1", "embedding_dim: expected at least 2 for n_concepts=3, got 1"),
    ("--n-classes all --sentence-length 50", "n_classes: expected less than 2^31"),
    ("--first-seed 4294967295 --seeds 2", "first_seed: expected seeds below 2^32, got 4294967295"),
    ("--embedding-dim 2 --layer-norm", "embedding_dim: expected at least 3 for n_concepts=3"),
    (
        "--embeding-dim 5",
        "option: expected one that 'simlab run uniform-small-sample --help' lists, got '--embeding-dim'",
    ),
]


@pytest.mark.parametrize(("options", "message"), BAD_INPUT)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, capsys, options, message):
    words = ("run", "uniform-small-sample", *options.split(), "--out", tmp_path / "run", "--no-figures")
    assert run(*words) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"simlab: {message}")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--seeds 0", "seeds: expected a whole number of at least 1, got '0'"),
        ("--preset papre", "preset: expected one of quick, paper, got 'papre' (did you mean 'paper'?)"),
        ("--epochs 0", "epochs: expected a whole number of at least 1, got 0"),
        ("--source fres", "source: expected one of fixed, fresh, population, got 'fres' (did you mean 'fresh'?)"),
        ("--source fresh", "epochs: expected n_steps instead, as source=fresh has no epochs, got 300"),
        ("--source population --n-steps 5", "population: expected 222222 sentences at most"),
        ("--learning-rate 0", "learning_rate: expected a positive finite number, got 0.0"),
        ("--optimizer sgdd", "optimizer: expected one of"),
        ("--batch-size 2000", "batch_size: expected at most the 1500 examples of the sample, got 2000"),
    ],
)
def test_bad_run_options_are_one_line(tmp_path, capsys, options, message):
    assert run("run", "uniform-small-sample", *options.split(), "--out", tmp_path / "run") == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {message}")
    assert printed.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run feature-colapse", "experiment: .*, got 'feature-colapse' .did you mean 'feature-collapse'"),
        ("rnu feature-collapse", "command: expected one of list, .*, verify, bench, got 'rnu' .did you mean 'run'"),
        ("predict zipf-layernorm", "name: expected one of feature-collapse, .* .did you mean 'zipf-layer-norm'"),
        ("predict feature-collapse --jsno", "option: expected .*, got '--jsno' .did you mean '--json'"),
        ("plot nowhere", "folder: expected one that holds results.nc, got 'nowhere'"),
        ("run", "the following arguments are required: NAME"),
    ],
)  # fmt: skip
def test_unknown_names_get_the_nearest(capsys, words, message):
    assert run(*words.split()) == 2
    printed = capsys.readouterr().err
    assert re.match(f"simlab: {message}", printed)
    assert printed.count("\n") == 1


def test_the_installed_command_reports_through_its_exit_status():
    command = [sys.executable, "-m", "experiments.commands.cli", "run", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_an_experiment_can_be_run_through_the_package():
    command = [sys.executable, "-m", "experiments", "zipf-layer-norm", "--embedding-dim", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("simlab: embedding_dim: expected at least 3")


def test_output_that_nobody_reads_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "experiments.commands.cli", "list"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_diverged_member_is_reported_and_the_rest_is_kept(tmp_path, capsys):
    words = ("run", "zipf-small-sample", *TINY, "--epochs", 300, "--learning-rate", 1e6, "--out", tmp_path, "--quiet")
    assert run(*words) == 1
    printed = capsys.readouterr()
    assert "simlab: 1 of 1 members diverged" in printed.err
    assert "1 diverged" in printed.out
    with xarray.open_dataset(tmp_path / "results.nc") as dataset:
        assert dataset.status.values.tolist() == [["diverged"]]
        assert np.isnan(dataset.learned.sel(quantity="test_accuracy")).all()
    assert (tmp_path / "overview.pdf").is_file()


def test_a_weight_decay_above_the_zero_threshold_is_no_error(tmp_path, capsys):
    words = ("run", "uniform-small-sample", *TINY, "--epochs", 40, "--weight-decay", 0.5, "--no-figures", "--quiet")
    assert run(*words, "--out", tmp_path) == 0
    assert (
        "weight decay above the zero threshold, 0.2887: the predicted minimiser is the zero" in capsys.readouterr().out
    )


@pytest.mark.parametrize(("normalisation", "status"), [([], 0), (["--normalisation", "layer"], 2)])
def test_without_weight_decay_only_a_network_whose_norms_count_is_trained(normalisation, status, capsys):
    words = ("run", "uniform-small-sample", *TINY, "--epochs", 2, "--weight-decay", 0, *normalisation, "--plan")
    assert run(*words) == status
    assert ("positive finite number" in capsys.readouterr().err) == bool(status)


SHAPES = (
    "--n-words 6 --n-classes 9 --sentence-length 2 --embedding-dim 30",
    "--n-concepts 10 --n-words 10 --n-classes 2 --sentence-length 2 --embedding-dim 9",
    "--n-concepts 2 --n-words 4 --n-classes 2 --sentence-length 1 --embedding-dim 1",
    "--n-words 3 --n-classes 3 --sentence-length 1 --embedding-dim 2 --word-frequency 1.0",
    "--n-words 6 --n-classes 5 --sentence-length 3 --embedding-dim 4 --source fresh --n-steps 7 --optimizer adam",
)


@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.filterwarnings("error")
def test_legal_sizes_at_the_edges_run_to_the_end(tmp_path, capsys, options):
    rest = "" if "n-steps" in options else "--epochs 2"
    words = f"run uniform-small-sample {options} {rest} --batch-size 4 --n-evaluation 20 --n-records 2 --quiet"
    assert run(*words.split(), "--out", tmp_path) == 0
    assert (tmp_path / "overview.pdf").is_file()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "spread within concepts, embeddings" in line]
    # With one word per concept there is nothing that could spread.
    assert (line.split()[-1] == "-") == ("--n-words 10" in options or "--n-words 3" in options)


@pytest.mark.parametrize("decay", ["--classifier-weight-decay 1e-3", "--weight-decay 1e-3"])
def test_layer_norm_leaves_words_unpenalised_unless_told(capsys, decay):
    assert run("predict", "feature-collapse", "--layer-norm", *decay.split()) == 0
    assert "shrinks" not in capsys.readouterr().out


def test_a_file_that_is_no_run_is_named(tmp_path, capsys):
    (tmp_path / "results.nc").write_text("no netCDF")
    assert run("plot", tmp_path) == 2
    assert capsys.readouterr().err.startswith("simlab: folder: expected a readable results.nc")
    (tmp_path / "results.nc").unlink()
    xarray.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "results.nc", engine="h5netcdf")
    assert run("plot", tmp_path) == 2
    assert capsys.readouterr().err.startswith("simlab: folder: expected a results.nc that simlab wrote")


def test_a_file_in_the_way_is_refused_before_training(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run("run", "uniform-small-sample", "--out", tmp_path / "file" / "below") == 2
    assert "out: expected a folder" in capsys.readouterr().err


def test_the_standard_error_of_equal_seeds_is_that_of_their_samples():
    assert standard_error(np.ones(3), np.full(3, 0.005)) == pytest.approx(0.005 / np.sqrt(3))
    assert standard_error(np.array([1.0, 3.0]), np.full(2, np.nan)) == pytest.approx(1.0)
    assert np.isnan(standard_error(np.ones(1), np.full(1, np.nan)))
