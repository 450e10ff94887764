"""What a prompt shows of a prediction: at most five short lines, whatever its size, and its arrays stay attributes."""

from collections import namedtuple

import numpy as np
import pytest

from theory import feature_collapse, neural_collapse
from theory.feature_collapse.dynamics.modes import escape_modes
from theory.feature_collapse.dynamics.no_weight_decay import path_norms
from theory.feature_collapse.samples import word_reliability
from theory.neural_collapse import factors
from theory.short_text import LINES, number_range, short_repr

pytestmark = pytest.mark.quick

WIDEST = 120  # columns
DECAYS = {"feature_weight_decay": 1e-5, "classifier_weight_decay": 1e-3}
SENTENCES = {"n_concepts": 3, "n_words": 1200, "sentence_length": 4, "word_frequency": "zipf"}
PREDICTIONS = {
    "words": feature_collapse.predict,
    "normalised words": lambda: feature_collapse.predict(layer_norm=True),
    "all of very many classes": lambda: feature_collapse.predict(sentence_length=20_000, n_classes="all"),
    "zero network": lambda: feature_collapse.predict(weight_decay=1.0),
    "balanced classes": neural_collapse.predict,
    "unequal classes": lambda: neural_collapse.predict(n_classes=40, samples_per_class=list(range(1, 41))),
    "a spherical code": lambda: neural_collapse.predict(n_classes=8, feature_dim=3),
    "factors": lambda: factors.predict(factor_sizes=(12, 20), n_samples=480, **DECAYS),
    "unreliable words": lambda: word_reliability.predict(
        **SENTENCES, replacement=np.linspace(0, 0.5, 400), weight_decay=1e-4
    ),
    "modes": lambda: escape_modes(
        word_frequencies=np.full(400, 1 / 400), n_concepts=3, sentence_length=15, n_classes=1000
    ),
    "norms without weight decay": lambda: path_norms(**SENTENCES, weight_decay=1e-6),
}


@pytest.mark.parametrize("predict", PREDICTIONS.values(), ids=PREDICTIONS.keys())
def test_a_prediction_is_shown_in_five_short_lines(predict):
    lines = repr(predict()).splitlines()
    assert 1 <= len(lines) <= LINES
    assert max(map(len, lines)) <= WIDEST
    assert all(lines), "no line is empty"


def test_the_lines_hold_the_numbers():
    prediction = neural_collapse.predict(n_classes=4, samples_per_class=(50, 50, 5, 5))
    shown = repr(prediction)
    assert "4 classes of 5 to 50 samples, 3 dimensions" in shown
    assert f"risk: {prediction.risk:.6g} nats" in shown
    assert "certified" in shown
    text = repr(factors.predict(factor_sizes=(3, 4), n_samples=24, **DECAYS))
    assert "factors of 3 x 4 values, 24 samples, 5 dimensions" in text


def test_ranges():
    assert number_range(np.array([2.0, 1.0])) == "1 to 2"
    assert number_range(np.array([0.5, 0.5])) == "0.5"
    assert number_range(np.array([])) == "none"


def test_what_is_too_long_says_so():
    record = namedtuple("Record", [f"q{i}" for i in range(300)])(*range(300))
    assert len(short_repr(record).splitlines()) == LINES
    assert short_repr(record).endswith("\n...")
