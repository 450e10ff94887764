"""Results as plain text: the table of learned against predicted values."""

import json
import math

import numpy as np


def format_result(dataset) -> str:
    """Return the table of a saved run: every quantity of a single configuration, or a line for each of a sweep."""
    if json.loads(dataset.attrs["axes"]):
        from experiments.sweep_table import format_sweep

        return format_sweep(dataset)
    return format_comparison(dataset)


def format_comparison(dataset) -> str:
    """Return the table of every regime of a saved run, with a line on what the prediction assumes."""
    assumptions = json.loads(dataset.attrs["assumptions"])
    parts = [_format_regime(dataset.sel(regime=name), assumptions[name]) for name in dataset.regime.values]
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


def _format_regime(regime, unmet: list[str]) -> str:
    n_seeds = regime.sizes["seed"]
    kind, basis = ", ".join(predicted_kinds(regime)), regime.basis.item()
    counts = {status: int(np.sum(regime.status.values == status)) for status in ("converged", "diverged")}
    endings = "".join(f", {count} {status}" for status, count in counts.items() if count)
    heading = f"{regime.regime.item()}  ({kind}, {basis}; {n_seeds} seed{'s' if n_seeds > 1 else ''}{endings})"
    header = ("", "theorem", "exact", "learned", "+-", "error", "digits")
    known = [regime.sel(quantity=name) for name in regime.quantity.values]
    known = [row for row in known if np.isfinite(row.predicted) or np.isfinite(row.learned).any()]
    rows = [header, *map(_format_quantity, known)]
    notes = [f"  {line}" for line in unmet]
    if regime.predicted.sel(quantity="classifier_norm") == 0:
        threshold = regime.zero_threshold.item()
        notes.append(
            f"  weight decay above the zero threshold, {threshold:.4g}: the predicted minimiser is the zero network"
        )
    notes += _format_gap(regime)
    return "\n".join([heading, format_columns(rows), *notes])


def _format_gap(regime) -> list[str]:
    """Return the line on the duality gap, the largest over seeds; none if no run has one."""
    gaps = regime.duality_gap.values
    if np.all(np.isnan(gaps)):
        return []
    worst = int(np.nanargmax(gaps))
    gap, risk = gaps[worst], regime.training_risk.values[worst]
    return [f"  certified: the training risk, {risk:.5g} nats, is within {gap:.2g} nats of its global minimum"]


def _format_quantity(row) -> tuple[str, ...]:
    """Return label, theorem, exact value, mean and standard error over the seeds that did not diverge, error, digits.

    The error is that of the theorem against what was learned, relative unless zero is predicted.
    """
    unit = f" ({row.unit.item()})" if row.unit.item() else ""
    predicted, learned, exact = row.predicted.item(), row.learned.values, float(np.mean(row.exact.values))
    finite = np.isfinite(learned) & (row.status.values != "diverged")
    mean = float(np.mean(learned[finite])) if finite.any() else math.nan
    scale = abs(predicted) or 1.0
    error = abs(mean - predicted) / scale
    spread = standard_error(learned[finite], row.sampling_error.values[finite])
    # An agreement better than its own standard error is luck and is not counted as digits.
    known = max(error, 0.0 if math.isnan(spread) else spread / scale)
    return (
        f"  {row.label.item()}{unit}",
        "-" if math.isnan(predicted) else f"{predicted:.5g}",
        "-" if math.isnan(exact) else f"{exact:.5g}",
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
