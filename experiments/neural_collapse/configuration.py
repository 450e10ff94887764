"""Settings of an experiment on classes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from experiments.core.configuration import NETWORK, TASK, TRAINING, Configuration, option
from simlab.sizes import check_array
from simlab.validation import check_count, invalid, is_digits, is_number


def check_decay_product(feature_weight_decay: float, classifier_weight_decay: float) -> None:
    """Raise ``ValueError`` unless the product of the weight decays, of which theory takes the root, is finite."""
    if math.isinf(feature_weight_decay * classifier_weight_decay):
        wanted = f"a finite product with classifier_weight_decay={classifier_weight_decay}"
        raise invalid("feature_weight_decay", wanted, feature_weight_decay)


@dataclass(frozen=True, kw_only=True)
class ClassConfiguration(Configuration):
    """All settings of a neural-collapse run."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType(
        {"weight_decay": ("feature_weight_decay", "classifier_weight_decay")}
    )

    n_classes: int = option(10, "number of classes, K", group=TASK)
    samples_per_class: int | tuple[int, ...] | str = option(
        20, "n, or n_k of every class by commas, or long-tail:LARGEST:RATIO, or step:LARGEST:RATIO", group=TASK
    )
    factor_sizes: tuple[int, ...] | str | None = option(
        None,
        "numbers of values of several factors, such as 3x4, in place of classes; n is then per combination",
        group=TASK,
    )
    features: str = option("free", "free (a vector for each sample) or mlp (an MLP on random inputs)", group=NETWORK)
    feature_dim: int = option(16, "dimension of the features, d", group=NETWORK)
    input_dim: int = option(128, "mlp: dimension of the random inputs", group=TASK)
    hidden_width: int = option(256, "mlp: width of the hidden layers", group=NETWORK)
    depth: int = option(1, "mlp: number of hidden layers", group=NETWORK)
    feature_weight_decay: float = option(
        5e-3, "lam_H; the penalty is lam_H/2 |h_i|^2 for each sample", unit="nats", group=TRAINING
    )
    classifier_weight_decay: float = option(5e-3, "lam_W; the penalty is lam_W/2 |W|^2", unit="nats", group=TRAINING)
    optimizer: str = option("lbfgs", "optax optimiser: lbfgs, sgd, adam, ...", group=TRAINING)
    initial_scale: float = option(0.1, "factor on the initial weights", group=TRAINING)
    n_steps: int = option(200, "training steps, each on all samples", group=TRAINING)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each factor; for a single factor, the number of classes."""
        if self.factor_sizes is None:
            return (check_count("n_classes", self.n_classes, 2),)
        texts = self.factor_sizes.split("x") if isinstance(self.factor_sizes, str) else self.factor_sizes
        if not all(is_digits(str(text)) for text in texts):
            raise invalid("factor_sizes", "whole numbers with x between them", self.factor_sizes)
        return tuple(int(text) for text in texts)

    def check_sizes(self) -> None:
        """Raise ``ValueError`` if an array of the run is too large; the message names a field."""
        of_cells = (
            {"n_classes": self.n_classes} if self.factor_sizes is None else {"factor_sizes": math.prod(self.sizes)}
        )
        check_array("classifier", feature_dim=self.feature_dim, **of_cells)
        given = self.samples_per_class
        each = given if isinstance(given, int) else math.ceil(np.sum(self.counts) / math.prod(self.sizes))
        check_array("features", samples_per_class=each, feature_dim=self.feature_dim, **of_cells)
        if self.features == "mlp":
            check_array("inputs", 8, samples_per_class=each, input_dim=self.input_dim, **of_cells)
            check_array("first layer", input_dim=self.input_dim, hidden_width=self.hidden_width)

    @property
    def counts(self) -> tuple[int, ...] | int:
        """The number of samples of each class, or of each combination of factors."""
        given = self.samples_per_class
        if not isinstance(given, str):
            return given
        name, _, numbers = given.partition(":")
        parts = numbers.split(":")
        is_law = name in ("long-tail", "step") and len(parts) == 2 and all(map(is_number, parts))
        if not is_law or self.factor_sizes is not None:
            raise invalid(
                "samples_per_class", "a number, K numbers, long-tail:LARGEST:RATIO or step:LARGEST:RATIO", given
            )
        largest, ratio = map(float, parts)
        if largest < 1 or ratio < 1 or largest / ratio < 0.5:
            raise invalid(
                "samples_per_class", "at least one sample in the smallest class and a ratio of at least 1", given
            )
        n_classes = self.sizes[0]
        ranks = np.arange(n_classes) / (n_classes - 1)
        powers = ranks if name == "long-tail" else np.round(ranks)
        return tuple(int(count) for count in np.maximum(1, np.round(largest * ratio**-powers)))
