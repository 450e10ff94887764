import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.losses.cross_entropy import accuracy_standard_error, cross_entropy, cross_entropy_terms, evaluate
from simlab.losses.penalties import penalty
from simlab.networks.layer_norm import layer_norm
from simlab.networks.two_layer import SentenceClassifier
from simlab.tasks.batch import Batch

N_WORDS, LENGTH, N_CLASSES, DIM = 6, 3, 4, 5


def make_network(*, normalise, scale=1.0):
    return SentenceClassifier(
        n_words=N_WORDS,
        sentence_length=LENGTH,
        n_classes=N_CLASSES,
        embedding_dim=DIM,
        layer_norm=normalise,
        initial_scale=scale,
        rngs=nnx.Rngs(3),
    )


def naive_logits(network, sentence):
    """The definition, with loops and in float64."""
    embeddings = np.asarray(network.embeddings[...], np.float64)
    classifier = np.asarray(network.classifier[...], np.float64)
    logits = np.zeros(N_CLASSES)
    for k in range(N_CLASSES):
        for position, word in enumerate(sentence):
            vector = embeddings[word]
            if network.layer_norm:
                vector = (vector - np.mean(vector)) / np.std(vector)
            logits[k] += np.dot(classifier[k, position], vector)
    return logits


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_logits_are_the_definition(normalise, scale):
    network = make_network(normalise=normalise, scale=scale)
    sentences = np.array([[0, 1, 5], [3, 3, 2]])
    expected = np.stack([naive_logits(network, sentence) for sentence in sentences])
    # 15 products and sums of float32: at most a few dozen roundings of 2^-24 relative to the largest term.
    tolerance = 64 * 2**-24 * np.abs(expected).max()
    np.testing.assert_allclose(network(jnp.asarray(sentences)), expected, rtol=0, atol=tolerance)


def test_layer_norm_has_norm_sqrt_d_and_ignores_scale():
    vectors = jax.random.normal(jax.random.key(0), (10, 7))
    normalised = layer_norm(vectors)
    np.testing.assert_allclose(jnp.linalg.norm(normalised, axis=-1), np.sqrt(7), rtol=1e-6)
    np.testing.assert_allclose(normalised.mean(axis=-1), 0, atol=1e-6)
    # A power of two scales exactly, so the result must not change by a bit.
    for power in (-100, -20, 20, 100):
        assert jnp.array_equal(layer_norm(vectors * 2.0**power), normalised)


def test_layer_norm_of_tiny_vectors_has_a_finite_gradient():
    vectors = 1e-15 * jax.random.normal(jax.random.key(0), (10, 7))
    gradient = jax.grad(lambda v: jnp.sum(layer_norm(v)[:, 0]))(vectors)
    assert np.all(np.isfinite(gradient))
    # The gradient is inversely proportional to the scale.
    reference = jax.grad(lambda v: jnp.sum(layer_norm(v)[:, 0]))(vectors * 2.0**40)
    np.testing.assert_allclose(gradient, reference * 2.0**40, rtol=1e-5)


def test_initial_weights_have_the_papers_law():
    network = SentenceClassifier(
        n_words=300, sentence_length=4, n_classes=100, embedding_dim=25, layer_norm=False, initial_scale=1e-3,
        rngs=nnx.Rngs(0),
    )  # fmt: skip
    embeddings, classifier = np.asarray(network.embeddings[...]), np.asarray(network.classifier[...])
    # 7,500 normals: the standard deviation is known to 1/sqrt(15000) = 0.8 %; five standard errors.
    assert abs(embeddings.std() / 1e-3 - 1) < 5 / np.sqrt(2 * embeddings.size)
    bound = 1e-3 / np.sqrt(4 * 25)
    assert np.abs(classifier).max() <= bound
    # Uniform on +-b has standard deviation b/sqrt(3); its estimate from n draws errs by sqrt(0.2/n).
    assert abs(classifier.std() * np.sqrt(3) / bound - 1) < 5 * np.sqrt(0.2 / classifier.size)


def naive_cross_entropy(logits, label):
    return np.log(np.sum(np.exp(logits))) - logits[label]


def test_cross_entropy_accuracy_and_penalty():
    network = make_network(normalise=False)
    sentences = np.array([[0, 1, 5], [3, 3, 2], [4, 0, 0]])
    classes, weights = np.array([1, 0, 3]), np.array([0.5, 0.3, 0.2])
    batch = Batch(jnp.asarray(sentences), jnp.asarray(classes), jnp.asarray(weights))
    logits = [naive_logits(network, sentence) for sentence in sentences]
    expected = sum(w * naive_cross_entropy(z, k) for w, z, k in zip(weights, logits, classes, strict=True))
    accuracy = sum(w * (np.argmax(z) == k) for w, z, k in zip(weights, logits, classes, strict=True))
    np.testing.assert_allclose(cross_entropy(network, batch), expected, rtol=1e-5)
    loss, found, deviation = evaluate(network, batch, N_CLASSES)
    np.testing.assert_allclose((loss, found), (expected, accuracy), rtol=1e-5)
    terms = np.array([naive_cross_entropy(z, k) for z, k in zip(logits, classes, strict=True)])
    np.testing.assert_allclose(deviation, np.sqrt(weights @ (terms - expected) ** 2), rtol=1e-5)
    params = {"a": jnp.array([1.0, 2.0]), "b": jnp.array([[3.0]])}
    np.testing.assert_allclose(penalty(params, {"a": 0.1, "b": 0.4}), 0.05 * 5 + 0.2 * 9, rtol=1e-6)


@pytest.mark.parametrize("normalise", [False, True])
def test_gradient_is_that_of_the_definition(normalise):
    """Central differences of the naive loop in float64 against automatic differentiation in float32."""
    network = make_network(normalise=normalise)
    sentences, classes = np.array([[0, 1, 5], [3, 3, 2]]), np.array([1, 0])
    batch = Batch(jnp.asarray(sentences), jnp.asarray(classes), jnp.full(2, 0.5))
    graph, params = nnx.split(network)
    gradient = jax.grad(lambda p: cross_entropy(nnx.merge(graph, p), batch))(params)

    def naive(name, index, shift):
        moved = make_network(normalise=normalise)
        values = {key: np.asarray(getattr(moved, key)[...], np.float64) for key in ("embeddings", "classifier")}
        values[name][index] += shift
        moved.embeddings, moved.classifier = values["embeddings"], values["classifier"]
        return np.mean(
            [naive_cross_entropy(naive_logits(moved, x), k) for x, k in zip(sentences, classes, strict=True)]
        )

    for name, index in [
        ("embeddings", (0, 2)),
        ("embeddings", (3, 1)),
        ("classifier", (1, 0, 4)),
        ("classifier", (2, 2, 0)),
    ]:
        # Central differences err by O(h^2) = 1e-10 and by rounding 1e-16/h = 1e-11; the gradient by float32's 1e-6.
        difference = (naive(name, index, 1e-5) - naive(name, index, -1e-5)) / 2e-5
        np.testing.assert_allclose(gradient[name][...][index], difference, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_derivatives_of_cross_entropy_terms(platform, monkeypatch):
    """Softmax p less the given class, and (diag p - p p^T) times a change; for three sentences and two heads."""
    monkeypatch.setattr("simlab.losses.cross_entropy.platform", lambda: platform)
    rng = np.random.default_rng(0)
    logits, change = rng.normal(size=(2, 3, 2, 4))
    classes = np.array([[0, 3], [1, 1], [2, 0]])
    exponentials = np.exp(logits)
    softmax = exponentials / exponentials.sum(axis=-1, keepdims=True)
    expected = np.log(exponentials.sum(axis=-1)) - np.take_along_axis(logits, classes[..., None], axis=-1)[..., 0]
    total = lambda z: jnp.sum(cross_entropy_terms(z, jnp.asarray(classes)))  # noqa: E731
    with jax.enable_x64(True):
        terms = cross_entropy_terms(jnp.asarray(logits), jnp.asarray(classes))
        gradient, curved = jax.jvp(jax.grad(total), (jnp.asarray(logits),), (jnp.asarray(change),))
    # Sums of four numbers of order 1 in float64.
    np.testing.assert_allclose(terms, expected, atol=1e-14)
    np.testing.assert_allclose(gradient, softmax - np.eye(4)[classes], atol=1e-14)
    along = np.sum(softmax * change, axis=-1, keepdims=True)
    np.testing.assert_allclose(curved, softmax * (change - along), atol=1e-14)


def test_accuracy_standard_error():
    # In between it is the binomial one; at the ends it stays positive, of order 1/n.
    assert accuracy_standard_error(0.44, 5000) == pytest.approx(np.sqrt(0.44 * 0.56 / 5000), rel=1e-3)
    assert accuracy_standard_error(1.0, 5000) == pytest.approx(1 / 5000, rel=1e-2)


def test_an_epsilon_is_added_to_the_variance():
    """As in PyTorch's LayerNorm without affine; at the scale of initial weights it decides the length."""
    vectors = 1e-3 * np.random.default_rng(0).standard_normal((5, 8))
    centred = vectors - vectors.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    image = np.asarray(layer_norm(jnp.asarray(vectors, jnp.float32), 1e-5))
    # Some ten roundings of 6e-8 on numbers of order 1.
    np.testing.assert_allclose(image, expected, atol=1e-6)
    assert np.linalg.norm(image, axis=1).max() < 0.5 * 8**0.5
