"""Parts of all tables: aligned columns, notes, standard errors and digits."""

import math
from collections import Counter

import numpy as np


def format_columns(rows: list[tuple[str, ...]]) -> str:
    """Return rows of text in aligned columns, the first flush left and the others flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = (
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def notes_of(regime) -> Counter:
    """Return the number of cells of a regime for each note on the prediction; empty if the dataset has no notes."""
    notes = regime["note"].values.ravel() if "note" in regime else ()
    return Counter(text for text in map(str, notes) if text not in ("", "nan"))


def standard_error(values: np.ndarray, sampling_error: np.ndarray) -> float:
    """Return the standard error of the mean over seeds: the larger of those from their spread and from sampling.

    Sampling sets a lower bound, because seeds with equal values were still measured on finite samples. NaN if neither
    is known.

    Args:
        values: one value for each seed.
        sampling_error: standard error of each value from its finite evaluation set; NaN where unknown.
    """
    n_seeds = len(values)
    errors = []
    if n_seeds > 1:
        errors.append(np.std(values, ddof=1) / math.sqrt(n_seeds))
    if n_seeds and not np.any(np.isnan(sampling_error)):
        errors.append(math.sqrt(np.sum(sampling_error**2)) / n_seeds)
    return float(max(errors, default=math.nan))


def digits(error: float) -> float:
    """Return the number of agreeing decimal digits, ``-log10(error)``, between 0 and 16."""
    return min(16.0, max(0.0, -math.log10(error))) if error > 0 else 16.0
