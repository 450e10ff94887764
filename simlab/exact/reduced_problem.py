"""The risk of a network with one word per concept, in coordinates in which both layers have the same weight decay.

A class has one sentence, its latent, so that the logits are the ``K x K`` matrix

    ``logits_kk' = sum_l beta_{z_kl} <u_k'l, c_{z_kl}>``.

The symbols of this module (left) in terms of the parameters of the network (right):

* ``h``: ``c_a = sqrt(s_a lam_W / lam) w_a``, ``u = sqrt(lam_U / lam) u_kl``, ``beta_a = s_a^-1/2``, and the penalty is
  ``lam/2 (|c|^2 + |u|^2)`` with ``lam = sqrt(lam_W lam_U)``;
* ``h*``: ``c_a = LN(w_a) / sqrt(d)`` of norm 1, ``u = sqrt(d) u_kl``, ``beta_a = 1``, and the penalty is
  ``lam/2 |u|^2`` with ``lam = lam_U / d``.

The cross-entropy is convex in ``M = u c^T``, rows ``(k, l)``, columns concepts; ``G`` is its gradient there.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.networks.logits import LOWEST_LOGIT
from simlab.tasks.batch import AnyArray

# Margins (nats) of the candidate scales of the start.
START_MARGINS = np.geomspace(0.03, 100, 21)
# Relative random perturbation of the start, which breaks symmetries that the minimiser may lack.
ASYMMETRY = 1e-2


class ReducedProblem(NamedTuple):
    """The data of the risk; a pytree of arrays.

    Attributes:
        one_hot: ``Float64[K, L n_c]``, 1 where class ``k`` has concept ``a`` at position ``l``.
        weights: ``Float64[K]``, the probability of each class: equal, and zero for padding classes (see :func:`pad`).
        scales: ``Float64[n_c]``, ``beta``.
        decay: ``lam`` of this module, nats.
    """

    one_hot: AnyArray
    weights: AnyArray
    scales: AnyArray
    decay: AnyArray


def reduced_problem(
    latents: np.ndarray, words: np.ndarray, embedding_dim: int, decays: tuple[float, float], layer_norm: bool
) -> ReducedProblem:
    """Return the problem for ``Int[K, L]`` latents, ``Int[n_c]`` words per concept and ``(lam_W, lam_U)``."""
    one_hot = (latents[..., None] == np.arange(len(words))).reshape(len(latents), -1).astype(np.float64)
    weights = np.full(len(latents), 1 / len(latents))
    if layer_norm:
        return ReducedProblem(one_hot, weights, np.ones(len(words)), np.float64(decays[1] / embedding_dim))
    return ReducedProblem(one_hot, weights, words**-0.5, np.sqrt(np.float64(decays[0]) * decays[1]))


def pad(
    problem: ReducedProblem, first: tuple[np.ndarray, np.ndarray], n_classes: int
) -> tuple[ReducedProblem, tuple[np.ndarray, np.ndarray]]:
    """Return a problem and its start, padded to ``n_classes`` with classes of probability zero.

    The network gives padding classes no probability and their classifier stays zero, so that the minimum is unchanged.
    """
    missing = max(n_classes - len(problem.weights), 0)
    fill = lambda array: np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1))  # noqa: E731
    concepts, classifier = first
    padded = problem._replace(one_hot=fill(problem.one_hot), weights=fill(problem.weights))
    return padded, (concepts, fill(classifier))


def logits(problem: ReducedProblem, concepts, classifier):
    """Return the logits, ``Float[K, K]``, a row per sentence; ``LOWEST_LOGIT`` for padding classes. Any backend."""
    n_classes, length, _ = classifier.shape
    products = (problem.scales[:, None] * concepts) @ classifier.reshape(n_classes * length, -1).T
    table = products.reshape(-1, n_classes, length).transpose(2, 0, 1)
    scores = problem.one_hot @ table.reshape(-1, n_classes)
    return scores + LOWEST_LOGIT * (problem.weights == 0)[None]


def cross_entropy(problem: ReducedProblem, concepts: jax.Array, classifier: jax.Array) -> jax.Array:
    """Return the expected cross-entropy over equally likely classes, nats."""
    scores = logits(problem, concepts, classifier)
    return problem.weights @ (jax.nn.logsumexp(scores, axis=1) - jnp.diagonal(scores))


def penalty(problem: ReducedProblem, concepts: jax.Array, classifier: jax.Array, layer_norm: bool) -> jax.Array:
    """Return the weight-decay part of the risk, nats."""
    cost = jnp.sum(classifier**2) + (0.0 if layer_norm else jnp.sum(concepts**2))
    return problem.decay / 2 * cost


def logit_gradient(problem: ReducedProblem, concepts: jax.Array, classifier: jax.Array) -> jax.Array:
    """Return ``G = dF/dM``, ``Float[K, L, n_c]``."""
    n_classes, length, _ = classifier.shape
    errors = jax.nn.softmax(logits(problem, concepts, classifier), axis=1) - jnp.eye(n_classes)
    table = problem.one_hot.T @ (problem.weights[:, None] * errors)
    return table.reshape(length, -1, n_classes).transpose(2, 0, 1) * problem.scales[None, None]


def lower_bound(problem: ReducedProblem, concepts: jax.Array, classifier: jax.Array, layer_norm: bool) -> jax.Array:
    """Return a lower bound on the reduced risk in any dimension, which is valid for any parameters.

    With ``F`` the cross-entropy and ``s`` the largest singular value of its argument,

    * ``h``: ``min R >= F - <G, M> - max(s(G) - lam, 0) min(R, log K)/lam``, as the penalty is at least ``lam`` times
      the nuclear norm of ``M``, which at the minimum is at most ``min(R, log K) / lam``, with ``R`` the risk at the
      given parameters;
    * ``h*``: ``min R >= F - <G, M> - sum(alpha)/2 max(1, s(G alpha^-1/2)^2 / lam)`` for any dual variables
      ``alpha_a > 0`` of the constraints ``|c_a| = 1``; it is tight for the multipliers ``alpha_a = -<(G^T u)_a, c_a>``.

    Returns:
        A scalar, nats; it equals the risk at a minimiser of full rank.
    """
    gradient = logit_gradient(problem, concepts, classifier)
    pulls = jnp.sum(jnp.einsum("kla,kld->ad", gradient, classifier) * concepts, axis=1)
    entropy = cross_entropy(problem, concepts, classifier)
    linear = entropy - jnp.sum(pulls)
    gradient = gradient.reshape(-1, len(concepts))
    gram = gradient.T @ gradient
    if not layer_norm:
        excess = jnp.sqrt(jnp.linalg.eigvalsh(gram)[-1]) - problem.decay
        risk = entropy + penalty(problem, concepts, classifier, layer_norm)
        highest = jnp.minimum(risk, jnp.log(jnp.count_nonzero(problem.weights)))
        return linear - jnp.maximum(excess, 0.0) * highest / problem.decay
    prices = jnp.maximum(-pulls, 1e-12 * jnp.max(jnp.abs(pulls)) + 1e-300)
    roots = jnp.sqrt(prices)
    excess = jnp.linalg.eigvalsh(gram / jnp.outer(roots, roots))[-1] / problem.decay
    return linear - jnp.sum(prices) / 2 * jnp.maximum(excess, 1.0)


def start(problem: ReducedProblem, dim: int, layer_norm: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return initial concept vectors, ``Float64[n_c, dim]``, and an initial classifier, ``Float64[K, L, dim]``.

    Concept vectors are a slightly perturbed simplex; the classifier is the direction of steepest descent from zero,
    ``-G c``; the scale is the best of a grid. For ``h`` the start is zero if zero is the minimiser, ``s(G) <= lam``.
    """
    (n_classes, columns), n_concepts = problem.one_hot.shape, len(problem.scales)
    table = (problem.one_hot - problem.one_hot.mean(axis=0)).reshape(n_classes, -1, n_concepts)
    descent = table * problem.scales / n_classes
    if not layer_norm and np.linalg.norm(descent.reshape(-1, n_concepts), 2) <= problem.decay:
        return np.zeros((n_concepts, dim)), np.zeros((n_classes, columns // n_concepts, dim))
    values, vectors = np.linalg.eigh(np.eye(n_concepts) - 1 / n_concepts)
    concepts = (vectors * values)[:, ::-1][:, :dim]
    concepts = concepts + ASYMMETRY * np.random.default_rng(0).standard_normal(concepts.shape)
    concepts /= np.linalg.norm(concepts, axis=1, keepdims=True)
    classifier = descent @ concepts
    classifier *= np.linalg.norm(concepts) / np.linalg.norm(classifier)
    scale = _best_scale(problem, logits(problem, concepts, classifier), np.sum(concepts**2), layer_norm)
    # Under LayerNorm the norm of a concept vector is free: equal norms of both layers condition the problem well.
    return (scale if layer_norm else scale**0.5) * concepts, (scale if layer_norm else scale**0.5) * classifier


def _best_scale(problem: ReducedProblem, scores: np.ndarray, size: float, layer_norm: bool) -> float:
    """Return the factor on the logits with the smallest risk, for a classifier of squared norm ``size``."""
    scores = scores - np.diagonal(scores)[:, None]
    factors = START_MARGINS / max(-scores.mean(), np.finfo(float).tiny)

    def risk(factor: float) -> float:
        top = np.maximum(factor * scores.max(axis=1, keepdims=True), 0.0)
        entropy = np.mean(top[:, 0] + np.log(np.sum(np.exp(factor * scores - top), axis=1)))
        return entropy + problem.decay * size * (factor**2 / 2 if layer_norm else factor)

    return min(factors, key=risk)
