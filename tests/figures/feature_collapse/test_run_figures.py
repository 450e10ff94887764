import numpy as np
import pytest
import xarray

import figures
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE
from figures.drawing import style

pytestmark = pytest.mark.quick

N_CONCEPTS, RANKS, DIM, N_CLASSES, LENGTH, RECORDS = 3, 4, 5, 6, 2, 7


def make_regime(name, *, equal, seeds=2):
    """A dataset in the saved form, filled with noise: figures need its names and axes, nothing else."""
    rng = np.random.default_rng(0)
    words = np.arange(N_CONCEPTS * RANKS)
    frequency = np.full(RANKS, 0.25) if equal else np.array([0.48, 0.24, 0.16, 0.12])
    embeddings = rng.normal(size=(seeds, len(words), DIM))
    classifier = rng.normal(size=(seeds, N_CLASSES, LENGTH, DIM))
    curves = (
        "train_cross_entropy", "test_cross_entropy", "train_accuracy", "test_accuracy", "embedding_norm",
        "classifier_norm", "embedding_spread", "classifier_spread", "test_accuracy_error",
    )  # fmt: skip
    spectra = {
        f"{kind}_singular_values{suffix}": (("seed", "component"), np.sort(rng.uniform(size=(seeds, DIM)))[:, ::-1])
        for kind in ("embedding", "classifier")
        for suffix in ("", "_predicted")
    }
    return xarray.Dataset(
        {
            "word_probability": ("word", np.tile(frequency, N_CONCEPTS)),
            "latents": (("seed", "class", "position"), rng.integers(N_CONCEPTS, size=(seeds, N_CLASSES, LENGTH))),
            "embeddings": (("seed", "word", "dimension"), embeddings),
            "embeddings_predicted": (("seed", "word", "dimension"), embeddings),
            "classifier": (("seed", "class", "position", "dimension"), classifier),
            "classifier_predicted": (("seed", "class", "position", "dimension"), classifier),
            "embedding_norm_predicted": ("word", np.linspace(2, 1, len(words))),
            "kind": ((), "Type I"),
            "predicted": ("quantity", [0.1, 1.0, 0.5]),
            "quantity": ("quantity", ["test_cross_entropy", "embedding_norm", "classifier_norm"]),
            **{f"history_{c}": (("seed", "record"), rng.uniform(0.1, 1, size=(seeds, RECORDS))) for c in curves},
            **spectra,
            "history_risk": (("seed", "record"), rng.uniform(1, 2, size=(seeds, RECORDS))),
            "risk_lower_bound": ("seed", np.array([0.5, np.nan])),
            "duality_gap": ("seed", np.array([0.1, np.nan])),
        },
        coords={
            "word_concept": ("word", words // RANKS),
            "word_rank": ("word", words % RANKS + 1),
            "step": ("record", np.arange(RECORDS) * 100),
            "regime": name,
        },
    )


def test_the_figure_of_verified_claims_is_drawn(tmp_path):
    dataset = xarray.Dataset(
        {
            "predicted": ("claim", [1.0, 2.0, np.nan]),
            "learned": ("claim", [1.0, 2.0 + 1e-13, np.nan]),
            "error": ("claim", [0.0, 1e-13, np.nan]),
            "tolerance": ("claim", [1e-14, 1e-12, np.nan]),
            "claim": ("claim", ["a", "b", "c"]),
            "status": ("claim", ["pass", "pass", "not applicable"]),
            "restart_excess": (("setting", "restart"), np.zeros((0, 0))),
        },
        attrs={"experiment": "verify", "figures": '["claims"]'},
    )
    assert figures.figures_of(dataset) == ("claims",)
    figure = figures.draw("claims", dataset)
    assert len(figure.axes[0].lines[1].get_xdata()) == 2


@pytest.fixture(params=[1, 4], ids=["one regime", "four regimes"])
def dataset(request):
    regimes = [make_regime(f"regime-{i}", equal=i % 2 == 0) for i in range(request.param)]
    return xarray.concat(regimes, dim="regime", data_vars="all", coords="different", compat="equals")


@pytest.mark.parametrize("name", FEATURE_COLLAPSE.figures)
def test_figures_have_print_width_and_labelled_axes(name, dataset):
    figure = figures.draw(name, dataset)
    width = style.ONE_COLUMN if dataset.sizes["regime"] == 1 else style.TWO_COLUMNS
    assert figure.get_size_inches()[0] == width
    assert all(ax.get_xlabel() for ax in figure.axes[-dataset.sizes["regime"] :])
    assert figure.axes[0].get_ylabel()


@pytest.mark.parametrize("name", FEATURE_COLLAPSE.figures)
def test_the_predicted_values_are_drawn(name, dataset):
    figure = figures.draw(name, dataset)
    black = [line for ax in figure.axes for line in ax.lines if line.get_color() == style.PREDICTED]
    assert len(black) >= dataset.sizes["regime"]


def test_the_predicted_curve_is_the_datasets(dataset):
    ax = figures.draw("feature_collapse.norm_against_frequency", dataset).axes[0]
    (curve,) = [line for line in ax.lines if line.get_label() == "predicted"]
    np.testing.assert_array_equal(curve.get_ydata(), np.linspace(2, 1, N_CONCEPTS * RANKS)[:RANKS])


def test_where_nothing_is_predicted_spectra_are_shown_by_their_own_size(dataset):
    told = {name: np.nan * dataset[name] for name in dataset if str(name).endswith("singular_values_predicted")}
    told["kind"] = xarray.full_like(dataset.kind, "")
    figure = figures.draw("feature_collapse.singular_values", dataset.assign(told))
    for ax, name in zip(figure.axes, dataset.regime.values, strict=True):
        shown = [line.get_ydata() for line in ax.lines]
        assert len(shown) == 2 * dataset.sizes["seed"]  # of embeddings and classifier, and no prediction
        learned = dataset.embedding_singular_values.sel(regime=name)
        np.testing.assert_allclose(shown[: len(learned)], learned / learned.max())
        assert ax.get_title().endswith("(nothing predicted)")


def test_pdf_embeds_truetype_and_is_reproducible(dataset, tmp_path):
    paths = [tmp_path / "one.pdf", tmp_path / "two.pdf"]
    for path in paths:
        style.save(figures.draw("feature_collapse.overview", dataset), path)
    content = paths[0].read_bytes()
    assert content == paths[1].read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


def test_drawing_leaves_matplotlib_settings_alone(dataset):
    import matplotlib

    before = dict(matplotlib.rcParams)
    figures.draw("feature_collapse.overview", dataset)
    assert dict(matplotlib.rcParams) == before


def test_concepts_differ_in_mark_and_in_lightness():
    looks = [style.concept_style(concept) for concept in range(3)]
    assert len({look["marker"] for look in looks}) == 3
    # Relative luminance (Rec. 709) of the first three colours, which most figures use: apart by 0.08 or more.
    channels = [[int(look["color"][i : i + 2], 16) / 255 for i in (1, 3, 5)] for look in looks]
    luminance = sorted(np.dot([0.2126, 0.7152, 0.0722], np.power(rgb, 2.2)) for rgb in channels)
    assert min(np.diff(luminance)) > 0.08
