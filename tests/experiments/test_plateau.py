import re

import pytest

from experiments import plateau
from experiments.commands import cli

pytestmark = pytest.mark.quick

SIZES = {
    "n-words": 60, "n-classes": 100, "sentence-length": 8, "embedding-dim": 10, "per-class": 4, "batch-size": 40,
    "initial-scale": 1e-4, "learning-rate": 0.1, "epochs": 80, "n-records": 2, "seeds": 2, "n-evaluation": 1000,
}  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plateau") / "run"
    options = [f"--{name}={value}" for name, value in SIZES.items()]
    assert cli.main(["run", "uniform-small-sample", *options, "--no-figures", "--quiet", "--out", str(folder)]) == 0
    return folder


def test_accuracy_during_the_plateau_is_that_of_linear_descent(saved, capsys):
    assert plateau.main([str(saved)]) == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(row[1], row[2]) for row in rows] == [(seed, step) for seed in "01" for step in ("0", "400", "800")]
    accuracies = [[float(entry.split()[0]) for entry in row[3:]] for row in rows]
    # The same 1000 sentences; batches and float32 move those whose two largest logits nearly tie: under 1 %.
    for predicted, learned in accuracies:
        assert learned == pytest.approx(predicted, abs=1.0)
    # The control: it is not the accuracy of the initial weights, or of chance.
    for row in (2, 5):
        assert accuracies[row][0] > 20 > accuracies[row - 2][0]


def test_a_folder_without_such_a_run_is_refused(tmp_path, capsys):
    assert plateau.main([str(tmp_path)]) == 2
    assert "expected one that holds results.nc" in capsys.readouterr().err
