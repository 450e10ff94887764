"""Clouds of projected vectors: learned ones as markers by group, predicted ones in black."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from figures.drawing import style

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Largest number of vectors drawn, evenly spread over a cloud: a vector file with 15,000 markers would not open.
MOST_MARKS = 1500


def draw_cloud(
    ax,
    learned: Float[np.ndarray, "n 2"],
    predicted: Float[np.ndarray, "n 2"],
    groups: Int[np.ndarray, " n"],
    noun: str | None,
    ring: float = 5,
) -> None:
    """Draw a cloud of projected vectors.

    Args:
        ax: the panel.
        learned: learned vectors, ``Float[N, 2]``.
        predicted: predicted vectors, ``Float[N, 2]``.
        groups: group of each vector, ``Int[N]``, from 0.
        noun: name of a group in the legend; None omits groups from the legend.
        ring: diameter of the marker of a predicted vector, points.
    """
    marks = np.arange(0, len(learned), max(1, len(learned) // MOST_MARKS))
    for group in np.unique(groups):
        chosen = marks[groups[marks] == group]
        look = style.concept_style(int(group))
        ax.plot(
            *learned[chosen].T,
            linestyle="none",
            markersize=2.2,
            markeredgewidth=0,
            alpha=0.7,
            label=f"{noun} {group + 1}" if noun else None,
            **look,
        )
        _draw_predicted(ax, predicted[groups == group], ring, last=group == groups.max())


def frame_square(ax, *clouds: Float[np.ndarray, "n 2"], room: float = 0.06) -> None:
    """Make the panel square with equal scales, and a margin around all finite points, as a share of its width."""
    points = np.concatenate(clouds)
    points = points[np.all(np.isfinite(points), axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    half_width = (0.5 + room) * np.max(high - low) or 1.0
    for set_limits, centre in zip((ax.set_xlim, ax.set_ylim), (low + high) / 2, strict=True):
        set_limits(centre - half_width, centre + half_width)
    ax.set_box_aspect(1)


def principal_axes(vectors: Float[np.ndarray, "n d"]) -> tuple[Float[np.ndarray, "d 2"], Float[np.ndarray, " 2"]]:
    """Return the two principal axes, ``Float[d, 2]``, and the share of the total variance along each."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    shares = variances[::-1] / max(variances.sum(), np.finfo(float).tiny)
    # The sign of an axis is arbitrary: its largest entry is made positive, so that redrawing gives the same picture.
    top = axes[:, [-1, -2]]
    return top * np.sign(top[np.argmax(np.abs(top), axis=0), [0, 1]]), shares[:2]


def _draw_predicted(ax, points: Float[np.ndarray, "n 2"], ring: float, *, last: bool) -> None:
    """Draw the predicted points of a group: a ring at the outermost, a line to the innermost."""
    radii = np.linalg.norm(points, axis=1)
    ends = points[[np.argmax(radii), np.argmin(radii)]]
    ax.plot(
        *ends.T,
        color=style.PREDICTED,
        linewidth=0.8,
        marker="o",
        markevery=[0],
        markersize=ring,
        markerfacecolor="none",
        markeredgewidth=0.8,
        label="predicted" if last else None,
    )
