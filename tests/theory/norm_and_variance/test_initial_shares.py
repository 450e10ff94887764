"""Shares by layer before training, against the kernel of all tokens, another implementation, and random networks."""

import numpy as np
import pytest

from theory import contextual_embeddings, norm_and_variance

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_post_norm_agrees_with_the_cosines_of_contextual_embeddings(activation):
    ours = norm_and_variance.predict(depth=6, sentence_length=8, activation=activation)
    theirs = contextual_embeddings.three_scalars(6, 8, activation)
    np.testing.assert_allclose(ours.mean_share, theirs.different, atol=1e-12)
    np.testing.assert_allclose(ours.same_sentence, theirs.same_sentence, atol=1e-12)
    np.testing.assert_allclose(ours.within_share, theirs.within_share, atol=1e-12)
    np.testing.assert_allclose(ours.square, 1, atol=1e-14)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_the_kernel_of_all_tokens_gives_the_same(norm):
    # Two sentences that share one word, and two of other words: all four kinds of pairs are there.
    words = np.array([[0, 1, 2], [0, 3, 4], [5, 6, 7]])
    encoder = contextual_embeddings.Encoder(depth=3, norm=norm)
    layers = contextual_embeddings.kernels(encoder, words)
    ours = norm_and_variance.predict(depth=3, norm=norm, sentence_length=3)
    for layer, kernel in enumerate(layers):
        square = kernel[8, 8]
        assert ours.square[layer] == pytest.approx(square, rel=1e-12)
        assert ours.same_sentence[layer] == pytest.approx(kernel[6, 7] / square, abs=1e-12)
        same_word = (1 - ours.within_share[layer]) * (1 - ours.mean_share[layer]) + ours.mean_share[layer]
        assert same_word == pytest.approx(kernel[0, 3] / square, abs=1e-12)
        assert ours.mean_share[layer] == pytest.approx(kernel[0, 8] / square, abs=1e-12)


def test_a_random_network_comes_near():
    """Pre-norm and ReLU at width 256, every map drawn anew: fluctuations of order 1/sqrt(256) = 0.06."""
    rng = np.random.default_rng(0)
    dim, length, depth, n_sentences = 256, 4, 2, 100
    embeddings = rng.normal(size=(400, dim))
    words = rng.integers(400, size=(n_sentences, length))
    tokens = embeddings[words]

    def draw(inputs, outputs):
        return rng.normal(size=(inputs, outputs)) / np.sqrt(inputs)

    def normalise(x):
        x = x - x.mean(-1, keepdims=True)
        return x / x.std(-1, keepdims=True)

    for _ in range(depth):
        tokens = tokens + normalise(tokens).mean(1, keepdims=True) @ draw(dim, dim) @ draw(dim, dim)
        tokens = tokens + np.maximum(normalise(tokens) @ draw(dim, 4 * dim), 0) @ draw(4 * dim, dim)
    flat = tokens.reshape(-1, dim)
    ours = norm_and_variance.predict(depth=depth, norm="pre", sentence_length=length)
    assert np.mean(np.sum(flat**2, 1)) / dim == pytest.approx(ours.square[-1], rel=0.06)
    share = np.sum(flat.mean(0) ** 2) / np.mean(np.sum(flat**2, 1))
    # Of 400 tokens the mean holds 1/400 of each one, and more of the words that repeat.
    assert share == pytest.approx(ours.mean_share[-1], abs=0.06)


def test_single_tokens_do_not_mix():
    alone = norm_and_variance.predict(depth=2, sentence_length=1)
    np.testing.assert_allclose(alone.within_share, 0, atol=1e-12)


def test_a_prediction_as_json():
    found = norm_and_variance.predict(depth=1).to_json()
    assert len(found["mean_share"]) == len(found["within_share"]) == 2
    assert found["basis"] == "approximation"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": -1}, "depth: expected at least 0, got -1"),
        ({"sentence_length": 0}, "sentence_length: expected at least 1, got 0"),
        ({"norm": "both"}, "norm: expected one of post, pre, got 'both'"),
        ({"activation": "tanh"}, "activation: expected one of relu, gelu, got 'tanh'"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        norm_and_variance.predict(**options)
