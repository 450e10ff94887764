"""Results as plain text: the table of learned against predicted values."""

import json
import math
from collections import Counter

import numpy as np

from figures.declared import as_shown, certificate_of, quantities_of, thresholds_of


def format_result(dataset) -> str:
    """Return the table of a saved run: every quantity of a single configuration, or a line for each of a sweep."""
    if json.loads(dataset.attrs["axes"]):
        from experiments.sweep_table import format_sweep

        return format_sweep(dataset)
    return format_comparison(dataset)


def format_comparison(dataset) -> str:
    """Return the table of every regime of a saved run, with a line on what the prediction assumes.

    Raises:
        ValueError: simlab wrote the run before datasets declared their quantities.
    """
    dataset = as_shown(dataset)
    assumptions = json.loads(dataset.attrs.get("assumptions", "{}"))
    parts = [_format_regime(dataset.sel(regime=name), assumptions.get(name, [])) for name in dataset.regime.values]
    return "\n\n".join(parts)


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


def predicted_kinds(regime) -> list[str]:
    """Return the kinds of a regime's predictions, in alphabetical order: ``nothing`` where none is predicted."""
    return sorted({str(kind) for kind in regime.kind.values.ravel()} - {"", "nan"}) or ["nothing"]


def notes_of(regime) -> Counter:
    """Return in how many cells of a regime each note on its prediction holds; none where a dataset has no notes."""
    notes = regime["note"].values.ravel() if "note" in regime else ()
    return Counter(text for text in map(str, notes) if text not in ("", "nan"))


def _format_regime(regime, unmet: list[str]) -> str:
    n_seeds = regime.sizes["seed"]
    kind, basis = ", ".join(predicted_kinds(regime)), regime.basis.item()
    counts = {status: int(np.sum(regime.status.values == status)) for status in ("converged", "diverged")}
    endings = "".join(f", {count} {status}" for status, count in counts.items() if count)
    heading = f"{regime.regime.item()}  ({kind}, {basis}; {n_seeds} seed{'s' if n_seeds > 1 else ''}{endings})"
    header = ("", "predicted", "minimum", "learned", "+-", "error", "digits")
    rows = [(one.full_label, regime.sel(quantity=name)) for name, one in quantities_of(regime).items()]
    rows = [row for row in rows if np.isfinite(row[1].predicted) or np.isfinite(row[1].learned).any()]
    lines = format_columns([header, *(_format_quantity(*row) for row in rows)])
    notes = (*unmet, *(_with_thresholds(text, regime) for text in notes_of(regime)), *_certified(regime))
    return "\n".join([heading, lines, *(f"  {line}" for line in notes)])


def _with_thresholds(note: str, regime) -> str:
    """Return a note with the number of each threshold that it speaks of, behind the first mention of its label."""
    for name, threshold in thresholds_of(regime).items():
        value = regime[name].item()
        if math.isfinite(value):
            note = note.replace(threshold.label, f"{threshold.label}, {value:.4g}", 1)
    return note


def _certified(regime) -> list[str]:
    """Return the line on the certificate of the seed with the largest gap; none if no run has one."""
    certificate = certificate_of(regime)
    gaps = regime[certificate.gap].values if certificate else np.array(math.nan)
    if np.all(np.isnan(gaps)):
        return []
    worst = int(np.nanargmax(gaps))
    what, unit = certificate.value.replace("_", " "), certificate.unit
    value, gap = regime[certificate.value].values[worst], gaps[worst]
    return [f"certified: the {what}, {value:.5g} {unit}, is within {gap:.2g} {unit} of its global minimum"]


def _format_quantity(label: str, row) -> tuple[str, ...]:
    """Return label, prediction, numerical minimum, mean and standard error over the seeds that did not diverge, error.

    The error, and the digits that agree after it, are those of the prediction against what was learned; relative unless
    zero is predicted.
    """
    predicted, learned, minimum = row.predicted.item(), row.learned.values, float(np.mean(row.exact_minimum.values))
    finite = np.isfinite(learned) & (row.status.values != "diverged")
    mean = float(np.mean(learned[finite])) if finite.any() else math.nan
    scale = abs(predicted) or 1.0
    error = abs(mean - predicted) / scale
    spread = standard_error(learned[finite], row.sampling_error.values[finite])
    # An agreement better than its own standard error is luck and is not counted as digits.
    known = max(error, 0.0 if math.isnan(spread) else spread / scale)
    return (
        f"  {label}",
        "-" if math.isnan(predicted) else f"{predicted:.5g}",
        "-" if math.isnan(minimum) else f"{minimum:.5g}",
        "-" if math.isnan(mean) else f"{mean:.5g}",
        "-" if math.isnan(spread) else f"{spread:.1g}",
        "-" if math.isnan(error) else f"{error:.1e}",
        "-" if math.isnan(error) else f"{digits(known):.1f}",
    )


def standard_error(values: np.ndarray, sampling_error: np.ndarray) -> float:
    """Return the standard error of the mean over seeds: from their spread, but no less than from sampling alone.

    Equal values of several seeds are no proof of certainty: each was measured on a finite sample. NaN where neither is
    known.
    """
    n_seeds = len(values)
    known = []
    if n_seeds > 1:
        known.append(np.std(values, ddof=1) / math.sqrt(n_seeds))
    if n_seeds and not np.any(np.isnan(sampling_error)):
        known.append(math.sqrt(np.sum(sampling_error**2)) / n_seeds)
    return float(max(known, default=math.nan))


def digits(error: float) -> float:
    """Return the number of decimal digits that agree, ``-log10(error)``, between 0 and 16."""
    return min(16.0, max(0.0, -math.log10(error))) if error > 0 else 16.0
