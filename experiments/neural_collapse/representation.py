"""The prediction for a configuration of classes, in the same form for one factor and for several factors."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from experiments.neural_collapse.configuration import ClassConfiguration, check_decay_product
from simlab.validation import check_real, invalid
from theory.short_text import short_repr

ZERO = "zero network"


class Representation(NamedTuple):
    """The predicted network, up to one rotation.

    Attributes:
        features: ``Float64[N, d]``.
        classifier: ``Float64[K, d]``, the rows of all heads.
        cross_entropy, risk: nats; with several factors the cross-entropy is the sum over them.
        zero_threshold: value of ``sqrt(lam_W lam_H)`` at and above which the network is zero.
        collapse_threshold: value of ``sqrt(lam_W lam_H)`` at and above which the smallest classes coincide; NaN where
            no two classes share the smallest size, for classes of equal size, and for several factors.
        kind: the geometry, in a word or two.
        basis: basis of the prediction: theorem, certified, ansatz or not converged.
        note: the reason why it is not exact, or empty.
    """

    features: np.ndarray
    classifier: np.ndarray
    cross_entropy: float
    risk: float
    zero_threshold: float
    collapse_threshold: float
    kind: str
    basis: str
    note: str

    __repr__ = short_repr

    @property
    def is_zero(self) -> bool:
        """Whether every weight is zero."""
        return not np.any(self.classifier)


def check_theory(configuration: ClassConfiguration) -> None:
    """Raise ``ValueError`` for a configuration outside the theory, without solving.

    Whether a spherical code is known for a small dimension is checked by the prediction.
    """
    configuration.check_sizes()
    for name in ("feature_weight_decay", "classifier_weight_decay"):
        check_real(name, getattr(configuration, name), positive=True)
    check_decay_product(configuration.feature_weight_decay, configuration.classifier_weight_decay)
    sizes, counts = configuration.sizes, configuration.counts
    if len(sizes) > 1 and not isinstance(counts, int):
        wanted = f"one number with factor_sizes={'x'.join(map(str, sizes))}, the samples of every cell"
        raise invalid("samples_per_class", wanted, counts)


def predict(configuration: ClassConfiguration) -> Representation:
    """Return the prediction for a configuration.

    Raises:
        ValueError: a field is out of range, or no spherical code is known for so few dimensions.
    """
    return _predict(
        configuration.sizes,
        configuration.counts,
        configuration.feature_dim,
        configuration.feature_weight_decay,
        configuration.classifier_weight_decay,
    )


@lru_cache(maxsize=4096)
def _predict(sizes, counts, feature_dim: int, feature_decay: float, classifier_decay: float) -> Representation:
    decays = {"feature_weight_decay": feature_decay, "classifier_weight_decay": classifier_decay}
    if len(sizes) > 1:
        return _of_factors(sizes, counts, feature_dim, decays)
    from theory.neural_collapse import predict as predict_classes

    prediction = predict_classes(n_classes=sizes[0], samples_per_class=counts, feature_dim=feature_dim, **decays)
    names = {"closed form": "theorem"}
    code = prediction.note.partition(":")[0] if prediction.status == "ansatz" else None
    balanced = np.ptp(prediction.samples_per_class) == 0
    smallest = prediction.samples_per_class == prediction.samples_per_class.min()
    return Representation(
        features=np.repeat(prediction.class_means, prediction.samples_per_class, axis=0),
        classifier=prediction.classifier,
        cross_entropy=prediction.cross_entropy,
        risk=prediction.risk,
        zero_threshold=prediction.zero_threshold,
        collapse_threshold=float(prediction.collapse_thresholds.min())
        if smallest.sum() > 1 and not balanced
        else np.nan,
        kind=ZERO if prediction.is_zero else code or ("simplex" if balanced else "convex minimum"),
        basis=names.get(prediction.status, prediction.status),
        note="" if prediction.is_proved else prediction.note,
    )


def _of_factors(sizes: tuple[int, ...], per_cell: int, feature_dim: int, decays: dict[str, float]) -> Representation:
    from theory.neural_collapse.factors import predict as predict_factors

    n_samples = per_cell * math.prod(sizes)
    prediction = predict_factors(factor_sizes=sizes, n_samples=n_samples, feature_dim=feature_dim, **decays)
    cells = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)
    return Representation(
        features=np.repeat(prediction.features(cells), per_cell, axis=0),
        classifier=np.concatenate(prediction.classifiers),
        cross_entropy=float(prediction.cross_entropies.sum()),
        risk=prediction.risk,
        zero_threshold=float(prediction.thresholds.max()),
        collapse_threshold=np.nan,
        kind="orthogonal simplices" if prediction.rank else ZERO,
        basis="theorem",
        note="",
    )
