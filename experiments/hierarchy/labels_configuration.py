"""Options of the experiments on hierarchical labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option


@dataclass(frozen=True, kw_only=True)
class LabelConfiguration(Configuration):
    """The options of a run with hierarchical labels."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType(
        {"weight_decay": ("feature_weight_decay", "classifier_weight_decay")}
    )

    branching: int = option(2, "children per node of the tree, b", group=TASK)
    depth: int = option(3, "levels of the tree, D; its b^D leaves are the classes", group=TASK)
    level_eigenvalues: tuple[float, ...] = option(
        (0.94, 0.87, 0.68), "eigenvalues lambda_l of the targets by level, at most 1 and decreasing", group=TASK
    )
    cyclic_confusion: float | None = option(
        None, "replaces the tree: probability that a leaf is confused with either neighbour on a ring", group=TASK
    )
    samples_per_leaf: int = option(4, "samples per leaf, n", group=TASK)
    features: str = option("free", "features: free (one vector per sample) or mlp (of random inputs)", group=NETWORK)
    feature_dim: int = option(12, "feature dimension, d", group=NETWORK)
    input_dim: int = option(64, "mlp: dimension of the random inputs", group=TASK)
    hidden_width: int = option(128, "mlp: width of the hidden layers", group=NETWORK)
    hidden_layers: int = option(1, "mlp: hidden layers", group=NETWORK)
    feature_weight_decay: float = option(
        0.02, "lam_H; the penalty is lam_H/2 |h_i|^2 per sample", unit="nats", group=TRAINING
    )
    classifier_weight_decay: float = option(0.02, "lam_W; the penalty is lam_W/2 |W|^2", unit="nats", group=TRAINING)
    optimizer: str = option("lbfgs", "an optax optimiser: lbfgs, sgd, adam, ...", group=TRAINING)
    initial_scale: float = option(0.1, "factor on the initial weights", group=TRAINING)
    n_steps: int = option(200, "full-batch training steps", group=TRAINING)
    n_records: int = option(
        20, "maximal number of points of a training curve (lowered to a divisor of the steps)", group=TRAINING
    )
    dtype: str = option("float64", "number format of weights and training: float32 or float64", group=TRAINING)
