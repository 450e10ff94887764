"""Normalisations: what is derived of a run, against computations of its own, and the figure."""

import re

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.sweep import run_plan
from experiments.feature_collapse.questions.normalisations_derived import live_coordinates
from experiments.registry import find_experiment
from experiments.tables.result import format_result
from figures.feature_collapse.normalisations import PANELS, draw
from theory.feature_collapse.trainable_scale import solve_trainable_scale

SHARES = np.array([2 / 3, 1 / 3] * 3) / 3


@pytest.fixture(scope="module")
def trained():
    """Two normalisations, two seeds; short runs, that end nowhere in particular."""
    sizes = {"n_words": 6, "sentence_length": 2, "embedding_dim": 4, "n_steps": 200, "n_records": 2, "batch_size": 32}
    sizes |= {"n_evaluation": 200, "learning_rate": 0.02, "word_frequency": "zipf"}
    axes = {"normalisation": ["batch", "rms-affine", "layer-affine"]}
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
    assert list(known.basis.values) == ["theorem", "closed form", "no theory of a trainable scale"]
    assert list(known.is_theorem.values) == [1, 0, 0]
    assert known.norm_known.sel(normalisation="layer-affine").isnull()
    # The closed form at the constraint of a scale of 1 on all coordinates would be Type II: the penalty buys more.
    assert known.risk_known.sel(normalisation="rms-affine") != known.risk_known.sel(normalisation="batch")


def test_a_trainable_scale_is_not_held_against_type_two(trained):
    """With RMSNorm a simplex of other norms is predicted, with LayerNorm nothing at all."""
    ours = solve_trainable_scale(n_concepts=3, sentence_length=2, embedding_dim=4, weight_decay=2e-3)
    rms, layer = (trained.sel(regime="normalised", normalisation=f"{kind}-affine") for kind in ("rms", "layer"))
    predicted = rms.predicted.to_series()
    for name, value in (("embedding_norm", ours.embedding_norm), ("classifier_norm", ours.classifier_norm)):
        assert predicted[name] == pytest.approx(value, rel=1e-12)
    assert predicted["test_risk"] == ours.risk
    assert (predicted[["embedding_spread", "embedding_simplex_deviation", "embedding_distance"]] == 0).all()
    vectors = rms.embeddings_predicted.values.reshape(2, 3, 2, 4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), ours.embedding_norm, rtol=1e-6)
    np.testing.assert_allclose(vectors.mean(axis=1), 0, atol=1e-5)
    told = ["predicted", "risk_predicted", "embedding_norm_predicted", "classifier_norm_predicted"]
    for name in (*told, "embeddings_predicted", "classifier_predicted", "embedding_singular_values_predicted"):
        assert layer[name].isnull().all(), name
        assert rms[name].notnull().any(), name
    distances = layer.learned.sel(quantity=["embedding_distance", "classifier_distance"])
    assert distances.isnull().all()
    assert (str(rms.kind.item()), str(layer.kind.item())) == ("Type II", "")
    assert re.search(r"layer-affine +- ", format_result(trained))


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
    np.testing.assert_allclose(
        [segment[0][1] for segment in norms], trained.norm_known.dropna("normalisation").values.ravel()
    )


def test_an_epsilon_is_no_theorem_and_belongs_to_layer_norm(tmp_path, capsys):
    words = "run zipf-layer-norm --n-words 6 --n-classes 4 --sentence-length 2 --embedding-dim 4 --batch-size 10"
    words += " --n-evaluation 20 --epochs 2 --quiet --layer-norm-epsilon 1e-5"
    assert main([*words.split(), "--no-figures", "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "assumption not met: LayerNorm without epsilon: with epsilon = 1e-05" in printed
    assert main([*words.replace("zipf-layer-norm", "zipf-small-sample").split(), "--out", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == "simlab: layer_norm_epsilon: expected 0 without LayerNorm, got 1e-05\n"
