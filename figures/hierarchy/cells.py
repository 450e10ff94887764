"""The cells of a sweep with hierarchical labels along the weight decay that was varied."""

AXIS = "cell"
DECAYS = ("weight_decay", "feature_weight_decay", "classifier_weight_decay")
# Variables of a regime rather than of its cells.
OF_REGIMES = ("line_strengths", "level_thresholds")


def along_decay(dataset):
    """Return a sweep over regimes, seeds and one weight decay, called ``cell``, at the first value of other axes.

    A run at a single weight decay has one cell.
    """
    axes = [name for name in dataset.kind.dims if name != "regime"]
    chosen = next((name for name in DECAYS if name in axes), None)
    dataset = dataset.isel(dict.fromkeys([name for name in axes if name != chosen], 0))
    if chosen is not None:
        return dataset.rename_dims({chosen: AXIS})
    of_cells = [name for name, array in dataset.items() if "regime" in array.dims and name not in OF_REGIMES]
    return dataset.assign({name: dataset[name].expand_dims(AXIS, 1) for name in of_cells})
