import json

import numpy as np
import pytest
import xarray

from experiments.core.quantity import Panel, Quantity, Threshold, describe

DECLARED = {
    "phases": Quantity(label="phases", headline="compared", panels=(Panel(label="phases", height=1.0, scale="whole"),)),
    "error": Quantity(
        label="error of the reconstruction",
        unit="bits",
        headline="compared",
        panels=(
            Panel(label="error (bits)", height=1.0, undefined_with="phases"),
            Panel(label="relative\ndeviation", height=0.6, scale="deviation"),
        ),
    ),
}
EDGE = {"edge": Threshold(label="phase edge", axis="importance", line=(3, 1))}


def make_up(axes, regimes=("one", "two"), n_seeds=3):
    """A dataset of a phenomenon that nobody has heard of: two quantities, 1 or 2 phases, an error 10 % too large."""
    grid = {"regime": len(regimes), **{name: len(values) for name, values in axes.items()}}
    shape = tuple(grid.values())
    error = 0.01 * 10.0 ** np.arange(np.prod(shape)).reshape(shape) ** 0.5
    phases = 1.0 + (np.arange(np.prod(shape)).reshape(shape) % 5 > 2)
    predicted = np.stack([phases, error], axis=-1)
    learned = predicted[..., None, :] * np.array([1.0, 1.1]) * (1 + 0.01 * np.arange(n_seeds)[:, None] * [0, 1])
    return xarray.Dataset(
        {
            "learned": ((*grid, "seed", "quantity"), learned),
            "predicted": ((*grid, "quantity"), predicted),
            "status": ((*grid, "seed"), np.full((*shape, n_seeds), "finished", object)),
            "kind": (tuple(grid), np.full(shape, "polytopes", object)),
            "basis": (tuple(grid), np.full(shape, "ansatz", object)),
        },
        coords={"regime": list(regimes), "seed": range(n_seeds), "quantity": list(DECLARED), **axes},
        attrs={
            "experiment": "made-up",
            "phenomenon": "made-up",
            "axes": json.dumps(list(axes)),
            "quantities": json.dumps(describe(DECLARED)),
            "figures": json.dumps(["sweeps.sweep", "sweeps.map"] if axes else []),
        },
    )


@pytest.fixture
def made_up():
    return make_up


@pytest.fixture
def with_edge():
    """Return a dataset with a threshold on the importance: 0.05 for every value of the other axis."""

    def add(dataset):
        edge = xarray.full_like(dataset.kind, 0.05, dtype=float)
        return dataset.assign(edge=edge).assign_attrs(thresholds=json.dumps(describe(EDGE)))

    return add
