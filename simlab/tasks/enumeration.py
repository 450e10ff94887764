"""Enumeration of populations: codes as digits, and the largest size that is enumerated."""

import numpy as np

from simlab.validation import invalid

# Numbers in the largest array of one step over a whole population: 400 MB in float32; a few such arrays exist at once.
POPULATION_LIMIT = 100_000_000


def digits(codes: np.ndarray, base: int, length: int) -> np.ndarray:
    """Write each code as ``length`` digits, the most significant first: ``Int[N]`` to ``Int32[N, length]``."""
    place_values = base ** np.arange(length - 1, -1, -1, dtype=np.int64)
    return (codes[:, None] // place_values % base).astype(np.int32)


def check_population(n_sentences: int, n_classes: int, width: int) -> None:
    """Raise ``ValueError`` if a population is too large to enumerate.

    Args:
        n_sentences: ``N``.
        n_classes: ``K``; the logits of all sentences are ``N K`` numbers.
        width: numbers stored per sentence: ``L d`` in a network, or ``L`` for the words alone.
    """
    if n_sentences * max(n_classes, width) > POPULATION_LIMIT:
        wanted = (
            f"{POPULATION_LIMIT // max(n_classes, width)} sentences at most (use fresh sentences or a fixed sample)"
        )
        raise invalid("population", wanted, n_sentences)
