"""Cells of a run in a row, and the natural time of its records."""

import json

import numpy as np

from figures.drawing import style


def in_a_row(dataset):
    """Return a dataset whose cells, regimes and what else varies, lie on one axis ``cell``."""
    axes = ["regime", *json.loads(dataset.attrs.get("axes", "[]"))]
    return dataset.stack(cell=axes, create_index=False)


def first_cells(dataset):
    """Return a dataset with the first value of everything that was varied."""
    return dataset.isel({name: 0 for name in json.loads(dataset.attrs.get("axes", "[]"))})


def natural_time(dataset, regime: str) -> np.ndarray:
    """Return ``tau = mu_c^2 d_c rate steps / m`` of the records of a regime."""
    configuration = json.loads(dataset.attrs["configuration"])[regime]
    return configuration["learning_rate"] * dataset.sel(regime=regime).step.values


def title(regime) -> str:
    """Return the name of a regime in words, activations as they are written."""
    return style.words_of(regime).replace("relu", "ReLU").replace("gelu", "GELU")


def is_followed(regime) -> bool:
    """Return whether theory follows the whole course of a regime."""
    return bool(np.isfinite(regime.history_margin_predicted.values).any())
