"""The manifold in the embedding, with points coloured by their true angle."""

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from figures.drawing import style
from figures.drawing.clouds import frame_square
from figures.hidden_manifold.cells import best_seed, first_cells, predicted_part, recovered

COLOURS = "twilight_shifted"  # cyclic, also in lightness
MARK: dict[str, Any] = {"s": 9, "linewidths": 0.25, "edgecolors": "0.35"}
BEHIND = 0.18  # opacity of the far side of a sphere
OUTLINE: dict[str, Any] = {"color": style.PREDICTED, "linewidth": 0.7}
POINTS: dict[str, Any] = {
    "color": style.PREDICTED, "marker": "o", "markersize": 1.1, "markeredgewidth": 0, "linestyle": "none", "zorder": 3
}  # fmt: skip
ROUND = 0.99  # smallest predicted linear R^2 at which the predicted image is drawn as a circle or sphere
MOST_COLUMNS = 4


@style.styled
def draw(dataset):
    """Draw one panel per regime, two for a torus: the best seed in the directions of the coordinates.

    The black circle is the outline of the predicted image; if that is not a circle or sphere, dots are its points.
    Spheres are viewed along the second coordinate.
    """
    dataset = first_cells(dataset)
    panels = [
        (dataset.isel(regime=index), part)
        for index in range(dataset.sizes["regime"])
        for part in range(_n_parts(dataset.isel(regime=index)))
    ]
    figure, axes = style.make_panels(len(panels), MOST_COLUMNS, 1.75)
    for ax, (regime, part) in zip(axes.flat, panels, strict=False):
        _draw_panel(ax, regime, part)
    titles = [_title(regime, part) for regime, part in panels]
    style.set_titles(axes.flat[: len(panels)], titles)
    figure.legend(handles=_handles(), loc="outside lower center", ncols=3 if axes.shape[1] > 2 else 1)
    return figure


def draw_key(ax, dataset) -> None:
    """Draw the first regime on the sphere, or else the first regime."""
    dataset = first_cells(dataset)
    spheres = np.flatnonzero(dataset.is_sphere.values)
    regime = dataset.isel(regime=int(spheres[0]) if len(spheres) else 0)
    _draw_panel(ax, regime, 0)
    ax.set_xlabel("learned, coloured by the true angle")


def _n_parts(regime) -> int:
    """Return the number of panels of a regime: two for the angles of a torus, otherwise one."""
    return 1 if regime.is_sphere.item() or regime.manifold_dimension.item() == 1 else 2


def _title(regime, part: int) -> str:
    name = style.words_of(regime.regime.values)
    return f"{name}, {('first', 'second')[part]} angle" if _n_parts(regime) == 2 else name


def _draw_panel(ax, regime, part: int) -> None:
    """Draw two learned coordinates of the best seed."""
    learned, coordinates = recovered(regime, best_seed(regime))
    ax.set_axis_off()
    if not np.all(np.isfinite(learned)):
        ax.text(0.5, 0.5, "diverged", ha="center", va="center", transform=ax.transAxes)
        return
    is_sphere = bool(regime.is_sphere.item())
    angles = np.arctan2(coordinates[:, 2 * part + 1], coordinates[:, 2 * part])
    shown = learned[:, [0, 2]] if is_sphere else learned[:, 2 * part : 2 * part + 2]
    is_near = coordinates[:, 1] < 0 if is_sphere else np.ones(len(shown), bool)
    for chosen, opacity in ((~is_near, BEHIND), (is_near, 1.0)):
        ax.scatter(*shown[chosen].T, c=angles[chosen], cmap=COLOURS, vmin=-np.pi, vmax=np.pi, alpha=opacity, **MARK)
    if regime.predicted.sel(quantity="r_squared").item() < ROUND:
        points = predicted_part(regime)
        ax.plot(*points[:, [0, 2] if is_sphere else [2 * part, 2 * part + 1]].T, **POINTS)
        frame_square(ax, shown, points[:, [0, 2]])
        return
    radius = _predicted_radius(regime)
    turn = np.linspace(0, 2 * np.pi, 200)
    outline = radius * np.column_stack([np.cos(turn), np.sin(turn)])
    if np.isfinite(radius):
        ax.plot(*outline.T, zorder=0, **OUTLINE)
    frame_square(ax, shown, outline)


def _predicted_radius(regime) -> float:
    """Return the radius of the predicted circle or sphere, NaN without a prediction."""
    values = regime.eigenvalues_predicted.isel(seed=0).values
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan")
    if regime.is_sampled.item():
        return 1.0
    if regime.is_sphere.item():
        return float(np.sqrt(3 * values[min(len(values) - 1, 3)]))
    return float(np.sqrt(2 * values[min(len(values) - 1, 1)]))


def _handles() -> list[Line2D]:
    dot: dict[str, Any] = {"marker": "o", "linestyle": "none", "markersize": 3, "markeredgewidth": 0.25}
    return [
        Line2D([], [], label="learned (best seed), colour: true angle (spheres: longitude)", color="0.3", **dot),
        Line2D([], [], label="far side of a sphere", color="0.3", alpha=BEHIND, **dot),
        Line2D([], [], label="predicted outline or points", **OUTLINE | {"marker": "o", "markersize": 1.6}),
    ]
