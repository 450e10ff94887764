"""Figures of representation kernels from a made-up dataset: what is drawn where."""

import numpy as np
import pytest
import xarray

from figures.representation_kernels import alignment_matrix, coarse_views, learned_kernel

pytestmark = pytest.mark.quick

BLOCKS = [1, 2, 3]
ALIGNMENT = np.array([[1.0, 0.9, 0.7], [1.0, 0.95, 0.8]])


@pytest.fixture
def dataset():
    """Two regimes of three views and two seeds; the learned CKA of the second seed is off by 1e-3."""
    rng = np.random.default_rng(0)
    pmi = rng.normal(size=(2, 3, 4, 4))
    shape = (2, 3, 2)
    learned = np.repeat(ALIGNMENT[..., None], 2, axis=2) + np.array([0.0, 1e-3])
    kernels = np.repeat(pmi[:, :, None], 2, axis=2)
    grid, names = ("regime", "blocks", "seed"), ("event", "partner")
    matrix = np.full((6, 6), 0.55)
    return xarray.Dataset(
        {
            "alignment": (grid, learned),
            "alignment_predicted": (grid, np.repeat(ALIGNMENT[..., None], 2, axis=2)),
            "cell_blocks": (grid[:2], np.broadcast_to(BLOCKS, shape[:2]).astype(float)),
            "kernel": ((*grid, *names), kernels + 0.1),
            "kernel_predicted": ((*grid, *names), kernels),
            "pmi": ((*grid[:2], *names), pmi),
            "kind": (grid[:2], np.full(shape[:2], "PMI", object)),
            "cka_matrix": (("cell", "other_cell"), matrix),
            "cka_matrix_predicted": (("cell", "other_cell"), matrix + 0.45 * np.eye(6)),
        },
        coords={"regime": ["one-encoder", "narrow"], "blocks": BLOCKS, "seed": [0, 1]},
    )


def lines(ax, marker):
    return [line for line in ax.lines if line.get_marker() == marker]


def test_coarse_views_lie_on_the_predicted_lines(dataset):
    curve_ax, error_ax = coarse_views.draw(dataset).axes
    predicted = [line.get_xydata().tolist() for line in curve_ax.lines if line.get_color() == "black"]
    assert predicted == [[list(point) for point in zip(BLOCKS, row, strict=True)] for row in ALIGNMENT.tolist()]
    dots = lines(curve_ax, "o")
    assert [line.get_ydata().tolist() for line in dots] == [ALIGNMENT[0].tolist(), (ALIGNMENT[0] + 1e-3).tolist()]
    assert np.all(np.abs(dots[0].get_xdata() - BLOCKS) < 0.5)
    errors = [line.get_ydata() for line in lines(error_ax, "o")]
    np.testing.assert_allclose(errors, [[coarse_views.LEAST_ERROR] * 3, [1e-3] * 3], rtol=1e-10)


def test_coarse_views_are_in_the_order_of_blocks(dataset):
    mixed = dataset.isel(blocks=[2, 0, 1])
    drawn = [
        line.get_xdata().tolist() for line in coarse_views.draw(mixed).axes[0].lines if line.get_color() == "black"
    ]
    assert drawn == [BLOCKS, BLOCKS]


def test_of_another_axis_the_first_value_is_drawn(dataset):
    matrices = {name: dataset[name] for name in ("cka_matrix", "cka_matrix_predicted")}
    larger = xarray.concat([dataset, dataset], "width", data_vars="all")
    drawn = coarse_views.draw(larger.assign(matrices)).axes[0]
    assert len(lines(drawn, "o")) == 2
    labels = [text.get_text() for text in learned_kernel.draw(larger.assign(matrices)).legends[0].get_texts()]
    assert labels[:2] == ["learned, B = 1", "learned, B = 3"]


def test_each_regime_has_a_panel_of_entries_against_pmi(dataset):
    figure = learned_kernel.draw(dataset)
    first = figure.axes[0]
    np.testing.assert_allclose(lines(first, "+")[0].get_xydata()[:, 0], dataset.pmi.values[0, 0].ravel())
    np.testing.assert_allclose(lines(first, "o")[0].get_ydata(), dataset.pmi.values[0, 0].ravel() + 0.1)
    np.testing.assert_allclose(lines(first, "^")[0].get_xdata(), dataset.pmi.values[0, 2].ravel())
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["learned, B = 1", "learned, B = 3", "predicted", "PMI"]
    single = learned_kernel.draw(dataset.isel(blocks=0))
    assert [text.get_text() for text in single.legends[0].get_texts()][:2] == ["learned, B = 1", "predicted"]


def test_the_matrix_has_a_square_for_each_pair_of_regimes(dataset):
    figure = alignment_matrix.draw(dataset)
    learned_ax, predicted_ax = figure.axes[:2]
    assert learned_ax.images[0].get_array().tolist() == dataset.cka_matrix.values.tolist()
    assert predicted_ax.images[0].get_clim() == (0.4, 1)
    assert [text.get_text() for text in learned_ax.get_yticklabels()] == ["one encoder", "narrow"]
    assert learned_ax.get_xlabel() == "each square: B = 1, 2, 3"
    empty = alignment_matrix.draw(dataset.drop_vars(["cka_matrix", "cka_matrix_predicted"]))
    assert "too many cells" in empty.axes[0].texts[0].get_text()


@pytest.mark.parametrize("module", [alignment_matrix, coarse_views, learned_kernel])
def test_a_panel_stands_for_a_figure(module, dataset):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    module.draw_key(ax, dataset)
    assert ax.lines
