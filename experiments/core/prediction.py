"""What theory says of a configuration, as all phenomena share it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simlab.validation import check_choice, invalid
from theory.short_text import short_repr

# What a prediction may rest on: a proof for this task and network; a computed bound on the distance from the optimum; a
# numerical solution; a family of candidates without proof that it holds the best; a formula outside its assumptions;
# or nothing, where nothing is predicted.
BASES = ("theorem", "certified", "numerical", "ansatz", "approximation", "none")

Curves = Callable[[np.ndarray, Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


class PredictionLike(Protocol):
    """What a standard comparison reads of a prediction; :class:`Prediction` has it, and theory's own objects may."""

    basis: str
    quantities: Mapping[str, float]
    arrays: Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A prediction of scalars and arrays, and perhaps of curves over training.

    Args:
        basis: what it rests on, one of ``BASES``.
        quantities: the predicted value of every quantity of the comparison, by name; NaN where there is none.
        arrays: predicted arrays by the names of the learned ones, up to the gauge that the comparison fixes.
        thresholds: values at which the prediction changes its form, by the name of their variable.
        curves: ``(steps, initial) -> {metric: Float[R]}``: predicted metrics at the steps ``Int[R]`` of the records,
            from the arrays with which the member began; or None.
        kind: what is predicted, in a word or two.
        note: what else a reader of the table must know; mostly nothing.
        caveats: what keeps it from being a theorem, a line each.
    """

    basis: str
    quantities: Mapping[str, float]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    curves: Curves | None = None
    kind: str = ""
    note: str = ""
    caveats: tuple[str, ...] = ()

    __repr__ = short_repr


def check_prediction(prediction: object, quantities: Mapping[str, object], arrays: Mapping[str, object]) -> None:
    """Raise ``ValueError`` unless a prediction has a basis and a value for every quantity and array.

    Args:
        prediction: what a phenomenon's ``predict`` returned.
        quantities: the declared ones, by name.
        arrays: the declared ones, by name.
    """
    basis = getattr(prediction, "basis", None)
    if basis is None:
        raise invalid("prediction basis", f"one of {', '.join(BASES)}", None)
    check_choice("prediction basis", basis, BASES)
    predicted = getattr(prediction, "quantities", {})
    check_names("prediction quantities", predicted, quantities)
    check_names("prediction arrays", getattr(prediction, "arrays", {}), arrays)
    for name, value in predicted.items():
        if np.ndim(value) != 0:
            raise invalid(f"prediction quantities {name}", "a number", f"an array of shape {np.shape(value)}")


def check_names(field_name: str, given: Mapping[str, object], declared: Mapping[str, object]) -> None:
    """Raise ``ValueError`` unless a mapping has exactly the declared names; the message says which one is missing."""
    missing = [name for name in declared if name not in given]
    unknown = [name for name in given if name not in declared]
    if missing:
        raise invalid(field_name, f"a value for {missing[0]}", ", ".join(given) or "none")
    if unknown:
        raise invalid(field_name, f"only the declared {', '.join(declared) or 'none'}", unknown[0])
