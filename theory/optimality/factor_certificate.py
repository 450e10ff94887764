"""A duality gap for features with several heads, from their stacked logits.

    R(W, h) = sum_f (1/N) sum_i CE(W_f h_i, y_if) + lam_W/2 sum_f |W_f|^2 + lam_H/2 sum_i |h_i|^2

With W (sum K_f, d) the stacked heads, M = W H^T (sum K_f, N) contains all logits; its rows M_f are those of head f.

1. The least penalty of all (W, H) with these logits is lam |M|_*, lam = sqrt(lam_W lam_H), |.|_* the sum of singular
   values. So min R >= min_M F(M) + lam |M|_* with F(M) = sum_f F_f(M_f), a sum of cross-entropies and hence convex.
2. For any distributions q_if, one for each sample and head, the conjugate of log-sum-exp (see `dual_entropy`) gives

       F_f(M_f) >= (1/N) sum_i H(q_if) + <G_f, M_f>,     G_f (K_f, N) with columns (q_if - t_if) / N

   for each head. Summed over heads, the inner products are <G, M> with G the G_f stacked like M, and
   <G, M> >= -sigma_max(G) |M|_*. The heads are coupled through sigma_max of the stacked G, not those of the G_f.
3. Therefore

       min R >= sum_f (1/N) sum_i H(q_if)     for all q with sigma_max(G) <= lam

4. The point q = t + theta (p - t), with p the softmax of each head and theta common to all heads, has theta G, with G
   that of q = p. It is feasible for theta <= lam / sigma_max(G), as long as every q_if is a distribution.
5. At a global minimiser with d >= rank M, -G is in lam times the subdifferential of |M|_*: sigma_max(G) <= lam and
   -<G, M> = lam |M|_*, so that theta = 1 makes every inequality an equality, and the gap is zero.

Nothing is assumed about the labels: factors may be unbalanced or dependent. Source: derived here; steps 1, 2 and 5 for
one head are Lemma 1 and Theorems 1 to 3 of `theory/global_optimality.md`, and one head gives `certificates.certify`.

Here W (sum K_f, d) is the classifier and H (N, d) are the features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer
from theory.optimality.certificates import Certificate, assemble_certificate
from theory.optimality.dual_entropy import best_scaling, entropy_ray, joint_ray, largest_theta
from theory.optimality.sentence_logits import SentenceLogits, score_sentences
from theory.optimality.spectral_norm import sigma_max
from theory.optimality.weight_decay import joint_decay

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def certify_factors(
    labels: Int[np.ndarray, "N F"],
    heads: Sequence[int],
    features: Float[np.ndarray, "N d"],
    classifier: Float[np.ndarray, "sum_K_f d"],
    *,
    feature_weight_decay: float,
    classifier_weight_decay: float,
    label_noise: float = 0.0,
) -> Certificate:
    """Return a lower bound on the risk of free features with several heads, and the gap of given features and heads.

        min R >= max over theta of sum_f (1/N) sum_i H(t_if + theta (p_if - t_if)),     theta <= lam / sigma_max(G)

    Args:
        labels: the value of each factor, integers (N, F), in [0, K_f).
        heads: K_f >= 2, the number of values of each factor.
        features: h (N, d), one for each sample, of any precision; computations use float64.
        classifier: the stacked heads W_f, (sum K_f, d), of any precision.
        feature_weight_decay: lam_H > 0, the coefficient of |h_i|^2 / 2 for each sample.
        classifier_weight_decay: lam_W > 0, common to all heads.
        label_noise: eps in [0, 1), the probability that a label is redrawn uniformly from the values of its factor.

    Returns: the certificate. Its `gap` bounds risk - min risk, over features and heads of every dimension d.
    Valid: for all features, heads and labels, up to rounding. Memory and time are those of the singular values of an
        array (sum K_f, N).
    Raises: ValueError, `field: expected ..., got ...`.
    Source: the module's docstring.
    """
    decay = joint_decay(feature_weight_decay, classifier_weight_decay)
    sizes = [require_integer("heads", size, minimum=2) for size in heads]
    features, classifier = _require_matrix("features", features), _require_matrix("classifier", classifier)
    labels = _require_labels(labels, sizes, len(features))
    if classifier.shape != (sum(sizes), features.shape[1]):
        wanted = (sum(sizes), features.shape[1])
        raise ValueError(f"classifier: expected shape {wanted}, for heads of {sizes}, got {classifier.shape}")
    rows = np.split(classifier, np.cumsum(sizes)[:-1])
    scored = [_score(column, features, head, label_noise) for column, head in zip(labels.T, rows, strict=True)]
    norm = sigma_max(np.hstack([head.weighted_errors(slice(0, head.n_classes)) for head in scored]))
    limit = decay / norm.upper if norm.upper > 0 else np.inf
    ends = [limit, *(largest_theta(head) for head in scored)]
    bound = best_scaling(joint_ray([entropy_ray(head) for head in scored]), min(ends))
    cross_entropy = sum(head.cross_entropy for head in scored)
    penalty = 0.5 * (feature_weight_decay * np.sum(features**2) + classifier_weight_decay * np.sum(classifier**2))
    return assemble_certificate(cross_entropy, norm, norm.upper / decay - 1, penalty, bound)


def _score(
    column: Int[np.ndarray, " N"],
    features: Float[np.ndarray, "N d"],
    head: Float[np.ndarray, "K_f d"],
    label_noise: float,
) -> SentenceLogits:
    """Return the logits of one head; each sample is a sentence of a single word, whose embedding is the feature."""
    words = np.arange(len(features))[:, None]
    return score_sentences(words, column, None, features, head[:, None], label_noise=label_noise)


def _require_matrix(field: str, value: object) -> Float[np.ndarray, "m n"]:
    """Return `value` as a finite float64 matrix with at least one row and column."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{field}: expected an array with 2 axes, none empty, got shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{field}: expected finite numbers, got {int(np.sum(~np.isfinite(array)))} that are not")
    return array


def _require_labels(value: object, sizes: list[int], n_samples: int) -> Int[np.ndarray, "N F"]:
    """Return `value` as integers (N, F), those of factor f in [0, K_f)."""
    if not sizes:
        raise ValueError("heads: expected at least one, got none")
    labels = np.asarray(value)
    if labels.shape != (n_samples, len(sizes)):
        raise ValueError(f"labels: expected shape {(n_samples, len(sizes))}, got {labels.shape}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels: expected integers, got {labels.dtype}")
    for factor, (column, size) in enumerate(zip(labels.T, sizes, strict=True)):
        if column.min() < 0 or column.max() >= size:
            span = f"{column.min()} to {column.max()}"
            raise ValueError(f"labels: expected values from 0 to {size - 1} of factor {factor}, got {span}")
    return labels
