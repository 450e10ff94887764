"""One look for all figures: print sizes, colours, marks.

Colours are those of Okabe and Ito, which colour-blind readers can distinguish, in an order of alternating lightness;
marks differ as well, so that a greyscale print can be read. Text is set by matplotlib itself (no LaTeX) and embedded
as TrueType.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from math import ceil
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from figures.declared import predicted_kinds
from figures.drawing.titles import fit_titles
from figures.drawing.venues import VENUES
from figures.receipt import metadata_of

if TYPE_CHECKING:
    from jaxtyping import Float

ONE_COLUMN = 3.35  # inches: 85 mm
TWO_COLUMNS = 6.9  # inches: 175 mm
CHARACTER = 0.05  # inches: the width of a character of 6 points
LONGEST_KINDS = 30  # characters of a panel's title on what is predicted

RGBA = tuple[float, float, float, float]

COLOURS = ("#0072B2", "#E69F00", "#882255", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#999999")
# Seven marks beside eight colours: 56 concepts pass before a pair returns.
MARKS = ("o", "^", "s", "D", "v", "P", "X")
PREDICTED = "black"
DISTANCES = ("embedding_distance", "feature_distance")  # quantities: relative distance from the prediction
FAR = 0.3  # of these, where nobody would speak of the predicted collapse
TRAIN, TEST = COLOURS[1], COLOURS[0]

_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.minor.width": 0.3,
    "ytick.minor.width": 0.3,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "legend.fontsize": 6,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.0,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "savefig.dpi": 300,
    "svg.hashsalt": "simlab",  # equal figures give equal files
    "figure.constrained_layout.use": True,
}


_WIDTH: ContextVar[float | None] = ContextVar("width of figures", default=None)
_VENUE: ContextVar[dict[Any, Any] | None] = ContextVar("settings of a venue", default=None)


@contextmanager
def figure_width(inches: float | None, venue: str | None = None) -> Iterator[None]:
    """Draw figures of another width than their own.

    Args:
        inches: the width; None for that of the venue, or else that of each figure.
        venue: a name of :data:`figures.drawing.venues.VENUES`, whose typeface is used; None for the house style.
    """
    chosen = None if venue is None else VENUES[venue]
    width = _WIDTH.set(chosen.width if inches is None and chosen is not None else inches)
    settings = _VENUE.set(None if chosen is None else chosen.settings)
    try:
        yield
    finally:
        _WIDTH.reset(width)
        _VENUE.reset(settings)


def styled(function: Callable) -> Callable:
    """Run a drawing or saving function under the house style, and leave the settings of matplotlib as they were.

    The style starts from matplotlib's defaults: no ``matplotlibrc`` of a user or of the current folder shows in a
    figure. The titles of a figure that the function returns are fitted to the places of their panels.
    """

    @wraps(function)
    def wrapped(*args, **kwargs):
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(_SETTINGS)
            matplotlib.rcParams.update(_VENUE.get() or {})
            result = function(*args, **kwargs)
            if isinstance(result, Figure):
                result.set_figwidth(_WIDTH.get() or result.get_figwidth())
                if fit_titles(result):
                    _keep_layout(result)
            return result

    return wrapped


def make_grid(n_rows: int, n_columns: int, row_height: float, **options):
    """Return a figure and its axes, ``n_rows x n_columns``: one column wide for up to two panels, else two columns.

    Within :func:`figure_width` it is as wide as that says.

    Args:
        n_rows: panels from top to bottom.
        n_columns: panels from left to right.
        row_height: inches.
        options: passed to ``Figure.subplots``.
    """
    width = _WIDTH.get() or (ONE_COLUMN if n_columns <= 2 else TWO_COLUMNS)
    figure = Figure(figsize=(width, n_rows * row_height))
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **options)


def make_panels(n_panels: int, most_columns: int, row_height: float, **options):
    """Return a figure and its axes, as :func:`make_grid`, in as few rows as hold the panels, evenly filled.

    Args:
        n_panels: taken row by row; what the grid has beyond them is empty.
        most_columns: panels from left to right, at most.
        row_height: inches.
        options: passed to ``Figure.subplots``.
    """
    n_rows = ceil(n_panels / most_columns)
    figure, axes = make_grid(n_rows, ceil(n_panels / n_rows), row_height, **options)
    for ax in axes.flat[n_panels:]:
        ax.set_axis_off()
    return figure, axes


def set_spacing(figure: Figure, **spacing: Any) -> None:
    """Set padding (``w_pad``, ``h_pad``, inches) and spacing (``wspace``, ``hspace``, fractions) of the panels."""
    engine = figure.get_layout_engine()
    if not isinstance(engine, ConstrainedLayoutEngine):
        raise TypeError(f"figure: expected the constrained layout of the house style, got {type(engine).__name__}")
    engine.set(**spacing)


def draw_row(dataset, row_height: float, draw_panel: Callable, **options):
    """Return a figure with one titled panel per regime, and its axes.

    Args:
        dataset: a saved run.
        row_height: inches.
        draw_panel: called with the axes and the dataset of each regime.
        options: passed to ``Figure.subplots``.
    """
    names = dataset.regime.values
    figure, axes = make_grid(1, len(names), row_height, **options)
    for ax, name in zip(axes[0], names, strict=True):
        regime = dataset.sel(regime=name)
        draw_panel(ax, regime)
    set_regime_titles(axes[0], dataset)
    return figure, axes[0]


def legend_below(figure: Figure, ax) -> None:
    """Put the legend of one panel below the whole figure, in as many columns as fit its width."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(figure, labels))


def legend_columns(figure: Figure, labels: list[str]) -> int:
    """Return how many columns of a legend fit the width of a figure, evenly filled.

    Args:
        figure: whose legend it is.
        labels: of its entries, in 6 points.
    """
    fitting = int(figure.get_figwidth() / (0.4 + 0.9 * CHARACTER * max(map(len, labels))))  # a mark and its gaps: 0.4
    return ceil(len(labels) / ceil(len(labels) / max(1, fitting)))


def regime_title(regime) -> str:
    """Return the heading of a regime's panels: its name and what is predicted."""
    outcome = ", not collapsed" if _is_far(regime) else ""
    return f"{words_of(regime.regime.values)}\n({kinds(regime)} predicted{outcome})"


def words_of(name) -> str:
    """Return the name of a regime in words, as a reader writes them: ``Zipf LayerNorm``."""
    words = str(name).replace("-", " ").replace("layer norm", "LayerNorm")
    return re.sub(r"\bzipf\b", "Zipf", words)


def _is_far(regime) -> bool:
    """Return whether the vectors of a single task, aligned with the predicted ones, are still far from them."""
    if "learned" not in regime or not set(regime.learned.dims) <= {"seed", "quantity"}:
        return False
    held = set(map(str, np.atleast_1d(regime["quantity"].values)))
    values = [regime.learned.sel(quantity=name).values.mean() for name in DISTANCES if name in held]
    return any(value > FAR for value in values)


def set_regime_titles(axes, dataset) -> None:
    """Give panels that stand side by side, one per regime, its heading."""
    set_titles(axes, [regime_title(dataset.sel(regime=name)) for name in dataset.regime.values])


def set_titles(axes, titles: list[str], pad: float | None = None) -> None:
    """Give each panel of a row a title; :func:`figures.drawing.titles.fit_titles` breaks it into lines that fit.

    Args:
        axes: the panels.
        titles: one for each.
        pad: points between title and panel.
    """
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, pad=pad)


def kinds(regime) -> str:
    """Return what is predicted, in words; for several cells each kind once, or the number of kinds if they are long."""
    names = predicted_kinds(regime)
    text = ", ".join(names)
    return text if len(names) < 2 or len(text) <= LONGEST_KINDS else f"{len(names)} kinds"


def concept_style(concept: int) -> dict[str, Any]:
    """Return colour and mark of a concept."""
    return {"color": COLOURS[concept % len(COLOURS)], "marker": MARKS[concept % len(MARKS)]}


def shade(index: int, count: int, family: str) -> RGBA:
    """Return the colour of an ordered value, darker for later ones: one family of colours for one meaning.

    Args:
        index: of the value, from 0.
        count: of all values.
        family: a sequential colormap of matplotlib, such as "Blues".
    """
    return colormaps[family](0.4 + 0.55 * index / max(1, count - 1))


def ceiling(*arrays: Float[np.ndarray, ...]) -> float:
    """Return the largest finite value of some arrays, or 1 if there is none above zero: the top of an axis from 0."""
    values = np.concatenate([np.ravel(array) for array in arrays])
    return float(max(values[np.isfinite(values)], default=0.0)) or 1.0


@styled
def save(figure: Figure, path, receipt: Mapping[str, object] | None = None) -> None:
    """Save a figure as the kind of file that ``path`` ends in; without a date, so that equal runs give equal files.

    The layout is solved for the first file and kept for all others: they look the same, and take half the time.

    Args:
        figure: what is saved.
        path: of the file.
        receipt: what the file says of its data, see :mod:`figures.receipt`.
    """
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.execute(figure)
        _keep_layout(figure)
    figure.savefig(path, metadata=metadata_of(path, receipt))


def _keep_layout(figure: Figure) -> None:
    """Keep the layout that was solved, with the panels on a grid of 1e-6 of the figure: 0.2 micrometres.

    The solver of matplotlib orders its variables by their addresses in memory. Its last digits differ from one drawing
    of the same figure to the next, and files hold ten digits.
    """
    figure.set_layout_engine("none")
    for ax in figure.axes:
        for which in ("original", "active"):
            left, bottom, width, height = ax.get_position(original=which == "original").bounds
            ax.set_position((round(left, 6), round(bottom, 6), round(width, 6), round(height, 6)), which=which)
