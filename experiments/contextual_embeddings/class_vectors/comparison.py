"""Comparison of trained class vectors with the predicted Gram matrix and loss."""

import numpy as np

from experiments.contextual_embeddings.class_vectors.reference import mean_cosine
from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from simlab.losses.class_contrastive import RECORDED
from simlab.sweeps.members import MemberRun
from simlab.tasks.paired.class_batches import ClassDraws

QUANTITIES = {
    "loss": Quantity(
        label="expected loss", unit="nats", headline="compared", panels=(Panel(label="loss (nats)", height=0.9),)
    ),
    "anisotropy": Quantity(
        label="anisotropy", headline="compared", panels=(Panel(label="anisotropy", height=0.9, scale="linear"),)
    ),
    "gram_error": Quantity(label="largest error of the class Gram matrix", headline="learned"),
    "mean_cosine": Quantity(label="mean cosine between classes"),
    "kkt_residual": Quantity(label="KKT residual of the prediction, relative"),
}
ARRAYS = {"class_gram": Variable(("class", "other_class"), "learned Gram matrix of the class vectors")}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the Gram matrix of a member's unit vectors, its expected loss and its anisotropy."""
    task = member.spec.task
    vectors = run.final["vectors"].astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gram = vectors @ vectors.T
    return Measured(
        quantities={
            "loss": expected_loss(gram, member.data, member.hyperparameters.temperature),
            "anisotropy": float(task.priors @ gram @ task.priors),
            "mean_cosine": mean_cosine(gram),
            "gram_error": float(np.abs(gram - prediction.arrays["class_gram"]).max()),
            "kkt_residual": np.nan,
        },
        arrays={"class_gram": gram},
        predicted=prediction.arrays,
    )


def expected_loss(gram: np.ndarray, draws: ClassDraws, temperature: float) -> float:
    """Return the mean loss in nats over all batches of a table, in float64.

    Args:
        gram: inner products of class vectors, ``Float[K, K]``.
        draws: class counts of the batches and their probabilities.
        temperature: tau.
    """
    counts, probabilities = (np.asarray(array, np.float64) for array in (draws.counts, draws.probabilities))
    scores = np.exp((gram - np.diag(gram)[:, None]) / temperature)
    shares = counts / counts.sum(1, keepdims=True)
    return float(probabilities @ np.sum(shares * np.log(counts @ scores.T), axis=1))


COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, metrics=RECORDED, measure=measure)
