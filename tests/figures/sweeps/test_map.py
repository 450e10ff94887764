import numpy as np
import pytest
from matplotlib.colors import BoundaryNorm, LogNorm, Normalize, SymLogNorm

from figures.drawing import style
from figures.sweeps import map as map_of

pytestmark = pytest.mark.quick

AXES = {"importance": [1.0, 1e-3, 1e-2, 0.1], "sparsity": [0.1, 0.5, 0.9]}


def panels(figure, n):
    return figure.axes[:n]


def lines_of(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def test_a_map_has_a_row_per_panel_and_a_column_per_regime(made_up):
    dataset = made_up(AXES)
    figure = map_of.draw(dataset)
    axes = np.reshape(panels(figure, 6), (3, 2))
    assert figure.get_figwidth() == style.ONE_COLUMN
    assert [ax.get_xlabel() for ax in axes[-1]] == ["importance"] * 2
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["sparsity"] * 3
    assert (axes[0, 0].get_xscale(), axes[0, 0].get_yscale()) == ("log", "linear")
    bars = [ax.get_ylabel() for ax in figure.axes[6:]]
    assert bars == ["phases", "error (bits)", "relative deviation:\nerror of the\nreconstruction"]
    ordered = dataset.sortby("importance")
    for column, regime in enumerate(("one", "two")):
        shown = axes[1, column].collections[0].get_array()
        mean = ordered.learned.sel(regime=regime, quantity="error").mean("seed").transpose("sparsity", "importance")
        np.testing.assert_allclose(shown, mean, rtol=1e-12)
        deviation = axes[2, column].collections[0].get_array()
        np.testing.assert_allclose(deviation, 1.1 * 1.01 - 1, rtol=1e-9)
    assert axes[1, 0].collections[0].norm is axes[1, 1].collections[0].norm
    assert isinstance(axes[1, 0].collections[0].norm, LogNorm)


def test_edges_lie_midway_on_the_scale_of_the_axis():
    np.testing.assert_allclose(map_of.cell_edges(np.array([0.01, 0.1, 1.0])), 10.0 ** np.array([-2.5, -1.5, -0.5, 0.5]))
    np.testing.assert_allclose(map_of.cell_edges(np.array([1.0, 2.0, 4.0])), [0.5, 1.5, 3.0, 5.0])


def test_a_predicted_boundary_runs_between_cells_of_different_predictions(made_up):
    dataset = made_up(AXES, ("one",))
    dataset.predicted.loc[{"quantity": "phases"}] = 1.0
    dataset.predicted.loc[{"quantity": "phases", "sparsity": 0.9}] = 2.0
    (line,) = lines_of(map_of.draw(dataset).axes[0], "predicted boundary")
    x, y = line.get_xdata(), line.get_ydata()
    assert np.nanmin(x) == pytest.approx(10**-3.5)
    assert np.nanmax(x) == pytest.approx(10**0.5)
    np.testing.assert_allclose(y[np.isfinite(y)], 0.7)
    assert not lines_of(
        map_of.draw(dataset).axes[1], "predicted boundary"
    )  # the error is neither whole nor of two values


def test_a_threshold_is_a_line_in_place_of_the_boundary(made_up, with_edge):
    dataset = with_edge(made_up(AXES, ("one",)))
    figure = map_of.draw(dataset)
    for ax in panels(figure, 3):
        (line,) = lines_of(ax, "phase edge")
        np.testing.assert_allclose(line.get_xdata(), 0.05)
        np.testing.assert_allclose(line.get_ydata(), [-0.1, 0.1, 0.5, 0.9, 1.1])
        assert not lines_of(ax, "predicted boundary")
    assert "phase edge" in [text.get_text() for text in figure.legends[0].get_texts()]
    dataset["edge"] = dataset.edge * 1e3  # outside of the map
    assert not lines_of(map_of.draw(dataset).axes[1], "phase edge")


def test_cells_of_diverged_members_are_hatched_and_low_values_dotted(made_up):
    dataset = made_up(AXES, ("one",))
    dataset.status.loc[{"importance": 1.0, "sparsity": 0.9, "seed": 0}] = "diverged"
    dataset.learned.loc[{"importance": 0.1, "sparsity": 0.5, "quantity": "error"}] *= 0.5
    figure = map_of.draw(dataset)
    for ax in panels(figure, 3):
        (hatched,) = [one for one in ax.collections if one.get_label() == "diverged seeds"]
        (path,) = hatched.get_paths()
        assert path.get_extents().y0 == pytest.approx(0.7)
        assert path.get_extents().x1 == pytest.approx(10**0.5)
    (dots,) = lines_of(figure.axes[2], "below the predicted value")
    np.testing.assert_allclose(dots.get_xydata(), [[0.1, 0.5]])
    assert [text.get_text() for text in figure.legends[0].get_texts()][-2:] == [
        "below the predicted value", "diverged seeds",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "scale", "kind"),
    [
        ([0.1, 0.2], "free", Normalize),
        ([0.1, 2.0], "free", LogNorm),
        ([0.1, 0.2], "log", LogNorm),
        ([0.0, 2.0], "log", Normalize),
        ([0.1, 2.0], "linear", Normalize),
        ([1.0, 4.0], "whole", BoundaryNorm),
        ([1.0, 400.0], "whole", Normalize),
        ([0.2], "unit interval", Normalize),
        ([-0.2, 0.1], "deviation", Normalize),
        ([-0.2, 5.0], "deviation", SymLogNorm),
        ([], "free", Normalize),
    ],
)
def test_colours_are_scaled_by_their_numbers(values, scale, kind):
    norm = map_of.choose_norm(np.array(values), scale)
    assert type(norm) is kind
    if scale == "deviation":
        assert norm(0.0) == pytest.approx(0.5)


def test_a_map_of_nothing_known_is_drawn(made_up):
    dataset = made_up(AXES)
    dataset["learned"] = dataset.learned * np.nan
    map_of.draw(dataset).draw_without_rendering()


@pytest.mark.parametrize("axes", [{}, {"importance": [0.1, 1.0]}, {"importance": [0.1, 1.0], "law": ["a", "b"]}])
def test_a_map_needs_two_numeric_axes(made_up, axes):
    with pytest.raises(ValueError, match=r"^axes: expected two numeric axes of several values each, got "):
        map_of.draw(made_up(axes))


def test_text_of_a_map_has_room(made_up):
    for regimes in (("one",), ("one", "two"), ("one", "two", "three", "four")):
        figure = map_of.draw(made_up(AXES, regimes))
        figure.draw_without_rendering()
        width = figure.get_figwidth() * figure.dpi
        texts = [*(ax.title for ax in figure.axes), *(ax.yaxis.label for ax in figure.axes)]
        texts += [ax.xaxis.label for ax in figure.axes]
        for legend in figure.legends:
            texts.append(legend)
        boxes = [one.get_window_extent() for one in texts]
        assert all(box.x0 >= -1 and box.x1 <= width + 1 for box in boxes)
