"""The toy experiment of Zhang et al. (2024): both layers trained with AdamW on a fixed sample, five activations."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from experiments.core.experiment import Experiment, Regime
from experiments.core.phenomenon import Phenomenon
from experiments.core.prediction import Prediction
from experiments.core.training_choices import training_fields
from simlab.data.sources import FixedSample
from simlab.losses.decayed_margin import DecayedMarginLoss
from simlab.networks.specs.trained_units import ACTIVATIONS, TrainedUnits
from simlab.tasks.signed_features import CORES, SignedFeatures
from simlab.training.spec import TrainingSpec
from simlab.validation import check_count

ToySpec = TrainingSpec[SignedFeatures, TrainedUnits]
NAN = float("nan")
QUANTITY_NAMES = (
    "train_loss", "loss", "ood_loss", "ood_accuracy",
    "core_weight", "background_weight", "core_norm", "background_norm",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ToyConfiguration(Configuration):
    """The options of the toy experiment, with the authors' values as defaults."""

    core: str = option("signed", "core: signed (linear) or spheres of radius 1 and 2 (nonlinear)", group=TASK)
    core_features: int = option(32, "core features, d_c", group=TASK)
    background_features: int = option(32, "background features, d_b, uniform on [0, 1]", group=TASK)
    input_dim: int | None = option(256, "input dimension, with features along random directions", group=TASK)
    n_examples: int = option(1000, "training examples, all used in each step", group=TASK)
    n_hidden: int = option(256, "hidden units", group=NETWORK)
    activation: str = option("relu", "activation: relu, gelu, sigmoid, tanh or linear", group=NETWORK)
    initial_scale: float = option(1.0, "factor on initial weights, uniform in +-1/sqrt(fan-in)", group=TRAINING)
    optimizer: str = option("adamw", "an optax optimiser with decoupled weight decay", group=TRAINING)
    learning_rate: float = option(1e-3, "learning rate", group=TRAINING)
    decoupled_weight_decay: float = option(1e-3, "decoupled weight decay of AdamW", group=TRAINING)
    n_evaluation: int = option(4096, "held-out examples in each distribution", group=TRAINING)
    n_steps: int = option(1000, "training steps", group=TRAINING)
    n_records: int = option(
        25, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )


def make_training_spec(configuration: ToyConfiguration) -> ToySpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    return TrainingSpec(
        task=SignedFeatures(  # pyright: ignore[reportAbstractUsage]
            core_features=configuration.core_features,
            background_features=configuration.background_features,
            input_dim=configuration.input_dim,
            core=configuration.core,
        ),
        source=FixedSample(n_examples=configuration.n_examples, batch_size="all"),
        network=TrainedUnits(n_hidden=configuration.n_hidden, activation=configuration.activation),
        objective=DecayedMarginLoss(loss_function="logistic"),
        n_evaluation=configuration.n_evaluation,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )


def predict(configuration: ToyConfiguration) -> Prediction:
    """Return NaN for every quantity: theory does not cover finite samples, biases and trained output weights."""
    return Prediction(
        basis="none",
        quantities=dict.fromkeys(QUANTITY_NAMES, NAN),
        note="theory does not cover finite samples, biases and trained output weights",
    )


def _load_comparison():
    from experiments.feature_contamination.toy_comparison import COMPARISON

    return COMPARISON


CONTAMINATION_TOY = Phenomenon(
    name="contamination-toy",
    part_of="feature-contamination",
    configuration=ToyConfiguration,
    make_training_spec=make_training_spec,
    predict=predict,
    load_comparison=_load_comparison,
)

EXPERIMENT = Experiment(
    name="contamination-toy",
    summary="the toy experiment of Zhang et al. (2024): linear and spherical core, five activations",
    regimes=tuple(
        Regime(
            name=f"{core}-{activation}",
            summary=f"{core} core, {activation}",
            quick=ToyConfiguration(core=core, activation=activation),
            paper=ToyConfiguration(core=core, activation=activation, n_steps=20_000, n_records=100),
        )
        for core in CORES
        for activation in ACTIVATIONS
    ),
    quick_time="40 s",
    paper_time="20 min (1 seed)",
    phenomenon=CONTAMINATION_TOY,
    seeds={"quick": 1, "paper": 4},
    figures=("feature_contamination.toy",),
    talk=("feature_contamination.toy", "Do networks learn background that they do not need?"),
)
