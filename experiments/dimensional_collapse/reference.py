"""The prediction for a linear encoder of pairs, in the form the comparison reads."""

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
# For the dot product, E k^2/mu^2 of `theory.dimensional_collapse.finite_batch` is E exp(c u^2) with E u^2 = c in units
# of the temperature, which is infinite for c >= 1/sqrt(2).
FAR = "in-batch losses stay far from it, as the variance of exp(z.z'/tau) is infinite"


@dataclass(frozen=True, kw_only=True)
class CollapsePrediction(Prediction):
    """A prediction with the Gram matrix of the encoder and the eigenvalues corrected for the batch size.

    Args:
        gram: ``W^T W``, ``Float[d, d]``.
        finite_batch: corrected eigenvalues, ``Float[d]``, in the order of the uncorrected; NaN without a correction.
    """

    gram: np.ndarray
    finite_batch: np.ndarray

    __repr__ = short_repr


def check_theory(configuration: PairConfiguration) -> None:
    """Raise ``ValueError`` for options that the theory does not cover."""
    configuration.check()
    solve(configuration)


def predict(configuration: PairConfiguration) -> CollapsePrediction:
    """Return the prediction for a configuration."""
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
    """Return the ratio of the mean variances in the directions predicted strongest and weakest.

    Args:
        values: variances of the embedding of unaugmented inputs, ``Float[d]``, largest first.
        predicted: the predicted variances.

    Returns:
        The ratio; NaN where the smallest predicted variance is zero.
    """
    if not predicted[-1] > 0:
        return np.nan
    strongest, weakest = (np.isclose(predicted, end, rtol=1e-9) for end in (predicted[0], predicted[-1]))
    return float(values[strongest].mean() / values[weakest].mean())


def _sampling_notes(configuration: PairConfiguration, largest: float) -> tuple[str, ...]:
    """Return notes on how a prediction for infinitely many negatives applies to in-batch negatives."""
    if configuration.negatives != "batch":
        return ()
    is_far = configuration.similarity == "dot" and largest >= configuration.temperature / np.sqrt(2)
    return (SAMPLED, FAR) if is_far else (SAMPLED,)


def _clean_eigenvalues(configuration: PairConfiguration, theory: Theory) -> np.ndarray:
    """Return the predicted variances of embedded unaugmented inputs, the eigenvalues of ``W S W^T``."""
    factor = make_task(configuration).sample(0).input_factor
    values = np.linalg.eigvalsh(factor.T @ theory.gram @ factor)[::-1]
    return np.where(np.arange(len(values)) < theory.rank, np.maximum(values, 0), 0.0)
