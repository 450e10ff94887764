"""Training risk above its certified lower bound, over training."""

import numpy as np
from matplotlib.ticker import EngFormatter

from figures import style


@style.styled
def draw(dataset):
    """Draw a panel per regime: the risk less the bound that no network undercuts, every seed a line."""
    figure, axes = style.draw_row(dataset, 1.9, _draw_excess, sharey=True)
    axes[0].set_ylabel("risk less certified\nlower bound (nats)")
    return figure


def _draw_excess(ax, regime) -> None:
    """Draw the excess of each seed that has a certificate, and its final duality gap as a dotted line."""
    ax.set_yscale("log")
    ax.set_xlabel("training steps")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    certified = np.isfinite(regime.duality_gap.values)
    if not certified.any():
        ax.text(0.5, 0.5, "no certificate", transform=ax.transAxes, ha="center")
        return
    for seed in np.flatnonzero(certified):
        one = regime.isel(seed=seed)
        excess = one.history_risk.values - one.risk_lower_bound.item()
        # The curve is measured on part of a large training set; where that lies below the bound it is not drawn.
        draw_excess(ax, regime.step.values, np.where(excess > 0, excess, np.nan), style.TEST)
        ax.axhline(max(one.duality_gap.item(), 1e-16), color=style.PREDICTED, linewidth=0.8, linestyle=(0, (1, 1.5)))


def draw_excess(ax, steps: np.ndarray, excess: np.ndarray, colour: str) -> None:
    """Draw one seed's risk above a reference on a logarithmic ordinate."""
    ax.set_yscale("log")
    ax.plot(steps, excess, color=colour, linewidth=0.9)
