"""Figures of dimensional collapse from made-up datasets: what is drawn where."""

import json

import numpy as np
import pytest
import xarray

from figures.dimensional_collapse import collapse_curve, spectra

pytestmark = pytest.mark.quick


@pytest.fixture
def dataset():
    """Two regimes of two laws and two seeds: one on the curve of the distance, one of another similarity."""
    levels = np.array([[0.5, 1.5, 2.5], [0.8, 0.4, np.nan]])
    predicted = np.array([[2.0, 0.5, 0.0], [0.8, 0.4, np.nan]])
    grid, shape = ("regime", "law_seed", "seed", "direction"), (2, 2, 2, 3)
    spread = lambda values: np.broadcast_to(values[:, None, None, :], shape).copy()  # noqa: E731
    learned = spread(predicted)
    learned[0, :, 1] += [0.1, -0.1, 1e-9]
    line = np.linspace(0.1, 3, 30)
    return xarray.Dataset(
        {
            "eigenvalues": (grid, 2 * learned),
            "eigenvalues_predicted": (grid, 2 * spread(predicted)),
            "levels": (grid, spread(levels)),
            "kind": (("regime", "law_seed"), np.full((2, 2), "2 of 3 directions", object)),
            "cell_temperature": (("regime", "law_seed"), np.full((2, 2), 2.0)),
            "uses_distance": (("regime", "law_seed"), np.array([[1.0, 1.0], [0.0, 0.0]])),
            "is_sampled": (("regime", "law_seed"), np.array([[1.0, 1.0], [0.0, 0.0]])),
            "finite_batch_eigenvalues": (
                ("regime", "law_seed", "direction"),
                np.broadcast_to([[[3.9, 0.9, 0.0]], [[np.nan] * 3]], (2, 2, 3)).copy(),
            ),
            "curve": ("line", np.maximum(2 - line, 0)),
        },
        coords={
            "regime": ["distance", "spectral"],
            "law_seed": [0, 1],
            "seed": [0, 1],
            "line_level": ("line", line),
        },
        attrs={"axes": json.dumps(["law_seed"])},
    )


def assert_points(drawn, expected):
    """Hold points against each other to rounding."""
    np.testing.assert_allclose(drawn, expected, rtol=1e-12, atol=1e-15)


def marks(ax, filled):
    """Return where dots of a panel lie, those that are filled or those that are open."""
    chosen = [
        line for line in ax.lines if line.get_marker() == "o" and (line.get_markerfacecolor() != "white") == filled
    ]
    return sorted(tuple(point) for line in chosen for point in line.get_xydata())


def test_spectra_lie_beside_their_predictions_and_zeros_on_the_lowest_line(dataset):
    figure = spectra.draw(dataset)
    ax = figure.axes[0]
    assert_points(marks(ax, filled=True), [(1, 4.0), (1, 4.2), (2, 0.8), (2, 1.0)])
    floor = spectra.FLOOR * 1.0  # of the least predicted eigenvalue
    assert_points(marks(ax, filled=False), [(3, floor), (3, floor)])
    bars = {round(line.get_ydata()[0], 6) for line in ax.lines if line.get_color() == "black"}
    assert bars == {4.0, 1.0, round(floor, 6)}
    assert "collapsed" in [text.get_text() for text in ax.texts]
    assert marks(figure.axes[1], filled=False) == [], "nothing has collapsed there"
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "predicted, batch-corrected" in labels


def test_without_a_correction_the_legend_has_none(dataset):
    figure = spectra.draw(dataset.isel(regime=[1], law_seed=0))
    assert len(figure.legends[0].get_texts()) == 3


def test_the_curve_holds_every_law_and_seed_in_units_of_the_temperature(dataset):
    figure = collapse_curve.draw(dataset)
    curve, errors = figure.axes
    dots = [line.get_xydata() for line in curve.lines if line.get_marker() == "o"]
    assert len(dots) == 1, "the other regime has another similarity"
    once = [(0.5, 2.0), (0.5, 2.1), (1.5, 0.4), (1.5, 0.5), (2.5, 0.0), (2.5, 1e-9)]
    assert_points(sorted(map(tuple, dots[0])), [point for point in once for _ in range(2)])
    [distances] = [line.get_xydata() for line in errors.lines if line.get_marker() == "o"]
    assert sorted(distances[:, 1])[:6] == pytest.approx([1e-17] * 6)
    assert sorted(distances[:, 1])[8:] == pytest.approx([0.1] * 4)


def test_points_without_numbers_are_left_out(dataset):
    levels, values = collapse_curve.points(dataset.isel(regime=1))
    assert levels.shape == values.shape == (8,)


def test_keys_are_drawn(dataset):
    figure = spectra.style.make_grid(1, 2, 2.0)
    spectra.draw_key(figure[1][0, 0], dataset.isel(law_seed=0))
    collapse_curve.draw_key(figure[1][0, 1], dataset)
    assert len(figure[1][0, 1].get_legend().get_texts()) == 2
