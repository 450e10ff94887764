"""The least InfoNCE loss of sentences with a latent class: balanced classes, any temperature, any batch size.

A batch has B pairs of sentence vectors of norm at most 1; anchor i has one positive and B - 1 negatives, and the loss
``log(1 + sum_j exp(z_i . (z_j - z_i+)/tau))``. Jensen's inequality replaces vectors by class means, and their Gram
matrix by its average over permutations of the classes, which leaves the simplex. If c negatives share the anchor's
class,

    L* = E_c log(1 + c + (B - 1 - c) exp(-K/((K - 1) tau))),

with c ~ Binomial(B - 1, 1/K) for classes drawn independently and c = 0 for classes drawn without replacement. Proof:
`contextual_embeddings.md`, theorem 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_positive

if TYPE_CHECKING:
    from jaxtyping import Float

_LARGEST_BATCH = 10_000_000


def minimum_loss(n_classes: int, batch_size: int, temperature: float, *, replacement_draws: bool = False) -> float:
    """Return L* in nats; if K - 1 <= dimension it is attained, iff each vector is the simplex vertex of its class.

    Args:
        n_classes: K, at least 2.
        batch_size: B, at least 2; at most K if classes are drawn without replacement.
        temperature: tau > 0.
        replacement_draws: whether classes of a batch are drawn independently, so that they may collide.

    Raises: ValueError, one line that names the field.
    """
    count = require_integer("n_classes", n_classes, minimum=2)
    size = check_batch_size(batch_size, count, replacement_draws)
    logit = -count / ((count - 1) * require_positive("temperature", temperature))
    if not replacement_draws:
        return float(np.logaddexp(0.0, math.log(size - 1) + logit))
    collisions, weights = collision_law(size - 1, 1 / count)
    others = size - 1 - collisions
    with np.errstate(divide="ignore"):
        losses = np.logaddexp(np.log1p(collisions), np.log(others) + logit)
    return float(weights @ losses)


def check_batch_size(batch_size: object, n_classes: int, replacement_draws: bool) -> int:
    """Return B, or raise ValueError: classes drawn without replacement give at most K pairs."""
    size = require_integer("batch_size", batch_size, minimum=2)
    if size > n_classes and not replacement_draws:
        raise ValueError(
            f"batch_size: expected at most n_classes={n_classes}, as classes are drawn without replacement, got {size}"
        )
    if size > _LARGEST_BATCH:
        raise ValueError(f"batch_size: expected at most {_LARGEST_BATCH}, got {size}")
    return size


def collision_law(n_negatives: int, probability: float) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return the possible numbers of negatives of the anchor's class, 0 .. n, and their binomial probabilities."""
    from scipy.special import gammaln

    counts = np.arange(n_negatives + 1.0)
    logs = gammaln(n_negatives + 1) - gammaln(counts + 1) - gammaln(n_negatives - counts + 1)
    logs += counts * math.log(probability) + (n_negatives - counts) * math.log1p(-probability)
    weights = np.exp(logs)
    return counts, weights / weights.sum()


def expected_loss(
    gram: Float[np.ndarray, "K K"], batch_size: int, temperature: float, *, replacement_draws: bool = False
) -> float:
    """Return the loss of class vectors with a given Gram matrix, by enumerating all draws of B - 1 negatives.

    Its minimum over Gram matrices is `minimum_loss`. Only for small K and B: with independent draws there are K^(B-1)
    of them for each anchor.

    Args:
        gram: inner products of the class vectors, (K, K).
        batch_size: B.
        temperature: tau.
        replacement_draws: whether classes are drawn independently.

    Returns: the loss, nats.
    Raises: ValueError, one line that names the field.
    """
    from itertools import permutations, product

    count = len(gram)
    size = check_batch_size(batch_size, count, replacement_draws)
    losses = []
    for anchor in range(count):
        others = [k for k in range(count) if k != anchor]
        draws = product(range(count), repeat=size - 1) if replacement_draws else permutations(others, size - 1)
        logits = (gram[anchor] - gram[anchor, anchor]) / temperature
        losses += [np.logaddexp(0.0, np.logaddexp.reduce(logits[list(draw)])) for draw in draws]
    return float(np.mean(losses))
