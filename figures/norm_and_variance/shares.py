"""Shares of norm and variance by layer in untrained networks, with the infinite-width kernel."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from figures.drawing import style

PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 1.0}
MEASURED: dict[str, Any] = {"linestyle": "none", "markersize": 3, "markeredgewidth": 0.7, "markerfacecolor": "none"}
SHARES = {"mean_share": "M/Q", "within_share": "V$_W$/V", "between_share": "V$_B$/Q"}
MOST_COLUMNS = 4


@style.styled
def draw(dataset):
    """Draw one panel per regime at the last value of varied axes: networks as markers, the prediction as lines."""
    names = [name for name in dataset.mean_share.dims if name not in ("regime", "seed", "layer")]
    run = dataset.isel(dict.fromkeys(names, -1))
    figure, axes = style.make_panels(run.sizes["regime"], MOST_COLUMNS, 1.8, sharey=True)
    for index, ax in enumerate(axes.flat[: run.sizes["regime"]]):
        _draw_panel(ax, run.isel(regime=index))
    for row in axes:
        row[0].set_ylabel("share")
    style.set_regime_titles(axes.flat[: run.sizes["regime"]], run)
    figure.legend(handles=_handles(), loc="outside lower center", ncols=4)
    return figure


def _draw_panel(ax, regime) -> None:
    layers = np.arange(regime.sizes["layer"])
    for index, name in enumerate(SHARES):
        predicted = regime[f"{name}_predicted"].transpose("seed", "layer").values[0]
        ax.plot(layers, predicted, zorder=1, **PREDICTED)
        for values in regime[name].transpose("seed", "layer").values:
            ax.plot(layers, values, zorder=2, **style.concept_style(index) | MEASURED)
    ax.set_ylim(0, 1)
    ax.set_xlabel("layer")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _handles() -> list[Line2D]:
    handles = []
    for index, label in enumerate(SHARES.values()):
        look: dict[str, Any] = style.concept_style(index) | MEASURED
        handles.append(Line2D([], [], label=f"{label}, each network", **look))
    return [*handles, Line2D([], [], label="predicted, infinite width", **PREDICTED)]
