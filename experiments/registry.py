"""The experiments, by name; a module is imported only when its experiment is used."""

from experiments.catalogue import find_catalogues, load_attribute, merge
from experiments.core.experiment import Experiment
from simlab.validation import check_choice

CATALOGUES = find_catalogues()
# The location of each experiment, as "module:attribute".
EXPERIMENTS = merge([catalogue.experiments for catalogue in CATALOGUES])
NAMES = tuple(EXPERIMENTS)


def find_experiment(name: str) -> Experiment:
    """Return the experiment called ``name``, or raise ``ValueError`` with the nearest name."""
    return load_attribute(EXPERIMENTS[check_choice("experiment", name, NAMES)])._replace(registered=True)
