"""Figures of hidden manifolds from made-up datasets: what is drawn where."""

import json

import numpy as np
import pytest
import xarray

from figures.hidden_manifold import folds, recovered, spectra
from figures.hidden_manifold.cells import best_seed

pytestmark = pytest.mark.quick

N_POINTS = 12
QUANTITIES = ("loss", "r_squared", "folded")


def circle_points():
    angles = 2 * np.pi * np.arange(N_POINTS) / N_POINTS
    return np.column_stack([np.cos(angles), np.sin(angles)])


def sphere_points():
    points = np.random.default_rng(0).normal(size=(N_POINTS, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def pad(array, shape):
    return np.pad(
        array, [(0, size - own) for size, own in zip(shape, array.shape, strict=True)], constant_values=np.nan
    )


@pytest.fixture
def dataset():
    """A circle of the spectral loss, and InfoNCE on the sphere of which the first seed is folded."""
    circle, sphere = circle_points(), sphere_points()
    embedded = np.column_stack([np.ones(N_POINTS), np.sqrt(1.6) * circle])
    folded = np.abs(sphere)
    learned = np.array([[[-3.0, 1, np.nan], [-3.1, 1, np.nan]], [[-1.3, 0.6, 1], [-1.7, 1, 0]]])
    shape = (N_POINTS, 3)
    return xarray.Dataset(
        {
            "embeddings": (
                ("regime", "seed", "point", "dimension"),
                np.array([[embedded, embedded], [folded, sphere]]),
            ),
            "embeddings_predicted": (
                ("regime", "seed", "point", "dimension"),
                np.array([[embedded] * 2, [sphere] * 2]),
            ),
            "eigenvalues": (
                ("regime", "seed", "dimension"),
                np.array([[[1, 0.8, 0.79]] * 2, [[0.5, 0.3, 0.2], [0.34, 0.33, 0.33]]]),
            ),
            "eigenvalues_predicted": (
                ("regime", "seed", "dimension"),
                np.array([[[1, 0.8, 0.8]] * 2, [[1 / 3] * 3] * 2]),
            ),
            "coordinates": (("regime", "point", "coordinate"), np.array([pad(circle, shape), sphere])),
            "manifold_dimension": ("regime", [1.0, 2.0]),
            "is_sphere": ("regime", [0.0, 1.0]),
            "is_sampled": ("regime", [0.0, 1.0]),
            "learned": (("regime", "seed", "quantity"), learned),
            "predicted": (("regime", "quantity"), np.array([[-3.2, 1, np.nan], [-1.77, 1, 0]])),
            "status": (("regime", "seed"), np.full((2, 2), "finished", object)),
            "kind": ("regime", np.array(["3 eigenfunctions", "a rotation"], object)),
            "step": (("regime", "record"), np.array([[0, 10], [0, 10]])),
            "history_loss": (("regime", "seed", "record"), np.zeros((2, 2, 2))),
        },
        coords={"regime": ["circle", "infonce"], "seed": [0, 1], "quantity": list(QUANTITIES)},
        attrs={"axes": json.dumps([])},
    )


def test_recovered_points_lie_on_the_predicted_outline(dataset):
    circle_ax, sphere_ax = recovered.draw(dataset).axes[:2]
    marks = np.concatenate([np.asarray(cloud.get_offsets()) for cloud in circle_ax.collections])
    np.testing.assert_allclose(np.linalg.norm(marks, axis=1), np.sqrt(1.6), rtol=1e-12)
    (outline,) = circle_ax.lines
    np.testing.assert_allclose(np.hypot(*outline.get_data()), np.sqrt(1.6), rtol=1e-12)
    assert [sum(len(cloud.get_offsets()) for cloud in ax.collections) for ax in (circle_ax, sphere_ax)] == [
        N_POINTS
    ] * 2
    # Colours are true angles.
    angles = np.concatenate([cloud.get_array() for cloud in circle_ax.collections])
    np.testing.assert_allclose(np.sort(angles), np.sort(np.arctan2(*circle_points().T[::-1])))


def test_the_best_seed_is_drawn(dataset):
    assert best_seed(dataset.sel(regime="infonce")) == 1
    dataset.status.loc[{"regime": "infonce", "seed": 1}] = "diverged"
    assert best_seed(dataset.sel(regime="infonce")) == 0


def test_each_learned_eigenvalue_has_a_mark(dataset):
    figure = spectra.draw(dataset)
    marks = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in marks] == [[1, 0.8, 0.79]] * 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "predicted", "learned, each seed", "learned, folded",
    ]  # fmt: skip


def test_folded_and_unfolded_runs_are_told_apart(dataset):
    figure = folds.draw(dataset)
    courses, ends, runs = figure.axes
    assert [line.get_linestyle() for line in courses.lines[:2]] == ["--", "-"]
    points = {line.get_marker(): (line.get_xdata()[0], line.get_ydata()[0]) for line in ends.lines[:2]}
    assert points == {"^": (-1.3, 0.6), "o": (-1.7, 1)}
    # The best run is a straight line, and the first drawn.
    true, learned = runs.lines[0].get_data()
    np.testing.assert_allclose(learned, true, atol=1e-12)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["unfolded: 1 of 2 seeds", "folded: 1 of 2 seeds", "predicted (rotation)"]


def test_without_info_nce_there_are_no_folds(dataset):
    figure = folds.draw(dataset.isel(regime=[0]))
    assert [text.get_text() for text in figure.axes[0].texts] == ["no InfoNCE regime with unrestricted partners"]


def test_a_run_that_diverged_is_said(dataset):
    dataset.embeddings[1] = np.nan
    texts = [text.get_text() for ax in recovered.draw(dataset).axes for text in ax.texts]
    assert texts == ["diverged"]
    folds.draw(dataset.assign(learned=dataset.learned * np.nan))


def test_key_panels_are_drawn(dataset):
    from matplotlib.figure import Figure

    for module in (recovered, spectra, folds):
        ax = Figure().subplots()
        module.draw_key(ax, dataset)
        assert ax.lines
