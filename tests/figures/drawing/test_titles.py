from itertools import pairwise

import numpy as np
import pytest

from figures import draw
from figures.drawing import style
from figures.drawing.titles import wrap

pytestmark = pytest.mark.quick

NAMES = ("balanced", "half of all classes are rare", "unconstrained", "step imbalance of a ratio of twenty-five")


def boxes_of(figure):
    """Return the boxes of the titles of each row, drawn, from left to right."""
    figure.draw_without_rendering()
    rows = {}
    for ax in figure.axes:
        if ax.get_title():
            rows.setdefault(ax.get_subplotspec().rowspan.start, []).append(ax.title.get_window_extent())
    return [sorted(boxes, key=lambda box: box.x0) for boxes in rows.values()]


def check(figure):
    """Check that no title leaves the figure or touches another one."""
    width, height = figure.get_size_inches() * figure.dpi
    rows = boxes_of(figure)
    assert rows
    for boxes in rows:
        assert all(box.x0 >= 0 and box.x1 <= width and box.y1 <= height + 1 for box in boxes)
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@style.styled
def titled(n_rows, n_columns, names, label="relative\ndeviation"):
    figure, axes = style.make_grid(n_rows, n_columns, 1.2)
    for row in axes:
        style.set_titles(row, [names[index % len(names)] for index in range(n_columns)])
        for ax in row:
            ax.set_ylabel(label)
    return figure


@pytest.mark.parametrize("n_columns", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("names", [NAMES, ("(simplex, zero network predicted)",), ("one",)])
def test_titles_stay_inside_the_figure(n_columns, names):
    check(titled(2, n_columns, names))


def test_a_word_that_is_too_long_moves_into_the_figure():
    check(titled(1, 2, ("short", "a simplex-of-spherical-codes")))


def test_titles_of_a_row_begin_at_one_height_and_the_figure_grows():
    figure = titled(1, 3, ("one", "a title of many words that breaks into several lines", "two"))
    (boxes,) = boxes_of(figure)
    assert np.ptp([box.y1 for box in boxes]) < 2  # pixels: letters differ in height
    assert figure.get_figheight() > 1.2


def test_titles_that_fit_stay_as_they_are():
    figure = titled(1, 2, ("one", "two\n(three)"))
    assert [ax.get_title() for ax in figure.axes] == ["one\n", "two\n(three)"]
    assert figure.get_figheight() == pytest.approx(1.2)


def test_a_panel_of_a_talk_is_fitted_too():
    @style.styled
    def draw_page():
        figure, axes = style.make_grid(1, 2, 1.5)
        for ax in axes[0]:
            ax.set_title("What breaks collapse: the tail or the sample?", loc="left", fontweight="bold")
        return figure

    figure = draw_page()
    figure.draw_without_rendering()
    ends = [ax._left_title.get_window_extent() for ax in figure.axes]
    assert ends[0].x1 < ends[1].x0
    assert ends[1].x1 <= figure.get_figwidth() * figure.dpi


@pytest.mark.parametrize("kind", ["simplex, zero network", "convex minimum, orthogonal simplices, zero network"])
@pytest.mark.parametrize("regimes", [("balanced", "few-classes"), ("ratio-5", "ratio-25", "a-very-long-name-of-it")])
def test_titles_of_sweeps_and_maps_stay_inside_the_figure(made_up, kind, regimes):
    dataset = made_up({"importance": [1e-3, 1e-2, 0.1], "sparsity": [0.1, 0.5, 0.9]}, regimes)
    dataset["kind"] = dataset.kind.where(False, kind)
    for name in ("sweeps.sweep", "sweeps.map"):
        check(draw(name, dataset))


def test_lines_break_between_words():
    assert wrap("one two three", 7, len) == ["one two", "three"]
    assert wrap("one", 1, len) == ["one"]
