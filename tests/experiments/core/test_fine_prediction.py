"""Between the values of a sweep, a line of theory is theory: evaluated there, and at both sides of a threshold."""

import numpy as np
import pytest

from experiments.core import fine_prediction
from experiments.core.fine_prediction import fine_places
from experiments.sweep import run
from figures import draw

SMALL = {"n_words": 6, "n_classes": 9, "sentence_length": 2, "embedding_dim": 4, "batch_size": 8, "n_evaluation": 20}
DECAYS = [0.01, 0.03, 0.5]


@pytest.fixture(scope="module")
def swept():
    return run("uniform-small-sample", vary={"weight_decay": DECAYS}, epochs=2, **SMALL)


def test_a_line_has_the_values_of_theory(swept):
    fine = swept.predicted_fine.isel(regime=0).sel(quantity="embedding_norm")
    at_cells = fine.sel(fine=DECAYS)
    np.testing.assert_array_equal(at_cells, swept.predicted.isel(regime=0).sel(quantity="embedding_norm"))
    assert len(swept.fine) > 20
    threshold = float(swept.zero_threshold[0, 0])
    assert 0.03 < threshold < 0.5
    norms = fine.where(fine > 0, drop=True)
    # The norm vanishes at the threshold itself, and not at the next value of the sweep.
    assert float(norms.fine[-1]) == pytest.approx(threshold, rel=1e-5)
    (line,) = [line for line in draw("sweeps.sweep", swept).axes[0].lines if line.get_label() == "predicted"]
    np.testing.assert_array_equal(line.get_xdata(), swept.fine)


def test_places_lie_between_and_beside_thresholds():
    places = fine_places(np.array([0.1, 1.0, 10.0]), 20, np.array([2.0, 30.0, np.nan]))
    assert set(places) >= {0.1, 1.0, 10.0}
    assert len(places) == 3 + 2 * 10 + 2
    assert np.sum(np.isclose(places, 2.0, rtol=2e-6)) == 2


def test_a_sweep_that_would_need_too_many_predictions_has_none(monkeypatch):
    monkeypatch.setattr(fine_prediction, "MOST_PREDICTIONS", 5)
    assert "predicted_fine" not in run("uniform-small-sample", vary={"weight_decay": [0.1, 0.2]}, epochs=1, **SMALL)
