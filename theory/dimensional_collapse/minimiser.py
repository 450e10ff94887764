"""The predicted embedding for given pairs, by the theorem in `prediction`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_non_negative, require_positive
from theory.dimensional_collapse.curve import surviving_eigenvalue
from theory.dimensional_collapse.finite_batch import finite_batch_eigenvalues
from theory.dimensional_collapse.losses import SIMILARITIES, expected_loss
from theory.dimensional_collapse.pairs import LARGEST_DIMENSION, PairMoments, gaussian_pairs, inverse_root, whiten
from theory.dimensional_collapse.prediction import Prediction

if TYPE_CHECKING:
    from jaxtyping import Float

# Levels whose difference is below this share of the largest are equal to rounding.
_TIE = 1e-12
# The rounding error of a level is this times the dimension: two products, a root and an eigenvalue.
_ROUNDING = 16 * np.finfo(float).eps
TIED = "directions of equal strength compete for the last dimension: which of them survives is not determined"
NO_MINIMUM = "as a direction without augmentation grows without bound"


def predict(
    *,
    augmentation_ratios: Sequence[float] | None = None,
    covariance: Float[np.ndarray, "d d"] | None = None,
    augmentation: Float[np.ndarray, "d d"] | None = None,
    similarity: str = "distance",
    views: int | None = None,
    temperature: float = 1.0,
    weight_decay: float = 0.0,
    output_dim: int | None = None,
    batch_size: int | None = None,
) -> Prediction:
    """Return the predicted embedding of Gaussian pairs.

    Args:
        augmentation_ratios: q_i/s_i of d directions in which inputs have variance s_i = 1; replaces both matrices.
        covariance: S, covariance of the inputs, (d, d).
        augmentation: Q, covariance of the noise that a view adds, (d, d); it need not commute with S.
        similarity: "distance", ``exp(-|z - z'|^2/(2 tau))``; "dot", ``exp(z.z'/tau)``; or "spectral", the spectral
            contrastive loss.
        views: how many inputs of a pair are augmented, 1 or 2. None for 1 with "distance" and 2 with the others, for
            which augmenting one input has no effect.
        temperature: tau > 0; the spectral loss has none.
        weight_decay: lam >= 0, of the penalty lam/2 |W|^2.
        output_dim: m, dimensions of the embedding; None for the dimension of the inputs.
        batch_size: B; adds the first-order correction for B - 1 negatives, for "distance" without weight decay.

    Raises: ValueError, one line that names the field.
    """
    if similarity not in SIMILARITIES:
        raise ValueError(f"similarity: expected one of {', '.join(SIMILARITIES)}, got {similarity!r}")
    views = (1 if similarity == "distance" else 2) if views is None else views
    if similarity != "distance" and views == 1:
        raise ValueError(f"views: expected 2 with similarity {similarity}, as augmentation of one has no effect, got 1")
    ratios = None if augmentation_ratios is None else check_ratios(augmentation_ratios)
    if ratios is not None:
        if covariance is not None or augmentation is not None:
            raise ValueError("augmentation_ratios: expected no value if matrices are given, got both")
        covariance, augmentation = np.eye(len(ratios)), np.diag(ratios)
    if covariance is None or augmentation is None:
        raise ValueError("covariance: expected both matrices, or augmentation_ratios in their place, got None")
    pairs = gaussian_pairs(covariance, augmentation, views)
    prediction = predict_pairs(
        pairs,
        similarity=similarity,
        temperature=temperature,
        weight_decay=weight_decay,
        output_dim=output_dim,
        n_negatives=None if batch_size is None else require_integer("batch_size", batch_size, minimum=2) - 1,
        views=views,
        order=None if ratios is None else _strengths(pairs, similarity, temperature, weight_decay),
    )
    task: dict[str, object] = {"views": views}
    if ratios is not None:
        task["augmentation_ratios"] = ratios.tolist()
    prediction.task.update(task | ({} if batch_size is None else {"batch_size": batch_size}))
    return prediction


def predict_pairs(
    pairs: PairMoments,
    *,
    similarity: str,
    temperature: float = 1.0,
    weight_decay: float = 0.0,
    output_dim: int | None = None,
    n_negatives: int | None = None,
    views: int = 2,
    order: Float[np.ndarray, " d"] | None = None,
) -> Prediction:
    """Return the predicted embedding of pairs with given second moments.

    For the spectral loss the prediction holds for any data set; the other two need Gaussian pairs.

    Args:
        pairs: second moments of the pairs.
        similarity: as in `predict`.
        temperature: tau.
        weight_decay: lam.
        output_dim: m; None for the dimension of the inputs.
        n_negatives: M, for the finite-batch correction, or None.
        views: 1 or 2, for the finite-batch correction.
        order: strengths (d,) of the axes if all matrices are diagonal, used to return the directions in the order of
            the axes; None for the largest eigenvalue first.

    Raises: ValueError, one line that names the field.
    """
    temperature = require_positive("temperature", temperature)
    decay = require_non_negative("weight_decay", weight_decay)
    if similarity == "spectral" and temperature != 1:
        raise ValueError(f"temperature: expected 1, as the spectral loss has none, got {temperature:g}")
    dim = pairs.dimension
    size = dim if output_dim is None else require_integer("output_dim", output_dim, minimum=1)
    levels, directions = np.linalg.eigh(whiten(effective_matrix(pairs, similarity, temperature, decay), pairs.metric))
    if similarity == "distance":
        if levels[0] <= 0:
            raise ValueError(f"augmentation: expected a positive definite matrix, {NO_MINIMUM}, got {levels[0]:g}")
        values = surviving_eigenvalue(levels)
    else:
        levels, directions = levels[::-1], directions[:, ::-1]
        values = np.maximum(levels, 0)
    values = temperature * np.where(values > _ROUNDING * dim * max(1.0, np.abs(levels).max()), values, 0.0)
    is_tied = size < dim and values[size] > 0 and abs(levels[size] - levels[size - 1]) <= _TIE * np.abs(levels).max()
    values = np.where(np.arange(dim) < size, values, 0.0)
    root = inverse_root(pairs.metric) @ directions
    gram = root * values @ root.T
    corrected = None
    if n_negatives is not None:
        corrected = _correct(levels, values, similarity, decay, n_negatives, views) * temperature
    place = np.arange(dim) if order is None else np.argsort(np.argsort(-order, kind="stable"), kind="stable")
    return Prediction(
        similarity=similarity,
        levels=levels[place],
        eigenvalues=values[place],
        gram=gram,
        loss=expected_loss(pairs, gram, similarity, temperature),
        finite_batch=None if corrected is None else corrected[place],
        note=TIED if is_tied else "",
        task={"similarity": similarity, "temperature": temperature, "weight_decay": decay, "output_dim": size},
    )


def effective_matrix(
    pairs: PairMoments, similarity: str, temperature: float, weight_decay: float
) -> Float[np.ndarray, "d d"]:
    """Return the matrix whose eigenvalues relative to M are the levels: D or A, shifted by the weight decay."""
    identity = np.eye(pairs.dimension)
    if similarity == "distance":
        return pairs.spread + temperature * weight_decay * identity
    return pairs.overlap - weight_decay * (temperature / 2 if similarity == "dot" else 0.25) * identity


def check_ratios(values: Sequence[float]) -> Float[np.ndarray, " d"]:
    """Return augmentation ratios as an array, or raise ValueError unless each is a non-negative number."""
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray) or not len(values):
        raise ValueError(f"augmentation_ratios: expected numbers, at least one, got {values!r}")
    if len(values) > LARGEST_DIMENSION:
        raise ValueError(f"augmentation_ratios: expected at most {LARGEST_DIMENSION} numbers, got {len(values)}")
    return np.array([require_non_negative("augmentation_ratios", value) for value in values])


def _strengths(pairs: PairMoments, similarity: str, temperature: float, weight_decay: float):
    """Return the strength of each axis, (d,), for diagonal matrices: axes of larger strength survive first."""
    temperature = require_positive("temperature", temperature)
    decay = require_non_negative("weight_decay", weight_decay)
    level = np.diag(effective_matrix(pairs, similarity, temperature, decay)) / np.diag(pairs.metric)
    return -level if similarity == "distance" else level


def _correct(levels, values, similarity: str, weight_decay: float, n_negatives: int, views: int):
    """Return the corrected eigenvalues in units of the temperature, 0 for directions beyond the output dimension."""
    if similarity != "distance":
        raise ValueError(f"batch_size: expected no value with similarity {similarity}: it has no correction, got one")
    if weight_decay:
        raise ValueError(f"batch_size: expected no value with weight decay, got weight_decay={weight_decay:g}")
    has_dimension = (values > 0) | (surviving_eigenvalue(levels) == 0)
    corrected = np.zeros_like(values)
    corrected[has_dimension] = finite_batch_eigenvalues(levels[has_dimension], n_negatives, views)
    return corrected
