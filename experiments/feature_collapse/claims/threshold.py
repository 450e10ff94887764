"""The zero threshold, from above and from below, for saturated and for random latents."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from experiments.feature_collapse.claims.setting import Setting
from experiments.verification.claim import Claim, compare, must_exceed
from simlab.exact.minimise import minimise
from theory.feature_collapse.zero_threshold import zero_threshold
from theory.optimality.certificates import certify

SOURCE = "derived here; saturated: Theorem 2"
SETTINGS = (
    Setting(n_concepts=3, ranks=2, length=3, weight_decay=1.0, law="zipf"),
    Setting(n_concepts=2, ranks=3, length=4, weight_decay=1.0, law="skewed", n_classes=9),
    Setting(n_concepts=4, ranks=2, length=3, weight_decay=1.0, n_classes=11),
)


def check_threshold() -> Iterator[Claim]:
    """Check the threshold, that zero is the minimiser above it, and that zero is not the minimiser below it."""
    for setting in SETTINGS:
        threshold = zero_threshold(setting.latents, setting.frequencies, setting.n_concepts)
        yield _check_slope(setting, threshold)
        yield _check_above(replace(setting, weight_decay=1.01 * threshold))
        yield from _check_below(replace(setting, weight_decay=0.99 * threshold))


def _check_slope(setting: Setting, threshold: float) -> Claim:
    """Check that the largest singular value of dF/dM at zero is the threshold."""
    words = np.zeros((setting.task.n_words, setting.embedding_dim))
    classifier = np.zeros((setting.task.n_classes, setting.length, setting.embedding_dim))
    certificate = certify(
        *setting.population, words, classifier, embedding_weight_decay=1.0, classifier_weight_decay=1.0
    )
    tolerance = np.finfo(float).eps * len(setting.population.classes)
    name, note = f"zero threshold, {_name(setting)}", "rounding of the sums"
    return compare(name, SOURCE, threshold, certificate.sigma_max, tolerance, note)


def _check_above(setting: Setting) -> Claim:
    """Check that every restart ends at zero, one per cent above the threshold."""
    minimum = minimise(setting.risk, tolerance=1e-12)
    weights = [np.abs(array).max() for array in (minimum.embeddings, minimum.classifier)]
    # The smallest eigenvalue of the Hessian at zero is lam - lam_th.
    tolerance = 2 * minimum.gradient_norm.max() / (setting.weight_decay * (1 - 1 / 1.01)) + 1e-14
    name = f"above the threshold, {_name(setting)}: largest weight"
    return compare(name, SOURCE, 0.0, max(weights), tolerance, "2 |gradient| / (lam - lam_th)")


def _check_below(setting: Setting) -> Iterator[Claim]:
    """Check that zero is a saddle one per cent below the threshold: a certified network has smaller risk."""
    minimum = setting.minimum
    row = minimum.best
    name = f"below the threshold, {_name(setting)}"
    gain = np.log(setting.task.n_classes) - minimum.risk[row]
    rounding = 64 * np.finfo(float).eps
    yield must_exceed(f"{name}: risk of zero less the minimum (nats)", SOURCE, rounding, gain, "rounding")
    gap = certify(
        *setting.population,
        minimum.embeddings[row],
        minimum.classifier[row],
        embedding_weight_decay=setting.weight_decay,
        classifier_weight_decay=setting.weight_decay,
    ).gap
    yield compare(f"{name}: duality gap of the minimum (nats)", SOURCE, 0.0, gap, 1e-12, "rounding of the dual bound")


def _name(setting: Setting) -> str:
    classes = "saturated" if setting.n_classes is None else f"{setting.n_classes} random latents"
    return f"n_c={setting.n_concepts} s_c={setting.ranks} L={setting.length} {setting.law}, {classes}"
