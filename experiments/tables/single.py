"""The table of learned against predicted values of a single configuration, as plain text."""

import json
import math

import numpy as np

from experiments.tables.certificate import certificate_word, gap_share
from experiments.tables.columns import digits, format_columns, notes_of, standard_error
from figures.declared import as_shown, certificate_of, predicted_kinds, quantities_of, thresholds_of


def format_comparison(dataset) -> str:
    """Return the table of every regime of a saved run, with lines on the assumptions of its prediction.

    Raises:
        ValueError: the run was written by a version of simlab whose datasets do not declare their quantities.
    """
    dataset = as_shown(dataset)
    assumptions = json.loads(dataset.attrs.get("assumptions", "{}"))
    parts = [_format_regime(dataset.sel(regime=name), assumptions.get(name, [])) for name in dataset.regime.values]
    return "\n\n".join(parts)


def _format_regime(regime, caveats: list[str]) -> str:
    n_seeds = regime.sizes["seed"]
    kind, basis = ", ".join(predicted_kinds(regime)), regime.basis.item()
    counts = {status: int(np.sum(regime.status.values == status)) for status in ("converged", "diverged")}
    endings = "".join(f", {count} {status}" for status, count in counts.items() if count)
    heading = f"{regime.regime.item()}  ({kind}, {basis}; {n_seeds} seed{'s' if n_seeds > 1 else ''}{endings})"
    header = ("", "predicted", "minimum", "learned", "+-", "error", "digits")
    rows = [(quantity.full_label, regime.sel(quantity=name)) for name, quantity in quantities_of(regime).items()]
    rows = [row for row in rows if np.isfinite(row[1].predicted) or np.isfinite(row[1].learned).any()]
    lines = format_columns([header, *(_format_quantity(*row) for row in rows)])
    notes = (*caveats, *(_with_thresholds(text, regime) for text in notes_of(regime)), *_certified(regime))
    return "\n".join([heading, lines, *(f"  {line}" for line in notes)])


def _with_thresholds(note: str, regime) -> str:
    """Return a note with the value of each threshold inserted after the first mention of its label."""
    for name, threshold in thresholds_of(regime).items():
        value = regime[name].item()
        if math.isfinite(value):
            note = note.replace(threshold.label, f"{threshold.label}, {value:.4g}", 1)
    return note


def _certified(regime) -> list[str]:
    """Return the line on the certificate of the seed with the largest gap; empty without a certificate."""
    certificate = certificate_of(regime)
    if certificate is None:
        return []
    gaps = regime[certificate.gap].values
    if np.all(np.isnan(gaps)):
        return []
    worst = int(np.nanargmax(gaps))
    what, unit = certificate.value.replace("_", " "), certificate.unit
    value, gap = regime[certificate.value].values[worst], gaps[worst]
    word, share = certificate_word(gap, value), gap_share(gap, value)
    return [f"{word}: the {what}, {value:.5g} {unit}, is within {gap:.2g} {unit} ({share}) of its global minimum"]


def _format_quantity(label: str, row) -> tuple[str, ...]:
    """Return the cells of a row: label, prediction, numerical minimum, learned mean, standard error, error, digits.

    Mean and standard error are over the seeds that did not diverge. The error and the number of agreeing digits compare
    the prediction with the learned mean; they are relative unless zero is predicted.
    """
    predicted, learned, minimum = row.predicted.item(), row.learned.values, float(np.mean(row.exact_minimum.values))
    finite = np.isfinite(learned) & (row.status.values != "diverged")
    mean = float(np.mean(learned[finite])) if finite.any() else math.nan
    scale = abs(predicted) or 1.0
    error = abs(mean - predicted) / scale
    spread = standard_error(learned[finite], row.sampling_error.values[finite])
    # Agreement beyond the standard error is chance and does not count as digits.
    resolution = max(error, 0.0 if math.isnan(spread) else spread / scale)
    return (
        f"  {label}",
        "-" if math.isnan(predicted) else f"{predicted:.5g}",
        "-" if math.isnan(minimum) else f"{minimum:.5g}",
        "-" if math.isnan(mean) else f"{mean:.5g}",
        "-" if math.isnan(spread) else f"{spread:.1g}",
        "-" if math.isnan(error) else f"{error:.1e}",
        "-" if math.isnan(error) else f"{digits(resolution):.1f}",
    )
