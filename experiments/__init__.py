"""Experiments: the training of a task compared with its prediction, over whole sweeps.

A user-defined experiment imports its parts from here and runs like those of simlab::

    from experiments import Configuration, Experiment, Phenomenon, Quantity, Regime, option, run

``experiments/examples/linear_autoencoder.py`` is a complete example. ``import experiments`` is cheap: a module is
imported when one of its names is first used.
"""

import sys

from simlab.packages import PACKAGES, own_package

try:
    for _name in reversed(PACKAGES):
        own_package(_name)
except ImportError as _error:
    if sys.argv[:1] == ["-m"]:  # a command, such as ``python -m experiments``, ends with one line
        raise SystemExit(f"simlab: {_error}") from None
    raise

from theory.lazy import hand_on

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "commands.own": ("main",),
        "core.configuration": ("Configuration", "option"),
        "core.experiment": ("Experiment", "Regime"),
        "core.phenomenon": ("Phenomenon", "Variable"),
        "core.prediction": ("Prediction",),
        "core.quantity": ("Certificate", "Panel", "Quantity", "Threshold"),
        "core.standard_comparison": ("Measured", "standard_comparison"),
        "core.training_choices": ("make_hyperparameters", "training_fields"),
        "tables.result": ("format_result",),
        "sweep": ("run",),
    },
)
