"""Claims on the ODE of training curves: against samples and descent on samples, for odd activations, with controls."""

from collections.abc import Iterator

import numpy as np

from experiments.feature_contamination.claims.samples import (
    STANDARD_ERRORS,
    aligned_margin,
    draw_projections,
    draw_strengths,
    estimate,
    network_gradient,
)
from experiments.verification.claim import Claim, compare, must_exceed
from theory import feature_contamination as contamination
from theory.feature_contamination import AlignedNetwork

SOURCE = "derived here, theory/feature_contamination/aligned.py"
SETTINGS = (
    (AlignedNetwork(loss="logistic"), 4.0),
    (AlignedNetwork(loss="hinge"), 0.5),
    (AlignedNetwork(loss="hinge", leaky_slope=0.3), 0.5),
)
N_SAMPLES, N_REPLICATES, N_STEPS = 200_000, 8, 100
EPS = float(np.finfo(float).eps)


def check_curves() -> Iterator[Claim]:
    """Check the curves of each network, the ratio at saturation, and that odd activations learn no background."""
    features = contamination.check_features(core_features=32, background_features=32)
    for network, end in SETTINGS:
        name = f"{network.loss} slope={network.leaky_slope:g} d=32 s={end:g}"
        curves = contamination.aligned_curves(features, network, np.array([0.0, end]))
        yield from _check_end(name, features, network, curves)
        yield from _check_descent(name, features, network, curves, end)
    yield _check_saturation(features)
    yield from _check_odd()


def _loss(network: AlignedNetwork, margin: np.ndarray) -> np.ndarray:
    return np.maximum(1 - margin, 0) if network.loss == "hinge" else np.log1p(np.exp(-margin))


def _check_end(name: str, features, network: AlignedNetwork, curves) -> Iterator[Claim]:
    """Compare mean margin and loss, in and out of distribution, with sample means."""
    core, background = draw_projections(features, N_SAMPLES)
    c, b = curves.core_weight[-1], curves.background_weight[-1]
    note = f"five standard errors of {N_SAMPLES} samples"
    for prefix, sign, place in (("", 1, "in"), ("ood_", -1, "out of")):
        margin = aligned_margin(network, core, sign * background, c, b)
        for quantity, values in (("margin", margin), ("loss", _loss(network, margin))):
            sampled, predicted = estimate(values), getattr(curves, prefix + quantity)[-1]
            claim = f"{quantity} {place} distribution, {name}: samples"
            yield compare(claim, SOURCE, predicted, sampled.mean, STANDARD_ERRORS * float(sampled.error), note)


def _check_descent(name: str, features, network: AlignedNetwork, curves, end: float) -> Iterator[Claim]:
    """Compare c and b with gradient flow on replicate samples, integrated by Heun's method."""
    paths = np.array([
        [_descend(features, network, end, n_steps, seed) for n_steps in (N_STEPS, 2 * N_STEPS)]
        for seed in range(N_REPLICATES)
    ])  # fmt: skip
    sampled = estimate(paths[:, 1])
    steps = np.abs(paths[:, 1] - paths[:, 0]).mean(axis=0)
    predicted = (curves.core_weight[-1], curves.background_weight[-1])
    for index, symbol in enumerate(("c", "b")):
        tolerance = STANDARD_ERRORS * sampled.error[index] + steps[index]
        note = f"five standard errors of {N_REPLICATES} replicates, plus the change when steps are halved"
        claim = f"{symbol}, {name}: descent on samples"
        yield compare(claim, SOURCE, predicted[index], sampled.mean[index], tolerance, note)


def _descend(features, network: AlignedNetwork, end: float, n_steps: int, seed: int) -> np.ndarray:
    """Return c and b at the end of gradient flow on one sample by Heun's method, started at the ratio r*."""
    core, background = draw_projections(features, 20_000, seed)
    ratio = contamination.contamination_ratio(features, network.leaky_slope)
    point, step = 1e-6 * np.array([1.0, ratio]), end / n_steps

    def drift(c: float, b: float) -> np.ndarray:
        margin = aligned_margin(network, core, background, c, b)
        pull = (margin < 1) / 2 if network.loss == "hinge" else 0.5 / (1 + np.exp(margin))
        own, other = (np.where(h > 0, 1.0, network.leaky_slope)
                      for h in (c * core + b * background, b * background - c * core))  # fmt: skip
        return np.array([np.mean(pull * core * (own + other)), np.mean(pull * background * (own - other))])

    for _ in range(n_steps):
        first = drift(*point)
        point = point + step / 2 * (first + drift(*(point + step * first)))
    return point


def _check_saturation(features) -> Claim:
    """Check that with the hinge loss the ratio falls below r* once margins are reached."""
    curves = contamination.aligned_curves(features, AlignedNetwork(loss="hinge"), np.array([0.0, 0.5]))
    fall = contamination.contamination_ratio(features) - curves.background_weight[-1] / curves.core_weight[-1]
    return must_exceed("control, hinge d=32: the ratio falls at saturation", SOURCE, 0.01, float(fall), "0.01")


def _check_odd() -> Iterator[Claim]:
    """Check that an odd activation has no gradient on zero background weights, while a ReLU has."""
    features = contamination.check_features(core_features=8, background_features=6)
    rng = np.random.default_rng(2)
    weights = np.concatenate([rng.standard_normal((10, 8)), np.zeros((10, 6))], axis=1)
    signs, strengths = np.where(np.arange(10) % 2, 1.0, -1.0), draw_strengths(features, 2000)
    activations = {
        "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
        "linear": (lambda h: h, np.ones_like),
        "relu": (lambda h: np.maximum(h, 0), lambda h: (h > 0).astype(float)),
    }
    for name, (value, slope) in activations.items():
        gradient = network_gradient(value, slope, weights, signs, strengths, features.core_features)
        largest = float(np.abs(gradient[:, features.core_features :]).max())
        if name == "relu":
            claim = "control, relu: gradient of zero background weights"
            yield must_exceed(claim, SOURCE, 1e-3, largest, "0.001")
        else:
            claim = f"{name}: gradient of zero background weights"
            yield compare(claim, SOURCE, 0.0, largest, 2000 * EPS, "rounding of 2000 terms of size one")
