"""The experiments by name; a module is imported only when its experiment is asked for."""

from importlib import import_module

from experiments.experiment import Experiment
from simlab.validation import check_choice

NAMES = (
    "feature-collapse",
    "uniform-small-sample",
    "zipf-large-sample",
    "zipf-small-sample",
    "zipf-layer-norm",
    "tail-or-sample",
    "escape",
    "no-weight-decay",
    "formula-reach",
    "neural-collapse",
    "collapse-point",
    "minority-collapse",
    "noise",
    "normalisations",
    "deep-networks",
    "certified-descent",
)


def find_experiment(name: str) -> Experiment:
    """Return the experiment called ``name``, or raise ``ValueError`` with the nearest name."""
    check_choice("experiment", name, NAMES)
    return import_module(f"experiments.{name.replace('-', '_')}").EXPERIMENT
