"""The prediction of a linear encoder of pairs, as the comparison reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.core.prediction import Prediction
from experiments.dimensional_collapse.configuration import PairConfiguration
from experiments.dimensional_collapse.training_spec import make_task
from simlab.metrics.spectrum import effective_rank
from theory.short_text import short_repr

if TYPE_CHECKING:
    from theory.dimensional_collapse import Prediction as Theory

SAMPLED = "predicted for infinitely many negatives"
# Of a dot product, E k^2/mu^2 of `theory.dimensional_collapse.finite_batch` is E exp(c u^2) with u^2 of mean c in units
# of the temperature: infinite from c = 1/sqrt(2).
FAR = "a batch stays far from them, as the variance of exp(z.z'/tau) is infinite"


@dataclass(frozen=True, kw_only=True)
class CollapsePrediction(Prediction):
    """The prediction with the Gram matrix of the encoder, and the eigenvalues corrected for the batch.

    Args:
        gram: ``W^T W``, ``Float[d, d]``.
        finite_batch: ``Float[d]``, largest first; NaN where there is no correction.
    """

    gram: np.ndarray
    finite_batch: np.ndarray

    __repr__ = short_repr


def check_theory(configuration: PairConfiguration) -> None:
    """Raise ``ValueError`` for choices that theory cannot take."""
    configuration.check()
    solve(configuration)


def predict(configuration: PairConfiguration) -> CollapsePrediction:
    """Return what theory says of a configuration."""
    theory = solve(configuration)
    clean = _clean_eigenvalues(configuration, theory)
    order = np.argsort(-theory.eigenvalues, kind="stable")
    values, nothing = theory.eigenvalues[order], np.full(len(order), np.nan)
    is_sampled = configuration.negatives == "batch"
    return CollapsePrediction(
        basis="approximation" if is_sampled else theory.basis,
        kind=f"{theory.rank} of {len(values)} directions",
        note="; ".join(filter(None, (theory.note, *_sampling_notes(configuration, values[0])))),
        quantities={
            "rank": theory.rank,
            "effective_rank": effective_rank(values),
            "loss": theory.loss,
            "eigenvalue_error": 0.0,
            "corrected_error": np.nan if theory.finite_batch is None else 0.0,
            "largest_collapsed": 0.0 if theory.rank < len(values) else np.nan,
            "gram_distance": 0.0,
            "least_clean": clean[-1],
            "shrinkage": shrinkage(clean, clean),
        },
        arrays={"eigenvalues": values, "levels": theory.levels[order], "clean_eigenvalues": clean},
        gram=theory.gram,
        finite_batch=nothing if theory.finite_batch is None else theory.finite_batch[order],
    )


def solve(configuration: PairConfiguration) -> Theory:
    """Return the prediction of theory for the law or the data set of a configuration.

    Raises:
        ValueError: a choice is out of range; the message names it.
    """
    from theory import dimensional_collapse

    data = make_task(configuration).sample(0)
    given = {
        "similarity": configuration.similarity,
        "temperature": configuration.temperature,
        "weight_decay": configuration.weight_decay,
        "output_dim": configuration.output_dim,
    }
    if data.pairs is not None:
        pairs = dimensional_collapse.sample_pairs(data.pairs.first, data.pairs.second)
        return dimensional_collapse.predict_pairs(pairs, **given)
    is_corrected = configuration.negatives == "batch" and configuration.similarity == "distance"
    return dimensional_collapse.predict(
        covariance=data.covariance,
        augmentation=data.augmentation,
        views=configuration.views,
        batch_size=configuration.batch_size if is_corrected and not configuration.weight_decay else None,
        **given,
    )


def shrinkage(values: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean of the variances that are predicted to be largest over that of those predicted to be least.

    Args:
        values: of the embedding of inputs without augmentation, largest first.
        predicted: the same as predicted; where the least is zero there is no ratio, and NaN is returned.
    """
    if not predicted[-1] > 0:
        return np.nan
    strongest, weakest = (np.isclose(predicted, end, rtol=1e-9) for end in (predicted[0], predicted[-1]))
    return float(values[strongest].mean() / values[weakest].mean())


def _sampling_notes(configuration: PairConfiguration, largest: float) -> tuple[str, ...]:
    """Return what a reader must know of a prediction for infinitely many negatives, where a batch has fewer."""
    if configuration.negatives != "batch":
        return ()
    is_far = configuration.similarity == "dot" and largest >= configuration.temperature / np.sqrt(2)
    return (SAMPLED, FAR) if is_far else (SAMPLED,)


def _clean_eigenvalues(configuration: PairConfiguration, theory: Theory) -> np.ndarray:
    """Return the predicted variances of the embedding of inputs without augmentation: eigenvalues of ``W S W^T``."""
    factor = make_task(configuration).sample(0).input_factor
    values = np.linalg.eigvalsh(factor.T @ theory.gram @ factor)[::-1]
    return np.where(np.arange(len(values)) < theory.rank, np.maximum(values, 0), 0.0)
