"""The words that occur in a sample, and the accuracy that these words alone allow.

A network that has learned the concept of each word of its sample, and of no other word, can at best guess among the
latents that agree with the seen words of a sentence. This loss of accuracy is due only to missing words; any further
loss of a trained network is on words that it has seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# Largest number of subsets of positions times classes, which takes a few seconds.
LIMIT = 2**24


def missing_words(
    latents: Int[np.ndarray, "K L"], word_frequencies: Float[np.ndarray, " s_c"], per_class: int
) -> Float[np.ndarray, "n_c s_c"]:
    """Return the probability of each word to be missing from a sample.

        (1 - mu_b)^{n m_a},   m_a the number of entries a in the latents

    Args:
        latents: integers (K, L); every concept occurs.
        word_frequencies: mu (s_c,), summing to 1.
        per_class: n >= 0, the sentences of each class in the sample.

    Returns: float64 (n_c, s_c). Its product with mu is the probability that a word of a test sentence is missing.
    Raises: ValueError if `per_class` is not a non-negative integer.
    """
    per_class = require_integer("per_class", per_class, minimum=0)
    slots = np.bincount(np.ravel(latents))
    return (1 - word_frequencies) ** (per_class * slots[:, None])


def spread_of_missing_words(missing: Float[np.ndarray, "n_c s_c"]) -> float:
    """Return the spread of directions if all words of a sample are collapsed and the others have random directions.

        sqrt(mean over a of E[1 - (S_a^2 + s_c - S_a) / s_c^2]),   S_a of the s_c words of concept a being in the sample

    Random directions are orthogonal to all others on average, so the mean direction of a concept has the squared length
    (S^2 + s_c - S) / s_c^2; the mean squared distance of unit vectors from their mean is 1 minus that.

    Args:
        missing: probabilities (n_c, s_c); words are taken to be missing independently of each other.

    Returns: a number from 0 to 1.
    """
    n_ranks = missing.shape[1]
    seen = np.sum(1 - missing, axis=1)
    squares = seen**2 + np.sum(missing * (1 - missing), axis=1)
    return float(np.sqrt(np.mean(1 - (squares + n_ranks - seen) / n_ranks**2)))


def known_words_accuracy(latents: Int[np.ndarray, "K L"], unseen: Float[np.ndarray, " n_c"]) -> float:
    """Return the expected accuracy of a network that knows the seen words and guesses among the remaining latents.

        sum_S mean_k  prod_{l in S} (1 - q_{z_kl}) prod_{l not in S} q_{z_kl} / #{k': z_k' = z_k on S}

    over the sets S of positions whose words were seen. For all n_c^L latents and equal q it is (1 - q (n_c-1)/n_c)^L.

    Args:
        latents: integers (K, L).
        unseen: q (n_c,) in [0, 1], independently at each position.

    Returns: a probability.
    Valid: exact for one sample with its q; for q averaged over samples, up to their fluctuation.
    Raises: ValueError if 2^L K exceeds 2^24.
    """
    n_classes, length = latents.shape
    if n_classes * 2**length > LIMIT:
        raise ValueError(f"latents: expected 2^L K of at most {LIMIT}, got {n_classes * 2**length}")
    missing = unseen[latents]
    place = (latents.max() + 1) ** np.arange(length, dtype=np.int64)
    accuracy = 0.0
    for subset in range(2**length):
        seen = (subset >> np.arange(length)) & 1 == 1
        _, pattern, counts = np.unique(latents @ (place * seen), return_inverse=True, return_counts=True)
        chances = np.where(seen, 1 - missing, missing).prod(axis=1)
        accuracy += float(np.mean(chances / counts[pattern]))
    return accuracy
