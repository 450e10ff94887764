"""The curve f(t) that predicts the eigenvalues for all laws, and the errors of the learned ones."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style

CURVE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.0}
KINK: dict[str, Any] = {"color": "0.6", "linewidth": 0.7, "linestyle": (0, (1.0, 1.5))}
BAND: dict[str, Any] = {"color": "0.5", "linewidth": 0.8, "linestyle": (0, (3, 1.5))}
DOTS: dict[str, Any] = {"linestyle": "none", "markersize": 3.2, "markeredgewidth": 0.7}
KINK_LEVEL = 2.0
HIGHEST = 3.0  # limit of the ordinate; the curve diverges at t = 0
LEAST_ERROR = 1e-17  # smaller errors are drawn here
BAND_SHARE = 0.05  # tolerance for eigenvalues learned in batches, relative to 1 + c


@style.styled
def draw(dataset):
    """Draw the learned eigenvalues of all laws and seeds against t, and below their distances from f(t)."""
    figure, axes = style.make_grid(2, 1, 1.0, sharex=True, height_ratios=[1.6, 1.0])
    figure.set_figheight(3.6)
    curve_ax, error_ax = axes[:, 0]
    _draw_curve(curve_ax, dataset)
    _draw_errors(error_ax, dataset)
    curve_ax.set_ylabel(r"eigenvalue $c/\tau$")
    error_ax.set_ylabel(r"$|c/\tau - f(t)|$")
    error_ax.set_xlabel("t = (augmentation + weight decay) / variance")
    figure.legend(handles=_handles(dataset), loc="outside lower center", ncols=2)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the curve with the eigenvalues of all laws."""
    _draw_curve(ax, dataset)
    ax.set_xlabel("t = augmentation / variance")
    ax.set_ylabel("eigenvalue of the embedding")
    ax.legend(handles=_handles(dataset)[:-1], loc="upper right")


def points(regime):
    """Return the finite ``t`` and ``c/tau`` of all directions, laws and seeds of a regime, flattened."""
    levels, values = regime.levels.values, (regime.eigenvalues / regime.cell_temperature).transpose(*regime.levels.dims)
    is_there = np.isfinite(levels) & np.isfinite(values.values)
    return levels[is_there], values.values[is_there]


def _regimes(dataset):
    """Yield the regimes to which the curve applies, and the style of each."""
    for index in range(dataset.sizes["regime"]):
        regime = dataset.isel(regime=index)
        if np.all(regime.uses_distance.values):
            look: dict[str, Any] = {} if index % 2 else {"markerfacecolor": "white"}
            yield regime, style.concept_style(index) | look | DOTS


def _draw_curve(ax, dataset) -> None:
    ax.axvline(KINK_LEVEL, **KINK)
    for regime, look in _regimes(dataset):
        ax.plot(*points(regime), zorder=2, **look)
    ax.plot(dataset.line_level.values, dataset.curve.values, zorder=3, **CURVE)
    ax.set_ylim(-0.1, HIGHEST)
    ax.set_xlim(0, _rightmost(dataset))


def _draw_errors(ax, dataset) -> None:
    """Draw distances from the predicted eigenvalues, which the dataset has for each point, without interpolation."""
    ax.axvline(KINK_LEVEL, **KINK)
    for regime, look in _regimes(dataset):
        levels = regime.levels
        error = np.abs(regime.eigenvalues - regime.eigenvalues_predicted) / regime.cell_temperature
        flat = error.transpose(*levels.dims).values
        ax.plot(levels.values.ravel(), np.maximum(flat, LEAST_ERROR).ravel(), **look)
    if np.any(dataset.is_sampled.values):
        ax.plot(dataset.line_level.values, BAND_SHARE * (1 + dataset.curve.values), **BAND)
    ax.set_yscale("log")
    ax.set_ylim(LEAST_ERROR / 3, 3)
    ax.set_xlim(0, _rightmost(dataset))


def _rightmost(dataset) -> float:
    """Return the upper limit of the abscissa."""
    return 1.04 * max(np.nanmax(points(regime)[0], initial=KINK_LEVEL) for regime, _ in _regimes(dataset))


def _handles(dataset) -> list[Line2D]:
    handles = [Line2D([], [], label="predicted: f(t), zero from t = 2", **CURVE)]
    handles += [
        Line2D([], [], label=style.words_of(regime.regime.values), **look) for regime, look in _regimes(dataset)
    ]
    if np.any(dataset.is_sampled.values):
        handles.append(Line2D([], [], label=f"{BAND_SHARE:g} (1 + f(t))", **BAND))
    return handles
