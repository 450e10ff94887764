"""Convert the settings shared by all phenomena to fields of a training specification."""

import math
from typing import Any

from experiments.core.configuration import Configuration
from simlab.losses.objective import Objective, check_hyperparameters
from simlab.sizes import check_array, check_int32, largest_divisor
from simlab.validation import check_count, invalid, is_number

# Approximate number of recorded metrics of a member, which are kept in float64; bounds the size of the history.
N_METRICS = 20

# The largest and the smallest positive normal number; processors may flush smaller ones to zero.
LARGEST_FLOAT32, LEAST_FLOAT32 = 3.4028234663852886e38, 1.1754943508222875e-38


def training_fields(configuration: Configuration, n_steps: int) -> dict[str, Any]:
    """Return the fields of :class:`simlab.training.spec.TrainingSpec` that the shared settings determine.

    Raises:
        ValueError: a setting is out of range, or the steps allow fewer than a tenth of the requested records.
    """
    check_array("history", 8 * N_METRICS, n_records=configuration.n_records)
    n_records = check_count("n_records", configuration.n_records)
    return {
        "optimizer": configuration.optimizer,
        "schedule": configuration.schedule,
        "warmup_steps": configuration.warmup_steps,
        "n_steps": n_steps,
        "steps_per_record": _steps_per_record(n_records, check_int32("n_steps", n_steps, "steps")),
        "until_gradient_norm": _gradient_norm(configuration.until),
        "dtype": configuration.dtype,
        "precision": configuration.precision,
    }


def _steps_per_record(n_records: int, n_steps: int) -> int:
    """Return the number of steps between records: equidistant, at most ``n_records`` of them.

    A run is saved, and its progress shown, at its records.

    Raises:
        ValueError: the number of steps has no divisor near ``n_records``, for example because it is prime.
    """
    wanted = min(n_records, n_steps)
    fitting = largest_divisor(n_steps, wanted)
    if 10 * fitting < wanted:
        nearest = max(1, round(n_steps / wanted)) * wanted
        possible = f"a number of steps with a divisor near n_records={n_records}, such as {nearest}"
        raise invalid("n_steps", possible, n_steps)
    return n_steps // fitting or 1


def make_hyperparameters(configuration: Configuration, objective: Objective, **own: float):
    """Return the checked hyperparameters of a run: the learning rate, and those that a phenomenon adds."""
    hyperparameters = objective.Hyperparameters(learning_rate=configuration.learning_rate, **own)
    return check_hyperparameters(objective, hyperparameters)


def hyperparameters_by_name(objective: Objective, configuration: Configuration):
    """Return the checked hyperparameters of a run, each from the configuration's field of the same name.

    Raises:
        ValueError: the configuration has no such field, or a value is out of its bounds; the message names it.
    """
    names = objective.Hyperparameters._fields
    for name in names:
        if not hasattr(configuration, name):
            raise invalid("hyperparameters", f"a field {name} of {type(configuration).__name__}", "none")
    return check_hyperparameters(
        objective, objective.Hyperparameters(**{name: getattr(configuration, name) for name in names})
    )


def _gradient_norm(until: str | None) -> float | None:
    """Return the gradient norm at which a member stops, from ``gradient-norm=X``; None if it is not given."""
    if until is None:
        return None
    name, _, value = until.partition("=")
    if name.replace("_", "-") != "gradient-norm" or not is_number(value):
        raise invalid("until", "gradient-norm=X", until)
    return float(value)


def check_float32(name: str, value: object) -> None:
    """Raise ``ValueError`` for a finite nonzero number that overflows or underflows in float32."""
    if (
        isinstance(value, float)
        and math.isfinite(value)
        and value
        and not LEAST_FLOAT32 <= abs(value) <= LARGEST_FLOAT32
    ):
        raise invalid(name, "a number within the range of float32, as dtype is float32", value)
