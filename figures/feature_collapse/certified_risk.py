"""Excess of the training risk over its certified lower bound, over training."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from figures.drawing import style

TRAINING = {"color": style.TEST, "linewidth": 0.9}
FINAL = {"color": style.PREDICTED, "linewidth": 0.8, "linestyle": (0, (1, 1.5))}


@style.styled
def draw(dataset):
    """Draw one panel per regime with the risk minus its certified lower bound, one line per seed."""
    figure, axes = style.draw_row(dataset, 1.9, _draw_excess, sharey=True)
    axes[0].set_ylabel("risk - certified\nlower bound (nats)")
    if np.isfinite(dataset.duality_gap.values).any():
        looks = {"during training": TRAINING, "final duality gap": FINAL}
        handles = [Line2D([], [], label=label, **look) for label, look in looks.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _draw_excess(ax, regime) -> None:
    """Draw the excess of each certified seed, and its final duality gap as a dotted line."""
    ax.set_yscale("log")
    ax.set_xlabel("training steps")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    certified = np.isfinite(regime.duality_gap.values)
    if not certified.any():
        ax.text(0.5, 0.5, "no certificate", transform=ax.transAxes, ha="center")
        return
    for seed in np.flatnonzero(certified):
        member = regime.isel(seed=seed)
        excess = member.history_risk.values - member.risk_lower_bound.item()
        # The curve is measured on a part of a large training set and can fall below the bound; it is not drawn there.
        ax.plot(regime.step.values, np.where(excess > 0, excess, np.nan), **TRAINING)
        ax.axhline(max(member.duality_gap.item(), 1e-16), **FINAL)
