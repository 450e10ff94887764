"""How norm and variance are shared by layer before training: networks of some width beside the kernel of infinite."""

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.core.configuration import NETWORK, TASK, Configuration, option, option_of
from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon
from experiments.norm_and_variance.regimes import LARGE

_SHARED = ("depth", "norm", "activation", "positions", "initial_scale", "n_evaluation")


@dataclass(frozen=True, kw_only=True)
class UntrainedConfiguration(Configuration):
    """An encoder with random weights and uniform attention, on sentences of a language of 24 classes."""

    unused: ClassVar[tuple[str, ...]] = tuple(one.name for one in fields(Configuration))

    width: int = option(256, "d, of the tokens", group=NETWORK)
    depth: int = option(6, "blocks of the encoder", group=NETWORK)
    norm: str = option_of(LanguageConfiguration, "norm")
    activation: str = option_of(LanguageConfiguration, "activation")
    positions: bool = option_of(LanguageConfiguration, "positions")
    initial_scale: float = option(0.3, "standard deviation of embeddings and positions", group=NETWORK)
    n_evaluation: int = option(96, "sentences on which tokens are measured", group=TASK)

    @property
    def language(self) -> LanguageConfiguration:
        """The same network and language as a run that would train it."""
        shared = {name: getattr(self, name) for name in _SHARED}
        return LARGE.replace(embedding_dim=self.width, n_heads=1, **shared)


def check(choices: UntrainedConfiguration) -> None:
    """Raise ``ValueError`` for a size or a choice that is out of range."""
    from experiments.contextual_embeddings.training_spec import make_training_spec

    make_training_spec(choices.language)


def _predict(choices: UntrainedConfiguration):
    from experiments.norm_and_variance.untrained_comparison import predict

    return predict(choices)


def _load_comparison():
    from experiments.norm_and_variance.untrained_comparison import COMPARISON

    return COMPARISON


VARIANCE_BY_LAYER = Phenomenon(
    name="variance-by-layer",
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
    quick_time="60 s",
    paper_time="5 min",
    phenomenon=VARIANCE_BY_LAYER,
    vary={"paper": {"width": (64, 128, 256, 512)}},
    seeds={"quick": 4, "paper": 8},
    derive=derive,
    figures=("norm_and_variance.shares",),
)
