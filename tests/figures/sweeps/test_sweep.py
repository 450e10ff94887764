import json
import statistics
from itertools import pairwise, product
from math import sqrt

import matplotlib.colors
import numpy as np
import pytest
import xarray

from experiments.core.quantity import describe
from experiments.feature_collapse import comparison as words
from experiments.neural_collapse import comparison as classes
from experiments.tables.columns import standard_error
from figures.declared import panels_of, thresholds_of
from figures.drawing import scales, style
from figures.sweeps import arrangement as arrangement_of
from figures.sweeps import sweep

QUANTITIES = ("embedding_norm", "classifier_norm", "test_risk", "test_accuracy")
DECAYS = [1e-4, 1e-3, 1e-2]


CLASS_QUANTITIES = ("feature_norm", "classifier_norm", "risk", "rank", "closest_classes")
CLASS_DECAYS = [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2]


def make_dataset(axes, regimes=("one",), n_seeds=3, quantities=QUANTITIES):
    """A sweep in the saved form: predicted 1, 2, 3, ... cell by cell; learned 10 % less, with known noise."""
    sizes = [len(values) for values in axes.values()]
    shape = (len(regimes), *sizes, len(quantities))
    predicted = 1 + np.arange(np.prod(shape), dtype=float).reshape(shape)
    noise = np.random.default_rng(0).normal(size=(*shape, n_seeds))
    dims = ("regime", *axes)
    full = (*dims, "quantity", "seed")
    coords = {name: np.array(values, object if isinstance(values[0], str) else None) for name, values in axes.items()}
    cells = shape[:-1]
    return xarray.Dataset(
        {
            "predicted": ((*dims, "quantity"), predicted),
            "learned": (full, 0.9 * predicted[..., None] + 0.01 * noise),
            "exact_minimum": (full, np.full((*shape, n_seeds), np.nan)),
            "sampling_error": (full, np.full((*shape, n_seeds), np.nan)),
            "status": ((*dims, "seed"), np.full((*cells, n_seeds), "finished", object)),
            "zero_threshold": (dims, np.full(cells, np.nan)),
            "kind": (dims, np.full(cells, "Type I", object)),
        },
        coords={"regime": list(regimes), "quantity": list(quantities), **coords},
        attrs={"axes": json.dumps(list(axes)), **declare(words)},
    )


def declare(comparison):
    """What a phenomenon writes into the attributes of its datasets."""
    labels = {name: f"number of {name[2:]}" for name in ("n_words", "n_classes")} | dict(comparison.AXIS_LABELS)
    return {
        "quantities": json.dumps(describe(comparison.QUANTITIES)),
        "thresholds": json.dumps(describe(comparison.COMPARISON.thresholds)),
        "axis_labels": json.dumps(labels),
    }


def make_collapse(n_seeds=3, regimes=("one",)):
    """Weight decays through minority collapse at 3e-3 and total collapse at 1e-2, from where 1e-19 is learned."""
    dataset = make_dataset({"weight_decay": CLASS_DECAYS}, regimes, n_seeds, CLASS_QUANTITIES)
    known = {
        "feature_norm": [1.0, 0.8, 0.6, 0.4, 0.0, 0.0],
        "classifier_norm": [4.0, 3.0, 2.0, 1.0, 0.0, 0.0],
        "risk": [0.1, 0.5, 1.0, 2.0, 2.3, 2.3],
        "closest_classes": [1.2, 0.7, 0.0, 0.0, 0.0, 0.0],
        "rank": [9.0, 9.0, 5.0, 4.0, 0.0, 0.0],
    }
    for name, values in known.items():
        dataset.predicted.loc[{"quantity": name}] = values
    scale = xarray.DataArray(1 + 1e-7 * np.arange(n_seeds), dims="seed")
    dataset["learned"] = (dataset.predicted * scale).transpose(*dataset.learned.dims)
    gone = dataset.weight_decay > 1e-2
    for name, left in (("feature_norm", 1e-19), ("classifier_norm", 3e-19), ("closest_classes", 0.9)):
        learned = dataset.learned.sel(quantity=name)
        dataset.learned.loc[{"quantity": name}] = learned.where(~gone, left * scale).transpose(*learned.dims)
    dataset["zero_threshold"] = dataset.zero_threshold.fillna(1e-2)
    dataset["collapse_threshold"] = dataset.zero_threshold * 0.3
    return dataset.assign_attrs(phenomenon="neural-collapse", **declare(classes))


def diverge(dataset, seed, **where):
    """Make one member of a sweep diverge."""
    dataset.status.loc[where | {"seed": seed}] = "diverged"
    for name in ("learned", "exact_minimum", "sampling_error"):
        dataset[name].loc[where | {"seed": seed}] = np.nan


def lines_of(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def bars_of(container):
    """Return the half-lengths of the error bars; NaN where there is none."""
    return [float(np.ptp(segment[:, 1])) / 2 if len(segment) else np.nan for segment in container[2][0].get_segments()]


def texts_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_theory_is_a_line_through_the_datasets_numbers():
    dataset = make_dataset({"weight_decay": DECAYS, "n_words": [6, 12]}, ("one", "two"))
    dataset["exact_minimum"] = dataset.learned * 0 + 2 * dataset.predicted
    axes = np.reshape(sweep.draw(dataset).axes, (6, 2))
    for column, regime in enumerate(("one", "two")):
        for row, quantity in ((0, "embedding_norm"), (2, "classifier_norm"), (4, "test_risk"), (5, "test_accuracy")):
            for name, factor in (("predicted", 1), ("exact minimum", 2)):
                lines = lines_of(axes[row, column], name)
                assert len({line.get_color() for line in lines}) == 2
                for line, n_words in zip(lines, (6, 12), strict=True):
                    numbers = dataset.predicted.sel(regime=regime, quantity=quantity, n_words=n_words)
                    assert line.get_xdata().tolist() == DECAYS
                    np.testing.assert_allclose(line.get_ydata(), factor * numbers.values, rtol=1e-15)


def test_an_exact_minimum_is_drawn_only_where_it_is_not_the_predicted_one():
    dataset = make_dataset({"weight_decay": DECAYS}, ("one", "two"))
    rounding = xarray.DataArray([1e-13, -1e-13, 0.0], dims="seed")
    dataset["exact_minimum"] = (dataset.predicted * (1 + rounding)).transpose(*dataset.exact_minimum.dims)
    figure = sweep.draw(dataset)
    assert not any(lines_of(ax, "exact minimum") for ax in figure.axes)
    assert "exact minimum" not in texts_of(figure)
    dataset.exact_minimum.loc[{"regime": "two", "weight_decay": 1e-3, "quantity": "test_risk"}] *= 1.01
    figure = sweep.draw(dataset)
    drawn = [line for ax in figure.axes for line in lines_of(ax, "exact minimum")]
    assert [len(line.get_xdata()) for line in drawn] == [3]
    assert "exact minimum" in texts_of(figure)


def test_theory_on_which_all_series_agree_is_one_black_line():
    dataset = make_dataset({"learning_rate": [0.1, 1.0], "optimizer": ["sgd", "adam"]})
    dataset["predicted"] = dataset.predicted * 0 + 1.5
    (line,) = lines_of(sweep.draw(dataset).axes[0], "predicted")
    assert line.get_color() == style.PREDICTED
    assert line.get_ydata().tolist() == [1.5, 1.5]


def test_marks_are_means_over_seeds_with_their_standard_errors():
    dataset = make_dataset({"weight_decay": DECAYS})
    dataset.sampling_error.loc[{"quantity": "test_risk"}] = 5.0
    diverge(dataset, 0, weight_decay=1e-3)
    figure = sweep.draw(dataset)
    for row, quantity in ((0, "embedding_norm"), (4, "test_risk")):
        (container,) = figure.axes[row].containers
        bars = bars_of(container)
        for index, decay in enumerate(DECAYS):
            cell = dataset.sel(regime="one", weight_decay=decay, quantity=quantity)
            seeds = [float(value) for value in cell.learned.values if np.isfinite(value)]
            assert len(seeds) == (2 if decay == 1e-3 else 3)
            assert container[0].get_ydata()[index] == pytest.approx(statistics.mean(seeds), rel=1e-12)
            error = statistics.stdev(seeds) / sqrt(len(seeds))
            if quantity == "test_risk":  # noise of 0.01 is less than what a sample of these errors gives
                error = 5.0 / sqrt(len(seeds))
            assert bars[index] == pytest.approx(error, rel=1e-9)
            assert statistics.mean(seeds) + error < figure.axes[row].get_ylim()[1]


def test_errors_are_those_of_the_table():
    dataset = make_dataset({"weight_decay": DECAYS, "optimizer": ["sgd", "adam"]}, n_seeds=5)
    sampled = np.random.default_rng(1).uniform(0, 0.02, size=dataset.sampling_error.shape)
    dataset["sampling_error"] = dataset.sampling_error.dims, sampled
    dataset.sampling_error.loc[{"quantity": "embedding_norm"}] = np.nan
    for seed in range(4):
        diverge(dataset, seed, weight_decay=1e-2, optimizer="adam")
    cells = sweep.summarise(dataset)
    for decay, optimizer, quantity in product(DECAYS, ("sgd", "adam"), QUANTITIES):
        where = {"regime": "one", "weight_decay": decay, "optimizer": optimizer, "quantity": quantity}
        one = dataset.sel(where)
        finite = np.isfinite(one.learned.values)
        error = standard_error(one.learned.values[finite], one.sampling_error.values[finite])
        np.testing.assert_allclose(cells.error.sel(where), error, rtol=1e-12)


def test_one_seed_measured_on_no_sample_has_no_error_bar():
    (container,) = sweep.draw(make_dataset({"weight_decay": DECAYS}, n_seeds=1)).axes[0].containers
    assert np.isfinite(container[0].get_ydata()).all()
    assert np.isnan(bars_of(container)).all()


def test_deviations_are_relative_to_the_predicted_value():
    dataset = make_dataset({"weight_decay": DECAYS})
    dataset.predicted.loc[{"weight_decay": 1e-2}] = 0.0  # the zero network: no relative deviation
    learned = dataset.predicted * xarray.DataArray([1.1, 1.2, 1.3], dims="seed")
    dataset["learned"] = learned.where(learned > 0, 0.05)
    dataset["exact_minimum"] = 1.05 * dataset.learned
    ax = sweep.draw(dataset).axes[1]
    (container,) = ax.containers
    np.testing.assert_allclose(container[0].get_ydata(), [0.2, 0.2, np.nan], rtol=1e-12)
    np.testing.assert_allclose(bars_of(container), [0.1 / sqrt(3)] * 2 + [np.nan], rtol=1e-9)
    (exact,) = lines_of(ax, "exact minimum")
    np.testing.assert_allclose(exact.get_ydata(), [0.26, 0.26, np.nan], rtol=1e-12)
    assert ax.get_ylim()[0] < -0.01 < 0.27 < ax.get_ylim()[1]
    assert [tick.get_text() for tick in ax.get_yticklabels() if tick.get_text() == "20%"]


def test_diverged_members_are_counted_above_their_column():
    dataset = make_dataset({"learning_rate": [0.1, 1.0, 10.0], "optimizer": ["sgd", "adam"]}, ("one", "two"))
    diverge(dataset, 0, regime="one", learning_rate=1.0, optimizer="adam")
    for seed in range(3):
        diverge(dataset, seed, regime="one", learning_rate=10.0)
    dataset.status.loc[{"regime": "two", "seed": 1}] = "converged"
    figure = sweep.draw(dataset)
    first, second = figure.axes[:2]
    assert sorted(text.get_text() for text in first.texts) == ["1", "3", "3"]
    adam, sgd = lines_of(first, "diverged seeds")
    assert (adam.get_xdata().tolist(), sgd.get_xdata().tolist()) == ([1.0, 10.0], [10.0])
    assert adam.get_marker() != sgd.get_marker()
    assert not second.texts
    assert "diverged seeds" in texts_of(figure)


def test_counts_stand_clear_of_their_neighbours_or_are_left_out():
    for n_rates, n_seeds in ((9, 4), (7, 40), (25, 4)):
        rates = np.geomspace(1e-3, 10, n_rates)
        dataset = make_dataset({"learning_rate": rates}, ("one", "two"), n_seeds=n_seeds)
        for seed, rate in product(range(n_seeds), rates[-4:]):
            diverge(dataset, seed, learning_rate=rate)
        figure = sweep.draw(dataset)
        figure.draw_without_rendering()
        ax = figure.axes[0]
        (marks,) = lines_of(ax, "diverged seeds")
        assert marks.get_xdata().tolist() == rates[-4:].tolist()
        assert [text.get_text() for text in ax.texts] == ([] if n_rates == 25 else [str(n_seeds)] * 4)
        middles = [ax.transData.transform((x, 1))[0] for x in marks.get_xdata()]
        boxes = [text.get_window_extent() for text in ax.texts]
        radius = marks.get_markersize() / 2 * figure.dpi / 72
        for (left, box), (right, _) in pairwise(zip(middles, boxes, strict=False)):
            assert left + radius <= box.x0 + 0.5  # half a pixel for the bearing of the digit
            assert box.x1 < right - radius


def test_a_sweep_of_which_every_member_diverged_is_drawn():
    dataset = make_dataset({"learning_rate": [1.0, 10.0]}, n_seeds=2)
    for seed, rate in product(range(2), (1.0, 10.0)):
        diverge(dataset, seed, learning_rate=rate)
    figure = sweep.draw(dataset)
    assert len(figure.axes) == len(panels_of(dataset))
    assert [text.get_text() for text in figure.axes[0].texts] == ["2", "2"]


def test_names_are_labelled_positions():
    dataset = make_dataset({"word_frequency": ["uniform", "zipf:0.5"], "layer_norm": [False, True]})
    figure = sweep.draw(dataset)
    ax = figure.axes[-1]
    assert ax.get_xlabel() == "word frequencies"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["uniform", "zipf:0.5"]
    assert texts_of(figure)[:2] == ["LayerNorm = no", "LayerNorm = yes"]
    # The series stand beside each other, each below its own bar of theory.
    first, second = figure.axes[0].containers
    assert (first[0].get_xdata() < second[0].get_xdata()).all()
    for container, bar, layer_norm in zip(
        (first, second), lines_of(figure.axes[0], "predicted"), (False, True), strict=True
    ):
        numbers = dataset.predicted.sel(regime="one", quantity="embedding_norm", layer_norm=layer_norm).values
        bars = bar.get_xydata().reshape(2, 3, 2)  # left end, right end, gap
        np.testing.assert_array_equal(bars[:, :2, 1], np.stack([numbers, numbers], axis=1))
        np.testing.assert_allclose(bars[:, :2, 0].mean(axis=1), container[0].get_xdata())


def test_the_first_numeric_axis_is_the_abscissa():
    axes = {"optimizer": ["sgd", "adam"], "seedless": [5], "n_words": [12, 6], "learning_rate": [0.1, 1.0]}
    figure = sweep.draw(make_dataset(axes))
    assert figure.axes[-1].get_xlabel() == "number of words"
    assert lines_of(figure.axes[0], "predicted")[0].get_xdata().tolist() == [6, 12]
    assert texts_of(figure)[:2] == ["optimizer = sgd, learning rate = 0.1", "optimizer = sgd, learning rate = 1"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.geomspace(1e-4, 1e-2, 9), "log"),
        ([1.0, 20.0], "log"),
        (np.geomspace(1e-3, 5e-3, 5), "log"),  # of "log:1e-3:5e-3:5"
        ([2, 4, 8, 16], "log"),
        ([0.01, 0.03, 0.1, 0.3], "log"),
        ([1.0, 10.0], "linear"),
        ([0.0, 1.0, 100.0], "linear"),
        (np.linspace(1, 100, 9), "linear"),
        ([3, 6, 9, 12], "linear"),
    ],
)
def test_the_abscissa_is_logarithmic_for_ratios(values, scale):
    assert sweep.draw(make_dataset({"learning_rate": list(values)})).axes[0].get_xscale() == scale


def test_the_zero_threshold_is_a_vertical_line():
    dataset = make_dataset({"weight_decay": DECAYS, "n_words": [6, 12, 24]})
    dataset["zero_threshold"] = dataset.zero_threshold.fillna(xarray.DataArray([5e-3, 2e-3, 0.5], dims="n_words"))
    figure = sweep.draw(dataset)
    for ax in figure.axes:
        lines = lines_of(ax, "zero threshold")
        # The third lies outside of the panel.
        assert [line.get_xdata()[0] for line in lines] == [5e-3, 2e-3]
        assert [line.get_color() for line in lines] == list(style.COLOURS[:2])
    assert "zero threshold" in texts_of(figure)
    renamed = dataset.rename(weight_decay="learning_rate").assign_attrs(axes='["learning_rate", "n_words"]')
    assert "zero threshold" not in texts_of(sweep.draw(renamed))


def test_from_the_zero_threshold_on_theory_is_that_of_the_zero_network():
    dataset = make_dataset({"weight_decay": DECAYS})
    dataset["zero_threshold"] = dataset.zero_threshold.fillna(2e-3)
    dataset.predicted.loc[{"weight_decay": 1e-2}] = [0.0, 0.0, 2.5, np.nan]
    axes = sweep.draw(dataset).axes
    for ax, quantity, zero in ((axes[0], "embedding_norm", 0.0), (axes[4], "test_risk", 2.5)):
        (line,) = lines_of(ax, "predicted")
        numbers = dataset.predicted.sel(regime="one", quantity=quantity).values
        assert line.get_xdata().tolist() == [1e-4, 1e-3, 2e-3, 1e-2]
        assert line.get_ydata().tolist() == [*numbers[:2], zero, zero]


def test_diverged_members_are_not_in_the_mean_even_where_their_weights_are_finite():
    dataset = make_dataset({"weight_decay": DECAYS})
    dataset.status.loc[{"seed": 0}] = "diverged"
    dataset.learned.loc[{"seed": 0}] = 1e20
    cells = sweep.summarise(dataset)
    np.testing.assert_allclose(cells.learned, dataset.learned.isel(seed=[1, 2]).mean("seed"), rtol=1e-12)
    assert (cells.diverged == 1).all()


def test_too_many_series_go_into_columns_of_an_axis():
    axes = {"weight_decay": DECAYS, "n_words": [6, 12, 24, 48], "optimizer": ["sgd", "adam"]}
    dataset = make_dataset(axes)
    figure = sweep.draw(dataset)
    titles = [ax.get_title().splitlines()[1] for ax in figure.axes[:4]]
    assert titles == [f"number of words = {n}" for n in (6, 12, 24, 48)]
    line = lines_of(figure.axes[2], "predicted")[1]
    numbers = dataset.predicted.sel(regime="one", quantity="embedding_norm", n_words=24, optimizer="adam")
    np.testing.assert_array_equal(line.get_ydata(), numbers.values)


def test_series_without_room_are_named():
    axes = {"weight_decay": DECAYS, "n_words": [6, 12, 24, 48, 96], "optimizer": ["sgd", "adam"]}
    figure = sweep.draw(make_dataset(axes, ("one", "two", "three")))
    assert len(figure.axes[0].containers) == 6
    assert figure.legends[0].get_title().get_text() == "Omitted: number of words = 12; number of words = 48"
    assert not any("12" in text or "48" in text for text in texts_of(figure))


def test_of_many_series_without_room_their_number_is_told():
    figure = sweep.draw(make_dataset({"weight_decay": DECAYS, "n_words": list(range(3, 63, 3))}))
    assert figure.legends[0].get_title().get_text() == "14 series between those below are omitted"


def test_values_of_an_axis_have_four_digits():
    assert [arrangement_of.format_value(value) for value in (0.263665089873, 1e-5, 1200, True, "adam")] == [
        "0.2637", "1e-05", "1200", "yes", "adam",
    ]  # fmt: skip


def test_as_many_axes_as_can_be_keep_two_values():
    axes = {"weight_decay": DECAYS, "n_words": list(range(3, 30, 3)), "optimizer": ["sgd", "adam"]}
    dataset = make_dataset(axes, ("one", "two", "three", "four"))
    arrangement = arrangement_of.arrange(sweep.summarise(dataset), list(axes))
    assert [tuple(one.values()) for one in arrangement.series] == [(0, 0), (0, 1), (4, 0), (4, 1), (8, 0), (8, 1)]
    assert arrangement.left_out == [f"number of words = {n}" for n in (6, 9, 12, 18, 21, 24)]


def test_series_differ_in_mark_and_colour():
    axes = {"weight_decay": DECAYS, "n_words": list(range(3, 3 + 3 * arrangement_of.MOST_SERIES, 3))}
    figure = sweep.draw(make_dataset(axes))
    marks = [container[0] for container in figure.axes[0].containers]
    assert len({mark.get_marker() for mark in marks}) == arrangement_of.MOST_SERIES
    assert len({matplotlib.colors.to_hex(mark.get_color()) for mark in marks}) == arrangement_of.MOST_SERIES
    # The figure grows with its legend: panels keep their size.
    figure.draw_without_rendering()
    assert figure.axes[0].get_window_extent().height / figure.dpi > 0.9


def test_axes_are_found_by_name():
    dataset = make_dataset({"weight_decay": DECAYS, "n_words": [6, 12]}, ("one", "two"))
    turned = dataset.transpose("seed", "quantity", "n_words", "regime", "weight_decay")
    for one, other in zip(sweep.draw(dataset).axes, sweep.draw(turned).axes, strict=True):
        for line, same in zip(one.lines, other.lines, strict=True):
            np.testing.assert_allclose(line.get_xydata(), same.get_xydata(), rtol=1e-12)


@pytest.mark.parametrize(
    ("n_regimes", "axes"),
    [
        (1, {"weight_decay": [1e-3]}),
        (2, {"optimizer": ["sgd"], "layer_norm": [True]}),
        (3, {"layer_norm": [False, True], "n_words": [6], "optimizer": ["sgd", "adam"], "n_classes": [3, 9]}),
        (4, {"n_words": [6], "weight_decay": [1e-3, 2e-3]}),
    ],
)
def test_every_number_of_regimes_and_axes_has_print_width(n_regimes, axes):
    figure = sweep.draw(make_dataset(axes, ("a", "b", "c", "d")[:n_regimes], n_seeds=1))
    assert figure.get_size_inches()[0] == (style.ONE_COLUMN if n_regimes <= 2 else style.TWO_COLUMNS)
    assert all(ax.get_xlabel() for ax in figure.axes[-n_regimes:])
    assert "(nats)" in figure.axes[4 * n_regimes].get_ylabel()


def test_a_quantity_that_nobody_measured_has_no_row():
    dataset = make_dataset({"weight_decay": DECAYS})
    dataset.learned.loc[{"quantity": "test_accuracy"}] = np.nan
    labels = [ax.get_ylabel() for ax in sweep.draw(dataset).axes]
    assert len(labels) == 5
    assert not any("accuracy" in label for label in labels)


def test_labels_and_titles_do_not_overlap():
    axes = {"learning_rate": list(np.geomspace(1e-2, 10, 7)), "optimizer": ["sgd", "adam", "momentum"]}
    dataset = make_dataset(axes, ("one", "two"))
    diverge(dataset, 0, learning_rate=axes["learning_rate"][3])
    figure = sweep.draw(dataset)
    figure.draw_without_rendering()
    pieces = [*(ax.get_window_extent() for ax in figure.axes), figure.legends[0].get_window_extent()]
    pieces += [ax.title.get_window_extent() for ax in figure.axes[:2]]
    pieces += [ax.xaxis.label.get_window_extent() for ax in figure.axes[-2:]]
    pieces += [ax.yaxis.label.get_window_extent() for ax in figure.axes[::2]]
    pieces += [text.get_window_extent() for text in figure.axes[0].texts]
    overlapping = [(one, other) for i, one in enumerate(pieces) for other in pieces[:i] if one.overlaps(other)]
    assert not overlapping


def test_a_saved_sweep_is_drawn(tmp_path):
    dataset = make_dataset({"layer_norm": [False, True], "optimizer": ["sgd", "adam"], "n_words": [6, 12]})
    dataset.to_netcdf(tmp_path / "results.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "results.nc", engine="h5netcdf") as saved:
        figure = sweep.draw(saved)
    assert texts_of(figure)[0] == "LayerNorm = no, optimizer = sgd"


def test_a_run_without_varied_axes_is_refused():
    with pytest.raises(ValueError, match="axes: expected a dataset with at least one varied axis, got none"):
        sweep.draw(make_dataset({"weight_decay": DECAYS}).assign_attrs(axes="[]"))


def test_rows_are_those_that_quantities_declare_compared_ones_first():
    quantities = [
        [panel.quantity for panel in panels_of(one)] for one in (make_dataset({"n_words": [6]}), make_collapse())
    ]
    assert quantities[0] == [*["embedding_norm"] * 2, *["classifier_norm"] * 2, "test_risk", "test_accuracy"]
    assert quantities[1] == [*["feature_norm"] * 2, *["classifier_norm"] * 2, "risk", "rank", "closest_classes"]
    for dataset in (make_dataset({"weight_decay": DECAYS}), make_collapse()):
        figure = sweep.draw(dataset)
        assert [ax.get_ylabel() for ax in figure.axes] == [panel.label for panel in panels_of(dataset)]


def test_both_thresholds_are_vertical_lines_of_their_own_pattern():
    dataset = make_collapse(regimes=("one", "two"))
    dataset.collapse_threshold.loc[{"regime": "two"}] = np.nan
    figure = sweep.draw(dataset)
    for ax in figure.axes[::2]:
        (zero,), (minority,) = (lines_of(ax, name) for name in ("zero threshold", "minority collapse"))
        assert zero.get_xdata() == [1e-2, 1e-2]
        assert minority.get_xdata() == pytest.approx([3e-3, 3e-3], rel=1e-12)
    assert not any(lines_of(ax, "minority collapse") for ax in figure.axes[1::2])
    assert texts_of(figure)[1:] == ["predicted", "zero threshold", "minority collapse"]
    patterns = [str(pattern) for pattern in sweep.LINES.values()]
    patterns += [str((0, threshold.line)) for threshold in thresholds_of(dataset).values()]
    assert len(set(patterns)) == 4
    del dataset["collapse_threshold"]
    assert "minority collapse" not in texts_of(sweep.draw(dataset))


def test_where_zero_is_predicted_rounding_is_drawn_as_zero():
    figure = sweep.draw(make_collapse())
    for row in (0, 2, 5, 6):
        (container,) = figure.axes[row].containers
        assert container[0].get_ydata()[-2:].tolist() == [0, 0]
        assert bars_of(container)[-2:] == [0, 0]
        assert figure.axes[row].get_yscale() == "linear"
        low, high = figure.axes[row].get_ylim()
        assert -0.1 * high < low < 0  # the mark at zero is seen whole
    for row in (1, 3):
        (container,) = figure.axes[row].containers
        np.testing.assert_allclose(container[0].get_ydata(), [1e-7] * 4 + [np.nan] * 2, rtol=1e-6)
        assert max(figure.axes[row].get_ylim()) < 1e-3


def test_what_is_not_rounding_stays():
    dataset = make_collapse()
    dataset.learned.loc[{"weight_decay": 1.6e-2, "quantity": ["feature_norm", "classifier_norm"]}] = 1e-3
    dataset.learned.loc[{"weight_decay": 8e-3, "quantity": "closest_classes"}] = 1e-3
    axes = sweep.draw(dataset).axes
    assert axes[0].containers[0][0].get_ydata()[-2:].tolist() == [1e-3, 0]
    # The closest classes of a classifier that is not zero have a distance.
    np.testing.assert_allclose(axes[6].containers[0][0].get_ydata()[-3:], [1e-3, 0.9, 0], rtol=1e-6)


def test_a_sweep_that_is_all_zero_is_drawn():
    dataset = make_collapse().sel(weight_decay=[1.6e-2, 3.2e-2])
    for ax in sweep.draw(dataset).axes:
        assert np.isfinite(ax.get_ylim()).all()
        assert max(ax.get_ylim()) > 1e-5


def test_theory_bends_or_jumps_at_thresholds_as_its_row_says():
    axes = sweep.draw(make_collapse()).axes
    drawn = {row: lines_of(axes[row], "predicted")[0].get_xydata() for row in (0, 4, 6, 5)}
    cells = CLASS_DECAYS
    # Norms and risk are those of the zero network from the zero threshold on, and know no minority collapse.
    for row, values in ((0, [1.0, 0.8, 0.6, 0.4, 0, 0, 0]), (4, [0.1, 0.5, 1.0, 2.0, 2.3, 2.3, 2.3])):
        np.testing.assert_allclose(drawn[row], np.stack([[*cells[:4], 1e-2, *cells[4:]], values], axis=1), rtol=1e-12)
    # The closest classes coincide from minority collapse on; the rank falls in steps.
    places = [*cells[:2], 3e-3, *cells[2:4], 1e-2, 1e-2, *cells[4:]]
    np.testing.assert_allclose(drawn[6], np.stack([places, [1.2, 0.7, *[0.0] * 7]], axis=1), rtol=1e-12)
    places.insert(2, 3e-3)
    np.testing.assert_allclose(drawn[5], np.stack([places, [9, 9, 9, 5, 5, 4, 4, 0, 0, 0]], axis=1), rtol=1e-12)


def test_the_risk_of_classes_is_linear_and_their_rank_has_whole_ticks():
    axes = sweep.draw(make_collapse()).axes
    assert axes[4].get_yscale() == "linear"  # its values span more than a decade
    assert all(tick == round(tick) for tick in axes[5].get_yticks())


def test_long_titles_break_into_lines():
    dataset = make_collapse(regimes=("ratio-5", "ratio-25"))
    dataset["kind"] = dataset.kind.where(False, "convex minimum")
    figure = sweep.draw(dataset)
    figure.draw_without_rendering()
    assert [ax.get_title() for ax in figure.axes[:2]] == [
        f"ratio {n}\n(convex minimum\npredicted)" for n in (5, 25)
    ]  # fmt: skip
    boxes = [ax.title.get_window_extent() for ax in figure.axes[:2]]
    assert not boxes[0].overlaps(boxes[1])
    assert boxes[0].x0 >= 0
    assert boxes[1].x1 <= figure.get_figwidth() * figure.dpi


@style.styled
def tick_labels(values, n_columns):
    """Return the boxes of the numbers below a panel as wide as in a sweep of some regimes."""
    figure, axes = style.make_grid(1, n_columns, 1.5)
    for ax in axes[0]:
        ax.set_ylabel("relative\ndeviation")
        scales.set_numbers(ax, np.array(values))
        scales.set_deviation(ax, np.array([1e-5]))
    figure.draw_without_rendering()
    ticks = [tick for tick in axes[0, 0].xaxis.get_major_ticks() if values[0] <= tick.get_loc() <= values[-1]]
    return [tick.label1.get_window_extent() for tick in ticks]


SPACINGS = (
    [1e-3, 2e-3, 4e-3, 8e-3, 0.016, 0.03, 0.06],
    [1e-3, 3e-3, 1e-2],
    [0.02, 0.1, 0.4],
    [1e-3, 1e-2, 0.1, 1.0, 10.0],
    [1e-6, 1e-4, 1e-2],
    np.geomspace(1e-3, 5e-3, 5),
    [0.001, 0.0015, 0.002, 0.003, 0.0035, 0.004],
    [100, 1000, 10000, 30000],
)


@pytest.mark.parametrize("n_columns", [1, 2, 3, 4])
@pytest.mark.parametrize("values", SPACINGS)
def test_numbers_below_the_abscissa_stand_clear_of_each_other(values, n_columns):
    labels = tick_labels(values, n_columns)
    assert len(labels) >= 2
    assert all(left.x1 < right.x0 for left, right in pairwise(labels))


@pytest.mark.parametrize("n_regimes", [1, 2, 4])
def test_the_label_of_the_abscissa_stays_within_its_panels(n_regimes):
    regimes = [f"regime-{index}" for index in range(n_regimes)]
    dataset = make_dataset({"learning_rate": [1e-3, 1e-2, 1e-1]}, regimes=regimes)
    label = "weight decay of the embeddings (nats per squared norm)"
    figure = sweep.draw(dataset.assign_attrs(axis_labels=json.dumps({"learning_rate": label})))
    figure.draw_without_rendering()
    boxes = [ax.xaxis.label.get_window_extent() for ax in figure.axes if ax.get_xlabel()]
    assert boxes[-1].x1 <= figure.get_figwidth() * figure.dpi
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
