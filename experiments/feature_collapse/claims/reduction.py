"""Random latents: exact collapse within concepts, and the reduced problem with one word per concept."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from experiments.feature_collapse.claims.collapse_types import largest_distance
from experiments.feature_collapse.claims.setting import Setting
from experiments.verification.claim import Claim, compare, must_exceed
from experiments.verification.tolerance import position_tolerance, risk_tolerance
from simlab.exact.reduced import ReducedMinimum, minimise_reduced
from simlab.metrics import geometry

SOURCE = "derived here"
SETTINGS = (
    Setting(n_concepts=3, ranks=2, length=3, weight_decay=1e-3, n_classes=10),
    Setting(n_concepts=2, ranks=3, length=4, weight_decay=1e-2, n_classes=7),
    Setting(n_concepts=3, ranks=2, length=3, weight_decay=1e-3, law="zipf", n_classes=10, layer_norm=True),
)


def check_reduction() -> Iterator[Claim]:
    """Check collapse and reduction against the enumerated population, and that kappa alone is not sufficient."""
    for setting in SETTINGS:
        yield from _check_setting(setting)
    yield from _check_controls(SETTINGS[0])


def reduce(setting: Setting) -> ReducedMinimum:
    """Return the minimiser of the reduced problem of a setting."""
    decay = (0.0, setting.weight_decay) if setting.layer_norm else setting.weight_decay
    sizes = (setting.n_concepts, setting.ranks, setting.embedding_dim)
    return minimise_reduced(setting.latents, *sizes, decay, setting.layer_norm)


def _check_setting(setting: Setting) -> Iterator[Claim]:
    minimum, reduced = setting.minimum, reduce(setting)
    row, place = minimum.best, position_tolerance(minimum)
    note = "2 |gradient| / curvature + rounding"
    words = np.arange(setting.task.n_words) // setting.ranks
    spread = largest_distance(minimum.embeddings[row], words)
    yield compare(f"collapse within concepts, {setting}: distance", SOURCE, 0.0, spread, 2 * place, note)
    risk = risk_tolerance(minimum) + max(reduced.risk_gap, 0.0)
    name = f"reduced problem, {setting}"
    yield compare(f"{name}: risk (nats)", SOURCE, reduced.risk, minimum.risk[row], risk, "both gradients and gaps")
    # The error of the reduced minimiser is its gradient over the same curvature.
    place += 2 * reduced.gradient_norm / minimum.smallest_curvature[row]
    classifier_norms = geometry.norms(minimum.embeddings[row])
    yield compare(f"{name}: word norms", SOURCE, geometry.norms(reduced.embeddings), classifier_norms, place, note)
    classifier_norms = geometry.norms(minimum.classifier[row])
    yield compare(
        f"{name}: classifier norms", SOURCE, geometry.norms(reduced.classifier), classifier_norms, place, note
    )


def _check_controls(setting: Setting) -> Iterator[Claim]:
    """Check, as controls, that results differ where an assumption is violated."""
    exact, kappa = reduce(setting), setting.prediction
    name = f"control, asymmetric latents, {setting}"
    difference = abs(exact.risk / kappa.risk - 1)
    yield must_exceed(f"{name}: relative error of the kappa formula's risk", SOURCE, 1e-3, difference, "not saturated")
    unequal = replace(setting, law="skewed").minimum
    words = np.arange(setting.task.n_words) // setting.ranks
    spread = largest_distance(geometry.directions(unequal.embeddings[unequal.best]), words)
    name = f"control, unequal words and asymmetric latents, {replace(setting, law='skewed')}"
    yield must_exceed(f"{name}: spread of directions", SOURCE, 1e-6, spread, "collapse is only approximate")
