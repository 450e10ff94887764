"""The comparison that most phenomena need: learned and predicted scalars and arrays, and the history of metrics.

A phenomenon declares its quantities and arrays and measures a trained member; the variables of the dataset and their
names follow from the declarations.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from experiments.core.phenomenon import TRAJECTORY_SUFFIX, Comparison, Variable
from experiments.core.prediction import check_names
from experiments.core.quantity import Certificate, Quantity, Threshold
from experiments.core.training_record import END_VARIABLES, history, record_variables
from simlab.losses.objective import Metric

PREDICTED_SUFFIX = "_predicted"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The learned quantities and arrays of a member.

    Args:
        quantities: the learned value of every declared quantity; NaN where it is undefined.
        arrays: the learned arrays, by name: those of the objective's representation or arrays derived from them.
        predicted: the predicted arrays in the frame of the learned ones (after alignment by a rotation, ...).
        sampling_errors: standard errors due to a finite evaluation set, for quantities that have one.
        exact_minimum: values at the numerical minimiser for the member's own data, where it is known.
    """

    quantities: Mapping[str, float]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    predicted: Mapping[str, np.ndarray] = field(default_factory=dict)
    sampling_errors: Mapping[str, float] = field(default_factory=dict)
    exact_minimum: Mapping[str, float] = field(default_factory=dict)


def standard_comparison(
    *,
    quantities: Mapping[str, Quantity],
    arrays: Mapping[str, Variable] | None = None,
    metrics: Mapping[str, Metric] | None = None,
    measure: Callable[..., Measured],
    curves: tuple[str, ...] = (),
    thresholds: Mapping[str, Threshold] | None = None,
    certificate: Certificate | None = None,
    best_by: str | None = None,
) -> Comparison:
    """Return the comparison of a phenomenon whose predictions are like :class:`experiments.core.prediction.Prediction`.

    Args:
        quantities: the compared quantities, by name.
        arrays: dimensions and description of each learned array, by name; its prediction is ``NAME_predicted``.
        metrics: the metrics of the objective, by name, recorded as ``history_NAME``. None for a measurement.
        measure: ``(member, run, prediction) -> Measured``; the run of a measurement is a
            :class:`simlab.sweeps.measurements.MeasurementRun`.
        curves: the metrics that are predicted over training, saved as ``history_NAME_predicted``.
        thresholds: thresholds of the prediction, by name.
        certificate: as in :class:`experiments.core.phenomenon.Comparison`.
        best_by: as in :class:`experiments.core.phenomenon.Comparison`.
    """
    arrays, thresholds = dict(arrays or {}), dict(thresholds or {})

    def describe_member(member, run, sample, prediction) -> dict[str, np.ndarray]:
        measured = measure(member, run, prediction)
        check_names("measured quantities", measured.quantities, quantities)
        check_names("measured arrays", measured.arrays, arrays)
        variables = {
            **measured.arrays,
            **{name + PREDICTED_SUFFIX: array for name, array in measured.predicted.items()},
            "learned": _column(measured.quantities, quantities),
            "exact_minimum": _column(measured.exact_minimum, quantities),
            "sampling_error": _column(measured.sampling_errors, quantities),
        }
        if metrics is None:
            ending = {"status": "measured", "first_bad_step": 0, "steps_taken": 0}
        else:
            steps = member.spec.record_steps
            variables |= {**history(run), **_predicted_curves(prediction, steps, run.initial, curves)}
            variables |= _trajectories(run, arrays)
            taken = run.n_segments * member.spec.steps_per_record
            ending = {"status": run.status, "first_bad_step": run.first_bad_step, "steps_taken": taken}
        return {name: np.asarray(value) for name, value in (variables | ending).items()}

    def describe_cell(spec, prediction) -> dict[str, np.ndarray]:
        variables = {
            "predicted": _column(prediction.quantities, quantities),
            "kind": getattr(prediction, "kind", ""),
            "basis": prediction.basis,
            "note": getattr(prediction, "note", ""),
            **{name: getattr(prediction, "thresholds", {}).get(name, np.nan) for name in thresholds},
        }
        if spec is not None:
            variables["step"] = spec.record_steps
        return {name: np.asarray(value) for name, value in variables.items()}

    histories = {} if metrics is None else record_variables(metrics)
    return Comparison(
        quantities=quantities,
        member_variables={
            **arrays,
            **{name + PREDICTED_SUFFIX: _renamed(variable, "predicted") for name, variable in arrays.items()},
            **histories,
            **{f"history_{name}{PREDICTED_SUFFIX}": _renamed(histories[f"history_{name}"], "predicted")
               for name in curves},
            "learned": Variable(("quantity",), "learned value"),
            "exact_minimum": Variable(("quantity",), "value at the numerical minimiser for the data of the member"),
            "sampling_error": Variable(("quantity",), "standard error due to the finite evaluation set"),
            **END_VARIABLES,
            **{name + TRAJECTORY_SUFFIX: Variable(("record", *variable.dims), f"{variable.about}, at each record")
               for name, variable in arrays.items() if histories},
        },
        cell_variables={
            "predicted": Variable(("quantity",), "predicted value"),
            "kind": Variable((), "what is predicted"),
            "basis": Variable((), "basis of the prediction"),
            "note": Variable((), "remark on the prediction"),
            **{name: Variable((), threshold.label) for name, threshold in thresholds.items()},
        },
        cell_coordinates={"step": Variable(("record",), "training steps done", "steps")} if histories else {},
        numbered=tuple(dict.fromkeys([*(dim for variable in arrays.values() for dim in variable.dims)]))
        + (("record",) if histories else ()),
        describe_member=describe_member,
        describe_cell=describe_cell,
        caveats=lambda prediction: list(getattr(prediction, "caveats", ())),
        thresholds=thresholds,
        certificate=certificate,
        best_by=best_by,
        arrays=arrays,
        reads_sample=False,
    )  # fmt: skip


def _column(values: Mapping[str, float], quantities: Mapping[str, Quantity]) -> np.ndarray:
    """Return values in the order of the quantities, NaN where there is none."""
    return np.array([float(values.get(name, np.nan)) for name in quantities])


def _renamed(variable: Variable, word: str) -> Variable:
    return variable._replace(about=f"{word} {variable.about.removeprefix('learned ')}")


def _predicted_curves(prediction, steps: np.ndarray, initial, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the predicted curves of some metrics, from the initial arrays of the member."""
    if not names:
        return {}
    curves = prediction.curves(steps, initial)
    check_names("prediction curves", curves, dict.fromkeys(names))
    return {f"history_{name}{PREDICTED_SUFFIX}": np.asarray(curves[name], float) for name in names}


def _trajectories(run, arrays: Mapping[str, Variable]) -> dict[str, np.ndarray]:
    """Return the declared arrays of the representation at each record."""
    return {name + TRAJECTORY_SUFFIX: array for name, array in (run.trajectory or {}).items() if name in arrays}
