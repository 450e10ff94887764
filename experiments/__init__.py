"""Experiments: a task, its training and its prediction, compared over whole sweeps.

What an experiment of one's own needs is imported from here, and runs through the same doors as those of simlab::

    from experiments import Configuration, Experiment, Phenomenon, Quantity, Regime, option, run

``experiments/examples/linear_autoencoder.py`` is a complete one. ``import experiments`` costs nothing: a module is
imported when one of its names is asked for.
"""

import importlib

_HOMES = {
    "Certificate": "experiments.core.quantity",
    "Configuration": "experiments.core.configuration",
    "Experiment": "experiments.core.experiment",
    "Measured": "experiments.core.standard_comparison",
    "Panel": "experiments.core.quantity",
    "Phenomenon": "experiments.core.phenomenon",
    "Prediction": "experiments.core.prediction",
    "Quantity": "experiments.core.quantity",
    "Regime": "experiments.core.experiment",
    "Threshold": "experiments.core.quantity",
    "Variable": "experiments.core.phenomenon",
    "main": "experiments.commands.own",
    "make_hyperparameters": "experiments.core.training_choices",
    "option": "experiments.core.configuration",
    "run": "experiments.sweep",
    "standard_comparison": "experiments.core.standard_comparison",
    "training_fields": "experiments.core.training_choices",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'experiments' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
