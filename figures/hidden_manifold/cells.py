"""Regimes of a run on hidden manifolds, the best seed of each, and its embedding in the coordinates of the manifold."""

import json

import numpy as np


def first_cells(dataset):
    """Return a dataset without what was varied beside the seed: of each axis the first value."""
    return dataset.isel({name: 0 for name in json.loads(dataset.attrs.get("axes", "[]")) if name in dataset.dims})


def final(regime, quantity: str) -> np.ndarray:
    """Return the learned values of a quantity, one for each seed; NaN of those that diverged."""
    values = regime.learned.sel(quantity=quantity, drop=True).where(regime.status != "diverged")
    return np.atleast_1d(values.values)


def best_seed(regime) -> int:
    """Return the place of the seed of the least loss."""
    losses = final(regime, "loss")
    return int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))


def there(array) -> np.ndarray:
    """Return a matrix less the rows and columns of NaN that fill it up."""
    values = np.asarray(array.values, float)
    return values[np.ix_(np.isfinite(values).any(axis=1), np.isfinite(values).any(axis=0))]


def recovered(regime, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the part of an embedding where coordinates are predicted, ``Float[N, k]``, and the true coordinates.

    The directions are the ones in which the *predicted* embedding holds the coordinates, without regard to what was
    learned; without a prediction, those of the best rotation.
    """
    coordinates = there(regime.coordinates)
    learned = there(regime.embeddings.isel(seed=seed).transpose("point", "dimension"))
    predicted = there(regime.embeddings_predicted.isel(seed=seed).transpose("point", "dimension"))
    if not predicted.size:
        predicted = learned
    if not learned.size:
        return np.full_like(coordinates, np.nan), coordinates
    return learned @ _frame(predicted, coordinates), coordinates


def predicted_part(regime) -> np.ndarray:
    """Return the predicted embedding in the directions of :func:`recovered`, ``Float[N, k]``."""
    predicted = there(regime.embeddings_predicted.isel(seed=0).transpose("point", "dimension"))
    return predicted @ _frame(predicted, there(regime.coordinates))


def _frame(embedding: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Return the orthonormal directions of an embedding in which it is most like the coordinates, ``Float[d, k]``."""
    left, _, right = np.linalg.svd(embedding.T @ coordinates, full_matrices=False)
    return left @ right
