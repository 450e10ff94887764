"""Word frequencies within a concept: a normalised array from a name, an exponent or a vector."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

# A sum that differs from 1 by more than this is an input error, not rounding.
_SUM_TOLERANCE = 1e-6
# Frequencies that differ by less count as equal: the predictions differ by less than 1e-12 too.
_UNIFORM_TOLERANCE = 1e-12


def resolve_word_frequency(
    word_frequency: str | Sequence[float] | Float[np.ndarray, " s_c"], n_words_per_concept: int
) -> Float[np.ndarray, " s_c"]:
    """Return the frequencies mu of the words of a concept.

        "uniform": mu_b = 1/s_c;   "zipf": mu_b ∝ 1/b;   "zipf:E": mu_b ∝ b^-E;   or a vector that sums to 1

    Args:
        word_frequency: the name or the vector.
        n_words_per_concept: s_c.

    Returns: float64 (s_c,), positive, normalised.
    Raises: ValueError for an unknown name (with the nearest known one), a wrong length, a number that is not positive,
    or a sum that differs from 1 by more than 1e-6.
    """
    if isinstance(word_frequency, str):
        return _from_name(word_frequency, n_words_per_concept)
    try:
        vector = np.array(word_frequency, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"word_frequency: expected a name or a vector of numbers, got {word_frequency!r}") from None
    if vector.shape != (n_words_per_concept,):
        raise ValueError(
            f"word_frequency: expected {n_words_per_concept} numbers, got an array of shape {vector.shape}"
        )
    wrong = vector[~(np.isfinite(vector) & (vector > 0))]
    if len(wrong):
        raise ValueError(f"word_frequency: expected positive finite numbers, got {float(wrong[0])} among them")
    total = math.fsum(vector)
    if abs(total - 1) > _SUM_TOLERANCE:
        raise ValueError(f"word_frequency: expected numbers that sum to 1, got a sum of {total}")
    return vector / total


def is_uniform(word_frequencies: Float[np.ndarray, " s_c"]) -> bool:
    """Return whether all frequencies agree to a relative 1e-12."""
    return bool(np.ptp(word_frequencies) <= _UNIFORM_TOLERANCE * np.max(word_frequencies))


def _from_name(name: str, n_words: int) -> Float[np.ndarray, " s_c"]:
    """Return the frequencies for "uniform", "zipf" or "zipf:EXPONENT", or raise ValueError."""
    if name == "uniform":
        return np.full(n_words, 1 / n_words)
    if name == "zipf":
        return _power_law(1.0, n_words, name)
    kind, colon, text = name.partition(":")
    if kind == "zipf" and colon:
        return _power_law(_exponent(text, name), n_words, name)
    nearest = difflib.get_close_matches(name, ("uniform", "zipf", "zipf:1.0"), n=1, cutoff=0.0)[0]
    accepted = '"uniform", "zipf", "zipf:EXPONENT" or a vector of numbers'
    raise ValueError(f'word_frequency: expected {accepted}, got {name!r}; the nearest is "{nearest}"')


def _exponent(text: str, name: str) -> float:
    """Return the exponent of "zipf:EXPONENT", or raise ValueError."""
    try:
        exponent = float(text)
    except ValueError:
        exponent = math.nan
    if not math.isfinite(exponent):
        raise ValueError(f'word_frequency: expected a finite exponent after "zipf:", got {name!r}')
    return exponent


def _power_law(exponent: float, n_words: int, name: str) -> Float[np.ndarray, " s_c"]:
    """Return b^-exponent, normalised; computed in logarithms so that no exponent overflows."""
    logs = -exponent * np.log(np.arange(1, n_words + 1))
    weights = np.exp(logs - logs.max())
    if not np.all(weights > 1e-300):
        raise ValueError(f"word_frequency: expected an exponent that keeps every frequency above 1e-300, got {name!r}")
    return weights / math.fsum(weights)
