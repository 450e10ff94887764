"""Shares of norm and variance by layer before training: networks of finite width against the infinite-width kernel."""

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
    """Add the log-log slope of each error against width, where width varies; theory predicts -1/2 for one network."""
    if "width" not in dataset.dims or dataset.sizes["width"] < 2:
        return dataset
    errors = dataset.learned.sel(quantity=["mean_square_error", "variance_error"]).mean("seed")
    logarithms = np.log(errors.assign_coords(width=np.log(dataset.width.astype(float))))
    slopes = logarithms.polyfit("width", 1).polyfit_coefficients.sel(degree=1, drop=True)
    slopes = slopes.reindex(quantity=dataset.quantity)  # NaN for quantities other than errors
    return dataset.assign(
        error_slope=slopes.assign_attrs(long_name="log-log slope of the error against width", units="1")
    )


EXPERIMENT = Experiment(
    name="variance-by-layer",
    summary="in untrained networks deeper layers leave the origin and vary within words, as a kernel predicts",
    regimes=(
        Regime("post-norm", "LayerNorm after each branch, GELU", START),
        Regime("post-norm-relu", "the same with ReLU", START.replace(activation="relu")),
        Regime("pre-norm", "LayerNorm before each branch, GELU", START.replace(norm="pre")),
        Regime("pre-norm-relu", "the same with ReLU", START.replace(norm="pre", activation="relu")),
    ),
    quick_time="20 s",
    paper_time="4 min",
    phenomenon=VARIANCE_BY_LAYER,
    vary={"paper": {"width": (64, 128, 256, 512)}},
    seeds={"quick": 4, "paper": 8},
    derive=derive,
    figures=("norm_and_variance.shares",),
)
