"""The prediction for a configuration, in the form shared by all phenomena."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simlab.validation import check_choice, invalid
from theory.short_text import short_repr

# The basis of a prediction, in this order: a proof for this task and network; a computed bound on the distance from the
# optimum; a numerical solution; the best of a family of candidates, without proof that it contains the optimum; a
# formula outside its assumptions; none, where nothing is predicted.
BASES = ("theorem", "certified", "numerical", "ansatz", "approximation", "none")

Curves = Callable[[np.ndarray, Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


class PredictionLike(Protocol):
    """The attributes that a standard comparison reads; :class:`Prediction` has them, as may other objects."""

    basis: str
    quantities: Mapping[str, float]
    arrays: Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A prediction of scalars and arrays, and optionally of curves over training.

    Args:
        basis: the justification of the prediction, one of ``BASES``.
        quantities: the predicted value of every quantity of the comparison, by name; NaN where there is none.
        arrays: predicted arrays by the names of the learned ones, up to the gauge that the comparison fixes.
        thresholds: values at which the prediction changes its form, by the name of their variable.
        curves: ``(steps, initial) -> {metric: Float[R]}``: predicted metrics at the steps ``Int[R]`` of the records,
            from the initial arrays of the member; or None.
        kind: what is predicted, in a word or two.
        note: a remark for readers of the table; usually empty.
        caveats: the reasons why the prediction is not a theorem, one line each.
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
        prediction: the result of a phenomenon's ``predict``.
        quantities: the declared quantities, by name.
        arrays: the declared arrays, by name.
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
    """Raise ``ValueError`` unless a mapping has exactly the declared names; the message names the first deviation."""
    missing = [name for name in declared if name not in given]
    unknown = [name for name in given if name not in declared]
    if missing:
        raise invalid(field_name, f"a value for {missing[0]}", ", ".join(given) or "none")
    if unknown:
        raise invalid(field_name, f"only the declared {', '.join(declared) or 'none'}", unknown[0])
