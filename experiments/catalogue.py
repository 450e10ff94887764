"""What a folder of experiments adds to the commands, which find it as ``CATALOGUE`` in a file ``catalogue.py``.

Places are texts, "module:attribute", so that a module is imported only when its experiment, phenomenon or claims are
used.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

NOTHING: Mapping[str, str] = MappingProxyType({})


class Entry(NamedTuple):
    """One panel of the atlas.

    Attributes:
        name: name of the phenomenon, as typed on the command line.
        experiment: name of the experiment.
        source: authors and year of the source of the phenomenon.
        predicts: the predicted quantities, in a few words.
        arrays: learned arrays that are compared entry by entry, in addition to the quantities of the tables.
    """

    name: str
    experiment: str
    source: str
    predicts: str
    arrays: tuple[str, ...] = ()


class Catalogue(NamedTuple):
    """What a folder adds to the commands.

    Attributes:
        position: its place in all lists.
        experiments: the location of each :class:`experiments.core.experiment.Experiment`, by name.
        phenomena: the location of each :class:`experiments.core.phenomenon.Phenomenon`, by name.
        predictors: the location of the :class:`experiments.core.predictor.Predictor` of each phenomenon of
            ``simlab predict``.
        claims: the location of the function that checks each group of claims, by the name of the group.
        atlas: its panels in the atlas.
    """

    position: int
    experiments: Mapping[str, str]
    phenomena: Mapping[str, str]
    predictors: Mapping[str, str] = NOTHING
    claims: Mapping[str, str] = NOTHING
    atlas: tuple[Entry, ...] = ()


def load_attribute(place: str):
    """Import the module of ``"module:attribute"``, and return the attribute."""
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


def find_catalogues() -> tuple[Catalogue, ...]:
    """Return the catalogues of all folders beside this module, in the order of their positions."""
    folders = sorted(path.parent.name for path in Path(__file__).parent.glob("*/catalogue.py"))
    catalogues = [load_attribute(f"experiments.{name}.catalogue:CATALOGUE") for name in folders]
    return tuple(sorted(catalogues, key=lambda catalogue: catalogue.position))


def merge(maps: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """Return the locations in all maps by name, or raise ``ValueError`` if two have the same name."""
    merged: dict[str, str] = {}
    for places in maps:
        for name, place in places.items():
            if name in merged:
                raise ValueError(f"catalogue: expected one {name}, got {merged[name]} and {place}")
            merged[name] = place
    return MappingProxyType(merged)
