"""The band around the predicted loss that should contain the best restart of every cell."""

import numpy as np
import xarray

from figures.declared import as_shown

# Range of loss / predicted loss: the residual of Adam at the end of the presets plus the error of the ansatz.
BAND = (0.998, 1.002)
OUTSIDE = f"the best restart has a loss outside {BAND[0]:g} to {BAND[1]:g} of the predicted loss"


def add_band(dataset: xarray.Dataset) -> xarray.Dataset:
    """Return the dataset with the ``loss_ratio`` of each cell, and a note on cells outside the band.

    The ratio is NaN without a prediction or if all restarts diverged.
    """
    shown = as_shown(dataset)
    ratio = 1 + shown.learned.sel(quantity="excess_loss", drop=True).max("seed")
    outside = (ratio < BAND[0]) | (ratio > BAND[1])
    joined = xarray.where(dataset.note == "", OUTSIDE, dataset.note.astype(object) + "; " + OUTSIDE)
    note = xarray.where(outside, joined, dataset.note).transpose(*dataset.note.dims).astype(object)
    about = {"long_name": "loss of the best restart over the predicted loss", "units": "1"}
    return dataset.assign(
        loss_ratio=(dataset.note.dims, np.asarray(ratio.transpose(*dataset.note.dims)), about),
        note=(dataset.note.dims, note.values, dataset.note.attrs),
    )
