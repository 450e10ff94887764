"""The encoder of sentences against a plain NumPy forward pass, its masks and marks, pooling, and free tokens."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples, Population
from simlab.losses.sentences import Hyperparameters
from simlab.networks.encoders.pooling import pool
from simlab.networks.specs.free_tokens import FreeTokens
from simlab.networks.specs.sentence_encoder import SentenceEncoder
from simlab.tasks.contextual_language import ContextualLanguage
from simlab.tasks.paired.gaussian_pairs import GaussianPairs
from simlab.tasks.paired.memorised_pairs import MemorisedPairs

LANGUAGE = {"n_classes": 4, "exclusive": 2, "shared": ((2, 2),), "words_per_concept": 3, "function_words": 2}
TASK = ContextualLanguage(**LANGUAGE, shortest=2, n_evaluation=16)
PAIRS = MemorisedPairs(**LANGUAGE, n_evaluation=8)
HYPER = Hyperparameters(
    learning_rate=0.1, pretraining_rate=0.1, initial_scale=0.5, temperature=0.5, decoupled_weight_decay=0.0
)
SPEC = SentenceEncoder(embedding_dim=6, depth=2, n_heads=2)


def build(spec=SPEC, task=TASK):
    return spec.build(task, HYPER, dtype=jnp.float32, rngs=nnx.Rngs(params=0))


def normalise(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True))


def by_hand(network, sentence, norm, activation):
    """Every layer of one sentence, word by word and head by head, in float64, words behind its end left out."""
    array = lambda parameter: np.asarray(parameter[...], np.float64)  # noqa: E731
    apply = lambda layer, x: x @ array(layer.kernel) + array(layer.bias)  # noqa: E731
    phi = {"relu": lambda v: np.maximum(v, 0), "gelu": lambda v: np.asarray(jax.nn.gelu(v, approximate=False))}
    x = array(network.embeddings)[sentence] + array(network.positions)[: len(sentence)]
    layers = [x := normalise(x) if norm == "post" else x]
    for block in network.blocks:
        seen = normalise(x) if norm == "pre" else x
        attention, heads = block.attention, []
        for h in range(2):
            part = slice(3 * h, 3 * h + 3)
            query, key, value = (
                apply(layer, seen)[:, part] for layer in (attention.queries, attention.keys, attention.values)
            )
            weights = np.exp(query @ key.T / np.sqrt(3))
            heads.append(weights / weights.sum(axis=1, keepdims=True) @ value)
        x = x + apply(attention.mix, np.concatenate(heads, axis=1))
        x = normalise(x) if norm == "post" else x
        seen = normalise(x) if norm == "pre" else x
        x = x + apply(block.feed_forward.contract, phi[activation](apply(block.feed_forward.expand, seen)))
        layers.append(x := normalise(x) if norm == "post" else x)
    return [*layers, normalise(x)] if norm == "pre" else layers


@pytest.mark.parametrize(("norm", "activation"), [("post", "gelu"), ("pre", "relu")])
def test_layers_are_those_of_a_forward_pass_by_hand(norm, activation):
    """In float32: rounding of 1e-7 on numbers of order 1, enlarged a few dozen times by two blocks."""
    spec = replace(SPEC, norm=norm, activation=activation)
    network, sentences = build(spec), TASK.sample(0).evaluation.words
    layers, vectors = jax.jit(lambda words: (network.hidden(words), network(words)))(sentences)
    assert set(layers) == set(spec.layers)
    for index in (0, 5, 9):
        sentence = sentences[index][sentences[index] < TASK.n_words]
        expected = by_hand(network, sentence, norm, activation)
        for name, states in zip(spec.layers, expected, strict=True):
            np.testing.assert_allclose(layers[name][index, : len(sentence)], states, atol=2e-5)
        np.testing.assert_allclose(vectors[index], expected[-1].mean(axis=0) / np.sqrt(6), atol=1e-5)


def test_what_stands_behind_the_end_of_a_sentence_changes_nothing_and_no_word_at_all_gives_finite_gradients():
    graph, params = nnx.split(build())
    sentences = np.array([[0, 1, TASK.padding, TASK.padding], [TASK.padding] * 4])

    @jax.jit
    def vectors_and_gradient(params, shift):
        table = params["embeddings"][...].at[TASK.padding].add(shift)
        params["embeddings"] = params["embeddings"].replace(table)
        run = lambda params: nnx.merge(graph, params)(sentences)  # noqa: E731
        return run(params), jax.grad(lambda params: jnp.sum(run(params) ** 2))(params)

    (vectors, gradient), (shifted, _) = (vectors_and_gradient(params, shift) for shift in (0.0, 7.0))
    np.testing.assert_array_equal(vectors[0], shifted[0])
    np.testing.assert_array_equal(vectors[1], np.zeros(6))
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))


def test_zero_queries_and_affine_norms():
    spec = replace(SPEC, zero_queries=True, affine=True, has_positions=False)
    network = build(spec)
    assert np.all(network.blocks[0].attention.queries.kernel[...] == 0)
    words = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    forwards, backwards = jax.jit(network.last)(words)
    np.testing.assert_allclose(forwards, backwards[::-1], atol=1e-6)  # without positions the order is unseen
    assert network.outer_norm.scale[...].shape == (6,)


def test_a_leading_token_gives_the_vector_of_cls_pooling():
    network = build(replace(SPEC, pooling="cls"))
    words = TASK.sample(0).evaluation.words
    last, vectors = jax.jit(lambda words: (network.last(words), network(words)))(words)
    assert last.shape == (16, 5, 6)
    assert np.all(network.tokens_of(words)[:, 0] == TASK.leading)
    np.testing.assert_allclose(vectors, last[:, 0] / np.sqrt(6), atol=1e-6)


def test_pooling_counts_what_is_seen_and_gives_zero_for_nothing():
    tokens = jnp.asarray([[[1.0, -4.0], [3.0, 2.0], [50.0, 50.0]], [[1.0, 1.0]] * 3])
    seen = jnp.asarray([[True, True, False], [False] * 3])
    scale = 2**-0.5
    np.testing.assert_allclose(pool(tokens, seen, "mean"), [[2 * scale, -scale], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(pool(tokens, seen, "max"), [[3 * scale, 2 * scale], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(pool(tokens, None, "max")[0], [50 * scale, 50 * scale], rtol=1e-6)


def test_free_tokens_are_pinned_and_start_with_their_anisotropy():
    """256 dimensions: the cosine of two vectors deviates by 1/16 for one pair, and far less in the mean of all."""
    network = FreeTokens(embedding_dim=256, initial_anisotropy=0.4).build(
        PAIRS, HYPER, dtype=jnp.float32, rngs=nnx.Rngs(0)
    )
    tokens = np.asarray(network.tokens(), np.float64)
    np.testing.assert_allclose(np.sum(tokens**2, axis=-1), 256, rtol=1e-5)
    flat = tokens.reshape(-1, 256) / 16
    cosines = (flat @ flat.T)[np.triu_indices(len(flat), 1)]
    np.testing.assert_allclose(cosines.mean(), 0.4, atol=0.05)
    np.testing.assert_allclose(network(np.array([2, 5])), tokens[[2, 5]].mean(axis=1) / 16, atol=1e-6)


def test_pairs_of_memorised_sentences_are_of_one_class():
    pairs, classes = PAIRS.population(PAIRS.sample(0)), PAIRS.sample(0).evaluation.classes
    assert np.array_equal(classes[pairs.first], pairs.classes)
    assert np.array_equal(classes[pairs.second], pairs.classes)
    assert sorted([*pairs.first, *pairs.second]) == list(range(8))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(SPEC, n_heads=4), "n_heads: expected a divisor of embedding_dim=6, got 4"),
        (lambda: replace(SPEC, embedding_dim=2), "embedding_dim: expected a whole number of at least 3"),
        (lambda: replace(SPEC, norm="mid"), "norm: expected one of post, pre"),
        (lambda: replace(SPEC, activation="tanh"), "activation: expected one of relu, gelu"),
        (lambda: replace(SPEC, pooling="sum"), "pooling: expected one of mean, cls, max"),
        (lambda: replace(SPEC, readout="all"), "readout: expected one of none, words, classes"),
        (lambda: FreeTokens(initial_anisotropy=1.0), "initial_anisotropy: expected a number below 1"),
        (lambda: replace(PAIRS, n_evaluation=16), "n_evaluation: expected two sentences of each"),
        (lambda: replace(PAIRS, shortest=2), "shortest: expected none, where each occurrence is free"),
        (lambda: SPEC.check(PAIRS, Population()), "network: expected one that reads the examples"),
        (lambda: SPEC.check(GaussianPairs(variances=(1.0,), augmentation_ratios=(1.0,)), Population()), "network: "),
        (lambda: FreeTokens().check(TASK, FreshExamples()), "network: expected one that reads the examples"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
