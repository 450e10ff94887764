"""Every folder of experiments is found, and a name is given once."""

from pathlib import Path

import pytest

from experiments.catalogue import find_catalogues, load_attribute, merge

ROOT = Path(__file__).parents[2] / "experiments"

pytestmark = pytest.mark.quick


def test_each_folder_of_a_phenomenon_has_a_catalogue_and_its_own_position():
    folders = {path.parent.name for path in ROOT.glob("*/phenomenon.py")} - {"core"}
    catalogues = [load_attribute(f"experiments.{folder}.catalogue:CATALOGUE") for folder in sorted(folders)]
    assert all(catalogue in find_catalogues() for catalogue in catalogues)
    positions = [catalogue.position for catalogue in find_catalogues()]
    assert positions == sorted(set(positions))


def test_experiments_are_listed_by_folder():
    for catalogue in find_catalogues():
        places = [*catalogue.experiments.values(), *catalogue.phenomena.values(), *catalogue.predictors.values()]
        assert len({place.split(".")[1] for place in places}) == 1
        assert {entry.experiment for entry in catalogue.atlas} <= catalogue.experiments.keys()


def test_a_name_is_given_once():
    assert merge([{"escape": "a:A"}, {"noise": "b:B"}]) == {"escape": "a:A", "noise": "b:B"}
    with pytest.raises(ValueError, match=r"^catalogue: expected one escape, got a:A and c:C$"):
        merge([{"escape": "a:A"}, {"noise": "b:B"}, {"escape": "c:C"}])
