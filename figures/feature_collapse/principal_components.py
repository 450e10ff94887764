"""Word vectors and classifier weights on their two principal components, with the prediction, as in the paper."""

import numpy as np

from figures.drawing import clouds, style


@style.styled
def draw(dataset):
    """Draw one column per regime for the first seed: embeddings above, classifier weights below."""
    regimes = dataset.regime.values
    figure, axes = style.make_grid(2, len(regimes), 1.75)
    for column, name in zip(axes.T, regimes, strict=True):
        regime = dataset.sel(regime=name).isel(seed=0)
        draw_embeddings(column[0], regime)
        draw_classifier(column[1], regime)
    style.set_regime_titles(axes[0], dataset)
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
    """Draw learned vectors as markers by concept and predicted ones in black, on the principal axes of the learned."""
    if learned.shape[1] == 1:
        learned, predicted = (np.pad(array, ((0, 0), (0, 1))) for array in (learned, predicted))
    components, shares = clouds.principal_axes(learned if np.all(np.isfinite(learned)) else predicted)
    learned, predicted = learned @ components, predicted @ components
    clouds.draw_cloud(ax, learned, predicted, concepts, noun="concept")
    clouds.frame_square(ax, learned, predicted)
    ax.set_xlabel(f"PC 1 ({shares[0]:.0%})", labelpad=1)
    ax.set_ylabel(f"PC 2 ({shares[1]:.0%})", labelpad=1)
