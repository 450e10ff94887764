"""Claims on the cost of superposition: the gain of an active output, and the flip distance of averaged features."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from experiments.superposition.claims.population import STANDARD_ERRORS, Network, Population, summarise
from experiments.verification.claim import Claim, compare, must_exceed
from theory import superposition

GAIN = "derived here, theory/superposition/gain.py"
AVERAGING = "derived here, theory/superposition/averaging.py"
PROBABILITIES = (0.25, 0.2, 0.1, 0.02)
N_CLUSTERS = (4, 8, 16)
N_STARTS, LOG_POINTS, STEP = 8, 9, 1e-3
EPS = float(np.finfo(float).eps)


def check_gain() -> Iterator[Claim]:
    """Check the identity on a random network, and the predicted gain against direct descents."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(3, 6))
    predicted = np.sum(weights**2, axis=0) / np.sqrt(superposition.dimensionalities(weights))
    learned = _measure_gains(Network(weights, np.full(6, 100.0)))
    note = "rounding of outputs of size 100, divided by the step"
    claim = "gain |w_i|^2 / sqrt(D_i), n=6 m=3: gradient norm of an active output"
    yield compare(claim, GAIN, predicted, learned, 16 * EPS * 100 / STEP, note)
    for p in PROBABILITIES:
        yield _check_learned_gain(p)


def _measure_gains(network: Network) -> np.ndarray:
    """Return the gradient norm of each output at x = 0, where all are active, by finite differences; ``Float[n]``."""
    n_features = len(network.bias)

    def outputs(inputs: np.ndarray) -> np.ndarray:
        return np.maximum(inputs @ network.weights.T @ network.weights + network.bias, 0)

    slopes = (outputs(STEP * np.eye(n_features)) - outputs(np.zeros(n_features))) / STEP
    return np.linalg.norm(slopes, axis=0)


def _check_learned_gain(p: float) -> Claim:
    """Compare the mean gain of represented features with that of direct descents on eight replicates."""
    prediction = superposition.predict(n_features=5, n_hidden=2, active_probability=p)
    population = Population(n_features=5, active_probability=p, importance=(1.0,) * 5, log_points=LOG_POINTS)
    ends = population.minima(population.best_of(2, N_STARTS))
    gains = [superposition.gains(end.weights)[superposition.represented_features(end.weights)].mean() for end in ends]
    learned = summarise(np.array(gains))
    predicted = float(prediction.gains[prediction.represented].mean())
    note = "five standard errors of the minimisers of eight replicates"
    claim = f"gain, n=5 m=2 p={p:g}, {prediction.geometry}"
    return compare(claim, GAIN, predicted, learned.mean, STANDARD_ERRORS * learned.error, note)


def check_averaging() -> Iterator[Claim]:
    """Check the smallest perturbation that flips a label, and that the gradient attack needs a larger one."""
    for n_clusters in N_CLUSTERS:
        distances = superposition.feature_averaging(n_clusters)
        means, labels = np.eye(n_clusters), np.arange(n_clusters) < n_clusters // 2
        features = superposition.averaged_features(means, labels)
        least = _flip_distance(features, means[0])
        note = "the constraint, of slope one, holds to 1e-10"
        claim = f"averaged features, k={n_clusters}: smallest perturbation that flips a label, over |mu|"
        yield compare(claim, AVERAGING, distances.flip_distance, least, 1e-8, note)
        along_gradient = _distance_along(features, means[0], -features[1])
        claim = f"averaged features, k={n_clusters}: flip distance along the gradient, over |mu|"
        note = "bisection of an interval of length two"
        yield compare(claim, AVERAGING, distances.gradient_attack_distance, along_gradient, 1e-12, note)
        claim = f"control, k={n_clusters}: the gradient attack is not the smallest perturbation"
        yield must_exceed(claim, AVERAGING, 1.4 * least, along_gradient, "a factor of sqrt(2)")


def _decide(features: np.ndarray, inputs: np.ndarray) -> float:
    """Return the output of the two-layer network, positive for the second label."""
    negative, positive = np.maximum(features @ inputs, 0)
    return float(positive - negative)


def _flip_distance(features: np.ndarray, centre: np.ndarray) -> float:
    """Return the smallest distance to an input of the other label, by constrained minimisation from random starts."""
    rng = np.random.default_rng(0)
    scale = 1 / np.linalg.norm(features[1] - features[0])  # so that the constraint has slope one
    ends = []
    for _ in range(8):
        end = minimize(
            lambda point: (np.sum((point - centre) ** 2), 2 * (point - centre)),
            centre + rng.normal(size=len(centre)) / np.sqrt(len(centre)),
            jac=True,
            method="SLSQP",
            constraints={"type": "ineq", "fun": lambda point: -scale * _decide(features, point)},
            options={"ftol": 1e-15, "maxiter": 500},
        )
        if scale * _decide(features, end.x) < 1e-10:
            ends.append(float(np.sqrt(end.fun)))
    return min(ends, default=np.inf)


def _distance_along(features: np.ndarray, centre: np.ndarray, direction: np.ndarray) -> float:
    """Return the distance along a direction at which the label flips, by bisection."""
    unit = direction / np.linalg.norm(direction)
    low, high = 0.0, 2.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _decide(features, centre + middle * unit) > 0 else (low, middle)
    return high
