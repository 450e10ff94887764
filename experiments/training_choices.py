"""From the choices that all phenomena share to the fields of a training specification."""

import dataclasses

from experiments.configuration import Configuration
from simlab.spec import Hyperparameters
from simlab.validation import check_choice, check_count, invalid, is_number

SCHEDULES = ("constant", "cosine", "warmup-cosine")


def training_fields(configuration: Configuration, n_steps: int) -> dict[str, object]:
    """Return the fields of :class:`simlab.spec.TrainingSpec` that say how long and by what a network is trained."""
    wanted = min(check_count("n_records", configuration.n_records), n_steps)
    return {
        "optimizer": configuration.optimizer,
        "n_steps": n_steps,
        # At most ``n_records`` records, equally far apart.
        "steps_per_record": n_steps // max(n for n in range(1, wanted + 1) if n_steps % n == 0),
        "until_gradient_norm": _gradient_norm(configuration.until),
        "precision": configuration.precision,
        **_type_and_schedule(configuration, n_steps),
    }


def _type_and_schedule(configuration: Configuration, n_steps: int) -> dict[str, object]:
    """Return type and schedule of a run, where they are not the default; checked."""
    check_choice("dtype", configuration.dtype, ("float32", "float64"))
    check_choice("schedule", configuration.schedule, SCHEDULES)
    if check_count("warmup_steps", configuration.warmup_steps, 0) >= n_steps:
        raise invalid("warmup_steps", f"less than n_steps={n_steps}", configuration.warmup_steps)
    usual = {field.name: field.default for field in dataclasses.fields(Configuration)}
    chosen = {name: getattr(configuration, name) for name in ("dtype", "schedule", "warmup_steps")}
    return {name: value for name, value in chosen.items() if value != usual[name]}


def make_hyperparameters(configuration: Configuration, **own: float) -> Hyperparameters:
    """Return the traced part of a run, checked: the learning rate, which all share, and what a phenomenon has."""
    return Hyperparameters(learning_rate=configuration.learning_rate, **own).check()


def _gradient_norm(until: str | None) -> float | None:
    """Return the gradient norm at which a member stops, from ``gradient-norm=X``."""
    if until is None:
        return None
    name, _, value = until.partition("=")
    if name.replace("_", "-") != "gradient-norm" or not is_number(value):
        raise invalid("until", "gradient-norm=X", until)
    return float(value)
