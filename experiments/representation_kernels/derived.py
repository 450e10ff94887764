"""Variables that figures of representation kernels need: learned and predicted CKA between members of a run."""

import numpy as np
import xarray

from experiments.core.columns import attach, attach_cells, each_member
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from simlab.metrics.similarity import cka

# The matrix of CKA is omitted for more cells than this.
MOST_CELLS = 64
MEMBER_VARIABLES = {
    "alignment": Variable((), "CKA with the kernel of the finest blocks, same regime and seed"),
    "alignment_predicted": Variable((), "predicted CKA with the kernel of the finest blocks, same regime"),
}
CELL_VARIABLES = {
    "cell_blocks": Variable((), "events per block", "events"),
    "pmi": Variable(("event", "partner"), "centred PMI of the blocks", "nats"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add the CKA of each member with the finest view of its regime, the CKA between all cells, and PMI."""
    learned, predicted = _kernels(dataset, plan)
    finest = {}
    for position, cell in enumerate(plan.cells):
        best = finest.setdefault(_family(cell), position)
        if sum(cell.configuration.both_blocks) < sum(plan.cells[best].configuration.both_blocks):
            finest[_family(cell)] = position
    n_seeds, rows = len(plan.seeds), []
    for position, cell in enumerate(plan.cells):
        reference = finest[_family(cell)]
        for seed in range(n_seeds):
            rows.append(
                {
                    "alignment": _cka(learned[position][seed], learned[reference][seed]),
                    "alignment_predicted": _cka(predicted[position], predicted[reference]),
                }
            )
    cells = [{"cell_blocks": cell.configuration.blocks, "pmi": cell.prediction.pmi} for cell in plan.cells]
    dataset = attach_cells(attach(dataset, plan, rows, MEMBER_VARIABLES), plan, cells, CELL_VARIABLES)
    return dataset if len(plan.cells) > MOST_CELLS else _attach_matrix(dataset, plan, learned, predicted)


def _family(cell):
    """Return a key shared by cells that differ only in their blocks."""
    return cell.regime, cell.configuration.replace(blocks=1, partner_blocks=None)


def _kernels(dataset: xarray.Dataset, plan: Plan) -> tuple[list[list[np.ndarray]], list[np.ndarray]]:
    """Return the learned kernels of each cell and seed, and the predicted ones of each cell, without padding."""
    learned: list[list[np.ndarray]] = []
    kernels = dataset.kernel.transpose(..., "seed", "event", "partner").values
    for number, (index, cell, _) in enumerate(each_member(dataset, plan)):
        if number % len(plan.seeds) == 0:
            learned.append([])
        n = cell.configuration.events
        learned[-1].append(kernels[index][:n, :n])
    return learned, [cell.prediction.arrays["kernel"] for cell in plan.cells]


def _attach_matrix(dataset, plan, learned, predicted) -> xarray.Dataset:
    """Add the CKA of every cell's first seed with every cell's last seed, and the predicted CKA."""
    matrices = {
        "cka_matrix": [[_cka(first[0], second[-1]) for second in learned] for first in learned],
        "cka_matrix_predicted": [[_cka(first, second) for second in predicted] for first in predicted],
    }
    words = {"cka_matrix": "CKA of learned kernels, first seed against last",
             "cka_matrix_predicted": "predicted CKA of kernels"}  # fmt: skip
    dims = ("cell", "other_cell")
    return dataset.assign(
        {
            name: xarray.Variable(dims, np.array(matrix), {"long_name": words[name], "units": "1"})
            for name, matrix in matrices.items()
        }
    ).assign_coords(cell=("cell", [_name(plan, cell) for cell in plan.cells]))


def _name(plan: Plan, cell) -> str:
    """Return the regime of a cell and its values of the varied axes as text."""
    varied = (f"{axis.name}={getattr(cell.configuration, axis.name, '')}" for axis in plan.axes)
    return " ".join([cell.regime, *varied])


def _cka(first: np.ndarray, second: np.ndarray) -> float:
    """Return the CKA of two kernels, NaN if their shapes differ or one is not finite."""
    if first.shape != second.shape or not np.all(np.isfinite(first)) or not np.all(np.isfinite(second)):
        return np.nan
    return cka(first, second)
