import json
import statistics
from math import inf, nan, sqrt

import numpy as np
import pytest
import xarray

from experiments.core.quantity import Quantity, describe
from experiments.tables.sweep import format_sweep, format_uncertain

pytestmark = pytest.mark.quick

QUANTITIES = ("embedding_norm", "classifier_norm", "test_risk", "test_accuracy")
DECLARED = {
    "embedding_norm": Quantity(label="embedding norm, rms", headline="compared"),
    "classifier_norm": Quantity(label="classifier norm, rms", headline="compared"),
    "test_risk": Quantity(label="risk, test", unit="nats", headline="compared"),
    "test_accuracy": Quantity(label="accuracy, test", headline="learned"),
}
DECAYS, WORDS = [1e-4, 1e-3, 1e-2], [6, 600]
SEEDS = {
    "embedding_norm": (1.9, 2.0, 2.1),
    "classifier_norm": (0.98, 1.00, 1.02),
    "test_risk": (0.49, 0.51, 0.59),
    "test_accuracy": (0.99, 0.99, 0.99),
}
PREDICTED = {"embedding_norm": 2.0, "classifier_norm": 1.1, "test_risk": 0.5, "test_accuracy": 1.0}


def make_dataset(regimes=("one",), axes=None):
    """A sweep in which every cell holds the same known numbers, times the number of its first value, from 1."""
    axes = {"weight_decay": DECAYS, "n_words": WORDS} if axes is None else axes
    cells = (len(regimes), *(len(values) for values in axes.values()))
    dims = ("regime", *axes)
    factor = (1 + np.arange(cells[1])).reshape(1, -1, *([1] * (len(cells) - 2)), 1)
    scale = factor * np.array([1, 1, 1, 0]) + np.array([0, 0, 0, 1])  # accuracy is the same everywhere
    learned = np.array([SEEDS[name] for name in QUANTITIES])
    sampling = np.array([[nan] * 3, [nan] * 3, [nan] * 3, [0.006] * 3])
    shape = (*cells, 4, 3)
    return xarray.Dataset(
        {
            "predicted": ((*dims, "quantity"), np.ones((*cells, 4)) * [PREDICTED[q] for q in QUANTITIES] * scale),
            "learned": ((*dims, "quantity", "seed"), np.ones(shape) * learned * scale[..., None]),
            "sampling_error": ((*dims, "quantity", "seed"), np.broadcast_to(sampling, shape).copy()),
            "status": ((*dims, "seed"), np.full((*cells, 3), "finished", object)),
            "kind": (dims, np.full(cells, "Type I", object)),
            "note": (dims, np.full(cells, "", object)),
            "basis": (dims, np.full(cells, "theorem", object)),
        },
        coords={"regime": list(regimes), "quantity": list(QUANTITIES), **axes},
        attrs={"axes": json.dumps(list(axes)), "quantities": json.dumps(describe(DECLARED))},
    )


def rows_of(text):
    """Return the words of each line that begins with a number."""
    return [line.split() for line in text.splitlines() if line.strip()[:1].isdigit()]


def read(text):
    """Return value and error of ``1.50(2)``."""
    value, error = text.rstrip(")").split("(")
    decimals = len(value.partition(".")[2])
    return float(value), int(error) * 10.0**-decimals


def test_every_cell_has_one_line_with_its_axis_values_first():
    rows = rows_of(format_sweep(make_dataset()))
    assert [(float(row[0]), int(row[1])) for row in rows] == [(decay, n) for decay in DECAYS for n in WORDS]


def test_a_line_holds_prediction_mean_and_standard_error():
    rows = rows_of(format_sweep(make_dataset()))
    for row, factor in zip(rows, (1, 1, 2, 2, 3, 3), strict=True):
        for place, name in enumerate(("embedding_norm", "classifier_norm", "test_risk")):
            predicted, learned = row[2 + 2 * place : 4 + 2 * place]
            assert float(predicted) == pytest.approx(factor * PREDICTED[name], rel=1e-3)
            mean, error = read(learned)
            expected = factor * statistics.stdev(SEEDS[name]) / sqrt(3)
            assert error == pytest.approx(expected, rel=0.5)  # one digit is printed
            assert mean == pytest.approx(factor * statistics.mean(SEEDS[name]), abs=expected)
        assert row[8] == "0.990(3)"  # equal seeds: the error is that of their samples, 0.006 / sqrt(3) = 0.0035


def test_the_first_line_is_known_by_heart():
    # Standard errors: 0.1/sqrt(3) = 0.058, 0.02/sqrt(3) = 0.012, 0.0529/sqrt(3) = 0.031, 0.006/sqrt(3) = 0.0035.
    # Errors: 0, 0.1/1.1 = 9.1 %, 0.03/0.5 = 6 %.
    row = rows_of(format_sweep(make_dataset()))[0]
    assert row == ["0.0001", "6", "2", "2.00(6)", "1.1", "1.00(1)", "0.5", "0.53(3)", "0.990(3)", "9.1e-02"]


def test_the_heading_says_what_was_run():
    dataset = make_dataset(("zipf-small-sample",))
    dataset.kind[0, 1:] = "Type III"
    dataset.basis[0, 0] = "approximation for random latents"
    heading = format_sweep(dataset).splitlines()[0]
    assert heading == (
        "zipf-small-sample  "
        "(Type I, Type III, approximation for random latents in 2 cells, else theorem; 6 cells, 3 seeds)"
    )


def test_diverged_and_converged_members_are_counted():
    dataset = make_dataset()
    assert "diverged" not in format_sweep(dataset)
    dataset.status[0, 0, 0, 1:] = "diverged"
    dataset.learned[0, 0, 0, :, 1:] = nan
    dataset.status[0, 2, 1] = "diverged"
    dataset.learned[0, 2, 1] = nan
    dataset.status[0, 1, 1, 0] = "converged"
    dataset.status[0, 1, 0, 0] = "diverged"
    dataset.learned[0, 1, 0, :, 0] = nan
    text = format_sweep(dataset)
    assert "6 members diverged)" in text.splitlines()[0]
    assert text.splitlines()[2].split()[-2:] == ["diverged", "converged"]
    rows = rows_of(text)
    assert [row[-2:] for row in rows] == [["2", "0"], ["0", "0"], ["1", "0"], ["0", "1"], ["0", "0"], ["3", "0"]]
    assert rows[0][3] == "1.9"  # the seed that is left
    assert rows[2][3] == "4.1(1)"  # the mean of 4.0 and 4.2, whose standard error is 0.1
    assert rows[5][3:10:2] == ["-", "-", "-", "-"]
    assert rows[5][2] == "6"


def test_cells_with_a_note_are_counted():
    dataset = make_dataset()
    dataset.predicted[0, 2, :, :2] = 0.0
    dataset.note[0, 2] = "the zero network is predicted"
    text = format_sweep(dataset)
    assert "  the zero network is predicted (in 2 cells)" in text.splitlines()
    # Where zero is predicted the error is absolute: the embedding norm, 3 times 2.
    assert rows_of(text)[4][9] == "6.0e+00"


def test_what_is_cut_is_counted_in_the_last_line():
    dataset = make_dataset(("one", "two"))
    text = format_sweep(dataset, max_rows=4)
    assert len(rows_of(text)) == 4
    assert "two  (Type I" in text
    assert text.splitlines()[-1] == "... 8 more rows: all of them are in results.nc"
    assert "more row" not in format_sweep(dataset, max_rows=12)
    assert format_sweep(make_dataset(), max_rows=5).splitlines()[-1].startswith("... 1 more row: ")


@pytest.mark.parametrize(
    ("axes", "first"),
    [
        ({"optimizer": ["sgd", "adam"], "layer_norm": [False, True]}, ["sgd", "no"]),
        ({"word_frequency": ["zipf:0.5"]}, ["zipf:0.5"]),
        ({"layer_norm": [True], "n_words": [6], "learning_rate": [0.125], "n_classes": [9]}, ["yes", "6", "0.125"]),
    ],
)
def test_axes_of_every_kind_are_printed(axes, first):
    lines = format_sweep(make_dataset(axes=axes)).splitlines()
    assert lines[3].split()[: len(first)] == first


def test_axes_are_found_by_name():
    dataset = make_dataset(("one", "two"))
    turned = dataset.transpose("seed", "n_words", "quantity", "weight_decay", "regime")
    assert format_sweep(turned) == format_sweep(dataset)


def test_two_axes_fit_110_columns():
    dataset = make_dataset(axes={"embedding_dim": [10, 100], "weight_decay": list(np.geomspace(1e-4, 1e-2, 9))})
    dataset["learned"] = dataset.learned * np.pi / 3
    dataset["predicted"] = dataset.predicted * np.pi / 3
    assert max(len(line) for line in format_sweep(dataset).splitlines()) <= 110


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.5, 0.02, "1.50(2)"),
        (1.5, 0.0096, "1.50(1)"),
        (1.5, nan, "1.5"),
        (1.23456, 0.0, "1.235"),
        (2.0, 3e-9, "2.000000(0)"),
        (1.2e-7, 3e-9, "1.20(3)e-07"),
        (-1.5e-5, 2e-7, "-1.50(2)e-05"),
        (1e-5, 1.0, "0(1)"),
        (3.0, 40.0, "3(40)"),
        (0.0, 0.01, "0.00(1)"),
        (99000.0, 300.0, "99000(300)"),
        (123456.0, 300.0, "1.235(3)e+05"),
        (-2.5e17, 1e15, "-2.50(1)e+17"),
        (4.0, 3e6, "0(3)e+06"),
        (inf, 1.0, "inf"),
        (nan, nan, "-"),
    ],
)
def test_the_error_is_that_of_the_last_digit(value, error, text):
    assert format_uncertain(value, error) == text
