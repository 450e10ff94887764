"""How norm and variance are shared by layer before training: networks of some width beside the kernel of infinite."""

import numpy as np

from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon
from experiments.norm_and_variance.untrained_configuration import UntrainedConfiguration, check


def _predict(choices: UntrainedConfiguration):
    from experiments.norm_and_variance.untrained_comparison import predict

    return predict(choices)


def _load_comparison():
    from experiments.norm_and_variance.untrained_comparison import COMPARISON

    return COMPARISON


VARIANCE_BY_LAYER = Phenomenon(
    name="variance-by-layer",
    part_of="norm-and-variance",
    configuration=UntrainedConfiguration,
    check_theory=check,
    predict=_predict,
    load_comparison=_load_comparison,
)

START = UntrainedConfiguration()


def derive(dataset, plan):
    """Add the slope of the error against width, where that varies: it falls as 1/width."""
    if "width" not in dataset.dims or dataset.sizes["width"] < 2:
        return dataset
    errors = dataset.learned.sel(quantity=["mean_square_error", "variance_error"]).mean("seed")
    widths = np.log(dataset.width.values.astype(float))
    slopes = np.log(errors).transpose("width", ...).values
    fitted = np.polyfit(widths, slopes.reshape(len(widths), -1), 1)[0].reshape(slopes.shape[1:])
    dims = [dim for dim in errors.dims if dim != "width"]
    return dataset.assign(
        error_slope=(dims, fitted, {"long_name": "slope of the logarithm of an error in that of the width"})
    )


EXPERIMENT = Experiment(
    name="variance-by-layer",
    summary="deeper layers leave the origin and vary within words: untrained networks do, as a kernel predicts",
    regimes=(
        Regime("post-norm", "LayerNorm behind each branch, GELU", START),
        Regime("post-norm-relu", "the same with ReLU", START.replace(activation="relu")),
        Regime("pre-norm", "LayerNorm before each branch, GELU", START.replace(norm="pre")),
        Regime("pre-norm-relu", "the same with ReLU", START.replace(norm="pre", activation="relu")),
    ),
    quick_time="20 s",
    phenomenon=VARIANCE_BY_LAYER,
    vary={"paper": {"width": (64, 128, 256, 512)}},
    seeds={"quick": 4, "paper": 8},
    derive=derive,
    figures=("norm_and_variance.shares",),
)
