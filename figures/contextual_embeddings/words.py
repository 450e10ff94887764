"""Kinds of words in a dataset of contextual embeddings: their names, colours and markers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from figures.drawing import style

if TYPE_CHECKING:
    from jaxtyping import Bool


def kind_names(regime) -> list[str]:
    """Return the names of the kinds of words of a regime."""
    return [_in_words(name) for name in _first(regime.kind_names).split(",")]


def layer_names(regime) -> list[str]:
    """Return the names of the layers of a regime."""
    return _first(regime.layer_names).split(",")


def kind_style(name: str) -> dict[str, Any]:
    """Return the colour and marker of a kind of word, fixed for function words."""
    if name == "function words":
        return {"color": style.COLOURS[7], "marker": "s"}
    if name == "exclusive":
        return {"color": style.COLOURS[0], "marker": "o"}
    others = (
        {"color": style.COLOURS[1], "marker": "^"},
        {"color": style.COLOURS[2], "marker": "D"},
        {"color": style.COLOURS[4], "marker": "v"},
    )
    return others[int(name.split()[-1]) % len(others)] if name.split()[-1].isdigit() else others[0]


def of_kind(regime, number: int) -> Bool[np.ndarray, " n_words"]:
    """Return which words are of a given kind."""
    return regime.word_kind.values == number


def first_cell(dataset):
    """Return the dataset at the first value of every varied axis."""
    names = [name for name in dataset.kind_names.dims if name != "regime"]
    return dataset.isel(dict.fromkeys(names, 0))


def _first(names) -> str:
    return str(np.ravel(names.values)[0])


def _in_words(name: str) -> str:
    return "function words" if name == "function" else name.replace("_", " ")
