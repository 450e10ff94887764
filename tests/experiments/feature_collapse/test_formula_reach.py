import itertools
import json

import numpy as np
import pytest
import xarray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp

import figures
from experiments.feature_collapse.questions import formula_reach_derived as reach
from experiments.feature_collapse.questions.formula_reach import EXPERIMENT
from simlab.tasks.sentence_task import SentenceTask, draw_latents

SEEDS = (0, 1)
N_LATENTS = (3,)
# 3 of the 4 latents of two concepts at two positions, two words each of frequencies 2/3 and 1/3.
TASK = {"n_concepts": 2, "n_words": 4, "sentence_length": 2}
DIM, MU, DECAY = 3, (2 / 3, 1 / 3), 1e-2


class Plan:
    seeds = SEEDS


@pytest.fixture(scope="module")
def derived():
    tasks = {kind: reach.TASKS[kind].replace(**TASK, embedding_dim=DIM, weight_decay=DECAY) for kind in ("II", "III")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "TASK", tasks["III"])
        patch.setattr(reach, "TASKS", tasks)
        patch.setattr(reach, "N_LATENTS", N_LATENTS)
        return reach.derive(xarray.Dataset(coords={"seed": np.array(SEEDS)}), Plan)


def least_risk(seed, layer_norm):
    """The least risk over every sentence and all words, written out in NumPy and minimised by SciPy."""
    latents = draw_latents(SentenceTask(**TASK, n_classes=3), seed)
    sentences = [
        (tuple(2 * a + b for a, b in zip(latent, ranks, strict=True)), label, np.prod([MU[b] for b in ranks]) / 3)
        for label, latent in enumerate(latents)
        for ranks in itertools.product(range(2), repeat=2)
    ]
    words, labels, weights = (np.array(column) for column in zip(*sentences, strict=True))

    def risk(point):
        embeddings, classifier = point[: 4 * DIM].reshape(4, DIM), point[4 * DIM :].reshape(3, 2, DIM)
        length = 0.0 if layer_norm else np.sum(embeddings**2)
        if layer_norm:
            centred = embeddings - embeddings.mean(axis=1, keepdims=True)
            embeddings = centred / np.sqrt(np.mean(centred**2, axis=1, keepdims=True))
        logits = np.einsum("nld,kld->nk", embeddings[words], classifier)
        losses = logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]
        return weights @ losses + DECAY / 2 * (length + np.sum(classifier**2))

    start = np.random.default_rng(0).normal(size=10 * DIM)
    return minimize(risk, start, method="BFGS", options={"gtol": 1e-6}).fun


@pytest.mark.parametrize("kind", ["II", "III"])
def test_the_truth_is_the_least_risk_of_the_drawn_latents(derived, kind):
    one = derived.sel(type=kind, n_latents=3, seed=1)
    # SciPy stops at a gradient of 1e-6: were a curvature but a hundredth of the decay, (1e-6)^2 / (2 1e-4) too high.
    assert -1e-12 < least_risk(1, kind == "II") - one.reach_risk.item() < 5e-9
    assert one.reach_gap.item() < reach.LARGEST_GAP


def test_the_spread_is_that_of_the_two_words_furthest_apart():
    # Angles of 0, 0.1 and 0.3 within the first concept, none within the second; lengths do not matter.
    angles, lengths = np.array([0, 0.1, 0.3, 2, 2, 2]), np.arange(1, 7)[:, None]
    vectors = lengths * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert reach._spread(vectors, 2) == pytest.approx(1 - np.cos(0.3), abs=1e-15)


def test_predictions_are_those_of_kappa(derived):
    # Theorem 3 as it is printed, for n_c = L = 2, K = 3, d = 3: eta = 2, kappa = 3/4.
    def cost(c):
        return np.log(0.25 + 0.75 * (1 + np.exp(-2 * np.sqrt(3) * c)) ** 2) + DECAY / 2 * 3 * 2 * c**2

    best = minimize_scalar(cost, bounds=(0, 10), method="bounded", options={"xatol": 1e-9})
    one = derived.sel(type="II", n_latents=3)
    # Brent's place is good to 1e-8 of 10 at best, where the cost is flat: its value has rounding alone.
    assert one.reach_risk_predicted.item() == pytest.approx(best.fun, rel=1e-13)
    assert one.reach_classifier_norm_predicted.item() == pytest.approx(best.x, abs=1e-6)
    assert derived.reach_share.item() == 0.75
    # Three of four latents are asymmetric: the formula is off, by more than any gap.
    assert np.all(abs(derived.reach_risk_predicted / derived.reach_risk - 1) > 1e-3)


def test_the_figure_shows_errors_of_formula_and_training(derived):
    dataset = make_dataset(derived)
    figures.draw("feature_collapse.formula_reach", dataset.isel(seed=[0]))  # without a warning
    figure = figures.draw("feature_collapse.formula_reach", dataset)
    top, bottom = figure.axes[2], figure.axes[6]
    (bars,) = bottom.containers
    learned, exact = marks(top)
    np.testing.assert_allclose(learned.get_xydata(), [[0.1, 0.11], [0.3, 0.33]], rtol=1e-12)
    np.testing.assert_allclose(exact.get_xydata()[0], [0.1, 0.11 * (1 + 1e-6)], rtol=1e-12)
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [0.1, 0.1], rtol=1e-9)
    circles = marks(bottom)[-1]
    np.testing.assert_allclose(circles.get_ydata()[0], 1e-6, rtol=1e-5)
    assert np.isnan(circles.get_ydata()[1])
    # The norms of a network with LayerNorm are not drawn.
    assert [len(marks(figure.axes[number])) for number in (0, 1)] == [0, 2]
    shown = {line.get_label(): line for line in figure.axes[3].containers}
    two = derived.sel(type="II")
    expected = 100 * (two.reach_risk_predicted / two.reach_risk - 1).mean("seed")
    np.testing.assert_allclose(shown["Type II"].lines[0].get_ydata(), expected, rtol=1e-12)


def marks(ax):
    return [line for line in ax.lines if line.get_marker() not in ("None", "", None) and len(line.get_xdata()) == 2]


def make_dataset(derived):
    """One regime, two settings, two seeds: risks 10 % above the prediction, exact ones 1e-6 away and unknown."""
    quantity = ["embedding_norm", "classifier_norm", "test_risk"]
    predicted = np.array([[2.0, 1.0, 0.1], [2.0, 0.5, 0.3]])
    learned = np.repeat(1.1 * predicted[:, None], 2, axis=1)
    exact = learned * np.array([1 + 1e-6, np.nan])[:, None, None]
    dims = ("regime", "weight_decay", "seed", "quantity")
    run = xarray.Dataset(
        {
            "predicted": (("regime", "weight_decay", "quantity"), predicted[None]),
            "learned": (dims, learned[None]),
            "exact_minimum": (dims, exact[None]),
            "collapse_type": (("regime", "weight_decay"), [["II", "II"]]),
        },
        coords={"regime": ["layer-norm"], "weight_decay": [1e-3, 1e-2], "seed": [0, 1], "quantity": quantity},
    )
    plan = EXPERIMENT.plan("quick", {})
    configuration = plan.describe()["configuration"]
    return run.merge(derived).assign_attrs(
        experiment="formula-reach", reach=derived.attrs["reach"], configuration=json.dumps(configuration)
    )


def test_at_least_sixty_settings_share_four_programs():
    plan = EXPERIMENT.plan("quick", {})
    assert len(plan.cells) >= 60
    assert len({cell.spec.compile_key for cell in plan.cells}) == 4
    # None lies beyond its zero threshold, where a relative error has no meaning.
    assert not any(cell.prediction.is_zero for cell in plan.cells)
