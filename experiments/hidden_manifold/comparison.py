"""Comparison of a trained encoder of a hidden manifold with the predicted embedding."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.hidden_manifold.reference import IDENTIFIED
from simlab.losses.contrastive import InfoNCE
from simlab.losses.objective import Metric
from simlab.metrics.geometry import common_rotation, relative_distance
from simlab.metrics.identifiability import linear_identifiability, sphere_degree
from simlab.metrics.intrinsic_dimension import two_nn
from simlab.metrics.spectrum import effective_rank
from simlab.sweeps.members import MemberRun
from simlab.tasks.paired.manifolds import sphere_kernel

QUANTITIES = {
    "loss": Quantity(label="loss", headline="compared", reduce="best", panels=(Panel(label="loss", height=0.9),)),
    "r_squared": Quantity(label="linear R^2", headline="compared", reduce="best"),
    "intrinsic_dimension": Quantity(label="intrinsic dimension (TwoNN)", reduce="best"),
    "gram_distance": Quantity(
        label="relative error of F F^T",
        headline="learned",
        reduce="best",
        panels=(Panel(label="relative error\nof $FF^T$", height=0.9),),
    ),
    "loss_excess": Quantity(label="excess over the minimum loss", reduce="best"),
    "identified": Quantity(label="share of runs with R^2 >= 0.999", headline="learned"),
    "folded": Quantity(
        label="share of folded runs",
        headline="learned",
        panels=(Panel(label="share folded", height=0.8, scale="unit interval"),),
    ),
    "eigenvalue_error": Quantity(label="largest error of an eigenvalue", reduce="best"),
    "effective_rank": Quantity(label="effective rank", reduce="best"),
    "largest_singular": Quantity(label="largest singular value of the linear map", reduce="best"),
    "least_singular": Quantity(label="smallest singular value of the linear map", reduce="best"),
    "observed_r_squared": Quantity(label="linear R^2 of the observations"),
    "dropped_points": Quantity(label="points dropped by TwoNN"),
}
ARRAYS = {
    "embeddings": Variable(("point", "dimension"), "learned embeddings, rotated onto the predicted ones"),
    "eigenvalues": Variable(("dimension",), "learned eigenvalues of the second moment of the embedding"),
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the measured quantities of a member."""
    spec, data = member.spec, member.data
    embeddings, predicted = run.final["embeddings"].astype(np.float64), prediction.arrays["embeddings"]
    is_sampled = isinstance(spec.objective, InfoNCE)
    if is_sampled:
        kernel = sphere_kernel(data.latents, float(data.concentration), is_folded=bool(data.is_folded))
        joint = kernel / kernel.sum()
        loss = population_loss(embeddings, joint, float(member.hyperparameters.temperature))
    else:
        joint, loss = data.joint, float(run.last_metrics["loss"])
    values = second_moment_eigenvalues(embeddings, joint.sum(axis=1))
    fit, dimension = linear_identifiability(embeddings, data.latents), two_nn(run.final["probe_embeddings"])
    is_known = bool(np.all(np.isfinite(predicted)))
    # With restricted partners an encoder may be discontinuous at the equator, so the degree is undefined.
    has_degree = is_sampled and embeddings.shape[1] == 3 and not data.is_folded
    return Measured(
        quantities={
            "loss": loss,
            "r_squared": fit.r_squared,
            "intrinsic_dimension": dimension.dimension,
            "gram_distance": relative_distance(embeddings @ embeddings.T, predicted @ predicted.T)
            if is_known
            else np.nan,
            "loss_excess": loss - prediction.quantities["loss"],
            "identified": float(fit.r_squared >= IDENTIFIED),
            "folded": is_folded(data.latents, embeddings) if has_degree else np.nan,
            "eigenvalue_error": float(np.abs(values - prediction.arrays["eigenvalues"]).max()),
            "effective_rank": effective_rank(values),
            "largest_singular": fit.singular_values[0],
            "least_singular": fit.singular_values[-1],
            "observed_r_squared": linear_identifiability(data.inputs, data.latents).r_squared,
            "dropped_points": float(dimension.n_dropped),
        },
        arrays={"embeddings": turn(embeddings, predicted if is_known else None), "eigenvalues": values},
        predicted=prediction.arrays,
        sampling_errors={"intrinsic_dimension": dimension.dimension / np.sqrt(len(data.probes))},
    )


def population_loss(embeddings: np.ndarray, joint: np.ndarray, temperature: float) -> float:
    """Return InfoNCE with infinitely many negatives minus the log of their number (nats), summed over points.

    Args:
        embeddings: unit vectors, ``Float[N, d]``.
        joint: probabilities of pairs, ``Float[N, N]``.
        temperature: tau.
    """
    scores = embeddings @ embeddings.T / temperature
    top = scores.max(axis=1, keepdims=True)
    weights = joint.sum(axis=1)
    normaliser = np.log(np.exp(scores - top) @ weights) + top[:, 0]
    return float(weights @ normaliser - np.sum(joint * scores))


def second_moment_eigenvalues(embeddings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of ``sum_i w_i f_i f_i^T``, largest first; NaN for non-finite embeddings."""
    if not np.all(np.isfinite(embeddings)):
        return np.full(embeddings.shape[1], np.nan)
    singular = np.linalg.svd(embeddings * np.sqrt(weights)[:, None], compute_uv=False)
    return np.pad(singular**2, (0, embeddings.shape[1] - len(singular)))


def is_folded(points: np.ndarray, embeddings: np.ndarray) -> float:
    """Return 1 if the degree of a map of the sphere is not +-1, else 0; NaN for non-finite embeddings."""
    degree = sphere_degree(points, embeddings)
    return float(round(abs(degree)) != 1) if np.isfinite(degree) else np.nan


def turn(embeddings: np.ndarray, predicted: np.ndarray | None) -> np.ndarray:
    """Rotate embeddings onto the predicted ones; unchanged without a prediction or where not finite."""
    if predicted is None or not np.all(np.isfinite(embeddings)):
        return embeddings
    return embeddings @ common_rotation([(embeddings, predicted)]).T


COMPARISON = standard_comparison(
    quantities=QUANTITIES, arrays=ARRAYS, metrics={"loss": Metric(label="loss")}, measure=measure, best_by="loss"
)
