"""Deep networks beside the theory of two layers: what is predicted, what is kept, and what the figure shows."""

import itertools

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.layer_collapse.configuration import LayerConfiguration
from experiments.layer_collapse.phenomenon import LAYER_COLLAPSE
from experiments.layer_collapse.reference import caveats, predict
from experiments.registry import find_experiment
from experiments.tables.result import format_result
from figures.layer_collapse.deep_networks import draw, geometric_mean
from simlab.metrics.concept_variability import concept_variability

TINY = LayerConfiguration(
    n_words=6, embedding_dim=4, depth=1, hidden_width=16, optimizer="lbfgs", n_steps=100, n_records=4,
    embedding_weight_decay=3e-3, classifier_weight_decay=3e-3, word_frequency="zipf",
)  # fmt: skip
NETWORKS = ("two-layer", "mlp")


@pytest.fixture(scope="module")
def landed():
    """Two networks, two seeds each, at the minimum of their risks."""
    return run_plan(make_plan("tiny", LAYER_COLLAPSE, {"decay": TINY}, [0, 1], {"network": NETWORKS}))


def test_two_layers_land_on_their_theory(landed):
    two = landed.sel(network="two-layer", regime="decay")
    assert two.is_theorem.item() == 1
    names = ["embedding_norm", "norm_ratio", "classifier_norm", "cross_entropy", "risk", "concept_ratio"]
    # The risk is flat at its minimum: a gap of 1e-6 leaves errors of its square root, over curvatures of about lam.
    assert two.duality_gap.max() < 1e-5
    deviation = abs(two.learned / two.predicted - 1)
    assert deviation.sel(quantity=["cross_entropy", "risk"]).max() < 1e-3
    assert deviation.sel(quantity=names).max() < np.sqrt(2e-5 / 3e-3)
    np.testing.assert_allclose(two.rank_norm.mean("seed"), two.rank_norm_predicted, rtol=np.sqrt(2e-5 / 3e-3))


def test_what_is_predicted_of_the_embeddings_is_a_ratio_of_variances(landed):
    """The predicted vectors of every sentence, with its probability, measured as learned ones are."""
    theory = predict(TINY.replace(network="two-layer")).theory
    sentences = np.array(list(itertools.product(range(6), repeat=2)))
    mu = np.array([2 / 3, 1 / 3])
    tokens = theory.embeddings()[sentences]
    weights = np.prod(mu[sentences % 2], axis=1) / 9
    expected = concept_variability(tokens, sentences // 2, weights=weights, n_groups=3).ratio
    predicted = landed.predicted.sel(quantity="concept_ratio", regime="decay")
    np.testing.assert_allclose(predicted, [expected] * 2, rtol=1e-9)
    assert expected > 1e-4


def test_a_deeper_network_has_a_reference_and_no_theorem(landed):
    mlp = landed.sel(network="mlp", regime="decay")
    assert (mlp.basis.item(), mlp.is_theorem.item()) == ("theory of two layers", 0)
    assert np.isnan(mlp.predicted.sel(quantity=["risk", "classifier_norm", "last_class_ratio"])).all()
    assert np.isnan(mlp.duality_gap).all()
    assert "mlp: the prediction is for the two-layer network, not a theorem here" in landed.attrs["assumptions"]
    # Layer 1 reads classes, layer 2 does not exist; nothing is merged in the embedding layer.
    assert np.isfinite(mlp.history_class_ratio).all()
    assert np.isnan(landed.history_class_ratio.sel(network="two-layer", layer=1)).all()
    assert np.isnan(mlp.history_concept_ratio.sel(layer=1)).all()
    # Concepts are as frequent as each other at each position: classes and concepts part the embeddings alike.
    at_zero = mlp.sel(layer=0)
    np.testing.assert_allclose(at_zero.history_class_ratio, at_zero.history_concept_ratio, rtol=1e-4, atol=1e-6)
    learned = mlp.learned.sel(quantity="last_class_ratio")
    np.testing.assert_allclose(learned, mlp.history_class_ratio.isel(record=-1, layer=1), rtol=1e-6)
    assert "theory of two layers" in format_result(landed)


def test_measures_of_the_embeddings_are_theirs(landed):
    mlp = landed.sel(network="mlp", regime="decay", seed=0)
    vectors = mlp.embeddings.values.astype(np.float64)
    norms = np.linalg.norm(vectors, axis=1)
    value = lambda name: mlp.learned.sel(quantity=name).item()  # noqa: E731
    assert value("embedding_norm") == pytest.approx(np.sqrt(np.mean(norms**2)), rel=1e-12)
    assert value("embedding_offset") == pytest.approx(np.linalg.norm(vectors.mean(0)) / np.sqrt(np.mean(norms**2)))
    ranked = np.sqrt(np.mean(norms.reshape(3, 2) ** 2, axis=0))
    assert value("norm_ratio") == pytest.approx(ranked[0] / ranked[1], rel=1e-12)
    units = vectors - vectors.mean(0)
    units = (units / np.linalg.norm(units, axis=1)[:, None]).reshape(3, 2, 4)
    spread = np.sqrt(np.mean(np.sum((units - units.mean(1)[:, None]) ** 2, axis=2)))
    assert value("embedding_spread") == pytest.approx(spread, rel=1e-9)


def test_the_figure_shows_the_ratios(landed):
    figure = draw(landed)
    panel = figure.axes[0]
    shown = [line for line in panel.lines if line.get_marker() not in ("None", "", None)]
    assert len(shown) == len(NETWORKS)
    for line, network in zip(shown, NETWORKS, strict=True):
        ends = landed.history_class_ratio.sel(network=network, regime="decay").isel(record=-1).values
        kept = ends[:, np.isfinite(ends).all(axis=0)]
        expected = np.exp(np.log(np.maximum(kept, 1e-8)).mean(axis=0))
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)
    black = [line for line in panel.lines if line.get_color() == "black"]
    predicted = landed.predicted.sel(network="two-layer", quantity="concept_ratio").item()
    np.testing.assert_allclose(black[0].get_ydata(), predicted)


@pytest.mark.quick
def test_error_bars_are_of_the_logarithm():
    values = np.array([[1.0], [4.0]])
    mean, error = geometric_mean(values)
    # log 1 and log 4 have the mean log 2 and a standard error of log 2.
    np.testing.assert_allclose(mean, 2)
    np.testing.assert_allclose(error, [[1.0, 2.0]])


@pytest.mark.quick
def test_without_weight_decay_nothing_is_predicted():
    free = TINY.replace(embedding_weight_decay=0.0, classifier_weight_decay=0.0)
    found = predict(free)
    assert (found.theory, found.basis) == (None, "no prediction")
    assert np.isnan(found.concept_ratio)
    assert caveats(found) == ["no weight decay: the risk has no minimiser, nothing is predicted"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--network mixr --vary depth=1,2", "network: expected one of two-layer, mlp, "),
        ("--n-heads 3 --network transformer-pre", "n_heads: expected a divisor of embedding_dim=8, got 3"),
        ("--n-words 10", "n_words: expected a multiple of n_concepts=3, got 10"),
        ("--layer-norm", "option: expected one that 'simlab run deep-networks --help' lists, got '--layer-norm' (an"),
        ("--embedding-weight-decay 0", "embedding_weight_decay: expected a positive finite number, or no weight decay"),
    ],
)
def test_bad_choices_are_one_line_and_write_nothing(tmp_path, capsys, options, message):
    assert main(["run", "deep-networks", *options.split(), "--out", str(tmp_path / "run"), "--quiet"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"simlab: {message}"), printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.quick
def test_quick_and_paper_cover_every_network_and_law():
    experiment = find_experiment("deep-networks")
    for preset in ("quick", "paper"):
        plan = experiment.plan(preset, {})
        assert {cell.spec.network.kind for cell in plan.cells} == set(experiment.vary[preset]["network"])
        assert {cell.configuration.word_frequency for cell in plan.cells} == {"uniform", "zipf"}
        assert len(plan.seeds) == 3
