"""The table of a sweep as plain text: a line of learned against predicted values for each cell."""

import json
import math
from collections import Counter
from itertools import product

import numpy as np

from experiments.tables.columns import format_columns, notes_of, standard_error
from figures.declared import as_shown, headlines, predicted_kinds, quantities_of, reduction_of

_BRACKETS = "brackets: standard error of the mean, in units of its last digit; 1.50(2) is 1.50 +- 0.02"


def format_sweep(dataset, max_rows: int = 40) -> str:
    """Return a table per regime with a line for every combination of the varied values.

    A line has the predicted and the learned value of each quantity whose headline is "compared", the learned value of
    each whose headline is "learned", and the largest relative error of the compared quantities (absolute where zero is
    predicted).

    Args:
        dataset: a run whose ``attrs["axes"]`` names the varied axes.
        max_rows: maximal number of lines of all regimes together; each regime keeps its first lines, at least one.

    Raises:
        ValueError: the run was written by a version of simlab whose datasets do not declare their quantities.
    """
    dataset = as_shown(dataset)
    axes = json.loads(dataset.attrs["axes"])
    selections = [
        dict(zip(axes, indices, strict=True)) for indices in product(*(range(dataset.sizes[axis]) for axis in axes))
    ]
    shown = selections[: max(1, max_rows // dataset.sizes["regime"])]
    parts = [_format_regime(dataset.isel(regime=i), axes, shown) for i in range(dataset.sizes["regime"])]
    left = (len(selections) - len(shown)) * len(parts)
    parts.append(f"learned: {reduction_of(dataset)}\n{_BRACKETS}")
    if left:
        parts[-1] += f"\n... {left} more row{'s' if left > 1 else ''}: all of them are in results.nc"
    return "\n\n".join(parts)


def _format_regime(regime, axes: list[str], shown: list[dict[str, int]]) -> str:
    """Return heading, rows and notes of a regime."""
    compared, learned = headlines(regime)
    counted = [name for name in ("diverged", "converged") if (regime.status == name).any()]
    # A long name is broken at its last underscore, because its column of numbers is narrower.
    names = [axis.rsplit("_", 1) if len(axis) > 9 and "_" in axis else ["", axis] for axis in axes]
    rows = [
        (
            *(name[0] for name in names),
            *_column_heads(regime, compared),
            *(_words(name) for name in learned),
            *(["worst"] if compared else []),
            *("" for _ in counted),
        ),
        (
            *(name[1] for name in names),
            *("predicted", "learned") * len(compared),
            *("learned" for _ in learned),
            *(["error"] if compared else []),
            *counted,
        ),
    ]
    for selection in shown:
        values = (regime[axis].values[index] for axis, index in selection.items())
        cell = _format_cell(regime.isel(selection), compared, learned, counted)
        rows.append((*(_format_value(value) for value in values), *cell))
    table = format_columns([(f"  {first}", *rest) for first, *rest in rows])
    notes = (f"  {note} (in {n} cell{'s' if n > 1 else ''})" for note, n in notes_of(regime).items())
    return "\n".join([_heading(regime), table, *notes])


def _column_heads(regime, compared: list[str]) -> list[str]:
    """Return the upper heads of the two columns of each quantity: the words of its name, or its name and unit."""
    heads, declared = [], quantities_of(regime)
    for name in compared:
        first, _, second = _words(name).partition(" ")
        unit = declared[name].unit
        heads += [first, second or (f"({unit})" if unit else "")]
    return heads


def _words(name: str) -> str:
    """Return the name of a quantity in words, without ``test_`` to keep the column narrow."""
    return name.removeprefix("test_").replace("_", " ")


def _heading(regime) -> str:
    """Return the heading of a regime: its name, kinds and basis of its predictions, numbers of cells and seeds."""
    bases = Counter(map(str, regime.basis.values.ravel()))
    n_cells, n_seeds = bases.total(), regime.sizes["seed"]
    *others, last = sorted(bases, key=bases.__getitem__)
    basis = ", ".join(f"{name} in {bases[name]} cell{'s' if bases[name] > 1 else ''}" for name in others)
    basis = f"{basis}, else {last}" if others else last
    diverged = int((regime.status == "diverged").sum())
    counts = [f"{n_cells} cell{'s' if n_cells > 1 else ''}", f"{n_seeds} seed{'s' if n_seeds > 1 else ''}"]
    counts += [f"{diverged} members diverged"] if diverged else []
    return f"{regime.regime.item()}  ({', '.join(predicted_kinds(regime))}, {basis}; {', '.join(counts)})"


def _format_cell(cell, compared: list[str], learned: list[str], counted: list[str]) -> tuple[str, ...]:
    """Return the values of compared and learned quantities, the worst error, and the counts of members."""
    texts, errors = [], []
    for name in compared:
        predicted = cell.predicted.sel(quantity=name).item()
        mean, error = _mean_and_error(cell, name)
        texts += ["-" if math.isnan(predicted) else f"{predicted:.6g}", format_uncertain(mean, error)]
        errors.append(abs(mean - predicted) / (abs(predicted) or 1.0))
    texts += [format_uncertain(*_mean_and_error(cell, name)) for name in learned]
    if compared:
        worst = max((error for error in errors if not math.isnan(error)), default=math.nan)
        texts.append("-" if math.isnan(worst) else f"{worst:.1e}")
    return (*texts, *(str(int((cell.status == name).sum())) for name in counted))


def _mean_and_error(cell, name: str) -> tuple[float, float]:
    """Return mean and standard error of the learned values over the seeds that did not diverge."""
    row = cell.sel(quantity=name)
    learned = row.learned.values
    finite = np.isfinite(learned) & (cell.status.values != "diverged")
    if not finite.any():
        return math.nan, math.nan
    return float(np.mean(learned[finite])), standard_error(learned[finite], row.sampling_error.values[finite])


def _format_value(value) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def format_uncertain(value: float, error: float) -> str:
    """Return a value to the first digit of its standard error, with that digit in brackets: ``1.50(2)``.

    Without an error, the value has four digits; NaN is ``-``. There are at most six decimals: ``(0)`` is a smaller
    error. A power of ten is used below 1e-3 and above 1e5.
    """
    if math.isnan(value):
        return "-"
    size = max(abs(value), error)
    if math.isnan(error) or error == 0 or math.isinf(size):
        return f"{value:.4g}"
    power = 0 if 1e-3 <= size < 1e5 else math.floor(math.log10(size))
    value, error = value / 10.0**power, float(f"{error / 10.0**power:.0e}")
    decimals = min(6, max(0, -math.floor(math.log10(error))))
    return f"{value:.{decimals}f}({round(error * 10**decimals)})" + (f"e{power:+03d}" if power else "")
