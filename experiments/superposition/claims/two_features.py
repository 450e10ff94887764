"""Claims on two features in one dimension: exact loss, minimiser, and superposition beyond the candidates' crossing."""

from collections.abc import Iterator

import numpy as np

from experiments.superposition.claims.population import (
    STANDARD_ERRORS,
    Network,
    Population,
    excess_tolerance,
    summarise,
)
from experiments.verification.claim import Claim, compare, must_exceed
from theory import superposition

SOURCE = "derived here, theory/superposition/two_features.py"
SETTINGS = ((0.3, 0.3), (0.1, 2.0), (0.6, 0.6))  # (p, r): two in superposition, one where the second feature is dropped
ABOVE_CROSSING = 1.05
N_SAMPLES, N_NODES, N_STARTS, LOG_POINTS = 1_000_000, 1000, 8, 11


def check_two_features() -> Iterator[Claim]:
    """Check loss and minimiser at several (p, r), and that superposition persists above the crossing."""
    for index, (p, r) in enumerate(SETTINGS):
        minimum = superposition.minimise_two_features(p, r)
        network = Network(minimum.weights[None, :], minimum.bias)
        other = np.random.default_rng(index).normal(scale=0.8, size=4)
        for kind, candidate in (("minimiser", network), ("random network", Network(other[None, :2], other[2:]))):
            yield from _check_loss(f"n=2 m=1 p={p:g} r={r:g}, {kind}", candidate, p, r)
        yield from _check_minimiser(f"n=2 m=1 p={p:g} r={r:g}", network, float(minimum.loss), p, r)
    yield _check_crossing(0.3)


def _check_loss(name: str, network: Network, p: float, r: float) -> Iterator[Claim]:
    exact = float(superposition.two_feature_loss(network.weights[0], network.bias, p, r))
    mean, error = _sample(network, p, r)
    note = "five standard errors of a million samples"
    yield compare(f"exact loss, {name}: Monte Carlo", SOURCE, exact, mean, STANDARD_ERRORS * error, note)
    value, bound = _midpoint(network, p, r)
    note = "h^2/24 times second derivatives plus h^2/8 times jumps of the first"
    yield compare(f"exact loss, {name}: midpoint rule", SOURCE, exact, value, bound, note)


def _check_minimiser(name: str, network: Network, loss: float, p: float, r: float) -> Iterator[Claim]:
    """Compare the minimum loss and the minimiser with direct descents."""
    population = Population(n_features=2, active_probability=p, importance=(1.0, r), log_points=LOG_POINTS)
    end = population.best_of(1, N_STARTS)
    differences = summarise(population.losses(end) - population.losses(network))
    note = "five standard deviations of the loss difference of the two networks on one replicate"
    tolerance = excess_tolerance(differences)
    yield compare(f"minimiser, {name}: loss", SOURCE, loss, loss + differences.mean, tolerance, note)
    norms = np.array([np.abs(near.weights[0]) for near in population.minima(end)])
    error = STANDARD_ERRORS * summarise_columns(norms)
    for index, (predicted, learned) in enumerate(zip(np.abs(network.weights[0]), norms.mean(axis=0), strict=True)):
        note = "five standard errors of the minimisers of eight replicates"
        yield compare(f"minimiser, {name}: |w_{index + 1}|", SOURCE, predicted, learned, error[index], note)


def _check_crossing(r: float) -> Claim:
    """Check that between the crossing and the boundary the best candidate has a larger loss than the minimum."""
    p = ABOVE_CROSSING * float(superposition.candidate_crossing(r))
    population = Population(n_features=2, active_probability=p, importance=(1.0, r), log_points=LOG_POINTS)
    least = population.estimate(population.best_of(1, N_STARTS))
    candidate = float(superposition.candidate_losses(p, r).min())
    name = f"above the candidates' crossing, r={r:g} p={p:.4g}: the best candidate is not the minimiser (loss)"
    return must_exceed(name, SOURCE, least.mean + STANDARD_ERRORS * least.error, candidate, "learned loss")


def _sample(network: Network, p: float, r: float) -> tuple[float, float]:
    """Return the mean loss over samples and its standard error."""
    rng = np.random.default_rng(0)
    inputs = rng.uniform(size=(N_SAMPLES, 2)) * (rng.uniform(size=(N_SAMPLES, 2)) < p)
    errors = (inputs - np.maximum(inputs @ network.gram + network.bias, 0)) ** 2 @ np.array([1.0, r])
    return float(errors.mean()), float(errors.std() / np.sqrt(N_SAMPLES))


def _midpoint(network: Network, p: float, r: float) -> tuple[float, float]:
    """Return the loss by the midpoint rule on each mask, and a bound on its error.

    Along a line the integrand is a sum of squares of piecewise linear functions. The error of the rule is at most
    ``h^2/24`` times the largest second derivative, plus ``h^2/8`` times the jump of the first at each kink.
    """
    nodes = (np.arange(N_NODES) + 0.5) / N_NODES
    gram, importance = network.gram, np.array([1.0, r])
    value = bound = 0.0
    for mask in ((0, 0), (1, 0), (0, 1), (1, 1)):
        axes = [nodes if active else np.zeros(1) for active in mask]
        inputs = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        squares = (inputs - np.maximum(inputs @ gram + network.bias, 0)) ** 2 @ importance
        weight = np.prod([p if active else 1 - p for active in mask])
        value += weight * squares.mean()
        for axis in np.flatnonzero(mask):
            slopes = gram[:, axis]
            curvature = 2 * np.maximum((np.arange(2) == axis) ** 2, ((np.arange(2) == axis) - slopes) ** 2)
            jump = 2 * np.array(mask) * np.abs(slopes)
            bound += weight * importance @ (curvature / 24 + jump / 8) / N_NODES**2
    return float(value), float(bound)


def summarise_columns(values: np.ndarray) -> np.ndarray:
    """Return the standard errors of the means of columns."""
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))
