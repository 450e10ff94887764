"""What all tables share: aligned columns, kinds, notes, standard errors and digits."""

import math
from collections import Counter

import numpy as np


def format_columns(rows: list[tuple[str, ...]]) -> str:
    """Return rows of text in aligned columns, the first to the left and the others to the right."""
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
    """Return in how many cells of a regime each note on its prediction holds; none where a dataset has no notes."""
    notes = regime["note"].values.ravel() if "note" in regime else ()
    return Counter(text for text in map(str, notes) if text not in ("", "nan"))


def standard_error(values: np.ndarray, sampling_error: np.ndarray) -> float:
    """Return the standard error of the mean over seeds: from their spread, but no less than from sampling alone.

    Equal values of several seeds are no proof of certainty: each was measured on a finite sample. NaN where neither is
    known.
    """
    n_seeds = len(values)
    errors = []
    if n_seeds > 1:
        errors.append(np.std(values, ddof=1) / math.sqrt(n_seeds))
    if n_seeds and not np.any(np.isnan(sampling_error)):
        errors.append(math.sqrt(np.sum(sampling_error**2)) / n_seeds)
    return float(max(errors, default=math.nan))


def digits(error: float) -> float:
    """Return the number of decimal digits that agree, ``-log10(error)``, between 0 and 16."""
    return min(16.0, max(0.0, -math.log10(error))) if error > 0 else 16.0
