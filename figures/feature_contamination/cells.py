"""Selection of cells of a run, and the natural time of its records."""

import json

import numpy as np

from figures.drawing import style


def in_a_row(dataset):
    """Return the dataset with regimes and varied axes stacked along one axis ``cell``."""
    axes = ["regime", *json.loads(dataset.attrs.get("axes", "[]"))]
    return dataset.stack(cell=axes, create_index=False)


def first_cells(dataset):
    """Return the dataset at the first value of every varied axis."""
    return dataset.isel({name: 0 for name in json.loads(dataset.attrs.get("axes", "[]"))})


def natural_time(dataset, regime: str) -> np.ndarray:
    """Return ``tau = mu_c^2 d_c rate steps / m`` of the records of a regime."""
    configuration = json.loads(dataset.attrs["configuration"])[regime]
    return configuration["learning_rate"] * dataset.sel(regime=regime).step.values


def title(regime) -> str:
    """Return the name of a regime as words, with usual names of activations."""
    return style.words_of(regime).replace("relu", "ReLU").replace("gelu", "GELU")


def is_followed(regime) -> bool:
    """Return whether the whole training curves of a regime are predicted."""
    return bool(np.isfinite(regime.history_margin_predicted.values).any())
