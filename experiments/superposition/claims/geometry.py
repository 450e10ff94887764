"""Claims on sums of regular codes, against direct descents, with controls; and on the linear network."""

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
from theory.superposition.mixtures import Mixture, best_mixture

SOURCE = "ansatz, confirmed by restarts"
LINEAR = "derived here, theory/superposition/linear.py; Eckart and Young, 1936"
SETTINGS = ((5, 2, 0.7), (5, 2, 0.5), (5, 2, 0.2), (5, 2, 0.05), (3, 2, 0.3), (6, 3, 0.3), (5, 3, 0.7))
WRONG = ((0.5, "pentagon"), (0.1, "antipodal pair"))  # suboptimal codes for five features in a plane at p
N_STARTS, LOG_POINTS = 12, 9
# Half the distance between the dimensionalities 2/5 (pentagon) and 1/2 (pair), the closest among the codes compared.
HALF_A_PLATEAU = 0.05


def check_geometry() -> Iterator[Claim]:
    """Check the best sums of codes, controls that must fail, and the linear network."""
    for n_features, n_hidden, p in SETTINGS:
        yield from _check_sum(n_features, n_hidden, p)
    for p, name in WRONG:
        yield _check_wrong_code(p, name)
    yield _check_always_active()
    yield from _check_linear((1.0, 0.6, 0.3), 2, 0.4)


def _check_sum(n_features: int, n_hidden: int, p: float) -> Iterator[Claim]:
    """Compare the predicted loss with that of the network over all inputs, and with the best direct descent."""
    prediction = superposition.predict(n_features=n_features, n_hidden=n_hidden, active_probability=p)
    name = f"n={n_features} m={n_hidden} p={p:g}, {prediction.geometry}"
    population = _population(n_features, p)
    losses = population.losses(Network(prediction.weights, prediction.bias))
    tolerance = STANDARD_ERRORS * summarise(losses).error
    note = "five standard errors over eight scrambled Sobol sequences"
    yield compare(f"loss of codes, {name}: all inputs", SOURCE, prediction.loss, losses.mean(), tolerance, note)
    end = population.best_of(n_hidden, N_STARTS)
    differences = summarise(population.losses(end) - losses)
    note = "five standard deviations of the loss difference of the two networks on one replicate"
    learned = prediction.loss + differences.mean
    tolerance = excess_tolerance(differences)
    yield compare(f"loss of codes, {name}: best of {N_STARTS}", SOURCE, prediction.loss, learned, tolerance, note)
    dimensionalities = superposition.dimensionalities(end.weights) * superposition.represented_features(end.weights)
    learned = np.sort(dimensionalities)[::-1]
    note = "half the distance between the closest plateaus, 2/5 and 1/2"
    claim = f"dimensionalities, {name}"
    yield compare(claim, SOURCE, prediction.dimensionalities, learned, HALF_A_PLATEAU, note)


def _check_wrong_code(p: float, name: str) -> Claim:
    """Check that a suboptimal code at its best scale and bias has a larger loss than the best descent."""
    population = _population(5, p)
    least = population.estimate(population.best_of(2, N_STARTS))
    (code,) = (code for code in superposition.regular_codes(5, 2) if code.name == name)
    wrong = Mixture(((superposition.make_part(code, p), 2 // code.dim),), 5, 2, p)
    claim = f"control, n=5 m=2 p={p:g}: {wrong.geometry}, loss"
    return must_exceed(claim, SOURCE, least.mean + STANDARD_ERRORS * least.error, wrong.loss, "learned loss")


def _check_always_active() -> Claim:
    """Check that sums of codes do not describe features that are always active."""
    mixture = best_mixture(5, 2, 1.0)
    predicted = np.sort(superposition.dimensionalities(mixture.network()[0]))
    end = Population(n_features=5, active_probability=1.0, importance=(1.0,) * 5, log_points=12).best_of(2, N_STARTS)
    distance = np.abs(np.sort(superposition.dimensionalities(end.weights)) - predicted).max()
    name = f"control, n=5 m=2 p=1: {mixture.geometry}, error of its dimensionalities"
    return must_exceed(name, SOURCE, HALF_A_PLATEAU, float(distance), "half the distance between plateaus")


def _check_linear(importance: tuple[float, ...], n_hidden: int, p: float) -> Iterator[Claim]:
    """Compare loss and dimensionalities of the network without ReLU with direct descents."""
    n_features = len(importance)
    prediction = superposition.predict(
        n_features=n_features, n_hidden=n_hidden, active_probability=p, importance=importance, nonlinearity="linear"
    )
    population = Population(
        n_features=n_features, active_probability=p, importance=importance, log_points=LOG_POINTS, is_linear=True
    )
    losses = population.losses(Network(prediction.weights, prediction.bias))
    end = population.best_of(n_hidden, N_STARTS)
    differences = summarise(population.losses(end) - losses)
    tolerance = excess_tolerance(differences) + STANDARD_ERRORS * summarise(losses).error
    name = f"no ReLU, n={n_features} m={n_hidden} p={p:g} I={','.join(f'{value:g}' for value in importance)}"
    learned = float(population.losses(end).mean())
    note = "five standard deviations of the loss difference of the two networks on one replicate"
    yield compare(f"{name}: loss", LINEAR, prediction.loss, learned, tolerance, note)
    gap = superposition.feature_variance(p) * (importance[n_hidden - 1] - importance[n_hidden])
    learned = np.sort(superposition.dimensionalities(end.weights) * superposition.represented_features(end.weights))
    note = "a rotation by t towards the dropped feature costs V (I_m - I_{m+1}) sin(t)^2, and D = cos(t)^2"
    claim = f"{name}: dimensionalities, no superposition"
    yield compare(claim, LINEAR, prediction.dimensionalities, learned[::-1], tolerance / gap, note)


def _population(n_features: int, p: float) -> Population:
    return Population(
        n_features=n_features, active_probability=p, importance=(1.0,) * n_features, log_points=LOG_POINTS
    )
