"""The phenomena of the experiments, by name; a module is imported only when its phenomenon is used."""

from experiments.catalogue import load_attribute, merge
from experiments.registry import CATALOGUES

# The location of each phenomenon, as "module:attribute".
PHENOMENA = merge([catalogue.phenomena for catalogue in CATALOGUES])
# The location of the :class:`experiments.core.predictor.Predictor` of each phenomenon of ``simlab predict``.
PREDICTORS = merge([catalogue.predictors for catalogue in CATALOGUES])


def load_configurations() -> dict[str, type]:
    """Return the configuration dataclass of every phenomenon, by name."""
    return {name: load_attribute(place).configuration for name, place in PHENOMENA.items()}


def load_predictor_options() -> dict[str, type]:
    """Return the options dataclass of every predictor, by the name of its phenomenon."""
    return {name: load_attribute(place).options for name, place in PREDICTORS.items()}
