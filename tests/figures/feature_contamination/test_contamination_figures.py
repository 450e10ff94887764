"""Figures of feature contamination from made-up datasets: what is drawn where."""

import json

import numpy as np
import pytest
import xarray

from figures.feature_contamination import curves, neurons, phase_plane, ratio, toy

pytestmark = pytest.mark.quick

QUANTITIES = ["ratio", "core_r2", "background_r2"]


def ratios():
    """Three values of d, two more of the slope, one more of the mean; the learned ratio is 2 % above r*."""
    d, slope, mean = [4.0, 32.0, 64.0, 32, 32, 32], [0, 0, 0, 0.5, 1.0, 0], [0.5, 0.5, 0.5, 0.5, 0.5, 0.1]
    limit = np.array([0.6, 0.8, 0.9, 0.3, 0.0, 0.2])
    learned = 1.02 * limit[:, None] * [0.99, 1.01]
    dataset = xarray.Dataset(
        {
            "learned": (("regime", "seed", "quantity"), learned[..., None]),
            "limit_ratio": ("regime", limit),
            "core_features": ("regime", d),
            "leaky_slope": ("regime", slope),
            "background_mean": ("regime", mean),
        },
        coords={"regime": list("abcdef"), "seed": [0, 1], "quantity": ["ratio"]},
        attrs={"axes": "[]"},
    )
    for name, ends in (("core_features", (4, 64)), ("leaky_slope", (0, 1)), ("background_mean", (0.1, 0.5))):
        dataset = dataset.assign_coords({f"{name}_place": np.linspace(*ends, 5)})
        for line in ("line", "one_line"):
            dataset[f"{name}_{line}"] = (f"{name}_place", np.linspace(0.6, 0.9, 5))
    return dataset


def courses():
    """A regime that is followed as a whole, and one whose neurons are."""
    time = np.linspace(0, 1, 5)
    history = np.stack([0.5 * time, 0.5 * time + 0.01])
    both = np.stack([history, history])
    followed = np.stack([history, np.full_like(history, np.nan)])
    dims = ("regime", "seed", "record")
    names = ("loss", "ood_loss", "margin", "ood_margin", "core_weight", "background_weight")
    sums = np.arange(8.0).reshape(2, 4)
    r2 = np.full((2, 2, 3), np.nan)
    r2[1, :, 1:] = 0.75
    field = np.ones((2, 4, 4))
    field[1] = np.nan
    grid = np.tile(np.linspace(0.1, 0.6, 4), (2, 1))
    return xarray.Dataset(
        {
            **{f"history_{name}": (dims, both) for name in names},
            **{f"history_{name}_predicted": (dims, followed) for name in names},
            **{name: (("regime", "seed", "neuron"), np.stack([sums, sums]))
               for name in ("core_sums", "background_sums", "core_sums_predicted", "background_sums_predicted")},
            "learned": (("regime", "seed", "quantity"), r2),
            "grid_core": (("regime", "place_core"), grid),
            "grid_background": (("regime", "place_background"), grid - 0.1),
            "core_drift": (("regime", "place_background", "place_core"), field),
            "background_drift": (("regime", "place_background", "place_core"), field),
        },
        coords={
            "regime": ["relu-hinge", "early"], "seed": [0, 1], "quantity": QUANTITIES,
            "step": ("record", [0, 10, 20, 30, 40]),
        },
        attrs={
            "axes": "[]",
            "configuration": json.dumps({name: {"learning_rate": 0.1} for name in ("relu-hinge", "early")}),
        },
    )  # fmt: skip


def marks(ax):
    """Return the points of the error bars of a panel."""
    return [container.lines[0].get_xydata() for container in ax.containers]


def test_each_row_of_the_ratio_has_its_own_cells():
    axes = ratio.draw(ratios()).axes
    top = [marks(ax)[0][:, 0].tolist() for ax in axes[:3]]
    assert top == [[4, 32, 64], [0, 0.5, 1], [0.1, 0.5]]
    deviations = [marks(ax)[0][:, 1] for ax in axes[3:]]
    np.testing.assert_allclose(np.concatenate(deviations), 2)
    assert len(deviations[1]) == 2, "no deviation from a ratio of zero"
    assert axes[0].get_xscale() == "log"


def test_a_run_of_one_row_has_one_column():
    dataset = ratios().isel(regime=[0, 1, 2])
    assert len(ratio.draw(dataset).axes) == 2


def test_neurons_are_those_of_the_regime_that_follows_them():
    figure = neurons.draw(courses())
    assert len(figure.axes) == 2
    assert "0.75000" in figure.axes[0].texts[0].get_text()
    line, positive, negative = figure.axes[1].lines
    assert line.get_xydata().tolist() == [[0, 0], [7, 7]]
    assert positive.get_xdata().tolist() == [0, 1, 4, 5]
    assert negative.get_xdata().tolist() == [2, 3, 6, 7]
    alone = neurons.draw(courses().isel(regime=[0]))
    assert "no regime" in alone.axes[0].texts[0].get_text()


@pytest.mark.parametrize("module", [curves, phase_plane])
def test_whole_courses_are_those_that_theory_follows(module):
    figure = module.draw(courses())
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["ReLU hinge"]
    assert not module.draw(courses().isel(regime=[1])).axes[0].lines


def test_curves_are_over_natural_time():
    axes = curves.draw(courses()).axes
    assert marks(axes[0])[0][:, 0].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(marks(axes[0])[0][:, 1], [0.005, 0.13, 0.255, 0.38, 0.505])


def test_the_plane_has_paths_of_every_seed_and_of_the_ode():
    [ax] = phase_plane.draw(courses()).axes
    assert len(ax.lines) == 3
    np.testing.assert_allclose(ax.lines[1].get_xydata()[-1], [0.51, 0.51])
    np.testing.assert_allclose(ax.lines[2].get_xydata()[-1], [0.5, 0.5])


def toys(*regimes):
    """Courses of the toy experiment; losses of the first regime are 1, 0.1, 0.01 times a factor of their own."""
    falling = np.array([1.0, 0.1, 0.01])
    names = {"train_loss": 1.0, "loss": 2.0, "ood_loss": 3.0, "background_weight": 4.0, "background_norm": 5.0}
    shape = (len(regimes), 1, 3)
    return xarray.Dataset(
        {f"history_{name}": (("regime", "seed", "record"), np.broadcast_to(factor * falling, shape))
         for name, factor in names.items()},
        coords={"regime": list(regimes), "seed": [0], "step": ("record", [0, 5, 10])},
        attrs={"axes": "[]"},
    )  # fmt: skip


def test_a_row_of_the_toy_experiment_for_each_core():
    figure = toy.draw(toys("signed-relu", "signed-tanh", "spheres-relu"))
    losses, outside, weights = figure.axes[:3]
    assert [line.get_ydata()[0] for line in losses.lines] == [1, 2, 3]
    assert [line.get_label() for line in outside.lines] == ["ReLU", "tanh"]
    assert weights.lines[0].get_ydata()[0] == 4
    assert figure.axes[5].lines[0].get_ydata()[0] == 5
    assert [ax.get_title() for ax in figure.axes[3:5]] == ["spherical core, ReLU", "spherical core"]
    assert len(toy.draw(toys("spheres-gelu")).axes) == 3


@pytest.mark.parametrize(
    ("module", "dataset"),
    [(ratio, ratios()), (curves, courses()), (phase_plane, courses()), (toy, toys("signed-relu"))],
)
def test_keys_for_a_talk(module, dataset):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    module.draw_key(ax, dataset)
    assert ax.get_xlabel()
    assert ax.lines
