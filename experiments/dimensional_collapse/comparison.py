"""Comparison of a trained linear encoder with the predicted spectrum."""

import numpy as np
from scipy.linalg import eigh

from experiments.core.phenomenon import Variable
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.dimensional_collapse.reference import CollapsePrediction, shrinkage
from simlab.losses.contrastive import InfoNCE
from simlab.metrics.spectrum import effective_rank, linear_spectrum
from simlab.sweeps.members import MemberRun
from simlab.tasks.paired.gaussian_pairs import PairMoments
from simlab.tasks.pairs import ViewPair

# An eigenvalue below this threshold, in units of the temperature, counts as collapsed. In a sampled run it still decays
# exponentially towards zero; a float64 descent reaches zero to the accuracy of its minimum.
SAMPLED_ZERO, EXACT_ZERO = 2e-3, 1e-9

QUANTITIES = {
    "rank": Quantity(
        label="surviving directions",
        headline="compared",
        panels=(Panel(label="surviving\ndirections", height=0.8, scale="whole"),),
    ),
    "loss": Quantity(label="loss - log(number of negatives)", headline="compared"),
    "eigenvalue_error": Quantity(
        label="largest error of an eigenvalue", headline="learned", panels=(Panel(label="largest error", height=0.8),)
    ),
    "corrected_error": Quantity(label="eigenvalues corrected for the batch: largest error"),
    "effective_rank": Quantity(label="effective rank"),
    "largest_collapsed": Quantity(label="largest eigenvalue predicted to collapse"),
    "gram_distance": Quantity(label="relative error of W^T W"),
    "least_clean": Quantity(label="smallest variance without augmentation"),
    "shrinkage": Quantity(label="largest over smallest variance without augmentation"),
}
ARRAYS = {
    "eigenvalues": Variable(("direction",), "learned eigenvalues of the embedding covariance"),
    "levels": Variable(("direction",), "level of each direction: t for the distance, r for the other losses"),
    "clean_eigenvalues": Variable(
        ("direction",), "learned eigenvalues of the embedding covariance without augmentation"
    ),
}


def measure(member, run: MemberRun, prediction: CollapsePrediction) -> Measured:
    """Return the measured quantities of a member; its levels are those of its training data."""
    spec, weights = member.spec, run.final["weights"].astype(np.float64)
    moments = _moments(spec.task, member.data)
    is_sampled = isinstance(spec.objective, InfoNCE)
    tau = 1.0 if getattr(spec.objective, "similarity", "spectral") == "spectral" else member.hyperparameters.temperature
    values, predicted = linear_spectrum(weights, moments.metric), prediction.arrays["eigenvalues"]
    clean, rank = linear_spectrum(weights, member.data.covariance), int(prediction.quantities["rank"])
    loss = np.nan if is_sampled else run.last_metrics["loss"]
    scale = np.linalg.norm(prediction.gram) or 1.0
    return Measured(
        quantities={
            "rank": int(np.sum(values > tau * (SAMPLED_ZERO if is_sampled else EXACT_ZERO))),
            "loss": loss,
            "eigenvalue_error": float(np.abs(values - predicted).max()),
            "corrected_error": float(np.abs(values - prediction.finite_batch).max()),
            "effective_rank": effective_rank(values),
            "largest_collapsed": values[rank] if rank < len(values) else np.nan,
            "gram_distance": float(np.linalg.norm(weights.T @ weights - prediction.gram) / scale),
            "least_clean": clean[-1],
            "shrinkage": shrinkage(clean, prediction.arrays["clean_eigenvalues"]),
        },
        arrays={
            "eigenvalues": values,
            "levels": _levels(moments, spec.objective, tau, member.hyperparameters.weight_decay),
            "clean_eigenvalues": clean,
        },
        predicted=prediction.arrays,
    )


def _levels(moments: PairMoments, objective, temperature: float, weight_decay: float) -> np.ndarray:
    """Return the levels, generalised eigenvalues relative to the metric, strongest direction first; ``Float[d]``."""
    identity = np.eye(len(moments.metric))
    similarity = getattr(objective, "similarity", "spectral")
    if similarity == "distance":
        return eigh(moments.spread + temperature * weight_decay * identity, moments.metric, eigvals_only=True)
    share = 0.25 if similarity == "spectral" else temperature / 2
    return eigh(moments.overlap - share * weight_decay * identity, moments.metric, eigvals_only=True)[::-1]


def _moments(task, data) -> PairMoments:
    """Return the second moments of a member's training pairs."""
    population = task.population(data)
    if isinstance(population, ViewPair):
        first, second = population.first, population.second
        cross, size = first.T @ second, 2 * len(first)
        return PairMoments(
            (first.T @ first + second.T @ second) / size,
            (first - second).T @ (first - second) / len(first),
            (cross + cross.T) / size,
        )
    return population


COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, metrics=InfoNCE.recorded, measure=measure)
