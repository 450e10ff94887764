"""Encoders of sentences beside their prediction: a small run, its figures, untrained layers, and refused choices."""

import numpy as np
import pytest

from experiments.commands.cli import main
from experiments.contextual_embeddings.comparison import QUANTITIES, Tokens, r_squared
from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.initial_context import EXPERIMENT as INITIAL
from experiments.contextual_embeddings.pooling import EXPERIMENT as POOLING
from experiments.contextual_embeddings.reference import by_kind, language_law, predict, present
from experiments.contextual_embeddings.training_spec import make_task, make_training_spec
from experiments.sweep import run
from figures.contextual_embeddings import initial_context, pooling, spurious_contextualization, token_collapse
from figures.contextual_embeddings import variance_shares as shares_figure
from theory import contextual_embeddings

SIZES = {
    "n_classes": 4, "exclusive": 2, "shared": "1:2", "words_per_concept": 2, "function_words": 2, "n_evaluation": 48,
    "embedding_dim": 12, "n_heads": 2, "depth": 1, "batch_size": 4,
}  # fmt: skip
SMALL = LanguageConfiguration(**SIZES)


@pytest.fixture(scope="module")
def dataset():
    """Hidden words first, then pairs: enough steps for tokens to follow their class, not for the simplex."""
    steps = {"n_steps": 300, "masked_steps": 60, "n_records": 5, "warmup_steps": 10}
    return run("token-collapse", seeds=1, learning_rate=0.02, **steps, **SIZES)


def test_tokens_become_class_vectors(dataset):
    """The measured Gram matrix explains the words of each seed, though a short run is not at its minimum."""
    learned = dataset.learned.isel(regime=0)
    assert np.all(dataset.status == "finished")
    assert np.all(learned.sel(quantity="r_squared_gram") > 0.95)
    assert np.all(learned.sel(quantity="intra_sentence") > 0.97)
    assert np.all(np.abs(learned.sel(quantity="anisotropy")) < 0.1)
    minimum = contextual_embeddings.minimum_loss(4, 4, 0.5)
    assert np.all(learned.sel(quantity="loss") > minimum - 1e-6)
    course = dataset.course.isel(regime=0)
    assert r_squared(course.values[0, 2], dataset.gram_self_similarity.values[0, 0]) > 0.95
    assert r_squared(course.values[0, 0], dataset.gram_self_similarity.values[0, 0]) < 0.9
    np.testing.assert_array_equal(dataset.moment_step.values[0, 0], [0, 60, 360])


def test_change_by_kind_is_predicted_from_the_start_of_the_main_stage(dataset):
    regime = dataset.isel(regime=0, seed=0)
    words = predict(SMALL).words
    expected = by_kind(make_task(SMALL), words, words.self_similarity) - words.anisotropy
    np.testing.assert_allclose(regime.kind_change_predicted + regime.kind_before, expected, atol=1e-12)
    assert regime.learned.sel(quantity="change_error") == pytest.approx(
        float(np.abs(regime.kind_change - regime.kind_change_predicted).max())
    )
    np.testing.assert_allclose(regime.shares.sum("share"), 1, atol=1e-9)
    # The first stage, of 60 steps on hidden words, has changed the tokens.
    assert not np.allclose(regime.course.values[0], regime.course.values[1], equal_nan=True)


@pytest.mark.parametrize("module", [token_collapse, shares_figure, spurious_contextualization, pooling])
def test_figures_are_drawn(dataset, module):
    figure = module.draw(dataset)
    assert len(figure.axes) >= 1
    module.draw_key(figure.add_subplot(), dataset)


def test_marks_stand_at_predicted_and_learned_self_similarity(dataset):
    axes = token_collapse.draw(dataset).axes
    regime = dataset.isel(regime=0, seed=0)
    marks = np.concatenate([line.get_xydata() for line in axes[2].lines[1:]])
    expected = np.stack([regime.self_similarity_predicted.values, regime.self_similarity.values], axis=1)
    expected = expected[np.isfinite(expected).all(axis=1)]
    np.testing.assert_allclose(np.sort(marks, axis=0), np.sort(expected, axis=0))


def test_the_law_of_the_task_is_that_of_the_theory():
    law = language_law(make_task(SMALL))
    own = contextual_embeddings.SentenceLanguage(
        n_classes=4, exclusive=2, shared=((1, 2),), function_words=2, replacement=0.2
    ).law()
    np.testing.assert_allclose(law.joint, own.joint, atol=1e-15)
    assert law.kinds == own.kinds


@pytest.mark.parametrize(
    ("change", "kind", "basis"),
    [
        ({}, "token collapse", "theorem"),
        ({"similarity": "cosine"}, "class vectors", "theorem"),
        ({"pooling": "cls"}, "class vectors", "theorem"),
        ({"pooling": "max", "similarity": "cosine"}, "token collapse", "theorem"),
        ({"pooling": "max", "similarity": "cosine", "network": "free", "free_norm": "rms"}, "class vectors", "theorem"),
        ({"pooling": "max"}, "nothing", "none"),
        ({"affine": True}, "nothing", "none"),
        ({"affine": True, "similarity": "cosine"}, "class vectors", "theorem"),
        ({"objective": "classification"}, "nothing", "approximation"),
        ({"embedding_dim": 4, "n_classes": 8, "batch_size": 8}, "token collapse", "approximation"),
    ],
)
def test_only_what_the_loss_decides_is_predicted(change, kind, basis):
    prediction = predict(SMALL.replace(**change))
    assert (prediction.kind, prediction.basis) == (kind, basis)
    assert np.isfinite(prediction.quantities["intra_sentence"]) == (kind == "token collapse")
    assert np.isfinite(prediction.quantities["loss"]) == (kind != "nothing")
    assert set(prediction.quantities) == set(QUANTITIES)
    assert bool(prediction.note) == (kind != "token collapse" or basis != "theorem")


def test_centred_tokens_below_a_simplex_of_their_largest_entries_are_equal_to_it():
    """The step that makes max pooling collapse: largest entries of centred tokens sum to zero only if they agree."""
    tokens = np.random.default_rng(0).normal(size=(50, 3, 6))
    tokens -= tokens.mean(axis=-1, keepdims=True)
    sums = tokens.max(axis=1).sum(axis=1)
    assert np.all(sums > 0)
    equal = np.repeat(tokens[:, :1], 3, axis=1)
    np.testing.assert_allclose(equal.max(axis=1).sum(axis=1), 0, atol=1e-12)


def test_class_vectors_under_the_ruler_are_the_predicted_words():
    """Two ways to one number: the measured similarities of class vectors, and pair counts of theory; to rounding."""
    task, gram = make_task(SMALL), contextual_embeddings.simplex_gram(4)
    evaluation, words = task.sample(0).evaluation, predict(SMALL).words
    tokens = Tokens(task, evaluation.words, evaluation.classes)
    values, vectors = np.linalg.eigh(gram)
    states = (vectors * np.sqrt(np.maximum(values, 0)))[evaluation.classes]
    measured = tokens.similarities(np.repeat(states[:, None], task.sentence_length, axis=1))
    np.testing.assert_allclose(measured.self_similarity, present(words, words.self_similarity), atol=1e-12)
    np.testing.assert_allclose(measured.anisotropy, words.anisotropy, atol=1e-12)


def test_words_that_are_seen_are_those_of_the_arrays(dataset):
    words = predict(SMALL).words
    np.testing.assert_array_equal(dataset.word_count.values[0], present(words, words.counts))
    assert str(dataset.kind_names.values[0]) == "exclusive,shared_by_2,function"


def test_untrained_layers_come_near_infinite_width():
    """Width 96, one block: deviations of the order of 1/sqrt(96), five of them at most."""
    regime = INITIAL.regimes[0]._replace(quick=INITIAL.regimes[0].quick.replace(**SIZES | {"embedding_dim": 96}))
    dataset = run(INITIAL._replace(regimes=(regime,), vary={}), seeds=2)
    for name in ("mean_share", "within_share", "mean_similarity"):
        assert dataset.learned.sel(quantity=f"{name}_error").max() < 5 / np.sqrt(96)
    assert np.all(dataset.mean_share.values[0, 0] != dataset.mean_share.values[0, 1])
    assert np.all(np.diff(dataset.mean_share_predicted.values[0, 0]) > 0)
    figure = initial_context.draw(dataset)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), dataset.mean_share_predicted.values[0, 0])


def test_each_regime_of_pooling_is_what_its_name_says():
    for regime in POOLING.regimes:
        network, pool, *rest = regime.name.split("-")
        spec = make_training_spec(regime.quick)
        assert spec.network.pooling == pool
        assert (type(spec.network).__name__ == "FreeTokens") == (network == "free")
        assert spec.objective.similarity == ("cosine" if pool == "max" or "cosine" in rest else "dot")
        assert (getattr(spec.network, "norm", "") == "rms") == ("rms" in rest)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["token-collapse", "--exclusive", "0", "--shared", "none"], "exclusive: expected at least 1"),
        (["token-collapse", "--batch-size", "25"], "batch_size: expected at most n_classes=24"),
        (["token-collapse", "--temperature", "0"], "temperature: expected a positive finite number"),
        (["token-collapse", "--n-heads", "5"], "n_heads: expected a divisor of embedding_dim=48, got 5"),
        (["token-collapse", "--shared", "3"], "shared: expected POSITIONS:CLASSES"),
        (["token-collapse", "--largest-prior", "0.5"], "largest_prior: expected none without repeats_classes"),
        (["token-collapse", "--masked-steps", "7"], "masked_steps: expected a multiple of the 400 steps"),
        (["pooling", "--objective", "classification"], "objective: expected contrastive with network=free"),
        (["context-at-initialisation", "--n-steps", "10"], "n_steps: expected 0: the network is measured"),
        (["context-at-initialisation", "--pooling", "cls"], "pooling: expected mean or max"),
    ],
)
def test_choices_that_are_refused(arguments, message, capsys, tmp_path):
    assert main(["run", *arguments, "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
