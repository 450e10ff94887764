"""Learned phases of the best restart of each cell, predicted phases, and the boundaries between them."""

import numpy as np
import xarray

from experiments.core.experiment import Plan
from experiments.superposition.configuration import PHASE_AXES
from figures.declared import as_shown
from theory.superposition import candidate_crossing, phase_boundary, phase_index, tied_cells

N_LINE = 61  # points of the boundaries
AGREES, TIED, DIFFERS = (
    "learned and predicted phase agree",
    "learned and predicted phase differ next to a boundary (tie)",
    "learned and predicted phase differ",
)


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add phases, ties, shares of agreement, both boundaries, and a note on agreement for each cell.

    Phases are 0 (no feature represented), 1 (the first alone), 2 (the second alone) and 3 (both). Cells with a
    neighbour of another predicted phase are *tied*.
    """
    dataset = dataset.transpose("regime", *PHASE_AXES, "seed", ...)
    grid = ("regime", *PHASE_AXES)
    learned = phase_index(_best_represented(dataset))
    predicted = phase_index(dataset.represented_predicted.isel(seed=0).values > 0.5)
    tied = np.stack([tied_cells(phases) for phases in predicted])
    agrees = learned == predicted
    excess = as_shown(dataset).learned.sel(quantity="excess_loss").max("seed")
    notes = np.where(agrees, AGREES, np.where(tied, TIED, DIFFERS)).astype(object)
    ratios = _line_ratios(dataset.importance_ratio.values)
    return dataset.assign_coords(line_importance_ratio=("line", ratios)).assign(
        phase=(grid, learned, {"long_name": "learned: 0 none, 1 first, 2 second feature, 3 both", "units": "1"}),
        phase_predicted=(grid, predicted, {"long_name": "predicted phase", "units": "1"}),
        tied=(grid, tied, {"long_name": "whether a neighbour has another predicted phase", "units": "1"}),
        agreement=(
            "regime",
            agrees.mean(axis=(1, 2)),
            _share("share of cells whose learned and predicted phase agree"),
        ),
        agreement_untied=(
            "regime",
            [np.mean(cells[~ties]) if np.any(~ties) else np.nan for cells, ties in zip(agrees, tied, strict=True)],
            _share("the same share among cells that are not tied"),
        ),
        median_excess_loss=(
            "regime",
            excess.median(PHASE_AXES).values,
            _share("median relative excess over the predicted loss"),
        ),
        boundary=("line", phase_boundary(ratios), _share("p below which both features are represented")),
        crossing=("line", candidate_crossing(ratios), _share("p at which the candidates cross")),
        note=(grid, notes, dataset.note.attrs),
    )


def _line_ratios(ratios: np.ndarray) -> np.ndarray:
    """Return importance ratios along the boundaries, up to the edges of the outermost cells."""
    logs = np.log(np.sort(ratios))
    return np.exp(np.linspace(logs[0] - (logs[1] - logs[0]) / 2, logs[-1] + (logs[-1] - logs[-2]) / 2, N_LINE))


def _best_represented(dataset: xarray.Dataset) -> np.ndarray:
    """Return which features the restart of lowest loss represents, ``Bool[regime, p, r, 2]``."""
    loss = dataset.learned.sel(quantity="loss").transpose("regime", *PHASE_AXES, "seed").values
    best = np.argmin(np.where(np.isfinite(loss), loss, np.inf), axis=-1)
    represented = dataset.represented.transpose("regime", *PHASE_AXES, "seed", "feature").values
    return np.take_along_axis(represented, best[..., None, None], axis=3)[..., 0, :] > 0.5


def _share(about: str) -> dict[str, str]:
    return {"long_name": about, "units": "1"}
