"""The cells of a sweep as plain text: one line each, learned against predicted values."""

import json
import math
from collections import Counter
from itertools import product

import numpy as np

from experiments.table import format_columns, predicted_kinds, standard_error

_EXPLANATION = "learned: mean over seeds, the standard error of its last digit in brackets: 1.50(2) is 1.50 +- 0.02"


def format_sweep(dataset, max_rows: int = 40) -> str:
    """Return a table per regime with a line for every combination of the varied values.

    A line has the theorem's and the learned value of the quantities that ``attrs["compared"]`` names, the learned
    accuracy, and the largest of the relative errors of those quantities (absolute where zero is predicted).

    Args:
        dataset: a run whose ``attrs["axes"]`` names what was varied.
        max_rows: lines of all regimes together, at most; each regime keeps its first lines, one at least.
    """
    axes = json.loads(dataset.attrs["axes"])
    selections = [dict(zip(axes, one, strict=True)) for one in product(*(range(dataset.sizes[axis]) for axis in axes))]
    shown = selections[: max(1, max_rows // dataset.sizes["regime"])]
    compared = json.loads(dataset.attrs["compared"])
    parts = [_format_regime(dataset.isel(regime=i), axes, shown, compared) for i in range(dataset.sizes["regime"])]
    left = (len(selections) - len(shown)) * len(parts)
    parts.append(_EXPLANATION)
    if left:
        parts[-1] += f"\n... {left} more row{'s' if left > 1 else ''}: all of them are in results.nc"
    return "\n\n".join(parts)


def _format_regime(regime, axes: list[str], shown: list[dict[str, int]], compared: list[str]) -> str:
    """Return heading, rows and note of a regime."""
    counted = [name for name in ("diverged", "converged") if (regime.status == name).any()]
    # A long name is broken at its last underscore: numbers are shorter than it.
    names = [axis.rsplit("_", 1) if len(axis) > 9 and "_" in axis else ["", axis] for axis in axes]
    rows = [
        (*(name[0] for name in names), *_column_heads(regime, compared), "accuracy", "worst", *("" for _ in counted)),
        (*(name[1] for name in names), *("theorem", "learned") * len(compared), "learned", "error", *counted),
    ]  # fmt: skip
    for selection in shown:
        values = (regime[axis].values[index] for axis, index in selection.items())
        rows.append(
            (*(_format_value(value) for value in values), *_format_cell(regime.isel(selection), compared, counted))
        )
    table = format_columns([(f"  {first}", *rest) for first, *rest in rows])
    return "\n".join([_heading(regime), table, *_zero_note(regime)])


def _column_heads(regime, compared: list[str]) -> list[str]:
    """Return two words over the two columns of each quantity: the words of its name, or its name and unit."""
    heads = []
    for name in compared:
        first, _, second = name.removeprefix("test_").partition("_")
        unit = regime.unit.sel(quantity=name).item()
        heads += [first, second.replace("_", " ") or (f"({unit})" if unit else "")]
    return heads


def _heading(regime) -> str:
    """Return the name of a regime, the kinds of its predictions and their basis, its cells and its seeds."""
    found = Counter(map(str, regime.basis.values.ravel()))
    n_cells, n_seeds = found.total(), regime.sizes["seed"]
    *others, last = sorted(found, key=found.get)
    basis = ", ".join(f"{one} in {found[one]} cell{'s' if found[one] > 1 else ''}" for one in others)
    basis = f"{basis}, else {last}" if others else last
    diverged = int((regime.status == "diverged").sum())
    counts = [f"{n_cells} cell{'s' if n_cells > 1 else ''}", f"{n_seeds} seed{'s' if n_seeds > 1 else ''}"]
    counts += [f"{diverged} members diverged"] if diverged else []
    return f"{regime.regime.item()}  ({', '.join(predicted_kinds(regime))}, {basis}; {', '.join(counts)})"


def _zero_note(regime) -> list[str]:
    """Return the line on cells whose predicted minimiser is the zero network; none if there is no such cell."""
    n_zero = int((regime.predicted.sel(quantity="classifier_norm") == 0).sum())
    if not n_zero:
        return []
    return [f"  above the zero threshold in {n_zero} cell{'s' if n_zero > 1 else ''}: the zero network is predicted"]


def _format_cell(cell, compared: list[str], counted: list[str]) -> tuple[str, ...]:
    """Return theorem and learned value of each compared quantity, accuracy, the worst error, and counts of members."""
    texts, errors = [], []
    for name in compared:
        predicted = cell.predicted.sel(quantity=name).item()
        mean, error = _mean_and_error(cell, name)
        texts += ["-" if math.isnan(predicted) else f"{predicted:.4g}", format_uncertain(mean, error)]
        errors.append(abs(mean - predicted) / (abs(predicted) or 1.0))
    accuracy = next(name for name in cell.quantity.values if str(name).endswith("accuracy"))
    texts.append(format_uncertain(*_mean_and_error(cell, accuracy)))
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
    """Return a value to the first digit of its standard error, that digit in brackets: ``1.50(2)`` is 1.50 +- 0.02.

    Without an error, four digits of the value; ``-`` for NaN. At most six decimals: ``(0)`` is an error below these.
    What is smaller than 1e-3 or larger than 1e5 comes with a power of ten.
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
