"""Norm of each word vector against the word's frequency, with the predicted curve."""

import numpy as np

from figures.drawing import style


@style.styled
def draw(dataset):
    """Draw one panel per regime, for the first seed."""
    figure, axes = style.draw_row(dataset, 1.9, lambda ax, regime: draw_norms(ax, regime.isel(seed=0)))
    for ax in axes[1:]:
        ax.set_ylabel("")
    style.legend_below(figure, axes[0])
    return figure


def draw_norms(ax, regime) -> None:
    """Draw learned norms as markers by concept and predicted ones as a line; against rank if frequencies are equal."""
    frequencies = regime.word_probability.values
    equal = np.ptp(frequencies) <= 1e-12 * frequencies.max()
    abscissa = regime.word_rank.values if equal else frequencies
    norms = np.linalg.norm(regime.embeddings.values, axis=-1)
    concepts = regime.word_concept.values
    for concept in np.unique(concepts):
        is_concept = concepts == concept
        look = style.concept_style(int(concept))
        ax.plot(
            abscissa[is_concept], norms[is_concept], linestyle="none", markersize=1.8, markeredgewidth=0, alpha=0.7,
            label=f"concept {concept + 1}", **look,
        )  # fmt: skip
    first = concepts == concepts.min()
    predicted = regime.embedding_norm_predicted.values[first]
    single = {"marker": "o", "markersize": 5, "markerfacecolor": "none"} if len(predicted) == 1 else {}
    ax.plot(abscissa[first], predicted, color=style.PREDICTED, linewidth=0.9, label="predicted", **single)
    ax.set_ylim(0, 1.15 * style.ceiling(norms, predicted))
    ax.set_ylabel("word norm")
    if equal:
        ax.set_xlabel("rank (equal frequencies)")
    else:
        ax.set_xscale("log")
        ax.set_xlabel("word frequency")
