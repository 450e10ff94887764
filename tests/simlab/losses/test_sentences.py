"""Losses of sentences by hand, masked words, the stages of a run, and what the objectives refuse."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples
from simlab.losses.sentences import (
    Hyperparameters,
    MaskedWords,
    SentenceClassification,
    SentenceContrastive,
    hide_words,
)
from simlab.networks.specs.free_tokens import FreeTokens
from simlab.networks.specs.sentence_encoder import SentenceEncoder
from simlab.tasks.contextual_language import ContextualLanguage
from simlab.tasks.paired.gaussian_pairs import GaussianPairs
from simlab.tasks.paired.memorised_pairs import MemorisedPairs
from simlab.training.spec import TrainingSpec

LANGUAGE = {"n_classes": 4, "exclusive": 1, "shared": ((2, 2),), "words_per_concept": 2, "function_words": 1}
TASK = ContextualLanguage(**LANGUAGE, n_evaluation=8)
HYPER = Hyperparameters(
    learning_rate=0.01, pretraining_rate=0.02, initial_scale=0.3, temperature=0.7, decoupled_weight_decay=0.0
)
NETWORK = SentenceEncoder(embedding_dim=6, depth=1, n_heads=2)
SPEC = TrainingSpec(
    task=TASK,
    source=FreshExamples(batch_size=4),
    network=NETWORK,
    objective=SentenceContrastive(),
    optimizer="adamw",
    n_steps=4,
    steps_per_record=2,
    n_evaluation=4,
)


def build(spec):
    return spec.build(TASK, HYPER, dtype=jnp.float32, rngs=nnx.Rngs(params=1))


@pytest.fixture(scope="module")
def batch():
    return TASK.draw(jax.random.key(0), TASK.sample(0), 4)


def loss_of(objective, network, batch, key=None):
    return jax.jit(lambda: objective.loss(network, batch, None, HYPER, key))()


def log_sum(scores):
    return np.log(np.sum(np.exp(scores)))


@pytest.mark.quick
@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_the_contrastive_loss_pair_by_pair(batch, similarity):
    network = build(NETWORK)
    first, second = (np.asarray(side, np.float64) for side in jax.jit(network.embed_pairs)(batch))
    if similarity == "cosine":
        first, second = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (first, second))
    terms = [log_sum([z @ w / 0.7 for w in second]) - z @ second[i] / 0.7 for i, z in enumerate(first)]
    loss = loss_of(SentenceContrastive(similarity=similarity), network, batch)
    np.testing.assert_allclose(loss, np.mean(terms), rtol=1e-5)
    swapped = [log_sum([z @ w / 0.7 for w in first]) - z @ first[i] / 0.7 for i, z in enumerate(second)]
    both = loss_of(SentenceContrastive(similarity=similarity, is_two_sided=True), network, batch)
    np.testing.assert_allclose(both, np.mean(terms + swapped), rtol=1e-5)


@pytest.mark.quick
def test_the_class_is_read_off_the_sentence(batch):
    network = build(replace(NETWORK, readout="classes"))
    terms, read = [], jax.jit(network.sentence_logits)
    for side in batch[:2]:
        logits = np.asarray(read(side), np.float64)
        terms += [log_sum(row) - row[label] for row, label in zip(logits, batch.classes, strict=True)]
    np.testing.assert_allclose(loss_of(SentenceClassification(), network, batch), np.mean(terms), rtol=1e-5)


def test_only_chosen_words_are_guessed(batch):
    network, objective = build(replace(NETWORK, readout="words")), MaskedWords(rate=0.3)
    words, key = np.concatenate(batch[:2]), jax.random.key(3)
    chosen, shown = (np.asarray(array) for array in hide_words(key, words, TASK.n_words, 0.3))
    assert 0 < chosen.sum() < chosen.size
    logits = np.asarray(jax.jit(network.token_logits)(shown), np.float64)
    terms = [log_sum(logits[place]) - logits[place][words[place]] for place in zip(*np.nonzero(chosen), strict=True)]
    np.testing.assert_allclose(loss_of(objective, network, batch, key), np.mean(terms), rtol=1e-5)
    assert np.isfinite(loss_of(objective, network, batch))


def test_chosen_words_are_hidden_replaced_or_kept_as_in_bert():
    """40,000 places, a fifth of them padding: five standard errors of each share."""
    words = np.tile(np.array([0, 1, 2, 3, 8], np.int32), (8000, 1))
    chosen, shown = (np.asarray(array) for array in hide_words(jax.random.key(0), words, 8, 0.25))
    assert not np.any(chosen[:, 4])
    assert np.array_equal(shown[~chosen], words[~chosen])
    n_chosen = chosen.sum()
    assert abs(n_chosen - 8000) < 5 * np.sqrt(32000 * 0.25 * 0.75)
    # One of 8 random words is the right one.
    for share, is_so in ((0.8, shown == 9), (0.1 + 0.1 / 8, shown == words)):
        assert abs(np.sum(is_so & chosen) - share * n_chosen) < 5 * np.sqrt(n_chosen * share * (1 - share))
    assert shown[chosen & (shown != 9)].max() < 8


def test_free_tokens_descend_on_their_pairs():
    task = MemorisedPairs(**LANGUAGE, n_evaluation=8)
    pairs, network = task.population(task.sample(0)), FreeTokens(embedding_dim=6)
    graph, params = nnx.split(network.build(task, HYPER, dtype=jnp.float32, rngs=nnx.Rngs(0)))

    @jax.jit
    def step(params):
        loss = lambda params: SentenceContrastive().loss(nnx.merge(graph, params), pairs, None, HYPER, None)  # noqa: E731
        value, gradient = jax.value_and_grad(loss)(params)
        return value, jax.tree.map(lambda weight, slope: weight - slope, params, gradient)

    losses = []
    for _ in range(30):
        value, params = step(params)
        losses.append(float(value))
    assert losses[-1] < losses[10] < losses[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": FreshExamples(batch_size=5)}, "batch_size: expected at most n_classes=4"),
        ({"source": FreshExamples(batch_size=1)}, "batch_size: expected at least 2"),
        ({"objective": SentenceClassification()}, "readout: expected classes, for the objective, got 'none'"),
        ({"objective": MaskedWords()}, "readout: expected words, for the objective, got 'none'"),
        ({"task": GaussianPairs(variances=(1.0,), augmentation_ratios=(1.0,))}, "network: expected one that reads"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SPEC, **change)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_rate_that_hides_nothing_or_all_is_refused(rate):
    with pytest.raises(ValueError, match="rate: expected"):
        MaskedWords(rate=rate)
