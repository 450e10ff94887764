"""Wrapping and shifting of titles, so that they stay inside the figure and do not overlap, after layout."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

from matplotlib.figure import Figure

from figures.drawing.layout import steady_ticks

GAP = 0.06  # inches between titles, and between a title and the edge of the figure
MOST_ASIDE = 0.12  # inches by which a centred title may be shifted from the middle of its panel
LINE = 0.12  # inches: height of a 7-point line
SIDES = ("left", "center", "right")


def fit_titles(figure: Figure) -> bool:
    """Wrap the titles of all panels between words until they fit; titles of a row start at the same height.

    The figure grows by the added lines. A title that extends beyond the edge of the figure, or past the middle of the
    gap to its neighbour, is shifted.

    Returns: whether the layout of the figure was solved and is still valid, because no title has changed.
    """
    rows = _rows_of(figure)
    if not rows:
        return False
    if (engine := figure.get_layout_engine()) is not None:
        with steady_ticks(figure):
            engine.execute(figure)
    given = _state(rows)
    added = sum(_fit_row(figure, axes) for axes in rows)
    if added:
        figure.set_figheight(figure.get_figheight() + LINE * added)
    return engine is not None and _state(rows) == given


def _state(rows: Sequence[Sequence]) -> list[tuple]:
    """Return text and place of every title."""
    return [(title.get_text(), title.get_position()) for axes in rows for ax in axes for title in _titles(ax)]


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Return the lines of a text wrapped between words to fit a width.

    Args:
        text: text without line breaks.
        width: maximum width of a line.
        measure: function that returns the width of a line.
    """
    if measure(text) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or measure(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _rows_of(figure: Figure) -> list[list]:
    """Return the panels that have a title, grouped by the grid row in which they start, from left to right."""
    rows = defaultdict(list)
    for ax in figure.axes:
        if ax.get_visible() and any(ax.get_title(loc=side) for side in SIDES):
            place = ax.get_subplotspec()
            key = id(ax) if place is None else (id(place.get_gridspec()), place.rowspan.start)
            rows[key].append(ax)
    return [sorted(axes, key=lambda ax: ax.get_position().x0) for axes in rows.values()]


def _fit_row(figure: Figure, axes: Sequence) -> int:
    """Wrap and shift the titles of a row; return the number of lines added to the tallest."""
    before = max(_n_lines(title) for ax in axes for title in _titles(ax))
    spans = _spans(figure, axes)
    room = min(_room(ax, *span) for ax, span in zip(axes, spans, strict=True))
    for ax in axes:
        for title in _titles(ax):
            _wrap_title(figure, title, room)
    after = max(_n_lines(title) for ax in axes for title in _titles(ax))
    for ax, span in zip(axes, spans, strict=True):
        for title in _titles(ax):
            _move_into(figure, ax, title, *span)
        if ax.title.get_text():
            ax.title.set_text(ax.title.get_text() + "\n" * (after - _n_lines(ax.title)))
    return after - before


def _spans(figure: Figure, axes: Sequence) -> list[tuple[float, float]]:
    """Return the horizontal range of each title in inches: to the middle between panels, or to the edge."""
    places = [_across(ax) for ax in axes]
    between = [(left + right) / 2 for (_, left), (right, _) in pairwise(places)]
    edges = [GAP / 2, *between, figure.get_figwidth() - GAP / 2]
    return [(left + GAP / 2, right - GAP / 2) for left, right in pairwise(edges)]


def _room(ax, left: float, right: float) -> float:
    """Return the maximum title width of a panel; a centred title may be shifted by at most ``MOST_ASIDE``."""
    start, end = _across(ax)
    if not ax.title.get_text():
        return right - start
    middle = (start + end) / 2
    return min(right - left, 2 * (min(middle - left, right - middle) + MOST_ASIDE))


def _across(ax) -> tuple[float, float]:
    """Return the left and right edge of a panel, inches from the left edge of the figure."""
    ax.apply_aspect()
    box, width = ax.get_position(), ax.figure.get_figwidth()
    return width * box.x0, width * box.x1


def _titles(ax) -> list:
    """Return the non-empty titles of a panel."""
    return [title for title in (ax.title, ax._left_title, ax._right_title) if title.get_text()]


def _n_lines(title) -> int:
    return title.get_text().count("\n") + 1


def _wrap_title(figure: Figure, title, room: float) -> None:
    given = title.get_text()

    def measure(line: str) -> float:
        title.set_text(line)
        return title.get_window_extent().width / figure.dpi

    lines = [line for part in given.split("\n") for line in wrap(part, room, measure)]
    title.set_text("\n".join(lines))


def _move_into(figure: Figure, ax, title, left: float, right: float) -> None:
    """Shift a title sideways if it extends beyond its range (inches)."""
    box = title.get_window_extent()
    over = max(0.0, box.x1 - right * figure.dpi) - max(0.0, left * figure.dpi - box.x0)
    if over:
        title.set_x(title.get_position()[0] - over / ax.get_window_extent().width)
