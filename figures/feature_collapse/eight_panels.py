"""Word vectors for even and uneven words, few and many sentences, without and with LayerNorm, in one picture."""

import numpy as np

from figures.drawing import style
from figures.feature_collapse.principal_components import draw_embeddings
from figures.feature_collapse.tail_or_sample import AXES, law_name
from figures.sweeps.axes import keep_axes

FEW = 5  # sentences per class, at least: below, nothing is learned of most words


@style.styled
def draw(dataset):
    """Draw a row per regime: even words few and many times, uneven words few and many times; the first seed of each.

    Vectors lie on the two principal components of the learned ones; predicted ones are black.
    """
    dataset = keep_axes(dataset, AXES).sortby("per_class")
    columns = choose_columns(dataset)
    regimes = range(dataset.sizes["regime"])
    figure, axes = style.make_grid(len(regimes), len(columns), 1.75)
    for row, panels in zip(regimes, axes, strict=True):
        for ax, chosen in zip(panels, columns, strict=True):
            draw_embeddings(ax, dataset.isel(regime=row, seed=0, **chosen))
        name = style.words_of(dataset.regime.values[row])
        panels[0].set_ylabel(f"{name}\n{panels[0].get_ylabel()}")
        accuracies = [_accuracy(dataset.isel(regime=row, seed=0, **chosen)) for chosen in columns]
        heads = [f"{_name(dataset.isel(chosen))}\n" if row == 0 else "" for chosen in columns]
        titles = [f"{head}accuracy {one:.0%}" for head, one in zip(heads, accuracies, strict=True)]
        style.set_titles(panels, titles)
    style.legend_below(figure, axes[0, 0])
    return figure


def choose_columns(dataset) -> list[dict[str, int]]:
    """Return the indices of four columns: the first law and Zipf's, each at few and at the most sentences.

    Few are the least number that is at least 5. Zipf's is the law of exponent 1, or the last where there is none.
    """
    names = [law_name(law) for law in dataset.word_frequency.values]
    uneven = names.index("Zipf") if "Zipf" in names else len(names) - 1
    sizes = dataset.per_class.values
    few = int(np.argmax(sizes >= FEW)) if np.any(sizes >= FEW) else 0
    laws, counts = dict.fromkeys([0, uneven]), dict.fromkeys([few, len(sizes) - 1])
    return [{"word_frequency": law, "per_class": count} for law in laws for count in counts]


def _name(column) -> str:
    """Return what distinguishes a column from the others."""
    return f"{law_name(column.word_frequency.item())}, {column.per_class.item():g} per class"


def _accuracy(regime) -> float:
    """Return the share of new sentences that a network classifies."""
    return float(regime.learned.sel(quantity="test_accuracy"))
