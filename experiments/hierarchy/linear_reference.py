"""The prediction for deep linear networks, in the form the comparison reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from experiments.core.prediction import Prediction
from experiments.hierarchy.linear_configuration import LinearConfiguration
from experiments.hierarchy.linear_training_spec import make_task
from simlab.validation import check_choice, check_count, check_real, invalid

if TYPE_CHECKING:
    from theory.hierarchy import Levels

# Arrays that depend on the initial weights of a member.
COURSE = ("strengths", "decoupled", "layer_strengths", "half_times", "similarity", "snapshot_step")
RANDOM_NOTE = "up to the size and imbalance of the random start"


def follows_theory(configuration: LinearConfiguration) -> bool:
    """Return whether training is gradient descent or flow with constant steps, which the theory covers."""
    return configuration.optimizer == "sgd" and configuration.schedule == "constant"


def has_path(n_layers: int, start: str) -> bool:
    """Return whether the path of training is predicted, rather than only its end point."""
    return n_layers <= 2 or start == "aligned"


def check_theory(configuration: LinearConfiguration) -> None:
    """Raise ``ValueError`` for a configuration that the theory does not cover, without solving it."""
    from theory import hierarchy

    check_choice("start", configuration.start, hierarchy.STARTS)
    n_layers, _ = (check_count(name, getattr(configuration, name)) for name in ("n_layers", "hidden_width"))
    values = hierarchy.find_levels(make_task(configuration).matrix()).values
    if follows_theory(configuration):
        check_choice("integrator", configuration.integrator, hierarchy.STABLE_STEPS)
        hierarchy.require_learning_rate(configuration.learning_rate, values[0], n_layers, configuration.integrator)
    if configuration.start != "random":
        strength = check_real("initial_strength", configuration.initial_strength, positive=True)
        if strength >= values[-1]:
            raise invalid("initial_strength", f"less than the smallest singular value, {values[-1]:.6g}", strength)


def configuration_matrix(configuration: LinearConfiguration) -> np.ndarray:
    """Return the item-by-property matrix of a configuration."""
    return make_task(configuration).matrix()


def predict(configuration: LinearConfiguration) -> Prediction:
    """Return the prediction for a configuration; the comparison adds the path from each member's initial weights."""
    from theory import hierarchy

    n_layers, start = configuration.n_layers, configuration.start
    levels = hierarchy.find_levels(configuration_matrix(configuration))
    known = follows_theory(configuration)
    course = 0.0 if known and has_path(n_layers, start) else np.nan
    learned = learnable(levels, configuration.hidden_width if n_layers > 1 else len(levels.singular_values))
    return Prediction(
        basis=_basis(configuration),
        kind=f"{len(levels.values)} levels" if known else "",
        note=RANDOM_NOTE if known and start == "random" and n_layers > 1 else "",
        quantities={
            "strength_error": course,
            "layer_error": course,
            "decoupled_error": np.nan,
            "exponent_error": 0.0 if known else np.nan,
            "order": float(n_layers > 1) if known else np.nan,
            "loss": float(np.sum(levels.singular_values[~learned] ** 2)) / 2 if known else np.nan,
        },
        # The path depends on a member's initial weights and is added by the comparison.
        arrays={name: np.full(1, np.nan) for name in COURSE}
        | {"singular_values": levels.values, "exponents": hierarchy.layer_exponents(n_layers)},
    )


def learnable(levels: Levels, width: int) -> np.ndarray:
    """Return which modes a hidden layer of a given width can represent, the strongest; ``Bool[modes]``."""
    return np.arange(len(levels.singular_values)) < width


def _basis(configuration: LinearConfiguration) -> str:
    """Return the basis of the prediction: "theorem", "approximation" or "none"."""
    if not follows_theory(configuration):
        return "none"
    is_exact = configuration.n_layers == 1 or configuration.start == "aligned"
    is_flow = configuration.integrator == "runge-kutta"
    return "theorem" if is_exact or (configuration.start == "balanced" and is_flow) else "approximation"
