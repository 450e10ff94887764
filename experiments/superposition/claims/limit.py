"""Claims on the limit p -> 0: learned loss over p^2, extrapolated to p = 0, against the theorem."""

from collections.abc import Iterator

import numpy as np

from experiments.superposition.claims.population import (
    STANDARD_ERRORS,
    Network,
    Population,
    excess_tolerance,
    summarise,
)
from experiments.verification.claim import Claim, compare
from theory import superposition

SOURCE = "derived here, theory/superposition/limit.md"
SHAPES = ((3, 2), (4, 2), (4, 3))
PROBABILITIES = (0.02, 0.01, 0.005)  # successively halved
N_STARTS, LOG_POINTS = 6, 14


def check_limit() -> Iterator[Claim]:
    """Check extrapolated losses and dimensionalities of direct descents."""
    for n_features, n_hidden in SHAPES:
        yield from _check_shape(n_features, n_hidden)


def _check_shape(n_features: int, n_hidden: int) -> Iterator[Claim]:
    """Extrapolate over three values of p, with restarts at the largest and continued descents at the others.

    Twice the ratio at p/2 minus that at p has no term linear in p. The remainder falls by a factor of four from one
    such pair to the next, so it is below the change between them.
    """
    limit = superposition.sparse_limit(n_features, n_hidden)
    losses, errors = [], []
    end = _population(n_features, PROBABILITIES[0]).best_of(n_hidden, N_STARTS)
    for p in PROBABILITIES:
        population = _population(n_features, p)
        end = population.descend(end)
        values = population.losses(end)
        losses.append(values.mean() / p**2)
        errors.append(_error(population, end, values, n_hidden) / p**2)
    coarse, fine = 2 * losses[1] - losses[0], 2 * losses[2] - losses[1]
    tolerance = abs(fine - coarse) + 2 * errors[2] + errors[1]
    name = f"p -> 0, n={n_features} m={n_hidden}"
    note = "change from the previous extrapolation, plus sampling errors"
    yield compare(f"{name}: loss / p^2", SOURCE, limit.loss_coefficient, fine, tolerance, note)
    learned = np.sort(superposition.dimensionalities(end.weights))[::-1]
    note = "half the distance between the closest plateaus, 1/2 and 2/3"
    yield compare(f"{name}: dimensionalities", SOURCE, limit.dimensionalities, learned, 1 / 12, note)


def _population(n_features: int, p: float) -> Population:
    return Population(
        n_features=n_features,
        active_probability=p,
        importance=(1.0,) * n_features,
        log_points=LOG_POINTS - n_features,
    )


def _error(population: Population, end: Network, values: np.ndarray, n_hidden: int) -> float:
    """Return a bound on the error of the learned minimum, from its difference to the predicted network's loss."""
    prediction = superposition.predict(
        n_features=population.n_features, n_hidden=n_hidden, active_probability=population.active_probability
    )
    differences = values - population.losses(Network(prediction.weights, prediction.bias))
    return excess_tolerance(summarise(differences)) + STANDARD_ERRORS * summarise(values).error
