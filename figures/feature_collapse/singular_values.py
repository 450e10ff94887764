"""Learned and predicted singular values of the embeddings and of the classifier."""

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from figures.drawing import style


@style.styled
def draw(dataset):
    """Draw one panel per regime, with markers for every seed."""
    figure, axes = style.draw_row(dataset, 2.0, _draw_spectra, sharey=True)
    axes[0].set_ylabel("singular value / largest\npredicted value")
    style.legend_below(figure, axes[0])
    return figure


def _draw_spectra(ax, regime) -> None:
    """Draw both spectra, each in units of its largest predicted value.

    The unit is the largest learned value where the predicted one is zero or missing.
    """
    kinds = (
        ("embedding", "embeddings", style.TEST, {"marker": "o", "markersize": 2.2}),
        ("classifier", "classifier", style.TRAIN, {"marker": "^", "markersize": 3.5, "markerfacecolor": "none"}),
    )
    for kind, label, colour, look in kinds:
        learned = regime[f"{kind}_singular_values"].values
        predicted = regime[f"{kind}_singular_values_predicted"].values[0]
        scale = np.max(predicted[np.isfinite(predicted)], initial=0.0) or style.ceiling(learned)
        components = np.arange(1, learned.shape[-1] + 1)
        for index, values in enumerate(learned):
            name = label if index == 0 else None
            ax.plot(components, values / scale, linestyle="none", color=colour, markeredgewidth=0.6, label=name, **look)
        # Values in the predicted null space are rounding errors and are not drawn.
        is_nonzero = predicted > 1e-6 * scale
        ring = {"marker": look["marker"], "markersize": 6.5, "markerfacecolor": "none", "markeredgewidth": 0.7}
        if is_nonzero.any():
            look = ring | {"linestyle": "none", "color": style.PREDICTED, "label": f"{label}, predicted"}
            ax.plot(components[is_nonzero], predicted[is_nonzero] / scale, **look)
    ax.set_xlabel("component")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(1e-8, 5)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
