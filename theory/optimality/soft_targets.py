"""A duality gap for free features with soft targets.

    R(W, h) = sum_i omega_i CE(W h_i, t_i) + lam_W/2 |W|^2 + lam_H/2 sum_i |h_i|^2,   t_i any distributions

Steps 1 to 5 of `factor_certificate` hold for one head with any targets, since they use only that the conjugate of
z -> log sum e^z - <t, z> at s is minus the entropy of s + t. With M = W H^T, G the matrix of columns
omega_i (q_i - t_i), and q = t + theta (p - t) for p the softmax of the logits,

    min R >= max over theta of sum_i omega_i H(q_i),    theta <= lam / sigma_max(G of q = p),   lam = sqrt(lam_W lam_H)

as long as every q_i is a distribution. It is an equality at a global minimiser.

Here W (K, d) is the classifier and H (N, d) are the features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr, log_softmax, xlogy

from theory.optimality.certificates import Certificate, assemble_certificate
from theory.optimality.dual_entropy import RayPoint, best_scaling
from theory.optimality.spectral_norm import sigma_max
from theory.optimality.weight_decay import joint_decay

if TYPE_CHECKING:
    from jaxtyping import Float


def certify_targets(
    targets: Float[np.ndarray, "N K"],
    weights: Float[np.ndarray, " N"],
    features: Float[np.ndarray, "N d"],
    classifier: Float[np.ndarray, "K d"],
    *,
    feature_weight_decay: float,
    classifier_weight_decay: float,
) -> Certificate:
    """Return a lower bound on the risk of free features with soft targets, and the gap of given features.

    Args:
        targets: t_i, a distribution over K classes for each sample, (N, K).
        weights: omega_i, positive, with sum 1, (N,).
        features: h_i (N, d); computations use float64.
        classifier: W (K, d).
        feature_weight_decay: lam_H > 0, the coefficient of |h_i|^2 / 2 for each sample.
        classifier_weight_decay: lam_W > 0.

    Returns: the certificate. Its `gap` bounds risk - min risk over features and classifiers of every dimension.
    Valid: for all features and classifiers, up to rounding.
    Raises: ValueError for a weight decay that is not positive.
    Source: the module's docstring.
    """
    decay = joint_decay(feature_weight_decay, classifier_weight_decay)
    features, classifier = np.asarray(features, float), np.asarray(classifier, float)
    logarithms = log_softmax(features @ classifier.T, axis=1)
    errors = np.exp(logarithms) - targets
    norm = sigma_max((weights[:, None] * errors).T)
    limit = decay / norm.upper if norm.upper > 0 else np.inf
    bound = best_scaling(lambda theta: _entropy(targets, errors, weights, theta), min(limit, _end(targets, errors)))
    cross_entropy = -float(weights @ np.sum(targets * logarithms, axis=1))
    penalty = 0.5 * (feature_weight_decay * np.sum(features**2) + classifier_weight_decay * np.sum(classifier**2))
    return assemble_certificate(cross_entropy, norm, norm.upper / decay - 1, penalty, bound)


def _entropy(
    targets: Float[np.ndarray, "N K"], errors: Float[np.ndarray, "N K"], weights: Float[np.ndarray, " N"], theta: float
) -> RayPoint:
    """Return D(theta) = sum omega H(t + theta (p - t)) with two derivatives."""
    mixed = np.maximum(targets + theta * errors, 0.0)
    curvature = np.divide(errors**2, mixed, out=np.zeros_like(mixed), where=mixed > 0)
    terms = (entr(mixed), -xlogy(errors, mixed), -curvature)
    return RayPoint(*(float(weights @ term.sum(axis=1)) for term in terms))


def _end(targets: Float[np.ndarray, "N K"], errors: Float[np.ndarray, "N K"]) -> float:
    """Return the largest theta at which every t + theta (p - t) is a distribution, or inf."""
    falls = errors < 0
    return float(np.min(targets[falls] / -errors[falls], initial=np.inf))
