"""Normalisations: what is derived of a run, against computations of its own, and the figure."""

import numpy as np
import pytest

from experiments.derived.normalisations import live_coordinates
from experiments.registry import find_experiment
from experiments.sweep import run_plan
from figures.normalisations import PANELS, draw

SHARES = np.array([2 / 3, 1 / 3] * 3) / 3


@pytest.fixture(scope="module")
def trained():
    """Two normalisations, two seeds; short runs, that end nowhere in particular."""
    sizes = {"n_words": 6, "sentence_length": 2, "embedding_dim": 4, "n_steps": 200, "n_records": 2, "batch_size": 32}
    sizes |= {"n_evaluation": 200, "learning_rate": 0.02, "word_frequency": "zipf"}
    axes = {"normalisation": ["batch", "rms-affine"]}
    return run_plan(find_experiment("normalisations").plan("quick", sizes, [0, 1], axes))


def test_what_is_derived_is_that_of_the_vectors(trained):
    for kind in trained.normalisation.values:
        for seed in (0, 1):
            one = trained.sel(regime="normalised", normalisation=kind, seed=seed)
            vectors = one.embeddings.values.astype(np.float64)
            spread = np.cov(vectors.T, aweights=SHARES, bias=True)
            expected = np.trace(spread) ** 2 / np.sum(np.diag(spread) ** 2)
            assert one.live_coordinates.item() == pytest.approx(expected, rel=1e-9)
            squares = np.sum(vectors.reshape(3, 2, 4) ** 2, axis=2).sum(axis=0)
            assert one.rare_norm.item() == pytest.approx(np.sqrt(squares[1] / squares[0]), rel=1e-9)
    # Each coordinate has variance 1 under BatchNorm: all four live.
    assert trained.live_coordinates.sel(normalisation="batch").values == pytest.approx(4, rel=1e-4)


def test_what_is_known(trained):
    known = trained.sel(regime="normalised")
    np.testing.assert_allclose(known.norm_known.sel(normalisation="batch"), 2)
    assert known.live_coordinates_known.sel(normalisation="rms-affine").item() == 2
    assert list(known.basis.values) == ["theorem", "no theory of a trainable scale"]
    assert list(known.is_theorem.values) == [1, 0]
    # The closed form at the constraint of a scale of 1 on all coordinates would be Type II: the penalty buys more.
    assert known.risk_known.sel(normalisation="rms-affine") != known.risk_known.sel(normalisation="batch")


@pytest.mark.parametrize(("variances", "expected"), [([1, 1, 1, 1], 4), ([3, 3, 0, 0], 2), ([5, 0, 0, 0], 1)])
def test_coordinates_that_live(variances, expected):
    signs = np.array([[1, 1, 1, 1], [-1, 1, -1, 1], [1, -1, -1, 1], [-1, -1, 1, -1]], float)
    signs[:, 3] = [1, -1, 1, -1]
    vectors = 7 + signs * np.sqrt(variances)
    assert live_coordinates(vectors, np.full(4, 0.25)) == pytest.approx(expected, rel=1e-12)


def test_the_figure_shows_means_and_what_is_known(trained):
    figure = draw(trained)
    for ax, (name, _) in zip(figure.axes, PANELS, strict=True):
        cells = trained.sel(regime="normalised")
        values = cells[name] if name in cells else cells.learned.sel(quantity=name)
        shown = next(line for line in ax.lines if line.get_marker() == "o")
        np.testing.assert_allclose(shown.get_ydata(), values.mean("seed"), rtol=1e-6)
    norms = figure.axes[3].collections[-1].get_segments()
    np.testing.assert_allclose([segment[0][1] for segment in norms], trained.norm_known.values.ravel())
