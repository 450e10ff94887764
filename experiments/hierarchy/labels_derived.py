"""Variables that figures of hierarchical labels need: predicted level strengths on a grid of c, and c of each cell."""

import numpy as np
import xarray

from experiments.core.experiment import Plan
from experiments.hierarchy import labels_reference
from theory import hierarchy

N_LINE = 121  # points of the predicted curve
DECAYS = ("feature_weight_decay", "classifier_weight_decay")


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add ``joint_decay``, the value of c of each cell, and ``line_strengths``, the theorem's z_l on a grid of c.

    For targets that are not those of a tree ``line_strengths`` is NaN.
    """
    grid = dataset["kind"].dims
    decays = np.array([joint_decay(cell.configuration) for cell in plan.cells]).reshape(dataset["kind"].shape)
    line = np.geomspace(decays.min() / 1.1, decays.max() * 1.1, N_LINE)
    depth = dataset.sizes["level"]
    strengths = [_line(configuration, line, depth) for configuration in plan.configurations.values()]
    about = {"long_name": "c = sqrt(lam_W lam_H n)", "units": "nats"}
    return dataset.assign(
        joint_decay=(grid, decays, about),
        line_decay=("line", line, about),
        line_strengths=(
            ("regime", "line", "level"),
            np.array(strengths),
            {"long_name": "predicted strength of each level", "units": "nats"},
        ),
        level_thresholds=(
            ("regime", "level"),
            np.array([_thresholds(configuration, depth) for configuration in plan.configurations.values()]),
            {"long_name": "c above which a level is not resolved", "units": "nats"},
        ),
    )


def joint_decay(configuration) -> float:
    """Return c = sqrt(lam_W lam_H n), nats."""
    return float(np.sqrt(configuration.samples_per_leaf * np.prod([getattr(configuration, name) for name in DECAYS])))


def _thresholds(configuration, depth: int) -> np.ndarray:
    """Return the predicted thresholds in c by level, NaN for levels without one."""
    prediction = labels_reference.predict(configuration)
    root = configuration.samples_per_leaf**0.5
    return np.array([prediction.thresholds[name] * root for name in labels_reference.THRESHOLDS[:depth]])


def _line(configuration, line: np.ndarray, depth: int) -> np.ndarray:
    """Return z_l on the grid, ``Float[line, level]``; NaN for other targets and missing levels."""
    strengths = np.full((len(line), depth), np.nan)
    if configuration.cyclic_confusion is None:
        tree = hierarchy.Tree(configuration.branching, configuration.depth)
        eigenvalues = np.array([1.0, *configuration.level_eigenvalues])
        values = np.array([hierarchy.level_strengths(tree, eigenvalues, decay) for decay in line])
        shown = min(tree.depth, depth)  # in a sweep over depths the dataset may have fewer levels
        strengths[:, :shown] = values[:, :shown]
    return strengths
