"""Direct minimisation of and descent on the loss over unit embeddings: the oracle for the claims."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax


class End(NamedTuple):
    """The end point of a minimisation.

    Attributes:
        images, texts: unit embeddings, ``Float[N, d]``.
        loss: nats.
        gradient_norm: norm of the gradient of the loss, tangential to the spheres.
    """

    images: np.ndarray
    texts: np.ndarray
    loss: float
    gradient_norm: float

    @property
    def gap(self) -> float:
        """Distance between the means."""
        return float(np.linalg.norm(self.images.mean(axis=0) - self.texts.mean(axis=0)))

    def margins(self, beta: float) -> np.ndarray:
        """Return each image's logit of its text minus those of the other texts, ``Float[N, N - 1]``."""
        logits = beta * self.images @ self.texts.T
        others = ~np.eye(len(logits), dtype=bool)
        return (np.diag(logits)[:, None] - logits)[others].reshape(len(logits), -1)


def targets(n_pairs: int, mismatch: float) -> np.ndarray:
    """Return the target probabilities of texts given images, ``Float[N, N]``."""
    return np.where(np.eye(n_pairs, dtype=bool), 1 - mismatch, mismatch / (n_pairs - 1))


def loss_and_gradients(vectors: np.ndarray, mismatch: float, beta: float) -> tuple[float, np.ndarray, float]:
    """Return the loss (nats) of normalised vectors ``Float[2, N, d]``, and its gradients in them and ``log(beta)``."""
    norms = np.linalg.norm(vectors, axis=2, keepdims=True)
    images, texts = unit = vectors / norms
    logits, wanted = beta * images @ texts.T, targets(len(images), mismatch)
    size = len(logits)
    value = -np.sum(wanted * (log_softmax(logits, axis=1) + log_softmax(logits, axis=0))) / (2 * size)
    slope = (softmax(logits, axis=1) + softmax(logits, axis=0) - 2 * wanted) / (2 * size)
    gradient = beta * np.stack([slope @ texts, slope.T @ images])
    tangent = gradient - np.sum(gradient * unit, axis=2, keepdims=True) * unit
    return float(value), tangent / norms, float(np.sum(slope * logits))


def minimise(start: np.ndarray, mismatch: float, beta: float) -> End:
    """Minimise by L-BFGS from vectors ``Float[2, N, d]`` and return the end point."""

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient, _ = loss_and_gradients(point.reshape(start.shape), mismatch, beta)
        return value, gradient.ravel()

    result = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 4000, "maxfun": 8000, "ftol": 0, "gtol": 1e-12, "maxcor": 20},
    )
    return _end(result.x.reshape(start.shape), mismatch, beta)


def descend(
    start: np.ndarray, mismatch: float, beta: float, n_steps: int, rate: float, temperature_rate: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run gradient descent; return the final vectors, and beta and the gap before each step and at the end."""
    vectors, s = start.copy(), np.log(beta)
    betas, gaps = np.empty(n_steps + 1), np.empty(n_steps + 1)
    for step in range(n_steps + 1):
        unit = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
        betas[step], gaps[step] = np.exp(s), np.linalg.norm(np.subtract(*unit.mean(axis=1)))
        if step < n_steps:
            _, gradient, slope = loss_and_gradients(vectors, mismatch, betas[step])
            vectors, s = vectors - rate * gradient, s - temperature_rate * slope
    return vectors, betas, gaps


def random_cones(n_pairs: int, dim: int, spread: float, seed: int) -> np.ndarray:
    """Return two random cones, ``Float[2, N, d]``; as the spread grows both become uniform on the sphere."""
    rng = np.random.default_rng(seed)
    axes = rng.normal(size=(2, 1, dim))
    return axes / np.linalg.norm(axes, axis=2, keepdims=True) + spread * rng.normal(size=(2, n_pairs, dim)) / dim**0.5


def _end(vectors: np.ndarray, mismatch: float, beta: float) -> End:
    images, texts = vectors / np.linalg.norm(vectors, axis=2, keepdims=True)
    value, gradient, _ = loss_and_gradients(np.stack([images, texts]), mismatch, beta)
    return End(images, texts, value, float(np.linalg.norm(gradient)))
