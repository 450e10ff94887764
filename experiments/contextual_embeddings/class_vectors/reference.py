"""The prediction for free class vectors, in the form the comparison reads."""

from __future__ import annotations

import numpy as np

from experiments.contextual_embeddings.class_vectors.configuration import ClassConfiguration
from experiments.contextual_embeddings.class_vectors.training_spec import make_task
from experiments.core.prediction import Prediction
from simlab.validation import invalid

NO_ROOM = "the predicted class vectors need more than d dimensions: the loss is a lower bound"
# Eigenvalues of a Gram matrix above this count towards its rank.
_RANK = 1e-6


def check_theory(configuration: ClassConfiguration) -> None:
    """Raise ``ValueError`` for options that the theory does not cover."""
    configuration.check()
    if configuration.largest_prior is None and configuration.batch_size is None:
        raise invalid("batch_size", "a number with equal priors", None)
    make_task(configuration)


def predict(configuration: ClassConfiguration) -> Prediction:
    """Return the minimiser of the loss: by theorem for equal priors, by a certified solver otherwise."""
    from theory import contextual_embeddings as theory

    task, tau = make_task(configuration), configuration.temperature
    kkt = np.nan
    if configuration.class_priors is None:
        gram, basis, kind = theory.simplex_gram(task.n_classes), "theorem", "simplex"
        assert task.batch_size is not None  # by `check_theory`
        loss = theory.minimum_loss(
            task.n_classes, task.batch_size, tau, replacement_draws=configuration.repeats_classes
        )
    else:
        solution = theory.solve_class_gram(configuration.class_priors, tau)
        gram, loss, kkt = solution.gram, solution.loss, solution.kkt_residual
        basis, kind = "certified" if solution.is_certified else "numerical", "convex program"
    priors = task.priors
    is_even = configuration.class_priors is None
    fits = int(np.sum(np.linalg.eigvalsh(gram) > _RANK)) <= configuration.dim
    quantities = {
        "loss": loss,
        "anisotropy": 0.0 if is_even else float(priors @ gram @ priors),
        "mean_cosine": mean_cosine(gram),
        "gram_error": 0.0,
        "kkt_residual": kkt,
    }
    if not fits:
        basis = "approximation"
    return Prediction(
        basis=basis, kind=kind, note="" if fits else NO_ROOM, quantities=quantities, arrays={"class_gram": gram}
    )


def mean_cosine(gram: np.ndarray) -> float:
    """Return the mean of the off-diagonal entries."""
    count = len(gram)
    return float((gram.sum() - np.trace(gram)) / (count * (count - 1)))
