"""The minimum contrastive loss and the class vectors against batch size, with and without class collisions."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import style

DASHES = {0.0: "solid", 1.0: (0, (4, 1.5))}
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 3.6, "markeredgewidth": 0.8}
GREY: dict[str, Any] = {"color": "0.3", "marker": "o"}
LEAST_ERROR = 1e-17  # smaller errors are drawn here
SHIFT = 0.12  # horizontal offset of runs with drawn batches


@style.styled
def draw(dataset):
    """Draw the loss for each batch size and temperature, and below the largest error of the class Gram matrix."""
    figure, axes = style.make_grid(2, 1, 1.0, sharex=True, height_ratios=[1.7, 1.0])
    figure.set_figheight(4.2)
    loss_ax, error_ax = axes[:, 0]
    _draw_losses(loss_ax, dataset)
    _draw_errors(error_ax, dataset)
    loss_ax.set_ylabel("expected loss (nats)")
    error_ax.set_ylabel("largest error of\nthe class Gram matrix")
    error_ax.set_xlabel("batch size (pairs)")
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the losses with their predictions."""
    _draw_losses(ax, dataset)
    ax.set_xlabel("batch size (pairs)")
    ax.set_ylabel("expected loss (nats)")
    ax.legend(handles=_handles(dataset)[:3], loc="upper left")


def cells_in_a_row(dataset):
    """Return all cells with a finite batch size, stacked along ``cell``."""
    cells = dataset.stack(cell=dataset.cell_temperature.dims, create_index=False)
    return cells.isel(cell=np.isfinite(cells.cell_batch_size.values))


def _look(dataset, temperature: float) -> dict[str, Any]:
    """Return the colour and marker of a temperature."""
    values = np.unique(dataset.cell_temperature.values)
    return style.concept_style(int(np.searchsorted(values, temperature)))


def _draw_losses(ax, dataset) -> None:
    cells = cells_in_a_row(dataset)
    for temperature in np.unique(cells.cell_temperature.values):
        for collides in (0.0, 1.0):
            is_there = (cells.cell_temperature.values == temperature) & (cells.collides.values == collides)
            chosen = cells.isel(cell=is_there).sortby("cell_batch_size")
            look = _look(dataset, temperature)
            sizes, predicted = chosen.cell_batch_size.values, chosen.predicted.sel(quantity="loss").values
            ax.plot(sizes, predicted, color=look["color"], linewidth=0.9, linestyle=DASHES[collides], zorder=1)
            for is_drawn in (0.0, 1.0):
                runs = chosen.isel(cell=chosen.is_drawn.values == is_drawn)
                learned = runs.learned.sel(quantity="loss").transpose("cell", "seed").values
                places = np.repeat(runs.cell_batch_size.values + SHIFT * is_drawn, learned.shape[1])
                ax.plot(places, learned.ravel(), zorder=2, **_dot(look, is_drawn))
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_errors(ax, dataset) -> None:
    cells = cells_in_a_row(dataset)
    for index in range(cells.sizes["cell"]):
        cell = cells.isel(cell=index)
        errors = np.maximum(cell.learned.sel(quantity="gram_error").values, LEAST_ERROR)
        is_drawn = float(cell.is_drawn.values)
        place = float(cell.cell_batch_size.values) + SHIFT * is_drawn
        look = _look(dataset, float(cell.cell_temperature.values))
        ax.plot(np.full(len(errors), place), errors, **_dot(look, is_drawn))
    ax.set_yscale("log")


def _dot(look: dict[str, Any], is_drawn: float) -> dict[str, Any]:
    return look | DOTS | {"markerfacecolor": "white" if is_drawn else look["color"]}


def _handles(dataset) -> list[Line2D]:
    values = np.unique(dataset.cell_temperature.values)
    lines = [
        Line2D([], [], color="0.3", linewidth=0.9, linestyle=DASHES[0.0], label="predicted, distinct classes"),
        Line2D([], [], color="0.3", linewidth=0.9, linestyle=DASHES[1.0], label="predicted, with collisions"),
        Line2D([], [], label="learned, all batches", **_dot(GREY, 0.0)),
        Line2D([], [], label="learned, drawn batches", **_dot(GREY, 1.0)),
    ]
    return lines + [
        Line2D([], [], linewidth=0.9, label=rf"$\tau$ = {value:g}", **_look(dataset, value), markersize=3.6)
        for value in values
    ]
