"""Figures of norm and variance from made-up datasets: what is drawn where."""

import json

import numpy as np
import pytest
import xarray

from figures.norm_and_variance import encoder, moments_precision, shares, trade_off

pytestmark = pytest.mark.quick

LAYERS, WORDS, SEEDS = 3, 5, 2
REGIMES = ["one", "other"]
ATTRIBUTES = {"quantities": json.dumps({}), "experiment": "norm-and-variance"}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def xy(line):
    return np.array(line.get_xdata(), float), np.array(line.get_ydata(), float)


def test_the_line_of_a_layer_has_the_slope_of_the_formula(rng):
    shape = (len(REGIMES), SEEDS, 2, LAYERS, WORDS)
    dims = ("regime", "seed", "stage", "layer", "word")
    norm = rng.uniform(0.1, 0.9, size=shape)
    norm[..., 0] = np.nan  # a rare word
    slope = np.full(shape[:-1], -0.5)
    dataset = xarray.Dataset(
        {
            "token_mean_square": (dims, norm),
            "token_variance": (dims, 1 - norm),
            "slope_predicted": (dims[:-1], slope),
            "mean_share": (dims[:-1], slope),
            "kind": ("regime", np.array(["identity", "nothing"], object)),
        },
        coords={"regime": REGIMES},
        attrs=ATTRIBUTES,
    )
    figure = trade_off.draw(dataset)
    axes = [ax for ax in figure.axes if ax.lines]
    assert len(axes) == 4
    assert len(axes[0].lines) == 2 * LAYERS
    marks, line = axes[0].lines[:2]
    np.testing.assert_allclose(xy(marks)[0], norm[0, 0, 0, 0, 1:])
    x, y = xy(line)
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(-0.5)


def test_networks_stand_beside_their_prediction(rng):
    dims, shape = ("regime", "seed", "layer"), (len(REGIMES), SEEDS, LAYERS)
    names = [name + end for name in shares.SHARES for end in ("", "_predicted")]
    values = {name: rng.uniform(size=shape) for name in names}
    dataset = xarray.Dataset(
        {name: (dims, array) for name, array in values.items()}
        | {"kind": ("regime", np.array(["infinite width"] * 2, object))},
        coords={"regime": REGIMES},
        attrs=ATTRIBUTES,
    )
    first = shares.draw(dataset).axes[0]
    assert len(first.lines) == len(shares.SHARES) * (1 + SEEDS)
    np.testing.assert_allclose(xy(first.lines[0])[1], values["mean_share_predicted"][0, 0])
    np.testing.assert_allclose(xy(first.lines[2])[1], values["mean_share"][0, 1])


def test_errors_below_the_axis_are_drawn_at_its_end():
    ratios, names = np.array([1.0, 1e4]), ["compensated", "plain", "two_passes", "difference", "squares"]
    learned = np.full((1, 2, 3, 5), 1e-7)
    learned[..., 0] = 0
    dataset = xarray.Dataset(
        {
            "learned": (("regime", "mean_ratio", "seed", "quantity"), learned),
            "predicted": (("regime", "mean_ratio", "quantity"), np.full((1, 2, 5), 1e-6)),
            "label": ("quantity", np.array(names, object)),
        },
        coords={"mean_ratio": ratios, "quantity": names},
        attrs=ATTRIBUTES,
    )
    (ax,) = moments_precision.draw(dataset).axes
    np.testing.assert_allclose(xy(ax.lines[0])[1], moments_precision.LOWEST)
    np.testing.assert_allclose(xy(ax.lines[-1])[1], 1e-6)
    assert [text.get_text() for text in ax.get_legend().get_texts()][:2] == ["compensated", "plain"]


def test_the_page_of_an_encoder_shows_published_curves_if_there_are_any(rng):
    by_layer = [
        *("mean_share", "within_share", "correlation", "correlation_predicted", "undone_correlation"),
        *("slope_predicted", "self_similarity", "self_similarity_all", "anisotropy", "anisotropy_all"),
        *("adjusted_intra", "adjusted_intra_all", "rogue_share"),
    ]
    grid = ("regime", "seed")
    variables = {name: ((*grid, "layer"), rng.uniform(size=(1, 1, LAYERS))) for name in by_layer}
    for name in ("token_mean_square", "token_variance", "token_self_similarity"):
        variables[name] = ((*grid, "layer", "token"), rng.uniform(size=(1, 1, LAYERS, WORDS)))
    for name in ("token_context", "token_count"):
        variables[name] = ((*grid, "token"), rng.uniform(1, 9, size=(1, 1, WORDS)))
    dataset = xarray.Dataset(variables, attrs=ATTRIBUTES)
    plain = encoder.draw(dataset)
    published = dataset.assign(anisotropy_published=("layer", np.array([0.1, 0.2, 0.3])))
    figure = encoder.draw(published.assign_attrs(published="a paper"))
    assert len(figure.axes) == len(plain.axes) == encoder.N_PANELS
    before, after = (len(one.axes[4].lines) for one in (plain, figure))
    assert after == before + 1
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "published: a paper" in texts
    farthest = int(np.argmax(variables["mean_share"][1][0, 0]))
    assert set(encoder.chosen_layers(encoder.first_run(dataset))) == {0, farthest, LAYERS - 1}
