"""Experiments: a task, its training and its prediction, compared over whole sweeps.

What an experiment of one's own needs is imported from here, and runs through the same doors as those of simlab::

    from experiments import Configuration, Experiment, Phenomenon, Quantity, Regime, option, run

``experiments/examples/linear_autoencoder.py`` is a complete one. ``import experiments`` costs nothing: a module is
imported when one of its names is asked for.
"""

from simlab.packages import own_package

own_package("theory")
own_package("figures")

from theory.lazy import hand_on  # noqa: E402

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
