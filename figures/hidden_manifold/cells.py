"""Best seeds of a run on hidden manifolds, and their embeddings in the coordinates of the manifold."""

import json

import numpy as np


def first_cells(dataset):
    """Return the dataset at the first value of every varied axis."""
    return dataset.isel({name: 0 for name in json.loads(dataset.attrs.get("axes", "[]")) if name in dataset.dims})


def final(regime, quantity: str) -> np.ndarray:
    """Return the learned values of a quantity, one per seed; NaN for diverged seeds."""
    values = regime.learned.sel(quantity=quantity, drop=True).where(regime.status != "diverged")
    return np.atleast_1d(values.values)


def best_seed(regime) -> int:
    """Return the index of the seed with the smallest loss."""
    losses = final(regime, "loss")
    return int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))


def there(array) -> np.ndarray:
    """Return a matrix without its rows and columns of NaN padding."""
    values = np.asarray(array.values, float)
    return values[np.ix_(np.isfinite(values).any(axis=1), np.isfinite(values).any(axis=0))]


def recovered(regime, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the embedding in the directions of the coordinates, ``Float[N, k]``, and the true coordinates.

    The directions are those in which the *predicted* embedding represents the coordinates, independently of the learned
    one; without a prediction they are those of the best rotation.
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
    """Return the orthonormal directions in which an embedding best matches the coordinates, ``Float[d, k]``."""
    left, _, right = np.linalg.svd(embedding.T @ coordinates, full_matrices=False)
    return left @ right
