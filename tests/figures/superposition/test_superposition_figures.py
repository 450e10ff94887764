"""Figures of superposition from made-up datasets: what is drawn where."""

import json

import numpy as np
import pytest
import xarray

from figures.superposition import adversarial_gain, dimensionality, phase_map, polygons
from figures.superposition.restarts import best_restart, over_probability

pytestmark = pytest.mark.quick

PENTAGON = np.stack([np.cos(2 * np.pi * np.arange(5) / 5), np.sin(2 * np.pi * np.arange(5) / 5)])


def sweep(probabilities=(0.1, 0.5)):
    """Two regimes, one a pentagon in the plane and one of three dimensions, two seeds; the second one is the best."""
    n_p, n = len(probabilities), 5
    weights = np.full((2, n_p, 2, 3, n), np.nan)
    weights[0, ..., :2, :] = PENTAGON
    weights[0, ..., :2, 4] = 0.0  # a feature that is not represented
    weights[1, ..., :, :3] = np.eye(3)
    shares = np.full((2, n_p, 2, n), np.nan)
    shares[0] = [0.5, 0.5, 0.5, 0.5, 0.0]
    shares[1, ..., :3] = 1.0
    loss = np.broadcast_to([2.0, 1.0], (2, n_p, 2))
    axes = ("regime", "active_probability", "seed")
    return xarray.Dataset(
        {
            "learned": ((*axes, "quantity"), loss[..., None].copy()),
            "status": (axes, np.full((2, n_p, 2), "finished", object)),
            "weights": ((*axes, "dimension", "feature"), weights),
            "weights_predicted": ((*axes, "dimension", "feature"), weights * np.nan),
            "dimensionalities": ((*axes, "feature"), shares),
            "dimensionalities_predicted": ((*axes, "feature"), shares),
        },
        coords={
            "regime": ["plane", "space"],
            "active_probability": list(probabilities),
            "seed": [0, 1],
            "quantity": ["loss"],
        },
        attrs={"axes": json.dumps(["active_probability"]), "configuration": "{}"},
    )


def phases(learned):
    """A phase diagram of two by two cells."""
    grid = ("regime", "active_probability", "importance_ratio")
    return xarray.Dataset(
        {
            "phase": (grid, np.array([learned])),
            "phase_predicted": (grid, np.array([[[1, 2], [3, 3]]])),
            "boundary": ("line", [0.2, 1.0, 0.2]),
            "crossing": ("line", [0.15, 0.6, 0.15]),
        },
        coords={
            "regime": ["two-in-one"],
            "active_probability": [1.0, 0.1],
            "importance_ratio": [0.1, 10.0],
            "line_importance_ratio": ("line", [0.05, 1.0, 20.0]),
        },
    )


def texts_of(figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts] + [ax.get_title() for ax in figure.axes]


def test_the_best_restart_is_chosen_among_those_that_did_not_diverge():
    dataset = sweep()
    assert best_restart(dataset).seed.values.tolist() == [[1, 1], [1, 1]]
    dataset.status[..., 1] = "diverged"
    assert best_restart(dataset).seed.values.tolist() == [[0, 0], [0, 0]]


def test_a_fixed_probability_becomes_an_axis_of_one_value():
    dataset = sweep().isel(active_probability=0, drop=True)
    dataset.attrs = {"axes": "[]", "configuration": json.dumps({"plane": {"active_probability": 0.25}})}
    assert over_probability(dataset).active_probability.values.tolist() == [0.25]


def test_polygons_are_drawn_for_the_plane_alone_and_dropped_features_are_counted():
    figure = polygons.draw(sweep())
    texts = texts_of(figure)
    assert {"p = 0.5", "p = 0.1", "plane\nlearned", "plane\npredicted", "1"} <= set(texts)
    assert "none" in texts  # nothing is predicted
    assert not any(text.startswith("space") for text in texts)
    ends = [line.get_xydata() for line in figure.axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(sorted(map(tuple, ends[0])), sorted(map(tuple, PENTAGON.T[:4])), atol=1e-12)


def test_without_a_plane_the_figure_says_so():
    assert "no regime has two dimensions" in texts_of(polygons.draw(sweep().isel(regime=[1])))


def test_dimensionalities_lie_at_one_over_p_with_marks_by_number():
    figure = dimensionality.draw(sweep())
    ax = figure.axes[0]
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    places = {(round(line.get_xdata()[0], 6), round(line.get_ydata()[0], 6)) for line in marks}
    assert places == {(2.0, 0.5), (2.0, 0.0), (10.0, 0.5), (10.0, 0.0)}
    sizes = {line.get_ydata()[0]: line.get_markersize() for line in marks}
    assert sizes[0.5] > sizes[0.0]  # four features and one
    bars = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_color() == "black"]
    assert len(bars) == 4


def test_the_phase_map_counts_and_crosses_cells_that_differ():
    agreeing, other = (phase_map.draw(phases(learned)) for learned in ([[1, 2], [3, 3]], [[1, 2], [3, 0]]))
    assert "learned phase agrees\nin 4 of 4 cells" in texts_of(agreeing)
    assert "learned phase agrees\nin 3 of 4 cells" in texts_of(other)
    crosses = [line.get_xydata().tolist() for line in other.axes[0].lines if line.get_marker() == "x"]
    assert crosses == 2 * [[[0.1, 10.0]]], "black upon white, for dark cells"
    assert other.axes[0].get_xlim()[0] > other.axes[0].get_xlim()[1], "rarer features to the right"
    labels = [text.get_text() for text in other.legends[0].get_texts()]
    assert "neither" in labels
    assert "neither" not in [text.get_text() for text in agreeing.legends[0].get_texts()]


@pytest.fixture
def gains():
    names = ["gain", "flip_distance", "gradient_attack", "loss"]
    learned = np.full((4, 2, 4), np.nan)
    learned[0, :, 0], learned[1, :, 0] = [1.0, 1.5], [1.0, 2.0]
    learned[0, :, 3], learned[1, :, 3] = [2.0, 1.0], [2.0, 1.0]
    learned[2, :, 1:3], learned[3, :, 1:3] = [0.5, 0.7], [0.25, 0.35]
    return xarray.Dataset(
        {
            "learned": (("regime", "seed", "quantity"), learned),
            "predicted": (("regime", "quantity"), learned[:, 1]),
            "status": (("regime", "seed"), np.full((4, 2), "finished", object)),
            "kind": ("regime", np.array(["2 pairs + 1 dropped", "1 pentagon", "averages", "averages"], object)),
            "feature_probability": ("regime", [0.5, 0.1, np.nan, np.nan]),
            "cluster_count": ("regime", [np.nan, np.nan, 4, 16]),
            "robust_distance": ("regime", [np.nan, np.nan, 0.7, 0.7]),
            "gain_line": ("line", [2.0, 1.99, 1.5, 1.49]),
        },
        coords={"quantity": names, "seed": [0, 1], "line_active_probability": ("line", [0.1, 0.2, 0.3, 0.5])},
    )


def test_gain_is_that_of_the_best_restart_and_its_line_is_cut_where_it_jumps(gains):
    figure = adversarial_gain.draw(gains)
    gain, flips = figure.axes
    marks = [line.get_xydata().tolist() for line in gain.lines if line.get_marker() == "o"]
    assert marks == [[[0.1, 2.0], [0.5, 1.5]]]
    pieces = [line.get_xdata().tolist() for line in gain.lines if line.get_marker() == "None"]
    assert pieces == [[0.1, 0.2], [0.3, 0.5]]
    learned = [line.get_xydata().tolist() for line in flips.lines if line.get_marker() == "o"]
    assert learned == [[[4.0, 0.5], [16.0, 0.25]]]
    assert {"2 pairs +\n1 dropped", "1 pentagon"} <= set(texts_of(figure))


@pytest.mark.parametrize("half", [slice(0, 2), slice(2, 4)])
def test_a_run_of_either_half_alone_can_be_drawn(gains, half):
    adversarial_gain.draw(gains.isel(regime=half))


def test_cells_of_a_sweep_are_drawn_in_a_row(gains):
    cells = {name: gains[name].isel(regime=[0, 1]) for name in ("learned", "predicted", "status", "kind")}
    cells |= {name: gains[name].isel(regime=[0, 1]) for name in ("feature_probability", "cluster_count")}
    swept = xarray.Dataset({name: one.expand_dims(initial_scale=[0.5, 1.0]) for name, one in cells.items()})
    gain, _ = adversarial_gain.draw(swept).axes
    [marks] = [line.get_xdata().tolist() for line in gain.lines if line.get_marker() == "o"]
    assert marks == [0.1, 0.1, 0.5, 0.5]
