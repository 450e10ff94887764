"""Progressive differentiation: the similarity of items in the first layer at four times, from coarse to fine."""

import numpy as np

from figures.drawing import style

REGIMES = ("small-random-start", "animals-and-plants")
PIXELS = 300  # minimum size of a matrix image, as some viewers smooth images of few pixels
CMAP = "cividis"


@style.styled
def draw(dataset):
    """Draw a row of matrices for a tree and for animals and plants, for the first seed; upper triangle: predicted."""
    grid = [dim for dim in dataset.kind.dims if dim != "regime"]
    dataset = dataset.isel(seed=0, **dict.fromkeys(grid, 0))
    names = [name for name in REGIMES if name in dataset.regime.values] or [dataset.regime.values[0]]
    n_times = dataset.sizes["snapshot"]
    figure, axes = style.make_grid(len(names), n_times, 1.75)
    figure.set_figwidth(style.TWO_COLUMNS)
    for row, name in zip(axes, names, strict=True):
        regime = dataset.sel(regime=name)
        for index, ax in enumerate(row):
            _draw_matrix(ax, regime.isel(snapshot=index))
            ax.tick_params(left=index == 0, labelleft=index == 0)
        row[0].set_ylabel(style.words_of(name))
    image = axes[0, 0].images[0]
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=25)
    bar.set_label("similarity / largest at this time\n(above the diagonal: predicted)")
    bar.outline.set_linewidth(0.5)
    return figure


def _draw_matrix(ax, regime) -> None:
    """Draw the Gram matrix at one time, divided by its largest entry."""
    n_items = int(np.isfinite(regime.similarity.values).all(axis=1).sum()) or int(
        np.isfinite(np.diagonal(regime.similarity.values)).sum()
    )
    learned, predicted = (regime[name].values[:n_items, :n_items] for name in ("similarity", "similarity_predicted"))
    upper = np.triu(np.ones((n_items, n_items), bool), 1) & np.isfinite(predicted)
    shown = np.where(upper, predicted, learned)
    repeats = -(-PIXELS // n_items)
    picture = np.kron(shown / np.abs(learned).max(), np.ones((repeats, repeats)))
    extent = (0.5, n_items + 0.5, n_items + 0.5, 0.5)
    ax.imshow(picture, cmap=CMAP, vmin=-0.25, vmax=1, extent=extent, interpolation="none")
    names = [str(name) for name in regime.item_name.values[:n_items]]
    is_named = not names[0].isdigit()
    ticks = range(1, n_items + 1)
    ax.set_yticks(ticks, names)
    ax.set_xticks(ticks if not is_named else [], names if not is_named else [])
    if n_items > 9:
        ax.set_xticks([1, n_items])
        ax.set_yticks([1, n_items])
    ax.set_title(f"step {int(regime.snapshot_step)}", pad=2)
    for spine in ax.spines.values():
        spine.set_visible(False)
