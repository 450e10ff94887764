"""What a prompt shows of the predictions that experiments work with: at most five short lines each."""

import numpy as np
import pytest

from experiments.catalogue import load_attribute
from experiments.core.prediction import Prediction
from experiments.phenomena import PHENOMENA

pytestmark = pytest.mark.quick

LINES, WIDEST = 5, 120
SMALLER = {"context-at-initialisation": {"n_evaluation": 48}}  # sentences: their kernel takes seconds


def assert_short(prediction):
    lines = repr(prediction).splitlines()
    assert 1 <= len(lines) <= LINES
    assert max(map(len, lines)) <= WIDEST
    assert all(lines), "no line is empty"


@pytest.mark.parametrize("name", [name for name in PHENOMENA if name != "real-encoder"])  # it needs files
def test_of_every_phenomenon(name):
    phenomenon = load_attribute(PHENOMENA[name])
    assert_short(phenomenon.predict(phenomenon.configuration().replace(**SMALLER.get(name, {}))))


def test_of_ones_own():
    quantities, arrays = {f"q{i}": i / 3 for i in range(300)}, {"spectrum": np.linspace(0, 1, 500)}
    assert_short(Prediction(basis="theorem", quantities=quantities, arrays=arrays))
    assert "risk 0.333333" in repr(Prediction(basis="theorem", quantities={"risk": 1 / 3}))
