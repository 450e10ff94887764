"""Types I, II and III: every scalar of the predicted configuration against exact minimisation from random starts."""

from collections.abc import Iterator

import numpy as np

from experiments.feature_collapse.claims.setting import Setting
from experiments.verification.claim import Claim, compare, not_applicable
from experiments.verification.tolerance import position_tolerance, risk_tolerance
from simlab.exact.minimise import Minima
from simlab.metrics import geometry

SOURCES = {
    "I": "Theorem 1",
    "II": "Theorem 3",
    "III": "Theorem 2; global optimality derived here",
}

# n_c, s_c, L, lam: two to four concepts, two to four words of each, sentences of two to four words.
SIZES = ((2, 2, 4, 1e-3), (3, 3, 2, 1e-2), (3, 3, 3, 1e-3), (4, 2, 2, 1e-2), (2, 4, 3, 1e-3))
UNEQUAL = ("zipf", "skewed", "zipf", "skewed", "zipf")


def settings() -> Iterator[Setting]:
    """Return five tasks of each type."""
    for (n_concepts, ranks, length, decay), law in zip(SIZES, UNEQUAL, strict=True):
        sizes = {"n_concepts": n_concepts, "ranks": ranks, "length": length, "weight_decay": decay}
        yield Setting(**sizes)
        yield Setting(**sizes, law=law)
        yield Setting(**sizes, law=law, layer_norm=True)


def check_types() -> Iterator[Claim]:
    """Check every type on its tasks, and report a task outside the theorem as not applicable."""
    for setting in settings():
        yield from check_setting(setting)
    sampled = Setting(n_concepts=3, ranks=2, length=3, weight_decay=1e-3, n_classes=12)
    unmet = [assumption for assumption in sampled.prediction.assumptions if not assumption.holds]
    yield not_applicable(f"Type I, {sampled}: norms and angles", SOURCES["I"], unmet[0].name)


def check_setting(setting: Setting) -> Iterator[Claim]:
    """Check norms, angles, collapse and risk of one saturated task."""
    prediction, minimum = setting.prediction, setting.minimum
    kind = prediction.collapse_type
    yield from compare_configuration(f"Type {kind}, {setting}", SOURCES[kind], setting, minimum)


def compare_configuration(name: str, source: str, setting: Setting, minimum: Minima) -> Iterator[Claim]:
    """Compare the polished minimiser with the setting's prediction, quantity by quantity."""
    prediction, row = setting.prediction, minimum.best
    place, note = position_tolerance(minimum), "2 |gradient| / curvature + rounding"
    embeddings, classifier = minimum.embeddings[row], minimum.classifier[row]
    vectors = classifier.reshape(-1, classifier.shape[-1])
    words = np.arange(len(embeddings)) // setting.ranks
    word_norms = np.tile(prediction.embedding_norms, setting.n_concepts)
    smallest = min(word_norms.min(), prediction.classifier_norm)
    angle = 2 * place / smallest
    yield compare(f"{name}: word norms", source, word_norms, geometry.norms(embeddings), place, note)
    yield compare(f"{name}: classifier norms", source, prediction.classifier_norm, geometry.norms(vectors), place, note)
    for label, array, concepts in (("word", embeddings, words), ("classifier", vectors, setting.latents.ravel())):
        same = concepts[:, None] == concepts[None, :]
        expected = np.where(same, 1.0, -1 / (setting.n_concepts - 1))
        units = geometry.directions(array)
        yield compare(f"{name}: {label} cosines", source, expected, units @ units.T, angle, f"{note}, over the norm")
    spread = largest_distance(embeddings / word_norms[:, None], words)
    yield compare(f"{name}: within-concept distance", source, 0.0, spread, angle, f"{note}, over the norm")
    risk = risk_tolerance(minimum)
    yield compare(f"{name}: risk", source, prediction.risk, minimum.risk[row], risk, "|gradient|^2 / curvature")


def largest_distance(vectors: np.ndarray, groups: np.ndarray) -> float:
    """Return the largest distance between two vectors of the same group."""
    return max(
        float(geometry.norms(members[:, None] - members[None, :]).max())
        for members in (vectors[groups == group] for group in np.unique(groups))
    )
