"""The cells of a sweep with hierarchical labels along its weight decay, whichever of them was varied."""

AXIS = "cell"
DECAYS = ("weight_decay", "feature_weight_decay", "classifier_weight_decay")
# Of a regime, not of its cells.
OF_REGIMES = ("line_strengths", "level_thresholds")


def along_decay(dataset):
    """Return a sweep on the axes of regimes, seeds and one of weight decays, called ``cell``; the first of all others.

    A run at a single weight decay has one cell.
    """
    axes = [name for name in dataset.kind.dims if name != "regime"]
    chosen = next((name for name in DECAYS if name in axes), None)
    dataset = dataset.isel(dict.fromkeys([name for name in axes if name != chosen], 0))
    if chosen is not None:
        return dataset.rename_dims({chosen: AXIS})
    of_cells = [name for name, one in dataset.items() if "regime" in one.dims and name not in OF_REGIMES]
    return dataset.assign({name: dataset[name].expand_dims(AXIS, 1) for name in of_cells})
