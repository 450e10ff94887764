"""What a prompt shows of the predictions that experiments work with: at most five short lines each."""

import numpy as np
import pytest

from experiments.core.prediction import Prediction
from experiments.phenomena import PHENOMENA
from experiments.registry import load_attribute

LINES, WIDEST = 5, 120


def assert_short(prediction):
    lines = repr(prediction).splitlines()
    assert 1 <= len(lines) <= LINES
    assert max(map(len, lines)) <= WIDEST
    assert all(lines), "no line is empty"


@pytest.mark.parametrize("place", PHENOMENA.values(), ids=PHENOMENA)
def test_of_every_phenomenon(place):
    phenomenon = load_attribute(place)
    assert_short(phenomenon.predict(phenomenon.configuration()))


def test_of_ones_own():
    quantities, arrays = {f"q{i}": i / 3 for i in range(300)}, {"spectrum": np.linspace(0, 1, 500)}
    assert_short(Prediction(basis="theorem", quantities=quantities, arrays=arrays))
    assert "risk 0.333333" in repr(Prediction(basis="theorem", quantities={"risk": 1 / 3}))
