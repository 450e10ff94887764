"""The fitted slopes, the laws beside them, and the picture of both."""

import jax
import numpy as np
import pytest

import figures
from experiments.benchmarks import scaling
from experiments.benchmarks.arithmetic import step_cost
from experiments.benchmarks.measurement import Contestant, Fact
from experiments.benchmarks.report import measurements_to_dataset
from experiments.benchmarks.scaling import H100, PAPER, Sizes, fit_slope, held_bytes, make_spec, operations, sizes_of
from experiments.benchmarks.settings import BenchSettings
from simlab.networks.logits import choose_logits, gathered_logits
from simlab.sweeps.layout import Layout
from simlab.sweeps.program import Program

VALUES = np.array([1, 2, 4, 8, 16])
TIME_SLOPES = Sizes(1, 1, 1, 0, 1, 1)  # of 6 B L d K operations for each member


def draw_samples(rng, slope, noise, rounds=9):
    return 3.0 * VALUES**slope * np.exp(noise * rng.normal(size=(rounds, len(VALUES))))


@pytest.mark.parametrize("slope", [0.0, 0.7, 1.0])
def test_a_slope_in_noise_is_found_within_its_standard_error(slope):
    rng = np.random.default_rng(1)
    fits = [fit_slope(VALUES, draw_samples(rng, slope, noise=0.05)) for _ in range(300)]
    deviations = np.array([(fit.value - slope) / fit.error for fit in fits])
    # The mean of 300 deviations, each of at most about one: within five standard errors of zero.
    assert abs(deviations.mean()) < 5 / np.sqrt(300)
    # The larger of two estimates errs to the safe side, by less than a factor of two.
    assert 0.5 < np.sqrt(np.mean(deviations**2)) < 1.1


def test_the_lower_half_of_the_range_does_not_count_and_curvature_does():
    straight = 5.0 * VALUES**0.5
    bent_below = straight + np.array([100, 30, 0, 0, 0])
    fit = fit_slope(VALUES, bent_below[None])
    assert fit.value == pytest.approx(0.5, abs=1e-14)
    assert fit.error < 1e-14
    # Logarithms 0, log 2, log 8 over those of 4, 8, 16: slope 1.5, residuals (1, -2, 1) log 2 / 6.
    curved = fit_slope(VALUES, np.array([[7.0, 7, 1, 2, 8]]))
    assert curved.value == pytest.approx(1.5, abs=1e-14)
    assert curved.error == pytest.approx(np.sqrt(6 / 36 / 2), rel=1e-12)


@pytest.mark.parametrize("preset", scaling.BASES)
@pytest.mark.parametrize("name", Sizes._fields)
def test_predicted_time_is_that_of_the_counted_operations(name, preset):
    sizes = sizes_of(name, preset)
    fit = fit_slope([getattr(one, name) for one in sizes], np.array([[operations(one) for one in sizes]]))
    first, last = (one.members * step_cost(make_spec(one)).flops for one in (sizes[0], sizes[-1]))
    assert fit.value == pytest.approx(np.log(last / first) / np.log(16), abs=1e-12)
    assert fit.value == pytest.approx(getattr(TIME_SLOPES, name), abs=1e-12)


@pytest.mark.parametrize("preset", scaling.BASES)
@pytest.mark.parametrize("name", Sizes._fields)
def test_no_size_comes_where_word_scores_are_tabulated(name, preset):
    assert jax.default_backend() == "cpu"  # elsewhere there is no table
    for one in sizes_of(name, preset):
        assert choose_logits(one.n_words, one.embedding_dim, one.batch_size) is gathered_logits


def test_the_compiler_counts_the_bytes_of_a_class_that_we_count():
    base = scaling.BASES["quick"]
    pair = [base._replace(n_classes=n_classes) for n_classes in (512, 2048)]
    small, large = (Program(make_spec(one, 3), Layout(1, 1, 1)).bytes_needed("segment") for one in pair)
    per_class = (large - small) / (2048 - 512)
    counted = 4 * (2 * base.sentence_length * base.embedding_dim + base.batch_size + base.sentence_length)
    # The compiler rounds each buffer up to 64 bytes or less; a program has some hundreds.
    assert per_class == pytest.approx(counted, abs=500 * 64 / (2048 - 512))
    # What is drawn for the sentences is not counted by hand.
    assert held_bytes(pair[1]) == pytest.approx(large, rel=0.01)


def test_a_million_classes_on_data_sheets():
    many = PAPER._replace(n_classes=10**6)
    alone, split = (scaling._accelerated(H100, n_devices, many) for n_devices in (1, 64))
    assert alone.value == pytest.approx(1e3 * 0.9e12 / 67e12)
    sent = 2 * 63 / 64 * 4 * (100 * 15 * 100 + 3 * 100)
    assert split.value == pytest.approx(alone.value / 64 + 1e3 * sent / 50e9)
    assert "not measured" in alone.note
    assert "data sheet" in split.note
    # Classifier 6 GB twice, logits 400 MB, latents 60 MB; split over 64 devices, the latents are not.
    assert held_bytes(many) == pytest.approx(12.4e9 + 60e6, rel=1e-3)
    assert held_bytes(many, 64) == pytest.approx(12.4e9 / 64 + 60e6, rel=1e-2)


@pytest.fixture
def measurements(monkeypatch):
    """The whole benchmark with contestants that do nothing and hold what the law says."""

    def train(sizes, settings):
        return Contestant("", lambda: None, 1, (Fact("memory", "MB", held_bytes(sizes) / 1e6),))

    class Compiled:
        def __init__(self, spec, layout):
            pass

        def bytes_needed(self, *names):
            return 24_000_000_000

    monkeypatch.setattr(scaling, "_training", train)
    monkeypatch.setattr(scaling, "Program", Compiled)
    return [one for part in scaling.make_parts(BenchSettings(rounds=3)) for one in part.measure()]


def test_every_size_has_its_measurements_and_slopes(measurements):
    for name in Sizes._fields:
        of_size = [one for one in measurements if one.case == name]
        values = [getattr(one, name) for one in sizes_of(name, "quick")]
        for quantity in ("time", "memory"):
            assert [one.at for one in of_size if one.quantity == quantity] == values
        slopes = {(one.contestant, one.quantity): one for one in of_size if not one.unit}
        assert len(slopes) == 4
        fitted, law = (slopes[kind, scaling.MEMORY_SLOPE] for kind in (scaling.MEASURED, scaling.PREDICTED))
        assert fitted.value == pytest.approx(law.value)
        assert all(one.low <= one.value <= one.high for one in of_size)
        assert {one.at for one in slopes.values()} == {values[1]}


def test_the_figure_shows_every_size(measurements):
    dataset = measurements_to_dataset(measurements)
    assert figures.figures_of(dataset) == ("benchmarks",)
    figure = figures.draw("benchmarks", dataset)
    assert len(figure.axes) == 12
    assert [ax.get_xlabel() != "" for ax in figure.axes] == [False] * 6 + [True] * 6
    for ax in figure.axes:
        shown = ax.texts[0].get_text()
        assert shown.startswith("slope ")
        assert "predicted " in shown
    assert "predicted 1.00" in figure.axes[0].texts[0].get_text()
    assert "predicted 0.00" in figure.axes[3].texts[0].get_text()


def test_other_benchmarks_have_no_figure(measurements):
    dataset = measurements_to_dataset([measurements[0]._replace(benchmark="step")])
    assert figures.figures_of(dataset) == ()
    with pytest.raises(ValueError, match="benchmark: expected a dataset with scaling measurements"):
        figures.draw("benchmarks", dataset)
