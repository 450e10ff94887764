"""Folded and unfolded runs of InfoNCE on the sphere, which differ in their loss."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style
from figures.hidden_manifold.cells import final, first_cells, recovered

LOOKS: dict[bool, dict[str, Any]] = {
    False: {"color": style.COLOURS[0], "marker": "o"},
    True: {"color": style.COLOURS[1], "marker": "^", "markerfacecolor": "white"},
}
LINES: dict[bool, Any] = {False: "-", True: (0, (3, 1.2))}
PREDICTED: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.9}
MARK: dict[str, Any] = {"linestyle": "none", "markersize": 3.6, "markeredgewidth": 0.7}


@style.styled
def draw(dataset):
    """Draw the loss over training, the final R^2 against the final loss, and the best and worst run.

    The third panel shows the least linear learned coordinate against the true one: a straight line for a rotation, a
    bent one for a fold.
    """
    regime = _contrastive(first_cells(dataset))
    figure, axes = style.make_grid(1, 3, 2.1)
    if regime is None:
        for ax in axes.flat:
            ax.set_axis_off()
        axes[0, 0].text(0, 0.5, "no InfoNCE regime with unrestricted partners", fontsize=7)
        return figure
    courses_ax, ends_ax, runs_ax = axes[0]
    _draw_courses(courses_ax, regime)
    _draw_ends(ends_ax, regime)
    _draw_runs(runs_ax, regime)
    figure.legend(handles=_handles(regime), loc="outside lower center", ncols=3)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the final R^2 against the final loss, if there is an InfoNCE regime."""
    regime = _contrastive(first_cells(dataset))
    if regime is not None:
        _draw_ends(ax, regime)


def _contrastive(dataset):
    """Return the first InfoNCE regime with a prediction, or None."""
    for index in range(dataset.sizes["regime"]):
        regime = dataset.isel(regime=index)
        if regime.is_sampled.item() and np.any(np.isfinite(final(regime, "folded"))):
            return regime
    return None


def _draw_courses(ax, regime) -> None:
    steps = np.ravel(regime.step.values)
    losses = regime.history_loss.transpose("seed", "record").values
    for values, folded in zip(losses, final(regime, "folded") == 1, strict=True):
        ax.plot(steps, values, linestyle=LINES[folded], color=LOOKS[folded]["color"], linewidth=0.8)
    ax.axhline(_predicted_loss(regime), **PREDICTED)
    ax.set_xlabel("training steps")
    ax.set_ylabel("batch loss (nats)")


def _draw_ends(ax, regime) -> None:
    losses, shares = final(regime, "loss"), final(regime, "r_squared")
    for loss, share, folded in zip(losses, shares, final(regime, "folded") == 1, strict=True):
        ax.plot(loss, share, **LOOKS[folded], **MARK)
    ax.axvline(_predicted_loss(regime), zorder=0, **PREDICTED)
    ax.set_xlabel("final loss (nats)")
    ax.set_ylabel("linear $R^2$")
    ax.set_ylim(min(0.5, np.nanmin(shares) - 0.05), 1.04)
    ax.margins(x=0.12)


def _draw_runs(ax, regime) -> None:
    """Draw the least linear coordinate of the best and the worst run."""
    losses, folded = final(regime, "loss"), final(regime, "folded") == 1
    order = np.argsort(losses)
    for seed in dict.fromkeys((int(order[0]), int(order[np.sum(np.isfinite(losses)) - 1]))):
        learned, coordinates = recovered(regime, seed)
        image, _, source = np.linalg.svd(learned.T @ coordinates)
        look = LOOKS[bool(folded[seed])]
        ax.plot(coordinates @ source[-1], learned @ image[:, -1], **look, **MARK | {"markersize": 2.2})
    ax.plot([-1, 1], [-1, 1], zorder=3, **PREDICTED)
    ax.set_xlabel("true coordinate")
    ax.set_ylabel("learned coordinate")


def _predicted_loss(regime) -> float:
    return float(regime.predicted.sel(quantity="loss").item())


def _handles(regime) -> list[Line2D]:
    folded = final(regime, "folded")
    words = {False: "unfolded", True: "folded"}
    return [
        *(
            Line2D([], [], label=f"{word}: {int(np.sum(folded == kind))} of {len(folded)} seeds", markersize=3.6,
                   markeredgewidth=0.7, linestyle=LINES[kind], **LOOKS[kind])
            for kind, word in words.items()
        ),
        Line2D([], [], label="predicted (rotation)", **PREDICTED),
    ]  # fmt: skip
