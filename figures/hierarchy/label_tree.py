"""The class tree in the learned vectors, above the predicted one, from fine to coarse."""

import numpy as np

from figures.drawing import style
from figures.hierarchy.cells import AXIS, along_decay

MOST_COLUMNS = 3
ROWS = (("merges", "learned", style.COLOURS[0]), ("merges_predicted", "predicted", style.PREDICTED))


@style.styled
def draw(dataset):
    """Draw dendrograms of the first regime and seed, one column per predicted number of resolved levels."""
    dataset = along_decay(dataset).isel(regime=0, seed=0)
    columns = _columns(dataset)
    figure, axes = style.make_grid(2, len(columns), 1.25, sharey="col")
    for panels, column in zip(axes.T, columns, strict=True):
        cell = dataset.isel({AXIS: column})
        for ax, (name, label, colour) in zip(panels, ROWS, strict=True):
            _draw_dendrogram(ax, cell[name].values, colour)
            if ax is axes[0, 0] or ax is axes[1, 0]:
                ax.set_ylabel(f"{label}\nsquared distance")
        strengths = cell.level_strengths_predicted.values
        levels = f"{int((strengths > 0).sum())} of {int(np.isfinite(strengths).sum())} levels"
        panels[0].set_title(f"{levels}\nc = {float(cell.joint_decay):.3g}", pad=3)
        panels[1].set_xlabel("leaf")
    return figure


def _columns(dataset) -> list[int]:
    """Return the middle cell for each positive predicted number of resolved levels, largest number first."""
    strengths = dataset.level_strengths_predicted.transpose(AXIS, "level").values
    resolved = (np.nan_to_num(strengths) > 0).sum(axis=1)
    groups = [np.flatnonzero(resolved == count) for count in sorted({*resolved} - {0}, reverse=True)]
    chosen = [int(group[len(group) // 2]) for group in groups]
    return chosen[: MOST_COLUMNS - 1] + chosen[-1:] if len(chosen) > MOST_COLUMNS else chosen or [0]


def _draw_dendrogram(ax, merges: np.ndarray, colour: str) -> None:
    """Draw clusters above their leaves in fixed order; crossing brackets would reveal another tree."""
    merges = merges[np.isfinite(merges).all(axis=1)]
    n_leaves = len(merges) + 1
    places, heights, sizes = [*map(float, range(1, n_leaves + 1))], [0.0] * n_leaves, [1] * n_leaves
    for first, second, height, _ in merges:
        pair = int(first), int(second)
        left, right = sorted(pair, key=lambda cluster: places[cluster])
        ax.plot(
            [places[left], places[left], places[right], places[right]],
            [heights[left], height, height, heights[right]],
            color=colour,
            linewidth=0.9,
            solid_joinstyle="miter",
        )
        sizes.append(sizes[left] + sizes[right])
        places.append((sizes[left] * places[left] + sizes[right] * places[right]) / sizes[-1])
        heights.append(height)
    ax.set_xlim(0.5, n_leaves + 0.5)
    ax.set_xticks(range(1, n_leaves + 1) if n_leaves <= 9 else [1, n_leaves])
    ax.set_ylim(0, 1.08 * style.ceiling(np.array(heights)))
