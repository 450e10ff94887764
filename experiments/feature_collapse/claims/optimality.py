"""Global optimality: certificates of the predictions, and thousands of restarts that search for smaller risks."""

from collections.abc import Iterator

import numpy as np

from experiments.feature_collapse.claims.setting import Setting
from experiments.verification.claim import Claim, compare, must_exceed
from simlab.exact.minimise import sample_restarts
from theory.optimality.certificates import Certificate, certify, certify_layer_norm

SOURCE = "derived here (the paper's conjecture for Type III)"
RESTARTS = 200

SETTINGS = tuple(
    Setting(n_concepts=n_concepts, ranks=ranks, length=length, weight_decay=decay, law=law)
    for n_concepts, ranks, length in ((2, 2, 2), (3, 2, 2))
    for decay, law in ((1e-3, "zipf"), (1e-3, "skewed"), (1e-2, "zipf"), (1e-2, "skewed"), (3e-2, "zipf"))
)


def check_optimality() -> Iterator[Claim]:
    """Check the certificate of Types I, II and III, its rejection of non-minimisers, and restarts against Type III."""
    sizes = {"n_concepts": 3, "ranks": 3, "length": 3, "weight_decay": 1e-3}
    certified = (
        Setting(**sizes),
        Setting(**sizes, law="zipf"),
        Setting(**sizes, law="skewed"),
        Setting(**sizes, law="zipf", layer_norm=True),
    )
    for setting in certified:
        yield from _check_certificate(setting)
    yield from _check_refusals(certified[1])
    for setting in SETTINGS:
        yield _check_restarts(setting)


def certify_prediction(setting: Setting, scale: float = 1.0) -> Certificate:
    """Return the certificate of the predicted network on the population, its classifier multiplied by ``scale``."""
    prediction = setting.prediction
    network = prediction.embeddings(), scale * prediction.classifier(setting.latents)
    decay = setting.weight_decay
    if setting.layer_norm:
        return certify_layer_norm(*setting.population, *network, classifier_weight_decay=decay)
    return certify(*setting.population, *network, embedding_weight_decay=decay, classifier_weight_decay=decay)


def _check_certificate(setting: Setting) -> Iterator[Claim]:
    certificate = certify_prediction(setting)
    name = f"Type {setting.prediction.collapse_type} is a global minimiser, {setting}"
    # Each entry of G is a sum over the population; its rounding grows like the root of the number of terms.
    tolerance = 8 * np.finfo(float).eps * np.sqrt(len(setting.population.classes)) / setting.weight_decay
    yield compare(
        f"{name}: sigma_max / lam", SOURCE, 1.0, 1.0 + certificate.excess, tolerance, "rounding of G over lam"
    )
    # A relative excess of delta costs at most delta times the penalty of the dual point, which is less than the risk.
    gap = (tolerance + 64 * np.finfo(float).eps) * max(1.0, certificate.risk)
    yield compare(f"{name}: duality gap (nats)", SOURCE, 0.0, certificate.gap, gap, "tolerance of sigma_max x risk")


def _check_refusals(setting: Setting) -> Iterator[Claim]:
    """Check, as controls, that a non-minimising network is not certified, and that its gap bounds its excess risk."""
    optimum = setting.prediction.risk
    disturbed = certify_prediction(setting, scale=1.05)
    name = f"control, {setting}, classifier 5 % too large"
    yield must_exceed(f"{name}: duality gap (nats)", SOURCE, disturbed.risk - optimum, disturbed.gap, "the excess risk")
    zero = certify_prediction(setting, scale=0.0)
    name = f"control, {setting}, zero classifier"
    yield must_exceed(f"{name}: sigma_max / lam - 1", SOURCE, 1e-3, zero.excess, "not a minimiser")


def _check_restarts(setting: Setting) -> Claim:
    """Check that no restart of L-BFGS ends below the prediction; the note counts those that reach it."""
    ends = sample_restarts(setting.risk, n_restarts=RESTARTS)
    predicted = setting.prediction.risk
    shortfall = max(0.0, predicted - float(ends.risk.min()))
    reached = int(np.sum(np.abs(ends.risk - predicted) < 1e-9))
    rounding = 64 * np.finfo(float).eps * max(1.0, predicted)
    name = f"no restart below Type III, {setting} d={setting.embedding_dim}: shortfall (nats)"
    note = f"{reached} of {RESTARTS} restarts reach it"
    claim = compare(name, SOURCE, 0.0, shortfall, rounding, note)
    return claim._replace(samples=tuple((ends.risk - predicted).tolist()))
