from itertools import combinations

import matplotlib.colors
import numpy as np
import pytest
import xarray

import figures
from experiments.neural_collapse.phenomenon import NEURAL_COLLAPSE
from figures.drawing import style
from figures.neural_collapse import class_means, class_vectors, collapse_curves

QUANTITIES = ("feature_norm", "classifier_norm", "nc1", "nc2", "nc3", "nc4", "risk")
RECORDS = 9


def simplex(n_classes, dim=None, norm=1.0):
    """Vectors of equal norm with equal angles that sum to zero, in a random orientation."""
    corners = np.eye(n_classes) - 1 / n_classes
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(dim or n_classes,) * 2))[0]
    return norm * (corners / np.linalg.norm(corners[0])) @ rotation[:n_classes]


def make_regime(name, means, labels, *, factors=None, noise=0.0, seeds=1, kind="simplex"):
    """A regime in the saved form: predicted means for each sample, learned ones with noise, curves that fall."""
    labels = np.reshape(labels, (len(labels), -1))
    sizes = labels.max(axis=0) + 1 if factors is None else factors
    starts = np.cumsum(sizes) - sizes
    predicted = np.sum([means[labels[:, f] + start] for f, start in enumerate(starts)], axis=0)
    labels = np.pad(labels.astype(float), ((0, 0), (0, 2 - len(sizes))), constant_values=np.nan)
    rng = np.random.default_rng(0)
    learned = predicted + noise * rng.normal(size=(seeds, *predicted.shape))
    falling = {
        name: (("seed", "record"), scale * np.geomspace(1, 1e-7, RECORDS) * np.arange(1, seeds + 1)[:, None])
        for name, scale in (("nc1", 3.0), ("nc2", 0.7), ("nc3", 0.9), ("nc4", 0.4))
    }
    norms = {
        "embedding_norm": (("seed", "record"), np.linspace(0.5, 0.8, RECORDS) * np.ones((seeds, 1))),
        "classifier_norm": (("seed", "record"), np.linspace(0.1, 3.0, RECORDS) * np.ones((seeds, 1))),
        "risk": (("seed", "record"), 0.9 + np.geomspace(1, 1e-4, RECORDS) * np.ones((seeds, 1))),
    }
    return xarray.Dataset(
        {
            "features": (("seed", "sample", "dimension"), learned.astype(np.float32)),
            "features_predicted": (
                ("seed", "sample", "dimension"),
                np.tile(predicted.astype(np.float32), (seeds, 1, 1)),
            ),
            **{f"history_{name}": values for name, values in (falling | norms).items()},
            "predicted": ("quantity", [0.8, 3.0, 1e-32, 0.25, 1e-16, 0.0, 0.9]),
            "status": ("seed", ["finished"] * seeds),
            "kind": ((), kind),
        },
        coords={
            "quantity": list(QUANTITIES),
            "sample": np.arange(len(labels)),
            "class": np.arange(sum(sizes)),
            "dimension": np.arange(predicted.shape[1]),
            "sample_label": (("sample", "factor"), labels),
            "class_factor": ("class", np.repeat(np.arange(len(sizes)), sizes).astype(float)),
            "step": ("record", np.arange(RECORDS) * 5),
            "regime": name,
        },
    )


def make_dataset(*regimes):
    """Regimes side by side, padded with NaN to the size of the largest."""
    joined = xarray.concat(regimes, "regime", data_vars="all", coords="different", compat="equals", join="outer")
    return joined.assign_attrs(experiment="neural-collapse", phenomenon="neural-collapse", axes="[]")


def balanced(name="balanced", n_classes=5, per_class=3, **options):
    return make_regime(name, simplex(n_classes, n_classes + 1), np.repeat(np.arange(n_classes), per_class), **options)


def two_factors(name="factors"):
    """Values 0 to 2 and 0 to 3 with simplices in orthogonal subspaces, every combination twice."""
    means = np.zeros((7, 7))
    means[:3, :3], means[3:, 3:] = simplex(3), simplex(4)
    cells = np.stack(np.unravel_index(np.arange(12), (3, 4)), axis=1)
    return make_regime(name, means, np.repeat(cells, 2, axis=0), kind="orthogonal simplices")


def draw_means(dataset):
    return figures.draw("neural_collapse.class_means", dataset)


def draw_curves(dataset):
    return figures.draw("neural_collapse.collapse_curves", dataset)


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def rings_of(ax):
    """Return the predicted points of a panel, one for each class."""
    return np.array([line.get_xydata()[0] for line in ax.lines if line.get_color() == style.PREDICTED])


def lines_of(ax, curve):
    """Return the lines of a learned quantity, one for each seed."""
    mine = [line for line in ax.lines if line.get_color() == curve.colour]
    return [line for line in mine if line.get_label() != "predicted" and line.get_marker() == "None"]


def cells_of(ax, n_classes):
    """Return the picture of a matrix as numbers, one for each cell."""
    (image,) = ax.images
    pixels = np.ma.filled(image.get_array().astype(float), np.nan)
    size = len(pixels) // n_classes
    return pixels[size // 2 :: size, size // 2 :: size]


@pytest.mark.parametrize("n_regimes", [1, 2, 6])
@pytest.mark.parametrize("name", NEURAL_COLLAPSE.figures)
def test_text_has_room_and_print_size(name, n_regimes):
    kinds = ("simplex", "convex minimum", "orthogonal simplices", "square antiprism", "simplex", "zero")
    regimes = [balanced(f"step-imbalance-{i}", 4 + i, kind=kinds[i]) for i in range(n_regimes)]
    figure = figures.draw(name, make_dataset(*regimes))
    assert figure.get_size_inches()[0] == (style.ONE_COLUMN if n_regimes <= 2 else style.TWO_COLUMNS)
    figure.draw_without_rendering()
    axes = np.reshape(figure.axes, (-1, n_regimes))
    pieces = [figure.legends[0].get_window_extent()]
    pieces += [text.get_window_extent() for ax in figure.axes for text in (ax.title, ax.xaxis.label, *ax.texts)
               if text.get_text()]  # fmt: skip
    pieces += [ax.yaxis.label.get_window_extent() for ax in axes[:, 0]]
    width, height = figure.get_size_inches() * figure.dpi
    for piece in pieces:
        assert 0 <= piece.x0 < piece.x1 <= width
        assert 0 <= piece.y0 < piece.y1 <= height
    assert not [pair for pair in combinations(pieces, 2) if pair[0].overlaps(pair[1])]
    found = figure.findobj(lambda artist: hasattr(artist, "get_fontsize") and bool(artist.get_text()))
    assert min(text.get_fontsize() for text in found) >= 5


@pytest.mark.quick
def test_a_simplex_is_seen_as_a_regular_polygon():
    n_classes = 7
    dataset = make_dataset(balanced(n_classes=n_classes))
    ax = draw_means(dataset).axes[0]
    rings = rings_of(ax)
    # The covariance of a simplex of norm 1 is that of n/(n-1) in each direction, summed over n classes: on two
    # axes, 2/(n-1) for each class. Features are saved in float32.
    np.testing.assert_allclose(np.linalg.norm(rings, axis=1), np.sqrt(2 / (n_classes - 1)), rtol=1e-6)
    turns = np.angle(np.exp(1j * np.diff(np.arctan2(*rings.T[::-1]), append=np.arctan2(*rings[0][::-1]))))
    np.testing.assert_allclose(turns, 2 * np.pi / n_classes, rtol=1e-5)
    assert ax.get_xlabel() == "PC 1: 17%, PC 2: 17%"  # 1/6 each
    assert texts_of(ax) == [str(k) for k in range(1, 8)]


def test_without_ties_the_axes_are_those_of_the_predicted_features():
    means = np.diag([3.0, 2.0, 1.0, 0.5])[:, [2, 0, 3, 1]]
    dataset = make_dataset(make_regime("one", means, np.repeat(np.arange(4), [1, 2, 5, 9]), noise=0.1))
    ax = draw_means(dataset).axes[0]
    predicted, learned = (dataset[name].values[0, 0].astype(float) for name in ("features_predicted", "features"))
    _, _, axes = np.linalg.svd(predicted - predicted.mean(axis=0))
    marks = [line for line in ax.lines if line.get_color() != style.PREDICTED]
    drawn = np.concatenate([line.get_xydata() for line in marks])
    np.testing.assert_allclose(np.abs(drawn), np.abs(learned @ axes[:2].T), rtol=1e-4, atol=1e-6)
    # Learned marks and predicted rings are on the same axes, signs included.
    signs = np.sign(np.sum(drawn * (learned @ axes[:2].T), axis=0))
    np.testing.assert_allclose(rings_of(ax), means @ axes[:2].T * signs, rtol=1e-4, atol=1e-6)


@pytest.mark.quick
def test_cosines_are_learned_above_the_diagonal_and_predicted_below():
    labels = np.repeat(np.arange(4), [2, 1, 3, 4])
    rng = np.random.default_rng(1)
    dataset = make_dataset(make_regime("one", rng.normal(size=(4, 6)), labels, noise=0.3))
    ax = draw_means(dataset).axes[1]
    cells = cells_of(ax, 4)
    largest = 0.0
    for i, j in combinations(range(4), 2):
        cosine = {}
        for name in ("features", "features_predicted"):
            array = dataset[name].values[0, 0].astype(float)
            means = [array[labels == k].sum(axis=0) / (labels == k).sum() for k in range(4)]
            a, b = (means[k] - sum(means) / 4 for k in (i, j))
            cosine[name] = a @ b / np.sqrt((a @ a) * (b @ b))
        # The picture's numbers are float64, of float32 features: sums in another order differ by rounding only.
        assert cells[i, j] == pytest.approx(cosine["features"], abs=1e-12)
        assert cells[j, i] == pytest.approx(cosine["features_predicted"], abs=1e-12)
        largest = max(largest, abs(cosine["features"] - cosine["features_predicted"]))
    assert np.isnan(np.diag(cells)).all()
    stated = float(ax.get_xlabel().removeprefix("difference ≤ "))
    assert largest <= stated <= 2 * largest  # one digit, rounded up


@pytest.mark.quick
@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (3.01e-7, "4·10⁻⁷"), (0.0123, "0.02"), (1.2, "2"), (0.95, "1"), (9.5e-8, "1·10⁻⁷")]
)
def test_differences_are_rounded_up(value, text):
    assert class_means._round_up(value) == text


@pytest.mark.quick
def test_coinciding_classes_share_a_label_and_have_cosine_one():
    means = simplex(5, 6)
    means[2:] = means[2:].mean(axis=0)
    dataset = make_dataset(make_regime("one", means, np.repeat(np.arange(5), [4, 4, 1, 1, 1])))
    cloud, matrix = draw_means(dataset).axes[:2]
    assert texts_of(cloud) == ["1", "2", "3\N{EN DASH}5"]
    cells = cells_of(matrix, 5)[2:, 2:]
    np.testing.assert_allclose(cells[~np.eye(3, dtype=bool)], 1, rtol=1e-6)


def test_values_of_factors_are_classes_centred_within_their_factor():
    dataset = make_dataset(two_factors(), balanced())
    axes = draw_means(dataset).axes
    cells = cells_of(axes[2], 7)
    np.testing.assert_allclose(cells[:3, 3:], 0, atol=1e-6)  # rounding of float32
    np.testing.assert_allclose(cells[:3, :3][~np.eye(3, dtype=bool)], -1 / 2, rtol=1e-6)
    np.testing.assert_allclose(cells[3:, 3:][~np.eye(4, dtype=bool)], -1 / 3, rtol=1e-6)
    # The variance of the first is shared by two directions, that of the second by three: the first is seen.
    assert texts_of(axes[0]) == ["a1", "a2", "a3", "b1\N{EN DASH}4"]
    assert len(rings_of(axes[0])) == 7
    assert axes[0].get_xlabel() == "PC 1: 25%, PC 2: 25%"


def test_regimes_of_other_sizes_are_drawn_without_their_padding():
    small = balanced("small", 3, per_class=2)
    alone = draw_means(make_dataset(small, small.assign_coords(regime="again")))
    padded = draw_means(make_dataset(small, balanced("large", 6)))
    for index in (0, 2):
        for one, other in zip(alone.axes[index].lines, padded.axes[index].lines, strict=True):
            np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())
    assert len(rings_of(padded.axes[0])) == 3
    np.testing.assert_array_equal(cells_of(alone.axes[2], 3), cells_of(padded.axes[2], 3))


def test_total_collapse_is_called_zero():
    dataset = balanced(noise=1e-19)
    dataset["features_predicted"] = dataset.features_predicted * 0
    dataset["features"] = dataset.features * 1e-19
    dataset["predicted"] = dataset.predicted * 0
    cloud, matrix = draw_means(make_dataset(dataset)).axes[:2]
    assert texts_of(cloud) == ["zero"]
    assert texts_of(matrix) == ["zero", "zero"]
    assert np.isnan(cells_of(matrix, 5)).all()


def test_a_class_whose_mean_is_zero_is_blank_and_the_legend_says_so():
    means = np.concatenate([simplex(4, 6), np.zeros((1, 6))])
    regime = make_regime("one", means, np.repeat(np.arange(5), 3), noise=1e-6)
    figure = draw_means(make_dataset(regime))
    cells = cells_of(figure.axes[1], 5)
    assert np.isnan(cells[4]).all()
    assert np.isnan(cells[:, 4]).all()
    assert np.isfinite(cells[:4, :4][~np.eye(4, dtype=bool)]).all()
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "blank: zero mean" in entries
    entries = [text.get_text() for text in draw_means(make_dataset(balanced())).legends[0].get_texts()]
    assert "blank: zero mean" not in entries


def test_a_diverged_run_shows_its_prediction():
    regime = balanced()
    regime["features"] = regime.features * np.nan
    regime["status"] = "seed", ["diverged"]
    for name in ("nc1", "nc2", "nc3", "nc4", "embedding_norm", "classifier_norm", "risk"):
        regime[f"history_{name}"] = regime[f"history_{name}"] * np.nan
    cloud, matrix = draw_means(make_dataset(regime)).axes[:2]
    assert len(rings_of(cloud)) == 5
    assert texts_of(matrix) == ["diverged"]
    assert np.isfinite(cells_of(matrix, 5)[np.tril_indices(5, -1)]).all()
    assert texts_of(draw_curves(make_dataset(regime)).axes[0]) == ["diverged"]


def test_many_classes_have_few_labels():
    figure = draw_means(make_dataset(balanced(n_classes=6), make_regime(
        "many", simplex(40, 48), np.arange(40))))  # fmt: skip
    cloud, matrix = figure.axes[1], figure.axes[3]
    assert not cloud.texts
    assert len(rings_of(cloud)) == 40
    assert len(matrix.get_xticks()) <= class_means.MOST_TICKS
    middle = figures.draw(
        "neural_collapse.class_means", make_dataset(make_regime("middle", simplex(24, 48), np.arange(24)))
    )
    assert texts_of(middle.axes[0]) == [str(k) for k in range(1, 25, 2)]


def test_one_dimension_is_drawn_on_two_axes():
    regime = make_regime("one", np.array([[1.0], [-1.0]]), np.repeat([0, 1], 3))
    ax = draw_means(make_dataset(regime)).axes[0]
    np.testing.assert_allclose(np.abs(rings_of(ax)), [[1, 0], [1, 0]])
    assert ax.get_xlabel() == "PC 1: 100%, PC 2: 0%"


def test_axes_are_orthonormal_where_every_direction_ties():
    vectors = class_vectors.read_vectors(make_regime("one", np.zeros((3, 4)), [0, 1, 2]).isel(seed=0))
    axes, shares = class_vectors.class_axes(vectors)
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-12)
    assert shares.tolist() == [0, 0]


def test_lightness_rises_with_the_cosine():
    colours = class_means.CMAP(np.linspace(0, 1, 65))[:, :3]
    luminance = np.power(colours, 2.2) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()


def test_classes_differ_in_colour_or_mark():
    looks = {tuple(style.concept_style(k).values()) for k in range(56)}
    assert len(looks) == 56
    # Neighbours differ in both.
    for one, other in ((style.concept_style(k), style.concept_style(k + 1)) for k in range(55)):
        assert one["color"] != other["color"]
        assert one["marker"] != other["marker"]


@pytest.mark.quick
def test_curves_are_the_datasets_for_every_seed():
    dataset = make_dataset(balanced(seeds=3), two_factors().isel(seed=[0, 0, 0]).assign_coords(regime="two"))
    axes = np.reshape(draw_curves(dataset).axes, (3, 2))
    for column, regime in zip(axes.T, dataset.regime.values, strict=True):
        for ax, curves in ((column[0], collapse_curves.MEASURES), (column[1], collapse_curves.NORMS)):
            for curve in curves:
                lines = lines_of(ax, curve)
                numbers = dataset[f"history_{curve.name}"].sel(regime=regime).values
                assert len(lines) == 3
                for line, values in zip(lines, numbers, strict=True):
                    np.testing.assert_array_equal(line.get_xdata(), dataset.step.values)
                    np.testing.assert_array_equal(line.get_ydata(), values)
            assert ax.get_yscale() == "log"
        excess = dataset.history_risk.sel(regime=regime).values - 0.9
        for line, values in zip(column[2].lines, excess, strict=True):
            np.testing.assert_allclose(line.get_ydata(), values, rtol=1e-12)
            assert (values >= collapse_curves.RISK_FLOOR).all()
        assert column[2].get_xlim() == (0, dataset.step.values[-1])


def test_predicted_values_are_guides_where_they_are_not_zero():
    axes = draw_curves(make_dataset(balanced())).axes
    guides = [{line.get_color(): line.get_ydata()[0] for line in ax.lines if line.get_label() == "predicted"}
              for ax in axes[:2]]  # fmt: skip
    nc2 = collapse_curves.MEASURES[1]
    assert guides[0] == {nc2.colour: 0.25}
    assert guides[1] == {curve.colour: value for curve, value in zip(collapse_curves.NORMS, (0.8, 3.0), strict=True)}
    thin = [line for line in axes[0].lines if line.get_label() == "predicted"]
    assert thin[0].get_linewidth() < lines_of(axes[0], nc2)[0].get_linewidth()


def test_a_measure_that_is_zero_leaves_the_panel_at_a_triangle():
    regime = balanced(seeds=2)
    regime["history_nc4"] = ("seed", "record"), [[0.9, 0.0, 0.1, 0, 0, 0, 0, 0, 0], [0.9, 0.5, 0.2, *[0.1] * 6]]
    ax = draw_curves(make_dataset(regime)).axes[0]
    nc4 = collapse_curves.MEASURES[3]
    first, second = lines_of(ax, nc4)
    floor = collapse_curves.MEASURE_FLOOR
    assert first.get_ydata().tolist() == [0.9, floor, 0.1, floor]
    assert second.get_ydata().tolist() == [0.9, 0.5, 0.2, *[0.1] * 6]
    (triangle,) = [line for line in ax.lines if line.get_marker() == "v"]
    assert (triangle.get_xdata()[0], triangle.get_ydata()[0]) == (15, ax.get_ylim()[0])
    assert triangle.get_color() == nc4.colour


def test_what_is_below_rounding_lies_on_the_lower_edge():
    regime = balanced()
    regime.history_nc1[:, -1] = 1e-19
    regime.history_embedding_norm[:, -1] = 1e-19
    regime.history_risk[:, -1] = 0.9 - 3e-7
    axes = draw_curves(make_dataset(regime)).axes
    floors = (collapse_curves.MEASURE_FLOOR, collapse_curves.NORM_FLOOR, collapse_curves.RISK_FLOOR)
    for ax, floor in zip(axes, floors, strict=True):
        assert ax.lines[0].get_ydata()[-1] == floor
    assert axes[0].get_ylim()[0] == floors[0]
    assert axes[2].get_ylim()[0] == floors[2]
    assert not axes[2].texts
    regime.history_risk[:, -1] = 0.89
    assert texts_of(draw_curves(make_dataset(regime)).axes[2]) == ["ends below\nthe predicted risk"]


def test_measures_that_end_undefined_say_so():
    regime = balanced()
    for name in ("nc1", "nc2", "nc3", "nc4"):
        regime[f"history_{name}"][:, 2:] = np.nan
    regime["predicted"] = regime.predicted * np.nan
    ax = draw_curves(make_dataset(regime)).axes[0]
    assert texts_of(ax) == ["undefined:\nzero network"]
    assert not [line for line in ax.lines if line.get_label() == "predicted"]


def test_curves_of_a_panel_differ_in_colour_and_line():
    for curves in (collapse_curves.MEASURES, collapse_curves.NORMS):
        assert len({matplotlib.colors.to_hex(curve.colour) for curve in curves}) == len(curves)
        assert len({curve.line for curve in curves}) == len(curves)
    legend = draw_curves(make_dataset(balanced())).legends[0]
    named = [text.get_text() for text in legend.get_texts()]
    assert named[:4] == [curve.label for curve in collapse_curves.MEASURES]
    assert len(named) == 8
