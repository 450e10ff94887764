"""Learned and predicted CKA between all kernels of a run: architectures, widths and modalities."""

import numpy as np

from figures.drawing import style

LINE = {"color": "white", "linewidth": 0.8}
COLOURS = "cividis"  # perceptually uniform, also in greyscale


@style.styled
def draw(dataset):
    """Draw the matrix of learned kernels, the first seed against the last, and that of predicted ones.

    Within a regime, cells are in the order of the varied axes, the finest view first.
    """
    figure, axes = style.make_grid(1, 2, 3.4, sharey=True)
    figure.set_figwidth(style.TWO_COLUMNS)
    learned_ax, predicted_ax = axes[0]
    if "cka_matrix" not in dataset:
        for ax in axes[0]:
            ax.set_axis_off()
        learned_ax.text(0.02, 0.5, "too many cells for a matrix", fontsize=7)
        return figure
    low = _lowest(dataset)
    for ax, name in ((learned_ax, "cka_matrix"), (predicted_ax, "cka_matrix_predicted")):
        image = _draw_matrix(ax, dataset, dataset[name].values, low)
    style.set_titles(axes[0], ["learned, between two seeds", "predicted"])
    figure.colorbar(image, ax=axes[0].tolist(), label="CKA", shrink=0.85)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the matrix of learned kernels."""
    _draw_matrix(ax, dataset, dataset.cka_matrix.values, _lowest(dataset))


def _lowest(dataset) -> float:
    """Return the largest multiple of 0.2 below all values."""
    values = [dataset[name].values for name in ("cka_matrix", "cka_matrix_predicted")]
    return float(np.floor(5 * np.nanmin(values)) / 5) if np.isfinite(values).any() else 0.0


def _draw_matrix(ax, dataset, matrix, low: float):
    """Draw a matrix with the names of the regimes at the middle of their cells; return the image."""
    names = [style.words_of(name) for name in dataset.regime.values]
    size = len(matrix) // len(names)
    image = ax.imshow(matrix, vmin=low, vmax=1, cmap=COLOURS, interpolation="nearest")
    middles = (np.arange(len(names)) + 0.5) * size - 0.5
    for edge in np.arange(1, len(names)) * size - 0.5:
        ax.axhline(edge, **LINE)
        ax.axvline(edge, **LINE)
    ax.set_xticks(middles, names, rotation=90)
    ax.set_yticks(middles, names)
    ax.tick_params(length=0)
    blocks = np.unique(dataset.cell_blocks.values).astype(int)
    if len(blocks) == size > 1:
        ax.set_xlabel(f"each square: B = {', '.join(map(str, blocks))}")
    return image
