"""Figures of the modality gap from made-up datasets: what is drawn where."""

import json

import numpy as np
import pytest
import xarray

from figures.drawing import style
from figures.modality_gap import centring, conservation, initial_gap, modality_clouds, pitchfork, retrieval

pytestmark = pytest.mark.quick

RATIOS = np.array([0.5, 2.0])
NAMES = ("gap", "loss", "matched", "unmatched", "within", "retrieval", "mixed_retrieval", "centred_matched",
         "centred_mixed_retrieval")  # fmt: skip
LINE = np.linspace(0.1, 5, 50)


@pytest.fixture
def sweep():
    """A symmetric start and cones, two ratios, two mismatch rates, one seed."""
    grid, shape = ("regime", "temperature_ratio", "mismatch"), (2, 2, 2)
    predicted = np.zeros((*shape, len(NAMES)))
    predicted[:, 1, :, 0] = np.sqrt(2)
    predicted[1, 1, :, 0] = np.nan
    predicted[..., 1] = 0.3
    learned = predicted[:, :, :, None].copy()
    learned[1, 1, :, 0, 0] = 0.8
    learned[..., 1] += 1e-7
    cells = lambda values: (grid, np.broadcast_to(values, shape).copy())  # noqa: E731
    line = (*grid, "line")
    return xarray.Dataset(
        {
            "predicted": ((*grid, "quantity"), predicted),
            "learned": ((*grid, "seed", "quantity"), learned),
            "kind": (grid, np.full(shape, "symmetric branch", object)),
            "cell_ratio": cells(RATIOS[None, :, None]),
            "cell_start": cells(np.array([0.0, 1.0])[:, None, None]),
            "cell_pairs": cells(4.0),
            "branch": ("line", 2 * np.sqrt(1 - np.minimum(1, 1 / LINE))),
            **{f"line_{name}": (line, np.broadcast_to(0.1 * LINE, (*shape, 50)).copy()) for name in NAMES[2:5]},
        },
        coords={
            "regime": ["symmetric", "cones"], "temperature_ratio": RATIOS, "mismatch": [0.1, 0.2], "seed": [0],
            "quantity": list(NAMES), "line_ratio": ("line", LINE),
        },
        attrs={"axes": json.dumps(["temperature_ratio", "mismatch"])},
    )  # fmt: skip


@pytest.fixture
def runs():
    """A learnable temperature with mismatch and cones at a fixed one; two seeds, three records."""
    history = np.broadcast_to([[2.0, 3.0, 4.0], [6.0, 6.0, 6.0]], (2, 2, 3)).swapaxes(0, 1).copy()
    clouds = np.zeros((2, 2, 3, 2, 4, 2))
    clouds[:, :, :, 0, :, 0], clouds[:, :, :, 1, :, 0] = 0.5, -0.5
    values = np.full((2, 2, len(NAMES)), 0.5)
    values[..., 7:] = 1.0
    return xarray.Dataset(
        {
            "kind": ("regime", np.array(["symmetric branch", "least loss"], object)),
            "history_inverse_temperature": (("regime", "seed", "record"), history),
            "history_gap": (("regime", "seed", "record"), 2.4 / history),
            "cell_exponent": ("regime", [1.0, np.nan]),
            "cell_start": ("regime", [0.0, 1.0]),
            "end_gap": ("regime", [0.6, np.nan]),
            "end_inverse_temperature": ("regime", [4.0, np.nan]),
            "clouds": (("regime", "seed", "moment", "modality", "pair", "axis"), clouds),
            "clouds_predicted": (("regime", "seed", "moment", "modality", "pair", "axis"), clouds * np.nan),
            "learned": (("regime", "seed", "quantity"), values),
            "predicted": (("regime", "quantity"), values[:, 0]),
            "tower_gap": (("tower", "seed"), [[0.2, 0.18], [0.8, 0.82]]),
            "tower_gap_predicted": ("depths", [0.177, 0.81, 1.0]),
        },
        coords={
            "regime": ["learnable", "cones"], "seed": [0, 1], "quantity": list(NAMES), "tower_depth": ("tower", [0, 1]),
            "line_depth": ("depths", [0, 1, 2]),
        },
        attrs={"axes": json.dumps([])},
    )  # fmt: skip


def dots(ax, face=None):
    """Return the points of all marks of a panel, those with this face if one is asked for."""
    lines = [line for line in ax.lines if line.get_linestyle() == "None"]
    chosen = [line for line in lines if face is None or line.get_markerfacecolor() == face]
    return np.concatenate([line.get_xydata() for line in chosen])


def test_every_gap_lies_at_its_ratio_and_losses_in_the_inset(sweep):
    figure = pitchfork.draw(sweep)
    ax = figure.axes[0]
    inset = ax.child_axes[0]
    np.testing.assert_allclose(dots(ax, "white"), [[0.5, 0], [0.5, 0], [2, 0.8], [2, 0.8]])
    symmetric = dots(ax, style.COLOURS[0])
    np.testing.assert_allclose(symmetric[:, 1], [0, 0, np.sqrt(2), np.sqrt(2)])
    assert dots(inset)[:, 1] == pytest.approx(np.full(8, 1e-7))
    assert len(figure.legends[0].get_texts()) == 3


def test_cosines_above_and_retrieval_below(sweep):
    figure = retrieval.draw(sweep)
    upper, lower = figure.axes
    assert upper.get_title() == "symmetric"
    assert {tuple(point) for point in dots(upper)} == {(0.5, 0), (2.0, 0)}
    step = max(lower.lines, key=lambda line: np.ptp(line.get_ydata()) if len(line.get_ydata()) == 4 else 0)
    assert step.get_xdata()[1] == pytest.approx(1 + 4 / 6)


def test_the_product_is_a_line_to_the_predicted_end(runs):
    ax = conservation.draw(runs).axes[0]
    [line] = [line for line in ax.lines if line.get_linestyle() == "-"]
    np.testing.assert_allclose(line.get_xydata()[[0, -1]], [[2.0, 1.2], [4.0, 0.6]])
    np.testing.assert_allclose(dots(ax), [[2.0, 1.2], [3.0, 0.8], [4.0, 0.6], [4.0, 0.6]])


def test_clouds_have_a_row_for_each_regime_and_a_line_for_each_pair(runs):
    figure = modality_clouds.draw(runs)
    assert len(figure.axes) == 6
    links = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    assert len(links) == 4
    np.testing.assert_allclose(links[0].get_ydata(), [0.5, -0.5])


def test_centring_and_towers_show_means_and_seeds(runs):
    left, right = centring.draw(runs).axes
    for ax in (left, right):
        assert {float(x) for x, _ in dots(ax)} == {0.5, 1.0}
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["learnable", "cones"]
    ax = initial_gap.draw(runs).axes[0]
    np.testing.assert_allclose(sorted(map(tuple, dots(ax))), [(0, 0.18), (0, 0.2), (1, 0.8), (1, 0.82)])


def test_keys_are_drawn(sweep, runs):
    _, axes = style.make_grid(1, 2, 2.0)
    pitchfork.draw_key(axes[0, 0], sweep)
    modality_clouds.draw_key(axes[0, 1], runs)
    assert axes[0, 0].get_legend() is not None
    assert axes[0, 1].get_legend() is not None
