"""The difference between learned and predicted values as a size of the task grows, with a power-law fit.

Small markers are seeds, large ones their root mean square; the line is the least-squares fit, with its exponent r and
its 95 % confidence interval.
"""

import numpy as np

from figures.declared import as_shown, axis_label, headlines, quantities_of
from figures.drawing import style

MOST_COLUMNS = 3
MOST_LINES = 7  # maximum number of lines (regimes and points of other axes) in a panel


@style.styled
def draw(dataset):
    """Draw a panel for each compared quantity with a fitted rate.

    Raises:
        ValueError: the dataset holds no rates.
    """
    axis = dataset.attrs.get("ladder")
    if axis is None or "ladder_exponent" not in dataset:
        raise ValueError("ladder: expected a run with --ladder, got none")
    declared = quantities_of(dataset)
    rated = np.isfinite(dataset.ladder_exponent)
    rated = rated.any([name for name in rated.dims if name != "quantity"])
    names = [name for name in headlines(dataset)[0] or declared if bool(rated.sel(quantity=name))]
    names = names or [name for name in declared if bool(rated.sel(quantity=name))]
    figure, axes = style.make_panels(max(1, len(names)), MOST_COLUMNS, 2.1)
    for ax, name in zip(axes.flat, names, strict=False):
        _draw_panel(ax, as_shown(dataset).sel(quantity=name), axis)
        ax.set_title(declared[name].label)
        ax.set_xlabel(axis_label(dataset, axis))
        ax.set_ylabel("|learned - predicted|" + (f" ({declared[name].unit})" if declared[name].unit else ""))
    return figure


def _draw_panel(ax, rows, axis: str) -> None:
    """Draw seeds, their root mean square and the fit of one quantity, for each regime and point of other axes."""
    others = [name for name in rows.ladder_exponent.dims]
    stacked = rows.stack(line=others)
    sizes = rows[axis].values.astype(float)
    for index in range(min(stacked.sizes["line"], MOST_LINES)):
        line = stacked.isel(line=index)
        errors = np.abs((line.learned - line.predicted).where(line.status != "diverged").transpose(axis, "seed").values)
        exponent, half, prefactor = (line[f"ladder_{name}"].item() for name in ("exponent", "half_width", "prefactor"))
        if not np.isfinite(exponent):
            continue
        look = {"color": style.COLOURS[index], "marker": style.MARKS[index], "linestyle": "none", "markeredgewidth": 0}
        ax.plot(np.repeat(sizes, errors.shape[1]), errors.ravel(), markersize=1.5, alpha=0.6, **look)
        label = f"{_place(line)}r = {exponent:.2f} ± {half:.2f}"
        ax.plot(sizes, np.sqrt(np.nanmean(errors**2, axis=1)), markersize=3.5, label=label, **look)
        ends = np.array([sizes.min(), sizes.max()])
        ax.plot(ends, prefactor * ends**-exponent, color=style.PREDICTED, linewidth=0.7, zorder=0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(sizes, [f"{size:g}" for size in sizes], minor=False)
    ax.minorticks_off()
    ax.legend(loc="best", fontsize=5)


def _place(line) -> str:
    """Return the regime and the point of the other axes of a line, as text."""
    values = np.atleast_1d(line["line"].item()) if isinstance(line["line"].item(), tuple) else [line["line"].item()]
    return f"{', '.join(style.words_of(value) for value in values)}: "
