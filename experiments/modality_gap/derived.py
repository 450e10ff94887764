"""Variables by cell that figures of the modality gap need: ratios to the threshold, largest gaps, the branch."""

import numpy as np
import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from theory import modality_gap

# Dense near 1, where the branch begins.
LINE_RATIOS = np.concatenate([np.linspace(0.1, 1, 10), 1 + np.linspace(0, 2, 61)[1:] ** 2])
BRANCH = 2 * np.sqrt(1 - np.minimum(1, 1 / LINE_RATIOS))
STARTS = {"symmetric": 0, "cones": 1, "towers": 2}
CELL_VARIABLES = {
    "cell_start": Variable((), "start: symmetric (0), random cones (1) or towers (2)"),
    "cell_pairs": Variable((), "number of pairs"),
    "cell_ratio": Variable((), "initial inverse temperature over its threshold; 0 without mismatch"),
    "cell_exponent": Variable((), "exponent k of the conserved product gap beta^k; NaN with a fixed beta"),
    "line_matched": Variable(("line",), "cosine between an image and its text on the branch, against beta/z*"),
    "line_within": Variable(("line",), "cosine within a modality on the branch, against beta/z*"),
    "line_unmatched": Variable(("line",), "cosine between an image and another text on the branch, against beta/z*"),
    "largest_gap": Variable((), "largest gap of a minimiser at the initial inverse temperature"),
    "end_gap": Variable((), "predicted final gap with a learnable temperature; NaN with a fixed one"),
    "end_inverse_temperature": Variable((), "predicted final inverse temperature; infinite without mismatch"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Return the dataset with the variables of ``CELL_VARIABLES``, and the branch against beta/z*."""
    dataset = attach_cells(dataset, plan, [_describe(cell.configuration) for cell in plan.cells], CELL_VARIABLES)
    about = {"long_name": "gap of the symmetric branch", "units": "1"}
    return dataset.assign_coords(line_ratio=("line", LINE_RATIOS)).assign(branch=("line", BRANCH, about))


def _describe(configuration) -> dict[str, object]:
    """Return the values of ``CELL_VARIABLES`` for a cell."""
    n_pairs, mismatch, beta = configuration.n_pairs, configuration.mismatch, configuration.beta
    ends = (np.nan, np.nan)
    line = [modality_gap.branch_cosines(n_pairs, float(gap)) for gap in BRANCH]
    if configuration.is_learnable:
        exponent = 1 / configuration.temperature_rate
        start = configuration.initial_gap
        ends = modality_gap.end_point(
            n_pairs, mismatch, beta, start, exponent=exponent, clip=configuration.largest_beta
        )
    return {
        "cell_start": STARTS["towers" if configuration.encoder == "towers" else configuration.start],
        "cell_pairs": n_pairs,
        "cell_ratio": beta / modality_gap.threshold(n_pairs, mismatch),
        "cell_exponent": 1 / configuration.temperature_rate if configuration.is_learnable else np.nan,
        "line_matched": np.array([cosines.matched for cosines in line]),
        "line_within": np.array([cosines.within for cosines in line]),
        "line_unmatched": np.array([cosines.unmatched for cosines in line]),
        "largest_gap": modality_gap.largest_gap(n_pairs, mismatch, beta),
        "end_gap": ends[1],
        "end_inverse_temperature": ends[0],
    }
