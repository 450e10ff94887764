"""The paper's picture: word vectors and classifier weights on their two principal components, with the prediction."""

import numpy as np

from figures import style

# Vectors drawn of a cloud, evenly spread over it: a vector file of 15,000 marks would not open.
MOST_MARKS = 1500


@style.styled
def draw(dataset):
    """Draw a column per regime: embeddings above, classifier weights below; the first seed of each."""
    regimes = dataset.regime.values
    figure, axes = style.make_grid(2, len(regimes), 1.75)
    for column, name in zip(axes.T, regimes, strict=True):
        regime = dataset.sel(regime=name).isel(seed=0)
        draw_embeddings(column[0], regime)
        draw_classifier(column[1], regime)
        column[0].set_title(style.regime_title(regime))
    axes[0, 0].set_ylabel("word vectors\n" + axes[0, 0].get_ylabel())
    axes[1, 0].set_ylabel("classifier weights\n" + axes[1, 0].get_ylabel())
    style.legend_below(figure, axes[0, 0])
    return figure


def draw_embeddings(ax, regime) -> None:
    """Draw the word vectors of one regime and seed."""
    _draw_cloud(ax, regime.embeddings.values, regime.embeddings_predicted.values, regime.word_concept.values)


def draw_classifier(ax, regime) -> None:
    """Draw the classifier weights of one regime and seed, all classes and positions together."""
    arrays = (regime.classifier.values, regime.classifier_predicted.values)
    learned, predicted = (array.reshape(-1, array.shape[-1]) for array in arrays)
    _draw_cloud(ax, learned, predicted, regime.latents.values.astype(int).ravel())


def _draw_cloud(ax, learned: np.ndarray, predicted: np.ndarray, concepts: np.ndarray) -> None:
    """Draw learned vectors as marks by concept and predicted ones in black, on the principal axes of the learned."""
    if learned.shape[1] == 1:
        learned, predicted = (np.pad(array, ((0, 0), (0, 1))) for array in (learned, predicted))
    components, shares = _principal_axes(learned if np.all(np.isfinite(learned)) else predicted)
    marks = np.arange(0, len(learned), max(1, len(learned) // MOST_MARKS))
    for concept in np.unique(concepts):
        chosen = marks[concepts[marks] == concept]
        look = style.concept_style(int(concept))
        ax.plot(
            *(learned[chosen] @ components).T,
            linestyle="none",
            markersize=2.2,
            markeredgewidth=0,
            alpha=0.7,
            label=f"concept {concept + 1}",
            **look,
        )
        _draw_predicted(ax, predicted[concepts == concept] @ components, last=concept == concepts.max())
    _frame_square(ax, learned @ components, predicted @ components)
    ax.set_xlabel(f"PC 1 ({shares[0]:.0%})", labelpad=1)
    ax.set_ylabel(f"PC 2 ({shares[1]:.0%})", labelpad=1)


def _frame_square(ax, *clouds: np.ndarray) -> None:
    """Make the panel a square with the same scale on both axes and room around all finite points."""
    points = np.concatenate(clouds)
    points = points[np.all(np.isfinite(points), axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    half_width = 0.56 * np.max(high - low) or 1.0
    for set_limits, centre in zip((ax.set_xlim, ax.set_ylim), (low + high) / 2, strict=True):
        set_limits(centre - half_width, centre + half_width)
    ax.set_box_aspect(1)


def _draw_predicted(ax, points: np.ndarray, *, last: bool) -> None:
    """Draw the predicted points of a concept: a ring at the outermost, a line to the innermost."""
    radii = np.linalg.norm(points, axis=1)
    ends = points[[np.argmax(radii), np.argmin(radii)]]
    ax.plot(
        *ends.T,
        color=style.PREDICTED,
        linewidth=0.8,
        marker="o",
        markevery=[0],
        markersize=5,
        markerfacecolor="none",
        markeredgewidth=0.8,
        label="predicted" if last else None,
    )


def _principal_axes(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two principal axes, ``Float[d, 2]``, and the share of the total variance along each."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    shares = variances[::-1] / max(variances.sum(), np.finfo(float).tiny)
    # A sign is free: the largest entry of an axis is made positive, so that redrawing gives the same picture.
    top = axes[:, [-1, -2]]
    return top * np.sign(top[np.argmax(np.abs(top), axis=0), [0, 1]]), shares[:2]
