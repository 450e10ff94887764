"""The style of all figures: print sizes, colours, markers.

Colours are those of Okabe and Ito, which colour-blind readers can distinguish, in an order of alternating lightness;
markers differ as well, so that greyscale prints are readable. Text is set by matplotlib (no LaTeX) and embedded as
TrueType.
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
from figures.drawing.layout import WITHOUT_LAYOUT, keep_layout, steady_ticks
from figures.drawing.titles import fit_titles
from figures.drawing.venues import VENUES
from figures.receipt import metadata_of

if TYPE_CHECKING:
    from jaxtyping import Float

ONE_COLUMN = 3.35  # inches: 85 mm
TWO_COLUMNS = 6.9  # inches: 175 mm
CHARACTER = 0.05  # inches: width of a 6-point character
LONGEST_KINDS = 30  # maximum characters for the kinds of predictions in a panel's title

RGBA = tuple[float, float, float, float]

COLOURS = ("#0072B2", "#E69F00", "#882255", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#999999")
# Seven markers and eight colours: a combination repeats only after 56 concepts.
MARKS = ("o", "^", "s", "D", "v", "P", "X")
PREDICTED = "black"
DISTANCES = ("embedding_distance", "feature_distance")  # quantities: relative distance from the prediction
FAR = 0.3  # of these distances; beyond it the predicted collapse has not occurred
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
    """Set the width and typeface of the figures drawn within the context.

    Args:
        inches: the width; None for that of the venue, or, without a venue, of each figure.
        venue: a key of :data:`figures.drawing.venues.VENUES`, whose typeface is used; None for the house style.
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
    """Run a drawing or saving function under the house style without changing matplotlib's settings.

    The style starts from matplotlib's defaults: a ``matplotlibrc`` of the user or the current folder has no effect.
    The titles of a returned figure are fitted to the width of their panels.
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
                    keep_layout(result)
            return result

    return wrapped


def make_grid(n_rows: int, n_columns: int, row_height: float, **options):
    """Return a figure and its axes, ``n_rows x n_columns``: one text column wide for up to two panels, otherwise two.

    Within :func:`figure_width` that width is used instead.

    Args:
        n_rows: panels from top to bottom.
        n_columns: panels from left to right.
        row_height: height of a row, inches.
        options: passed to ``Figure.subplots``.
    """
    width = _WIDTH.get() or (ONE_COLUMN if n_columns <= 2 else TWO_COLUMNS)
    figure = Figure(figsize=(width, n_rows * row_height))
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **options)


def make_panels(n_panels: int, most_columns: int, row_height: float, **options):
    """Return a figure and its axes, as :func:`make_grid`, in the fewest evenly filled rows that hold the panels.

    Args:
        n_panels: number of panels, filled row by row; further grid cells are empty.
        most_columns: maximum number of panels per row.
        row_height: height of a row, inches.
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
    """Return a figure with one titled panel per regime, and the axes.

    Args:
        dataset: a saved run.
        row_height: height of a row, inches.
        draw_panel: function called with the axes and the dataset of each regime.
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
    """Put the legend of one panel below the whole figure, with as many columns as fit its width."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=legend_columns(figure, labels))


def legend_columns(figure: Figure, labels: list[str]) -> int:
    """Return the number of evenly filled legend columns that fit the width of a figure.

    Args:
        figure: the figure.
        labels: labels of the entries, in 6 points.
    """
    fitting = int(figure.get_figwidth() / (0.4 + 0.9 * CHARACTER * max(map(len, labels))))  # 0.4: a marker and its gaps
    return ceil(len(labels) / ceil(len(labels) / max(1, fitting)))


def regime_title(regime) -> str:
    """Return the title of a regime's panels: its name and the kind of prediction."""
    outcome = ", not collapsed" if _is_far(regime) else ""
    return f"{words_of(regime.regime.values)}\n({kinds(regime)} predicted{outcome})"


def words_of(name) -> str:
    """Return the name of a regime as words with usual capitalisation: ``Zipf LayerNorm``."""
    words = str(name).replace("-", " ").replace("layer norm", "LayerNorm")
    return re.sub(r"\bzipf\b", "Zipf", words)


def _is_far(regime) -> bool:
    """Return whether the learned vectors of a single task are still far from the predicted ones after alignment."""
    if "learned" not in regime or not set(regime.learned.dims) <= {"seed", "quantity"}:
        return False
    held = set(map(str, np.atleast_1d(regime["quantity"].values)))
    values = [regime.learned.sel(quantity=name).values.mean() for name in DISTANCES if name in held]
    return any(value > FAR for value in values)


def set_regime_titles(axes, dataset) -> None:
    """Give each panel of a row, one per regime, the title of its regime."""
    set_titles(axes, [regime_title(dataset.sel(regime=name)) for name in dataset.regime.values])


def set_titles(axes, titles: list[str], pad: float | None = None) -> None:
    """Give each panel of a row a title; :func:`figures.drawing.titles.fit_titles` wraps it later.

    Args:
        axes: the panels.
        titles: one title per panel.
        pad: distance between title and panel, points.
    """
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, pad=pad)


def kinds(regime) -> str:
    """Return the kinds of predictions as text, each once, or their number if the text is long."""
    names = predicted_kinds(regime)
    text = ", ".join(names)
    return text if len(names) < 2 or len(text) <= LONGEST_KINDS else f"{len(names)} kinds"


def concept_style(concept: int) -> dict[str, Any]:
    """Return the colour and marker of a concept."""
    return {"color": COLOURS[concept % len(COLOURS)], "marker": MARKS[concept % len(MARKS)]}


def shade(index: int, count: int, family: str) -> RGBA:
    """Return the colour of an ordered value, darker for later values.

    Args:
        index: index of the value, from 0.
        count: number of values.
        family: a sequential colormap of matplotlib, such as "Blues".
    """
    return colormaps[family](0.4 + 0.55 * index / max(1, count - 1))


def ceiling(*arrays: Float[np.ndarray, ...]) -> float:
    """Return the largest finite value of the arrays, or 1 if that is zero: the top of an axis that starts at 0."""
    values = np.concatenate([np.ravel(array) for array in arrays])
    return float(max(values[np.isfinite(values)], default=0.0)) or 1.0


@styled
def save(figure: Figure, path, receipt: Mapping[str, object] | None = None) -> None:
    """Save a figure in the format given by the suffix of ``path``, without a date, so that equal runs give equal files.

    The layout is solved for the first file and reused for all others, which makes them identical and faster.

    Args:
        figure: the figure.
        path: path of the file.
        receipt: provenance written to the file, see :mod:`figures.receipt`.
    """
    engine = figure.get_layout_engine()
    with steady_ticks(figure):
        if figure.axes and isinstance(engine, ConstrainedLayoutEngine):
            engine.execute(figure)
            keep_layout(figure)
        with matplotlib.rc_context(WITHOUT_LAYOUT):
            figure.savefig(path, metadata=metadata_of(path, receipt))
