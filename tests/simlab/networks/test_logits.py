"""The two ways to the logits against a loop over the definition, in value and gradient, and the choice between them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simlab.networks.logits import choose_logits, gathered_logits, tabulated_logits

pytestmark = pytest.mark.quick

N_WORDS, LENGTH, N_CLASSES, DIM, BATCH = 6, 3, 5, 4, 9


def make_arrays():
    rng = np.random.default_rng(0)
    words = rng.normal(size=(N_WORDS, DIM))
    classifier = rng.normal(size=(N_CLASSES, LENGTH, DIM))
    return words, classifier, rng.integers(N_WORDS, size=(BATCH, LENGTH)), rng.normal(size=(BATCH, N_CLASSES))


@pytest.mark.parametrize("platform", ["cpu", "tpu"])
@pytest.mark.parametrize("way", [gathered_logits, tabulated_logits])
def test_value_and_gradient_are_those_of_the_definition(way, platform, monkeypatch):
    monkeypatch.setattr("simlab.networks.logits.platform", lambda: platform)
    words, classifier, sentences, cotangent = make_arrays()
    expected = np.zeros((BATCH, N_CLASSES))
    word_gradient, classifier_gradient = np.zeros_like(words), np.zeros_like(classifier)
    for b, k, position in np.ndindex(BATCH, N_CLASSES, LENGTH):
        word = sentences[b, position]
        expected[b, k] += classifier[k, position] @ words[word]
        word_gradient[word] += cotangent[b, k] * classifier[k, position]
        classifier_gradient[k, position] += cotangent[b, k] * words[word]
    with jax.enable_x64(True):
        found, pull_back = jax.vjp(
            lambda w, u: way(w, u, jnp.asarray(sentences)), *map(jnp.asarray, (words, classifier))
        )
        gradients = pull_back(jnp.asarray(cotangent))
    # Sums of at most 27 products of numbers of order 1 in float64.
    np.testing.assert_allclose(found, expected, atol=1e-13)
    np.testing.assert_allclose(gradients[0], word_gradient, atol=1e-13)
    np.testing.assert_allclose(gradients[1], classifier_gradient, atol=1e-13)


@pytest.mark.parametrize("platform", ["cpu", "tpu"])
def test_forward_derivatives_of_looked_up_vectors(platform, monkeypatch):
    monkeypatch.setattr("simlab.networks.logits.platform", lambda: platform)
    words, classifier, sentences, _ = make_arrays()
    change = np.random.default_rng(1).normal(size=words.shape)
    logits = lambda w: gathered_logits(w, jnp.asarray(classifier), jnp.asarray(sentences))  # noqa: E731
    with jax.enable_x64(True):
        _, found = jax.jvp(logits, (jnp.asarray(words),), (jnp.asarray(change),))
        # Of a sum of squares of logits, which are linear in the words: 2 J^T J change.
        squares = jax.grad(lambda w: jnp.sum(logits(w) ** 2))
        _, curved = jax.jvp(squares, (jnp.asarray(words),), (jnp.asarray(change),))
    expected = np.einsum("bld,kld->bk", change[sentences], classifier)
    np.testing.assert_allclose(found, expected, atol=1e-13)
    pulled = np.einsum("bk,kld->bld", 2 * expected, classifier)
    expected_curved = np.zeros_like(words)
    np.add.at(expected_curved, sentences, pulled)
    np.testing.assert_allclose(curved, expected_curved, atol=1e-12)


def test_the_table_is_taken_for_many_sentences_of_long_vectors_alone():
    assert choose_logits(1200, 100, 5000) is tabulated_logits
    assert choose_logits(1200, 100, 100) is gathered_logits
    assert choose_logits(12, 8, 100_000) is gathered_logits
