"""The escape from the saddle at zero: what `derive` adds, against plain NumPy and against the enumerated gradient."""

import numpy as np
import pytest

from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE
from experiments.feature_collapse.questions import escape_derived as derived
from experiments.feature_collapse.questions.escape import EXPERIMENT
from figures.drawing import style
from figures.feature_collapse import escape as figure
from theory import feature_collapse
from theory.feature_collapse.dynamics.modes import escape_modes

MU = np.array([0.7, 0.3])
RATE, STEPS = 0.5, 400
TINY = WordConfiguration(
    n_concepts=3,
    n_words=6,
    sentence_length=2,
    n_classes="all",
    word_frequency=(0.7, 0.3),
    source="population",
    embedding_dim=4,
    learning_rate=RATE,
    n_steps=STEPS,
    n_records=100,
)


@pytest.fixture(scope="module")
def escaped():
    plan = make_plan(
        "escape",
        FEATURE_COLLAPSE,
        {"saturated": TINY, "few": TINY.replace(n_concepts=4, n_words=8, n_classes=6)},
        [0, 1],
        {"initial_scale": [1e-6, 1e-2], "weight_decay": [0.02, 0.1]},
        trajectories=True,
    )
    plain = run_plan(plan)
    return plain, derived.derive(plain, plan)


def test_modes_are_followed_through_training(escaped):
    plain, added = escaped
    for regime, n_concepts in (("saturated", 3), ("few", 4)):
        start = plain.sel(regime=regime, initial_scale=1e-2, weight_decay=0.02).isel(seed=1)
        end = added.sel(regime=regime, initial_scale=1e-2, weight_decay=0.02).isel(seed=1)
        n_modes = n_concepts - 1
        latents = start.latents.dropna("class").values.astype(int)
        modes = escape_modes(word_frequencies=MU, n_concepts=n_concepts, latents=latents)
        right = np.kron(modes.directions.T, MU / np.linalg.norm(MU))
        for record in (0, 37, 100):
            words = start.embeddings_trajectory.isel(record=record).dropna("word").values.astype(np.float64)
            np.testing.assert_allclose(
                end.mode_square.values[record, :n_modes], np.sum((right @ words) ** 2, axis=1), rtol=1e-12
            )
            values = np.linalg.svd(words, compute_uv=False) ** 2
            assert end["rank"].values[record] == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-10)
    assert np.isnan(added.mode_square.sel(regime="saturated").values[..., 2]).all()
    assert "embeddings_trajectory" not in added


def test_the_linear_regime_is_what_training_does_while_it_is_small(escaped):
    _, added = escaped
    one = added.sel(regime="saturated", initial_scale=1e-6, weight_decay=0.02)
    # A step rounds in float32, 6e-8, over 100 steps: 6e-6 if all had one sign. Growth is slower by less than the
    # slowdown, 0.09 |W|^2 (`theory.feature_collapse.dynamics.escape`, with all numbers of this task), which is below
    # 0.09 * 6 * 3e-3^2 = 5e-6.
    early = one.history_embedding_norm.max("seed").values < 3e-3
    assert early.sum() > 20
    for kind in ("embedding", "classifier"):
        np.testing.assert_allclose(
            one[f"history_{kind}_norm"].values[:, early], one[f"{kind}_norm_linear"].values[:, early], rtol=3e-5
        )


def test_the_expected_curves_begin_at_the_scale_and_grow_at_the_rate(escaped):
    _, added = escaped
    for scale in (1e-6, 1e-2):
        one = added.sel(regime="saturated", initial_scale=scale, weight_decay=0.1).isel(seed=0)
        # E|w|^2 = d s^2, and E|u|^2 = d times the variance s^2 / (3 L d) of a uniform number in +- s / sqrt(L d).
        assert one.embedding_norm_expected.values[0] == pytest.approx(scale * np.sqrt(4), rel=1e-6)
        assert one.classifier_norm_expected.values[0] == pytest.approx(scale / np.sqrt(6), rel=1e-6)
        # Late, all but the growing pairs have decayed: by e^{-2 sigma lr 396} = e^{-82} beside them.
        last = one.embedding_norm_expected.values[[-2, -1]]
        rate = np.sqrt(0.58 * 2 / 27) - 0.1
        assert np.log(last[1] / last[0]) == pytest.approx(4 * np.log1p(RATE * rate), rel=1e-9)


def test_rates_and_plateaus(escaped):
    _, added = escaped
    # sigma = |mu| sqrt(L / (n_c K)) for all latents, in closed form; a step multiplies by 1 + lr (sigma - lam).
    sigma = np.sqrt(0.58 * 2 / 27)
    for decay in (0.02, 0.1):
        one = added.sel(regime="saturated", weight_decay=decay)
        rate = np.log1p(RATE * (sigma - decay)) / RATE
        np.testing.assert_allclose(one.growth_rate_predicted.values[..., :2], rate, rtol=1e-12)
        final = feature_collapse.predict(
            n_words=6, sentence_length=2, n_classes="all", word_frequency=MU, weight_decay=decay
        )
        square = 3 * (final.embedding_norms**2).sum()
        np.testing.assert_allclose(one.final_square, square, rtol=1e-12)
        for index in np.ndindex(2, 2):
            member = one.isel(initial_scale=index[0], seed=index[1])
            totals = np.nansum(member.mode_square.values, axis=1)
            after = int(np.argmax(totals >= 0.01 * square))
            assert (after - 1) * 4 < member.plateau <= after * 4
            # Records are 4 steps apart, over which log |W|^2 bends by less than its slope does: chi < 0.05 of it.
            assert abs(member.plateau - member.plateau_predicted) < 0.05 * 4
    window = added.sel(regime="saturated", initial_scale=1e-6, weight_decay=0.02)
    # Decaying pairs and the slowdown are below a thousandth each in the window.
    np.testing.assert_allclose(window.growth_rate.values[:, :2], np.log1p(RATE * (sigma - 0.02)) / RATE, rtol=2e-3)


def test_a_start_beyond_the_target_has_no_plateau():
    steps = np.array([0.0, 10.0, 20.0])
    assert derived.crossing(steps, np.array([2.0, 3.0, 4.0]), 1.0) == 0
    assert np.isnan(derived.crossing(steps, np.array([0.1, 0.2, 0.3]), 1.0))
    assert derived.crossing(steps, np.array([1e-4, 1e-2, 1.0]), 1e-1) == pytest.approx(15.0)


def test_the_figure_shows_learned_and_predicted_plateaus(escaped):
    _, added = escaped
    panels = figure.draw(added).axes
    by_scale = panels[3]
    regime = added.isel(regime=0)
    drawn = np.array([container.lines[0].get_ydata() for container in by_scale.containers])
    np.testing.assert_allclose(drawn, regime.plateau.mean("seed").values.T)
    black = [line for line in by_scale.lines if line.get_color() == style.PREDICTED]
    ends = np.array([line.get_ydata()[[0, -1]] for line in black])
    np.testing.assert_allclose(ends, regime.plateau_expected.mean("seed").values.T)


def test_legends_write_regimes_as_titles_do(escaped):
    _, added = escaped
    named = added.assign_coords(regime=[f"zipf-words-{number}" for number in range(added.sizes["regime"])])
    legends = filter(None, (ax.get_legend() for ax in figure.draw(named).axes))
    names = {text.get_text() for legend in legends for text in legend.get_texts()}
    assert "Zipf words 0" in names
    assert not any("zipf" in name for name in names)


def test_presets_are_checked_without_running():
    for preset in ("quick", "paper"):
        plan = EXPERIMENT.plan(preset, {})
        assert plan.trajectories
        assert len(plan.seeds) >= 3
