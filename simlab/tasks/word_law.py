"""The law of word frequencies: the probability of each word within its concept."""

import math

import numpy as np

from simlab.validation import invalid, is_number

WordFrequency = str | tuple[float, ...]


def word_frequencies(law: WordFrequency, words_per_concept: int) -> np.ndarray:
    """Return ``mu``, ``Float64[s_c]``: the probability of each word within its concept; positive, summing to 1.

    Args:
        law: ``"uniform"``, ``"zipf"`` (``mu_b ~ 1/b``), ``"zipf:s"`` (``mu_b ~ b^-s``), or ``s_c`` positive numbers
            that sum to 1.
        words_per_concept: ``s_c``.

    Raises:
        ValueError: the law is unknown, or the numbers are not positive, finite and of sum 1; the message names
            ``word_frequency``.
    """
    if isinstance(law, str):
        weights = np.arange(1, words_per_concept + 1, dtype=np.float64) ** -_zipf_exponent(law)
        return weights / weights.sum()
    if len(law) != words_per_concept:
        raise invalid("word_frequency", f"{words_per_concept} numbers, one per word of a concept", len(law))
    mu = np.asarray(law, np.float64)
    wrong = [float(value) for value in mu if not (math.isfinite(value) and value > 0)]
    if wrong:
        raise invalid("word_frequency", "positive finite numbers", wrong[0])
    if abs(mu.sum() - 1) > 1e-6:
        raise invalid("word_frequency", "numbers that sum to 1", float(mu.sum()))
    return mu / mu.sum()


def _zipf_exponent(law: str) -> float:
    """Return the exponent ``s`` of a named law ``mu_b ~ b^-s``."""
    name, _, exponent = law.partition(":")
    if name == "uniform" and not exponent:
        return 0.0
    if name == "zipf" and is_number(exponent or "1") and math.isfinite(float(exponent or 1)):
        return float(exponent or 1)
    raise invalid("word_frequency", "uniform, zipf, zipf:EXPONENT or a list of numbers", law)
