"""Options of the experiments on feature contamination."""

import math
from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.validation import check_choice, check_real, invalid

# Reductions of the network whose ODE theory solves.
ALIGNED, NEURONS = "aligned", "neurons"
REDUCTIONS = (ALIGNED, NEURONS)


@dataclass(frozen=True, kw_only=True)
class ContaminationConfiguration(Configuration):
    """The options of a run on signed features."""

    core_features: int = option(
        32, "core features, d_c: their sign is the label", group=TASK, label="core features $d$"
    )
    background_features: int | None = option(
        None,
        "background features, d_b, independent of the label; none: as many as core features",
        group=TASK,
    )
    core_mean: float = option(0.5, "mean strength of a core feature", group=TASK)
    background_mean: float = option(
        0.5,
        "mean strength of a background feature; its sign is flipped out of distribution",
        group=TASK,
        label="background mean",
    )
    strength_deviation: float = option(
        1 / math.sqrt(12),
        "standard deviation of a strength; the default is that of the uniform law on [0, 1]",
        group=TASK,
    )
    strengths: str = option("uniform", "distribution of the strengths: uniform or gaussian", group=TASK)
    input_dim: int | None = option(
        None,
        "input dimension, with features along random directions; none: inputs are the features",
        group=TASK,
    )
    n_hidden: int = option(128, "hidden units, m, half with each output sign", group=NETWORK)
    activation: str = option("relu", "activation: relu, gelu, tanh or linear", group=NETWORK)
    leaky_slope: float = option(
        0.0, "slope of a leaky ReLU: 0 is a ReLU, 1 a linear network", group=NETWORK, label="leaky slope"
    )
    loss: str = option("hinge", "loss: hinge or logistic", group=TRAINING)
    initial_scale: float = option(1e-4, "standard deviation of the initial weights", group=TRAINING)
    batch_size: int = option(512, "fresh examples per step, half with each label", group=TRAINING)
    n_evaluation: int = option(4096, "evaluation examples in each distribution", group=TRAINING)
    learning_rate: float = option(
        0.8 / 300, "step of the time tau = mu_c^2 d_c rate/m; margins reach 1 near tau = 1.5", group=TRAINING
    )
    n_steps: int = option(300, "training steps", group=TRAINING)
    n_records: int = option(
        20, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )
    reduction: str = option(
        ALIGNED,
        "reduction in theory: aligned (the whole curve from a small initialisation) or neurons (each from its initial "
        "weights, before margins matter)",
        group=TRAINING,
    )

    @property
    def n_background(self) -> int:
        """Number of background features, ``d_b``."""
        return self.core_features if self.background_features is None else self.background_features

    @property
    def time_step(self) -> float:
        """Increment of the ODE's time ``s = rate/m * steps`` in one training step."""
        return self.learning_rate / (check_real("core_mean", self.core_mean, positive=True) ** 2 * self.core_features)

    def check_network(self) -> None:
        """Raise ``ValueError`` for a reduction, slope or loss that is inconsistent with the network."""
        check_choice("reduction", self.reduction, REDUCTIONS)
        if self.leaky_slope and self.activation != "relu":
            raise invalid("leaky_slope", f"0 with activation={self.activation}", self.leaky_slope)
        if self.reduction == NEURONS and self.activation not in ("relu", "linear"):
            raise invalid("activation", f"relu or linear with reduction={NEURONS}", self.activation)
        if self.activation == "gelu" and self.loss == "hinge":
            raise invalid("loss", "logistic with activation=gelu", self.loss)

    @property
    def effective_slope(self) -> float:
        """The slope of the activation below zero; 1 for a linear network."""
        return 1.0 if self.activation == "linear" else self.leaky_slope
