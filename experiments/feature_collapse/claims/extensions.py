"""Extensions of the theorems: two weight decays, label noise, vocabularies of different sizes."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from experiments.feature_collapse.claims.collapse_types import largest_distance
from experiments.feature_collapse.claims.setting import Setting
from experiments.verification.claim import Claim, compare
from experiments.verification.tolerance import position_tolerance, risk_tolerance
from simlab.exact.minimise import Minima, minimise
from simlab.exact.reduced import minimise_reduced
from simlab.exact.risk import ExactRisk, enumerate_population
from simlab.metrics import geometry
from theory import feature_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.type_one import solve_type_one
from theory.feature_collapse.margins.type_two import solve_type_two

SOURCE = "derived here"
NOTE = "2 |gradient| / curvature + rounding"


def check_extensions() -> Iterator[Claim]:
    """Check each extension against an exact minimisation."""
    sizes = {"n_concepts": 3, "ranks": 2, "length": 2, "weight_decay": 1e-2}
    yield from _check_two_decays(Setting(**sizes))
    yield from _check_two_decays(Setting(**sizes, law="zipf"))
    yield from _check_label_noise(Setting(**sizes))
    yield from _check_label_noise(Setting(**sizes, law="zipf", layer_norm=True))
    yield from _check_vocabularies(layer_norm=False)
    yield from _check_vocabularies(layer_norm=True)


def _check_two_decays(setting: Setting) -> Iterator[Claim]:
    decays = (setting.weight_decay / 3, 2 * setting.weight_decay)
    prediction = feature_collapse.predict(
        n_concepts=setting.n_concepts,
        n_words=setting.task.n_words,
        sentence_length=setting.length,
        n_classes="all",
        word_frequency=setting.frequencies,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
        embedding_dim=setting.embedding_dim,
    )
    minimum = minimise(replace(setting.risk, weight_decay=decays))
    name = f"lam_W={decays[0]:.3g} lam_U={decays[1]:.3g}, {setting}"
    norms = np.tile(prediction.embedding_norms, setting.n_concepts)
    yield from _compare(name, minimum, norms, prediction.classifier_norm, prediction.risk)


def _check_label_noise(setting: Setting) -> Iterator[Claim]:
    noise = 0.1
    share = LatentShare(n_concepts=setting.n_concepts, sentence_length=setting.length, n_classes=setting.task.n_classes)
    if setting.layer_norm:
        sizes = (setting.ranks, setting.embedding_dim)
        network = solve_type_two(share, *sizes, setting.weight_decay, label_noise=noise)
    else:
        network = solve_type_one(share, setting.ranks, setting.weight_decay, label_noise=noise)
    minimum = minimise(replace(setting.risk, label_noise=noise))
    norms = np.tile(network.embedding_norms, setting.n_concepts)
    yield from _compare(f"label noise {noise}, {setting}", minimum, norms, network.classifier_norm, network.risk)


def _check_vocabularies(*, layer_norm: bool) -> Iterator[Claim]:
    """Check concepts of one, two and three words: the reduced problem, and with LayerNorm also Type II."""
    base = Setting(n_concepts=3, ranks=1, length=2, weight_decay=1e-2, layer_norm=layer_norm)
    vocabulary = np.array([1, 2, 3])
    frequencies = [np.full(size, 1 / size) for size in vocabulary]
    decay = (0.0, base.weight_decay) if layer_norm else base.weight_decay
    minimum = minimise(
        ExactRisk(
            population=enumerate_population(base.latents, frequencies, base.n_concepts),
            n_words=int(vocabulary.sum()),
            n_classes=base.task.n_classes,
            embedding_dim=base.embedding_dim,
            weight_decay=decay,
            layer_norm=layer_norm,
        )
    )
    reduced = minimise_reduced(base.latents, 3, vocabulary.tolist(), base.embedding_dim, decay, layer_norm)
    row, words = minimum.best, np.repeat(np.arange(3), vocabulary)
    name = f"vocabularies of 1, 2 and 3 words, {base}"
    spread = largest_distance(minimum.embeddings[row], words)
    yield compare(f"{name}: collapse", SOURCE, 0.0, spread, 2 * position_tolerance(minimum), NOTE)
    risk = risk_tolerance(minimum) + max(reduced.risk_gap, 0.0)
    yield compare(f"{name}: risk of the reduced problem", SOURCE, reduced.risk, minimum.risk[row], risk, "both gaps")
    if layer_norm:
        norm = base.prediction.classifier_norm
        norms = geometry.norms(minimum.classifier[row])
        yield compare(f"{name}: Type II unchanged", "Theorem 3", norm, norms, position_tolerance(minimum), NOTE)


def _compare(name: str, minimum: Minima, norms: np.ndarray, classifier_norm: float, risk: float) -> Iterator[Claim]:
    row, place = minimum.best, position_tolerance(minimum)
    yield compare(f"{name}: word norms", SOURCE, norms, geometry.norms(minimum.embeddings[row]), place, NOTE)
    classifier_norms = geometry.norms(minimum.classifier[row])
    yield compare(f"{name}: classifier norms", SOURCE, classifier_norm, classifier_norms, place, NOTE)
    tolerance = risk_tolerance(minimum)
    yield compare(f"{name}: risk (nats)", SOURCE, risk, minimum.risk[row], tolerance, "|gradient|^2 / curvature")
