"""Whatever keeps a command from its work is one line: no memory, no such path, no reader, no device, Ctrl-C."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import pytest

from experiments.commands import cli
from experiments.commands.cli import main
from simlab.runtime.compilation_cache import keep_compilations

SIZES = "--n-words 6 --n-classes 4 --sentence-length 2 --embedding-dim 4 --batch-size 10 --n-evaluation 20"
TINY = ("run", "uniform-small-sample", *SIZES.split(), "--epochs", "2", "--n-records", "2", "--no-figures")


def command(*words, **options):
    """Run the command line in a process of its own; errors that it prints are read."""
    environment = {**os.environ, **options.pop("env", {})}
    words = [sys.executable, "-m", "experiments.cli", *map(str, words)]
    return subprocess.run(words, text=True, env=environment, check=False, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (MemoryError(), 1, "out of memory: reduce the problem size"),
        (MemoryError("Unable to allocate 7 TiB"), 1, "out of memory: Unable to allocate 7 TiB"),
        (RuntimeError("RESOURCE_EXHAUSTED: 8 bytes\nmore"), 1, "out of memory: RESOURCE_EXHAUSTED: 8 bytes"),
        (RuntimeError("can't start new thread"), 1, "out of memory: can't start new thread"),
        (ImportError("libX.so: failed to map segment from shared object"), 1, "out of memory: libX.so: failed to map"),
        (PermissionError(13, "Permission denied", "/a"), 2, "'/a': Permission denied"),
        (FloatingPointError("nan\nin f"), 1, "nan"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_an_error_is_one_line_before_the_work_and_within_it(monkeypatch, capsys, error, status, line, begun):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(cli, "parse", lambda words: cli.Namespace(prepare=(lambda options: fail) if begun else fail))
    assert main(["list"]) == (1 if begun and status == 2 else status)
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {line}")
    assert printed.count("\n") == 1


def test_a_fault_of_simlab_is_not_hidden(monkeypatch):
    def fail(*arguments):
        raise RuntimeError("what nobody expects")

    monkeypatch.setattr(cli, "parse", lambda words: cli.Namespace(prepare=fail))
    with pytest.raises(RuntimeError, match="what nobody expects"):
        main(["list"])


@pytest.mark.parametrize("flags", [("--out",), ("--from", "--out")])
def test_a_name_too_long_for_the_file_system_is_one_line(capsys, tmp_path, flags):
    words = [word for flag in flags for word in (flag, str(tmp_path / ("a" * 300)))]
    assert main([*(TINY if len(flags) == 1 else ("run",)), *words]) == 2
    printed = capsys.readouterr().err
    assert "File name too long" in printed or "folder: expected one that holds results.nc" in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize("words", ["list", "--help", "predict feature-collapse --json"])
def test_a_full_device_is_one_line(words):
    with Path("/dev/full").open("w") as full:
        done = command(*words.split(), stdout=full)
    assert (done.returncode, done.stderr) in [
        (1, "simlab: stdout: No space left on device\n"),
        (0, ""),  # help ends the process before its output is missed
    ]


def test_a_run_whose_output_nobody_reads_is_finished_in_silence(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = command(*TINY, "--out", tmp_path, "--quiet", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
    assert (tmp_path / "results.nc").is_file()


def test_settings_under_which_nothing_would_run_are_set_back_with_a_line_each(tmp_path):
    settings = {"JAX_DEBUG_NANS": "1", "JAX_DISABLE_JIT": "1", "JAX_NUMPY_DTYPE_PROMOTION": "strict"}
    done = command(*TINY, "--out", tmp_path, "--quiet", env=settings, stdout=subprocess.DEVNULL)
    assert done.returncode == 0
    assert [line.split("=")[0] for line in done.stderr.splitlines()] == [f"simlab: {name}" for name in settings]


@pytest.mark.parametrize("platform", ["cuda", "nonsense"])
def test_a_platform_that_is_not_here_is_one_line(tmp_path, platform):
    done = command(*TINY, "--out", tmp_path / "run", "--quiet", env={"JAX_PLATFORMS": platform})
    assert done.returncode == 2
    assert (
        done.stderr == f"simlab: JAX_PLATFORMS: expected a platform available to JAX, such as cpu, got '{platform}'\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        ("run neural-collapse --learning-rate 3", 2, "learning_rate: expected none, as optimizer=lbfgs has no"),
        ("run neural-collapse --vary learning-rate=1,2", 2, "learning_rate: expected none, as optimizer=lbfgs has no"),
        (
            "run neural-collapse --vary learning-rate=1,2 --vary optimizer=sgd,lbfgs",
            2,
            "learning_rate: expected none, as optimizer=lbfgs has no",
        ),
        ("run uniform-small-sample --learning-rate 1e300", 2, "learning_rate: expected a number within the range of"),
        (
            "run uniform-small-sample --samples-per-class 5",
            2,
            "option: expected one that 'simlab run uniform-small-sample --help' lists, got '--samples-per-class' (an "
            "option of neural-collapse)",
        ),
        ("predict neural-collapse --samples-per-class long-tail:5:100", 2, "samples_per_class: expected at least one"),
        (
            "predict neural-collapse --feature-weight-decay 1e308 --classifier-weight-decay 1e308 --json",
            2,
            "feature_weight_decay: expected a finite product with classifier_weight_decay=1e+308, got 1e+308",
        ),
        ("run --from somewhere", 2, "out: expected a folder for the rerun of --from, got none"),
    ],
)
def test_a_choice_without_effect_or_without_a_result_is_one_line(tmp_path, monkeypatch, capsys, words, status, line):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == status
    printed = capsys.readouterr()
    assert printed.err.startswith(f"simlab: {line}")
    assert (printed.err.count("\n"), printed.out) == (1, "")
    assert list(tmp_path.iterdir()) == []


def test_a_long_tail_is_predicted_as_it_is_run(capsys):
    assert main(["predict", "neural-collapse", "--samples-per-class", "long-tail:100:10", "--n-classes", "3"]) == 0
    long_tail = capsys.readouterr().out
    assert main(["predict", "neural-collapse", "--samples-per-class", "100,32,10"]) == 0
    assert capsys.readouterr().out == long_tail


@pytest.mark.parametrize(("category", "line"), [(RuntimeWarning, ""), (UserWarning, "simlab: warning: a number\n")])
@pytest.mark.filterwarnings("default")
def test_a_warning_of_a_library_is_one_line_or_none(monkeypatch, capsys, category, line):
    def warn():
        warnings.warn("a number\nand more", category, stacklevel=1)
        return 0

    monkeypatch.setattr(cli, "parse", lambda words: cli.Namespace(prepare=lambda options: warn))
    shown = warnings.showwarning
    assert main(["list"]) == 0
    assert capsys.readouterr().err == line
    assert warnings.showwarning is shown


def test_a_user_without_a_home_folder_is_told_so_once(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    said = []
    chosen = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    try:
        keep_compilations(said.append)
    finally:
        jax.config.update("jax_compilation_cache_dir", chosen)
    assert [line.startswith("compiled programs cannot be kept") for line in said] == [True]
