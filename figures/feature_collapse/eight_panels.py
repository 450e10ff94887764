"""Word vectors for uniform and Zipf words, few and many sentences, without and with LayerNorm."""

import numpy as np

from figures.drawing import style
from figures.feature_collapse.principal_components import draw_embeddings
from figures.feature_collapse.tail_or_sample import AXES, law_name
from figures.sweeps.axes import keep_axes

FEW = 5  # minimum number of sentences per class; with fewer, most words are not learned


@style.styled
def draw(dataset):
    """Draw one row per regime: uniform and Zipf words, each with few and many sentences, for the first seed.

    Vectors are projected on the two principal components of the learned ones; predicted ones are black.
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
        titles = [f"{head}accuracy {accuracy:.0%}" for head, accuracy in zip(heads, accuracies, strict=True)]
        style.set_titles(panels, titles)
    style.legend_below(figure, axes[0, 0])
    return figure


def choose_columns(dataset) -> list[dict[str, int]]:
    """Return the indices of four columns: the first law and Zipf's law, each with few and with the most sentences.

    "Few" is the smallest number of at least 5. Zipf's law has exponent 1; without it the last law is taken.
    """
    names = [law_name(law) for law in dataset.word_frequency.values]
    uneven = names.index("Zipf") if "Zipf" in names else len(names) - 1
    sizes = dataset.per_class.values
    few = int(np.argmax(sizes >= FEW)) if np.any(sizes >= FEW) else 0
    laws, counts = dict.fromkeys([0, uneven]), dict.fromkeys([few, len(sizes) - 1])
    return [{"word_frequency": law, "per_class": count} for law in laws for count in counts]


def _name(column) -> str:
    """Return the heading of a column: its law and its sentences per class."""
    return f"{law_name(column.word_frequency.item())}, {column.per_class.item():g} per class"


def _accuracy(regime) -> float:
    """Return the test accuracy of a network."""
    return float(regime.learned.sel(quantity="test_accuracy"))
