"""The exact minimiser for a given set of latents, from an equivalent problem with one word per concept.

If the words of a concept collapse exactly onto one vector, a problem with one word per concept has the same minimum:

* ``h`` with words uniform within each concept: by Jensen's inequality the mean of a concept's words is at least as good
  as the words, and ``s_a`` equal words cost ``lam_W/2 s_a |c_a|^2``;
* ``h*`` with any word frequencies: all words of a concept have the same optimal direction, and words are not penalised.

The problem does not grow with the vocabulary, and ``n_c`` vectors span at most ``n_c`` dimensions: it is solved in
``min(d, n_c)`` dimensions (``min(d - 1, n_c)`` under LayerNorm, whose images are orthogonal to the ones vector) and
then embedded in ``d``. It is defined in :mod:`simlab.exact.reduced_problem`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from simlab.exact.descent import lbfgs, newton
from simlab.exact.reduced_problem import (
    ReducedProblem,
    cross_entropy,
    lower_bound,
    pad,
    penalty,
    reduced_problem,
    start,
)
from simlab.exact.risk import check_latents, float64_on_host, weight_decays
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# The most classes of a problem: the logit matrix then has 800 MB, and a few of them exist at once.
CLASS_LIMIT = 10_000
# Newton's method replaces L-BFGS at this gradient norm, relative to the weight decay times the norm of the start.
HANDOVER = 1e-5
NEWTON_STEPS = 50


class ReducedMinimum(NamedTuple):
    """The minimiser for one set of latents. Arrays are NumPy float64; risks are in nats.

    Attributes:
        concept_vectors: ``Float[n_c, d]``, the common vector of the words of each concept (after LayerNorm for ``h*``).
        embeddings: ``Float[n_w, d]``, the same, repeated for every word.
        classifier: ``Float[K, L, d]``.
        risk: cross-entropy plus penalty of this network over the whole population.
        cross_entropy: expected cross-entropy.
        risk_gap: an upper bound of ``risk`` minus the smallest risk of any network, by convex duality; about 1e-12 by
            rounding at a global minimum.
        gradient_norm: norm of the gradient in ``sqrt(s_a) c_a`` (for ``h*`` in unnormalised vectors of norm
            ``sqrt(d)``) and the classifier; for ``h`` it is the norm of the gradient in all words and the classifier.
        status: ``"converged"``, ``"stalled"`` or ``"diverged"``.
        embedding_norm: root mean square norm of the word vectors.
        classifier_norm: root mean square norm of the ``K L`` vectors of the classifier.
    """

    concept_vectors: Float[np.ndarray, "n_c d"]
    embeddings: Float[np.ndarray, "n_w d"]
    classifier: Float[np.ndarray, "K L d"]
    risk: float
    cross_entropy: float
    risk_gap: float
    gradient_norm: float
    status: str
    embedding_norm: float
    classifier_norm: float


def minimise_reduced(
    latents: Int[np.ndarray, "K L"],
    n_concepts: int,
    words_per_concept: int | Sequence[int],
    embedding_dim: int,
    weight_decay: float | tuple[float, float],
    layer_norm: bool = False,
    *,
    tolerance: float = 1e-11,
    max_steps: int = 2000,
    padded_classes: int = 0,
) -> ReducedMinimum:
    """Minimise the population risk for given latents over networks with one vector per concept.

    Args:
        latents: ``Int[K, L]``, concepts in ``[0, n_c)``.
        n_concepts: ``n_c``.
        words_per_concept: ``s_c``, or ``n_c`` numbers for vocabularies of different sizes.
        embedding_dim: ``d``.
        weight_decay: ``lam``, or ``(lam_W, lam_U)``; under LayerNorm words are not penalised and ``lam_W`` must be 0.
        layer_norm: whether words are normalised (the network ``h*``).
        tolerance: gradient norm at which the result counts as converged.
        max_steps: step limit of L-BFGS; Newton's method follows.
        padded_classes: ``K`` is padded to this number with classes of probability zero, so that sets of latents of
            different sizes share one compilation.

    Returns:
        The :class:`ReducedMinimum`.

    Valid for ``h`` with words uniform within each concept, and for ``h*`` with any word frequencies. In at least
    ``n_c`` dimensions (``n_c + 1`` under LayerNorm) the gap is zero at a global minimiser; in fewer it may be positive.
    Memory is ``O(K^2)``.

    Raises:
        ValueError: an argument is out of range; the message names it.
    """
    latents = check_latents(latents, check_count("n_concepts", n_concepts, 2))
    if len(latents) > CLASS_LIMIT:
        raise invalid("latents", f"at most {CLASS_LIMIT} classes", len(latents))
    words = _check_words(words_per_concept, n_concepts)
    check_count("embedding_dim", embedding_dim, 2 if layer_norm else 1)
    decays = weight_decays(weight_decay, layer_norm)
    check_real("tolerance", tolerance, positive=True)
    check_count("max_steps", max_steps, 0)
    check_count("padded_classes", padded_classes, 0)
    problem = reduced_problem(latents, words, embedding_dim, decays, layer_norm)
    first = start(problem, min(embedding_dim - bool(layer_norm), n_concepts), layer_norm)
    with float64_on_host():
        handover = max(tolerance, HANDOVER * problem.decay * np.sqrt(sum(np.sum(part**2) for part in first)))
        arguments = (*pad(problem, first, padded_classes), handover, tolerance, max_steps)
        solution = jax.tree.map(np.asarray, _descend(*arguments, layer_norm=bool(layer_norm)))
    classifier, gradient = (part[: len(latents)] for part in (solution.classifier, solution.classifier_gradient))
    solution = solution._replace(classifier=classifier, classifier_gradient=gradient)
    return _expand(solution, words, embedding_dim, decays, layer_norm, tolerance)


def _check_words(words_per_concept: int | Sequence[int], n_concepts: int) -> np.ndarray:
    if isinstance(words_per_concept, int) or np.ndim(words_per_concept) == 0:
        return np.full(n_concepts, check_count("words_per_concept", words_per_concept))
    if len(words_per_concept) != n_concepts:
        raise invalid("words_per_concept", f"one number, or n_concepts={n_concepts} of them", len(words_per_concept))
    return np.array([check_count("words_per_concept", count) for count in words_per_concept])


class _Solution(NamedTuple):
    """A minimiser in the coordinates of :mod:`simlab.exact.reduced_problem`, its risks, and the gradient there."""

    concepts: jax.Array
    classifier: jax.Array
    cross_entropy: jax.Array
    penalty: jax.Array
    lower_bound: jax.Array
    concept_gradient: jax.Array
    classifier_gradient: jax.Array


@partial(jax.jit, static_argnames="layer_norm")
def _descend(problem: ReducedProblem, first, handover, tolerance, max_steps, *, layer_norm: bool) -> _Solution:
    """Run both minimisers; concept vectors of ``h*`` are normalised in the risk and in the solution."""
    flat, unravel = ravel_pytree(first)

    def parameters(point):
        concepts, classifier = unravel(point)
        return (unit(concepts) if layer_norm else concepts), classifier

    def risk(point):
        concepts, classifier = parameters(point)
        entropy = cross_entropy(problem, concepts, classifier)
        return entropy + penalty(problem, concepts, classifier, layer_norm)

    near = lbfgs(risk, flat, tolerance=handover, max_steps=max_steps)
    last = newton(risk, near.point, tolerance=tolerance / 10, max_steps=jnp.minimum(max_steps, NEWTON_STEPS))
    concepts, classifier = parameters(last.point)
    # The gradient is taken at vectors of norm 1, so that it does not depend on their free norm.
    at_unit_length = ravel_pytree((concepts, classifier))[0]
    concept_gradient, classifier_gradient = unravel(jax.grad(risk)(at_unit_length))
    return _Solution(
        concepts=concepts,
        classifier=classifier,
        cross_entropy=cross_entropy(problem, concepts, classifier),
        penalty=penalty(problem, concepts, classifier, layer_norm),
        lower_bound=lower_bound(problem, concepts, classifier, layer_norm),
        concept_gradient=concept_gradient,
        classifier_gradient=classifier_gradient,
    )


def unit(vectors: jax.Array) -> jax.Array:
    """Return ``v / |v|``."""
    return vectors / jnp.linalg.norm(vectors, axis=-1, keepdims=True)


def _expand(
    solution: _Solution,
    words: np.ndarray,
    embedding_dim: int,
    decays: tuple[float, float],
    layer_norm: bool,
    tolerance: float,
) -> ReducedMinimum:
    """Convert a solution to the parameters and the dimension of the network."""
    if layer_norm:
        concept_scale, classifier_scale = np.full((len(words), 1), embedding_dim**0.5), embedding_dim**-0.5
        word_scale = concept_scale
    else:
        concept_scale = np.full((len(words), 1), (decays[1] / decays[0]) ** 0.25)
        classifier_scale = (decays[0] / decays[1]) ** 0.25
        word_scale = concept_scale * words[:, None] ** -0.5
    basis = _orthonormal_rows(solution.concepts.shape[1], embedding_dim, layer_norm)
    concept_vectors = word_scale * solution.concepts @ basis
    classifier = classifier_scale * solution.classifier @ basis
    gradients = solution.concept_gradient / concept_scale, solution.classifier_gradient / classifier_scale
    gradient_norm = float(np.sqrt(sum(np.sum(part**2) for part in gradients)))
    risk = float(solution.cross_entropy + solution.penalty)
    status = "converged" if gradient_norm <= tolerance else "stalled"
    return ReducedMinimum(
        concept_vectors=concept_vectors,
        embeddings=np.repeat(concept_vectors, words, axis=0),
        classifier=classifier,
        risk=risk,
        cross_entropy=float(solution.cross_entropy),
        risk_gap=max(risk - float(solution.lower_bound), 0.0),
        gradient_norm=gradient_norm,
        status=status if np.isfinite(risk) else "diverged",
        embedding_norm=float(np.sqrt(words @ np.sum(concept_vectors**2, axis=1) / words.sum())),
        classifier_norm=float(np.sqrt(np.mean(np.sum(classifier**2, axis=-1)))),
    )


def _orthonormal_rows(n_rows: int, dim: int, layer_norm: bool) -> np.ndarray:
    """Return ``Float64[n_rows, dim]`` with orthonormal rows; orthogonal to the ones vector under LayerNorm."""
    if not layer_norm:
        return np.eye(n_rows, dim)
    return np.linalg.eigh(np.full((dim, dim), 1 / dim))[1][:, :n_rows].T
