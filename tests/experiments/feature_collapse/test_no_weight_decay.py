"""No weight decay: the limit that is predicted, and what `derive` adds, against plain NumPy on enumerated sentences."""

import itertools

import numpy as np
import pytest

from experiments.core.attributes import caveats
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE, predict, theory_arguments
from experiments.feature_collapse.questions import no_weight_decay_derived as derived
from experiments.feature_collapse.questions.no_weight_decay import EXPERIMENT
from experiments.tables.result import format_result
from figures.drawing import style
from figures.feature_collapse import no_weight_decay as figure
from simlab.sweeps.members import Member
from theory import feature_collapse

MU = np.array([0.7, 0.3])
RATE, DIM = 1.0, 8
TINY = WordConfiguration(
    n_concepts=3,
    n_words=6,
    sentence_length=2,
    n_classes="all",
    word_frequency=(0.7, 0.3),
    source="population",
    embedding_dim=DIM,
    learning_rate=RATE,
    initial_scale=1e-2,
    n_steps=400,
    n_records=100,
)
SAMPLE = TINY.replace(source="fixed", per_class=1, batch_size="all", n_evaluation=50)
FREE = {"embedding_weight_decay": 0.0, "classifier_weight_decay": 0.0}


def population_gradient(embeddings, classifier, latents):
    """dF/dM of the enumerated population, rows (k, l), columns words, in plain loops over sentences."""
    n_classes, length, _ = classifier.shape
    matrix = np.zeros((n_classes, length, len(embeddings)))
    logits_of_words = np.einsum("kld,wd->klw", classifier, embeddings)
    for k, latent in enumerate(latents):
        for ranks in itertools.product(range(len(MU)), repeat=length):
            words = [len(MU) * concept + rank for concept, rank in zip(latent, ranks, strict=True)]
            logits = sum(logits_of_words[:, position, word] for position, word in enumerate(words))
            residual = np.exp(logits - logits.max())
            residual = residual / residual.sum() - np.eye(n_classes)[k]
            for position, word in enumerate(words):
                matrix[:, position, word] += np.prod(MU[list(ranks)]) / n_classes * residual
    return matrix


@pytest.fixture(scope="module")
def trained():
    plan = make_plan(
        "no-weight-decay",
        FEATURE_COLLAPSE,
        {"population": TINY, "large-start": TINY.replace(initial_scale=0.1), "few-sentences": SAMPLE},
        [0, 1],
        {"weight_decay": [0.0, 0.01]},
        trajectories=True,
    )
    plain = run_plan(plan)
    return plan, plain, derived.derive(plain, plan)


def test_the_limit_has_directions_and_no_norms():
    limit = predict(TINY.replace(**FREE))
    penalised = [predict(TINY.replace(weight_decay=decay)) for decay in (1e-3, 1e-6, 1e-9)]
    np.testing.assert_array_equal(limit.frame, penalised[0].frame)
    assert np.isnan(limit.embedding_norms).all()
    assert limit.embedding_norms.shape == (2,)
    assert np.isnan(limit.classifier_norm)
    # The risk of the minimiser is of the order lam log(1/lam), its norms grow.
    assert [one.risk > 0 for one in penalised] == [True] * 3
    assert penalised[2].risk < 1e-6
    assert limit.risk == limit.cross_entropy == 0
    assert penalised[0].classifier_norm < penalised[1].classifier_norm < penalised[2].classifier_norm
    assert not limit.is_theorem
    assert [one.name for one in limit.assumptions if not one.holds] == ["positive weight decay"]
    assert limit.collapse_type == "III"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embedding_weight_decay": 0.0}, "embedding_weight_decay: expected a positive finite number, got 0.0"),
        ({"classifier_weight_decay": 0.0}, "classifier_weight_decay: expected a positive finite number, got 0.0"),
        (FREE | {"label_noise": 0.1}, "weight_decay: expected a positive number with noise"),
        (FREE | {"layer_norm": True}, "classifier_weight_decay: expected a positive finite number, got 0.0"),
        (FREE | {"n_words": 7}, "n_words: expected a multiple of n_concepts=3, got 7"),
    ],
)
def test_what_has_no_limit_is_refused(changes, message):
    with pytest.raises(ValueError, match="^" + message):
        theory_arguments(TINY.replace(**changes))


def test_nothing_finite_is_compared_with_the_limit(trained):
    plan, plain, _ = trained
    free, penalised = plain.sel(weight_decay=0.0), plain.sel(weight_decay=0.01)
    for name in ("embeddings_predicted", "classifier_predicted", "duality_gap", "embedding_norm_predicted"):
        assert free[name].isnull().all()
        assert penalised[name].sel(regime="population").notnull().all()
    norms = ["embedding_norm", "classifier_norm", "embedding_distance", "classifier_distance"]
    assert free.predicted.sel(quantity=norms).isnull().all()
    assert (free.predicted.sel(quantity=["test_risk", "embedding_spread"]) == 0).all()
    assert free.learned.sel(quantity=[*norms[:2], "embedding_spread", "test_risk"]).notnull().all()
    assert set(free.basis.values) == {"limit, not attained"}
    assert caveats(plan)["population"] == [
        "assumption not met: positive weight decay: without it the infimum is not attained, and norms diverge"
    ]
    assert "Type III, limit, not attained in 1 cell, else theorem" in format_result(plain)


def test_an_exact_minimum_is_not_looked_for_without_weight_decay():
    equal = {"word_frequency": "uniform", "n_steps": 4, "n_records": 1}
    configurations = {"free": TINY.replace(**equal, **FREE), "penalised": TINY.replace(**equal)}
    run = run_plan(make_plan("tiny", FEATURE_COLLAPSE, configurations, [0]))
    assert run.exact_minimum.sel(regime="free").isnull().all()
    assert np.isfinite(run.exact_minimum.sel(regime="penalised", quantity="embedding_norm")).all()


def test_norms_follow_gradient_descent_of_the_whole_network(trained):
    _, _, added = trained
    members = added.sel(regime="population", weight_decay=0.0)
    one = members.isel(seed=int(np.flatnonzero(members.descent_start.notnull())[0]))
    start = int(one.descent_start) // 4
    frame = feature_collapse.predict(n_words=6, embedding_dim=DIM).frame
    latents = np.array(list(itertools.product(range(3), repeat=2)))
    norms = one.rank_norm.values[start, :2]
    embeddings = np.einsum("ad,b->abd", frame, norms).reshape(6, DIM)
    classifier = float(one.history_classifier_norm[start]) * frame[latents]
    for _ in range(8):
        gradient = population_gradient(embeddings, classifier, latents)
        embeddings, classifier = (
            embeddings - RATE * np.einsum("klw,kld->wd", gradient, classifier),
            classifier - RATE * np.einsum("klw,wd->kld", gradient, embeddings),
        )
    # Float64 throughout, eight steps: rounding of a few eps each.
    found = np.linalg.norm(embeddings, axis=1)
    np.testing.assert_allclose(one.rank_norm_descent.values[start + 2, :2], found[:2], rtol=1e-13)
    np.testing.assert_allclose(found.reshape(3, 2), np.tile(found[:2], (3, 1)), rtol=1e-13)
    np.testing.assert_allclose(
        one.classifier_norm_descent.values[start + 2], np.linalg.norm(classifier, axis=2), rtol=1e-13
    )
    assert np.isnan(one.rank_norm_descent.values[:start]).all()
    # Training itself: its directions are off by less than the 0.05 at which the descent begins, norms in the square.
    learned = one.rank_norm.values[start:, :2]
    np.testing.assert_allclose(one.rank_norm_descent.values[start:, :2], learned, rtol=0.05**2)


def test_frozen_noise_is_what_the_linear_regime_leaves(trained):
    plan, plain, added = trained
    cell = plan.cells[0]
    member = Member(cell.spec, cell.hyperparameters, 0)
    one = plain.sel(regime="population", weight_decay=0.0).isel(seed=0)
    embeddings = one.embeddings_trajectory.values[0].astype(np.float64)
    classifier = one.classifier_trajectory.values[0].astype(np.float64)
    concepts, still = derived.frozen_noise(embeddings, classifier, member)
    saddle = -population_gradient(np.zeros((6, DIM)), np.zeros((9, 2, DIM)), member.data.latents).reshape(18, 6)
    # What the saddle's gradient does not touch, and the rest of W within the rank that it has.
    assert np.abs(saddle @ still).max() < 1e-15
    assert np.linalg.matrix_rank(embeddings - still, tol=1e-12) == 2
    words, rows = embeddings, classifier.reshape(18, DIM)
    for _ in range(300):
        words, rows = words + 0.5 * saddle.T @ rows, rows + 0.5 * saddle @ words
    grown = words.reshape(3, 2, DIM).mean(axis=1)
    # sigma = 0.207: after 300 steps of 0.5 noise and decaying pairs are below e^{-31} = 3e-14 beside growing ones.
    np.testing.assert_allclose(concepts, grown / np.linalg.norm(grown, axis=1, keepdims=True), atol=1e-11)
    # At the start, ideal vectors of the learned norms and the noise: no spread without noise, some with it.
    spread = added.embedding_spread_frozen.sel(regime="large-start").values
    assert np.all(spread[0, :, -1] > 1e-3)
    # With weight decay the noise is (1 - lr lam)^400 = e^{-4.02} of itself.
    assert np.all(spread[1, :, -1] < 0.05 * spread[0, :, 1])


def test_ratios_and_margins(trained):
    _, plain, added = trained
    one = added.sel(regime="population", weight_decay=0.01).isel(seed=1)
    last = plain.sel(regime="population", weight_decay=0.01).isel(seed=1, record=-1)
    norms = np.linalg.norm(last.embeddings_trajectory.values.astype(np.float64).reshape(3, 2, DIM), axis=2)
    rms = np.sqrt((norms**2).mean(axis=0))
    np.testing.assert_allclose(one.rank_norm.values[-1, :2], rms, rtol=1e-12)
    assert float(one.norm_ratio[-1]) == pytest.approx(rms[0] / rms[1], rel=1e-12)
    assert float(one.mean_margin[-1]) == pytest.approx(1.5 * float(last.history_classifier_norm) * rms.mean(), rel=1e-6)
    exact = feature_collapse.predict(
        n_words=6, sentence_length=2, n_classes="all", word_frequency=MU, weight_decay=0.01
    )
    assert float(one.norm_ratio_exact) == exact.embedding_norms[0] / exact.embedding_norms[1]
    margins = 1.5 * exact.classifier_norm * exact.embedding_norms
    assert float(one.mean_margin_exact) == pytest.approx(margins.mean(), rel=1e-14)
    # The law of the path errs by O(1 / V^2) in margins.
    assert abs(float(one.mean_margin_path) - margins.mean()) < 1 / margins.mean() ** 2
    assert np.isnan(added.norm_ratio_exact.sel(weight_decay=0.0)).all()


def test_early_stopping_is_at_the_least_test_cross_entropy(trained):
    _, plain, added = trained
    for where in ({"weight_decay": 0.0, "seed": 0}, {"weight_decay": 0.01, "seed": 1}):
        one, record = added.sel(regime="few-sentences", **where), plain.sel(regime="few-sentences", **where)
        best = int(np.argmin(record.history_test_cross_entropy.values))
        assert int(one.best_step) == 4 * best
        assert float(one.best_accuracy) == record.history_test_accuracy.values[best]
        assert float(one.end_spread) == record.history_embedding_spread.values[-1]
        assert np.isnan(one.mean_margin).all()


def test_the_figure_shows_the_descent_and_the_minimisers(trained):
    _, _, added = trained
    norms, _, ratio, *_ = figure.draw(added).axes
    one = added.sel(regime="population", weight_decay=0.0)
    black = [line.get_ydata() for line in norms.lines if line.get_color() == style.PREDICTED]
    expected = one.rank_norm_descent.isel(rank=0).mean("seed", skipna=False).values[1:]
    np.testing.assert_array_equal(black[0], expected)
    marks = [line for line in ratio.lines if line.get_marker() == "^"]
    drawn = [float(line.get_ydata()[0]) for line in marks]
    np.testing.assert_array_equal(
        drawn, added.norm_ratio.sel(regime="population", weight_decay=0.01).isel(record=-1).values
    )


def test_presets_begin_with_no_weight_decay():
    for preset in ("quick", "paper"):
        plan = EXPERIMENT.plan(preset, {})
        assert plan.axes[0].values[0] == 0.0
        assert [cell.configuration.has_no_penalty for cell in plan.cells].count(True) == len(plan.configurations)
