"""What a terminal shows fits it; what a program reads is JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.commands.cli import main
from experiments.core.summaries import summarise_regime
from experiments.registry import NAMES, find_experiment
from experiments.verification.claim import compare, not_applicable
from experiments.verification.report import format_claims
from simlab.storage.results import load_dataset
from theory import feature_collapse


def make_claim(name):
    return compare(name, "derived here", 1 / 3, 1 / 3, 1e-12)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_table_of_claims_fits_a_terminal(width):
    words = "the risk of a network of many words and few classes, " * 4
    claims = [make_claim(words), make_claim("short"), not_applicable(words, "derived here", f"it needs {words}")]
    lines = format_claims(claims, width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(format_claims(claims).splitlines()) == 6  # a line each where no terminal reads it


def test_experiments_are_listed_as_json(capsys):
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed] == list(NAMES)
    assert set(listed[0]) == {"name", "summary", "quick_time", "paper_time"}


def test_the_package_is_the_command_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "simlab", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("simlab ")


def test_a_summary_has_the_numbers_of_the_run():
    regime = find_experiment("zipf-large-sample").regimes[0]
    values = {"per_class": 20, "word_frequency": "uniform"}
    assert summarise_regime(regime, values).startswith("uniform words, 20 sentences per class")
    assert summarise_regime(regime, values, ["per_class"]).startswith("uniform words, several sentences per class")
    assert find_experiment("zipf-large-sample").summary.startswith("Zipf words, 500 sentences per class")


def test_a_run_is_printed_as_json(tmp_path, capsys):
    sizes = "--n-words 6 --n-classes 8 --sentence-length 2 --embedding-dim 4 --batch-size 8 --epochs 2"
    words = [
        "run",
        "uniform-small-sample",
        *sizes.split(),
        "--vary",
        "weight-decay=1e-3,2e-3",
        "--json",
        "--quiet",
        "--no-figures",
    ]
    assert main([*words, "--out", str(tmp_path / "run")]) == 0
    rows = json.loads(capsys.readouterr().out)
    dataset = load_dataset(tmp_path / "run")
    assert len(rows) == 2 * dataset.sizes["quantity"]
    norm = next(row for row in rows if row["quantity"] == "embedding_norm" and row["weight_decay"] == 2e-3)
    cell = dataset.isel(regime=0).sel(weight_decay=2e-3, quantity="embedding_norm")
    assert norm["predicted"] == float(cell.predicted)
    assert norm["learned"] == float(cell.learned.mean())
    assert norm["standard_error"] is None  # a single seed
    assert norm["kind"] == "Type I"


def test_a_prediction_shows_itself_in_five_lines():
    task = {"n_concepts": 3, "n_words": 6, "sentence_length": 2, "n_classes": 9, "embedding_dim": 4}
    prediction = feature_collapse.predict(**task, weight_decay=1e-2)
    lines = repr(prediction).splitlines()
    assert len(lines) == 5
    assert lines[0] == "Type I, theorem"
    assert max(map(len, lines)) <= 100
