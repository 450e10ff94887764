"""Sizes that no computer holds are refused at once, in one line that names the field, with nothing written."""

import json
import math

import pytest

from experiments.commands.cli import main
from simlab import sizes
from simlab.sizes import largest_divisor
from simlab.tasks.labelled_samples import LabelledTask

pytestmark = pytest.mark.quick

TOO_LARGE = (
    ("predict neural-collapse --n-classes 1000000", "n_classes"),
    ("predict neural-collapse --n-classes 2000000000", "n_classes"),
    ("predict feature-collapse --n-words 999999999999", "n_words"),
    ("predict feature-collapse --sentence-length 2000000000", "sentence_length"),
    ("run uniform-small-sample --n-steps 99999999999", "n_steps"),
    ("run uniform-small-sample --epochs 2000000000", "n_steps"),
    ("run uniform-small-sample --n-classes 2000000000 --sentence-length 25", "n_classes"),
    ("run uniform-small-sample --n-evaluation 5000000000", "n_evaluation"),
    ("run uniform-small-sample --n-records 99999999999999", "n_records"),
    ("run uniform-small-sample --per-class 20000000000", "per_class"),
    ("run uniform-small-sample --embedding-dim 20000000000", "embedding_dim"),
    ("run uniform-small-sample --n-words 99999999999", "n_words"),
    ("run uniform-small-sample --batch-size 20000000000 --source fresh --n-steps 5", "batch_size"),
    ("run neural-collapse --n-classes 20000000000", "n_classes"),
    ("run neural-collapse --samples-per-class 20000000000", "samples_per_class"),
    ("run neural-collapse --samples-per-class long-tail:1e300:10", "samples_per_class"),
    ("run neural-collapse --feature-dim 200000000000", "feature_dim"),
    ("run neural-collapse --factor-sizes 200000x200000", "factor_sizes"),
    ("run neural-collapse --features mlp --depth 1000000", "depth"),
    ("run neural-collapse --features mlp --hidden-width 100000000000", "hidden_width"),
    ("run neural-collapse --features mlp --input-dim 100000000000", "input_dim"),
    ("run deep-networks --depth 10000000", "depth"),
    ("run deep-networks --hidden-width 100000000000", "hidden_width"),
)


@pytest.mark.parametrize(("words", "field"), TOO_LARGE)
def test_a_size_that_no_computer_holds_is_one_line(tmp_path, monkeypatch, capsys, words, field):
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {field}: expected ")
    assert printed.count("\n") == 1
    assert len(printed) < 600
    assert list(tmp_path.iterdir()) == []


def test_the_limit_that_is_named_is_the_largest_size_that_fits(monkeypatch):
    monkeypatch.setattr(sizes, "host_memory", lambda: 1000)
    sizes.check_array("embeddings", n_words=50, embedding_dim=5)
    with pytest.raises(ValueError, match=r"^n_words: expected at most 50 with embedding_dim=5, as .*, got 51$"):
        sizes.check_array("embeddings", n_words=51, embedding_dim=5)
    sizes.check_array("batch", batch_size="all", embedding_dim=10**9)


def test_a_task_made_in_python_is_checked_before_its_samples_are_listed():
    with pytest.raises(ValueError, match="n_classes: expected less than 2\\^31"):
        LabelledTask(factor_sizes=2**31, samples_per_cell=1)


@pytest.mark.parametrize(("number", "limit"), [(0, 0), (1, 1), (360, 100), (360, 7), (97, 96), (3000, 100)])
def test_records_are_a_divisor_of_the_steps(number, limit):
    expected = max((n for n in range(1, limit + 1) if number % n == 0), default=1)
    assert largest_divisor(number, limit) == expected
    assert largest_divisor(2**31 - 1, 10**9) == 1


def test_what_fits_is_predicted(capsys):
    assert main(["predict", "neural-collapse", "--n-classes", "100", "--json"]) == 0
    assert math.isfinite(json.loads(capsys.readouterr().out)["risk"])
