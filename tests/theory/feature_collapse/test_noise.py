"""Noise in labels and words: against direct minimisation over enumerated noisy populations, and against definitions."""

import itertools
import math

import numpy as np
import pytest

from theory import feature_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.type_three import solve_type_three

EPS = np.finfo(np.float64).eps
NOISES = [(0.2, 0.0), (0.0, 0.2), (0.1, 0.3)]


def all_latents(n_concepts, length):
    return np.array(list(itertools.product(range(n_concepts), repeat=length)))


@pytest.mark.parametrize(("label_noise", "word_noise"), NOISES)
@pytest.mark.parametrize(("kind", "frequencies"), [("I", (0.5, 0.5)), ("II", (0.7, 0.3)), ("III", (0.7, 0.3))])
def test_saturated_predictions_are_the_exact_minima(
    noisy_population, noisy_risk, kind, frequencies, label_noise, word_noise
):
    latents, decay, dim = all_latents(3, 2), 2e-3, 4
    population = noisy_population(latents, frequencies, 3, label_noise, word_noise)
    prediction = feature_collapse.predict(
        n_words=6,
        sentence_length=2,
        n_classes="all",
        word_frequency=frequencies,
        weight_decay=decay,
        layer_norm=kind == "II",
        embedding_dim=dim,
        label_noise=label_noise,
        word_noise=word_noise,
    )
    assert (prediction.collapse_type, prediction.is_theorem) == (kind, True)
    assert (prediction.label_noise, prediction.word_noise) == (label_noise, word_noise)
    risk = noisy_risk(population, 6, 9, dim, decay, layer_norm=kind == "II")
    risk.check(prediction, prediction.frame, latents, descend=word_noise == 0.3)


def cross_entropy(population, embeddings, classifier):
    sentences, labels, weights = population
    logits = np.einsum("nld,kld->nk", embeddings[sentences], classifier)
    return weights @ (np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels])


@pytest.mark.parametrize("seed", range(3))
def test_both_noises_are_one_function_of_the_network_if_saturated(noisy_population, seed):
    rng = np.random.default_rng(seed)
    network = rng.normal(size=(4, 3)), rng.normal(size=(8, 3, 3))
    latents = all_latents(2, 3)
    values = [
        cross_entropy(noisy_population(chosen, (0.8, 0.2), 2, *noise), network[0], network[1][: len(chosen)])
        for chosen in (latents, latents[:6])
        for noise in ((0.28, 0.0), (0.0, 0.28), (0.1, 0.2))
    ]
    # Sums of 512 logits of size 10 with weights that sum to 1; (1 - 0.1)(1 - 0.2) = 1 - 0.28.
    np.testing.assert_allclose(values[:3], values[0], rtol=0, atol=10 * 23 * EPS)
    # With fewer classes the two differ, and not by rounding.
    assert abs(values[3] - values[4]) > 1e-3


def test_only_word_noise_is_learned_to_the_end(noisy_population):
    # As lam -> 0 the cross-entropy reaches the entropy of the label given the sentence, or stays above it.
    latents = all_latents(2, 2)
    entropies = []
    for noise in ((0.3, 0.0), (0.0, 0.3)):
        sentences, labels, weights = noisy_population(latents, (0.6, 0.4), 2, *noise)
        joint = np.zeros((16, 4))
        joint[sentences @ [4, 1], labels] = weights
        entropies.append(-(joint * np.log(joint / joint.sum(axis=1, keepdims=True))).sum())
    task = {"n_concepts": 2, "n_words": 4, "sentence_length": 2, "n_classes": "all", "word_frequency": (0.6, 0.4)}
    learned = feature_collapse.predict(**task, weight_decay=1e-9, word_noise=0.3).cross_entropy
    # The minimum over margins is flat: the excess is second order in lam |M| / curvature ~ 1e-8.
    assert learned == pytest.approx(entropies[1], abs=1e-14)
    assert learned > entropies[0] + 0.01
    assert feature_collapse.predict(**task, weight_decay=1e-9, label_noise=0.3).cross_entropy == learned


@pytest.mark.parametrize(("label_noise", "word_noise"), NOISES)
def test_zero_threshold_under_noise(enumerated_task, noisy_population, label_noise, word_noise):
    latents = np.random.default_rng(5).integers(0, 3, size=(5, 2))
    sentences, labels, weights = noisy_population(latents, (0.7, 0.3), 3, label_noise, word_noise)
    gradient = np.zeros((5, 2, 6))
    for label, sentence, weight in zip(labels, sentences, weights, strict=True):
        for position, word in enumerate(sentence):
            gradient[:, position, word] += weight * (1 / 5 - (np.arange(5) == label))
    task = {"n_words": 6, "sentence_length": 2, "word_frequency": (0.7, 0.3)}
    noise = {"label_noise": label_noise, "word_noise": word_noise}
    threshold = np.linalg.svd(gradient.reshape(10, 6), compute_uv=False)[0]
    given = feature_collapse.predict(**task, **noise, n_classes=5, latents=latents, weight_decay=1.01 * threshold)
    # Sums of 180 weights, each entry below 0.1.
    assert given.zero_threshold == pytest.approx(threshold, abs=20 * EPS)
    assert (given.is_zero, given.is_theorem, given.risk) == (True, True, math.log(5))
    critical = feature_collapse.predict(**task, **noise, n_classes="all").zero_threshold
    for ratio, is_zero in ((1 - 1e-9, False), (1 + 1e-9, True)):
        for frequency in ((0.7, 0.3), (0.5, 0.5)):
            decay = ratio * critical * np.linalg.norm(frequency) / np.linalg.norm((0.7, 0.3))
            saturated = feature_collapse.predict(
                **task | {"word_frequency": frequency}, **noise, n_classes="all", weight_decay=decay
            )
            assert saturated.is_zero == is_zero


def test_published_form_of_the_equation():
    mu, eps = np.array([0.6, 0.3, 0.1]), 0.9 * 0.2 + 0.1
    prediction = feature_collapse.predict(
        n_words=9, sentence_length=4, n_classes="all", word_frequency=mu, label_noise=0.1, word_noise=0.2
    )
    r, c = prediction.embedding_norms, prediction.classifier_norm
    margin_gradient = c * (1 / (2 + np.exp(1.5 * c * r)) - eps / 3)
    # The difference of the two terms is below a tenth of each, and e^y amplifies eps by y < 3.
    np.testing.assert_allclose(1e-3 * r / (4 * mu), margin_gradient, rtol=100 * EPS)
    assert ((r / c) ** 2).sum() == pytest.approx(4 * 3**3, rel=20 * EPS)
    # The larger lam is, the further margins stay below the largest one.
    assert np.all(1.5 * c * r < math.log1p(3 * (1 - eps) / eps))


@pytest.mark.parametrize("noise", [1e-12, 0.3, 1 - 1e-6])
def test_margins_under_extreme_noise_and_decay(noise):
    share = LatentShare(n_concepts=3, sentence_length=3, n_classes=27)
    for decay in (1e-12, 1e-3 * (1 - noise), 0.1 * (1 - noise)):
        network = solve_type_three(share, np.array([0.9, 0.09, 0.01]), decay, noise=noise)
        assert np.all(np.isfinite(network.embedding_norms))
        # Margins up to 30 enter through e^y: 30 eps, a few times.
        assert network.residual < 200 * EPS


def test_paper_scale_under_noise():
    for frequency in ("uniform", "zipf"):
        prediction = feature_collapse.predict(n_words=300, word_frequency=frequency, label_noise=0.1, word_noise=0.1)
        # Exponents up to L y = 200 are rounded to 200 eps, and the outcome is as sensitive as its logarithm.
        assert prediction.residual < 1000 * EPS
    assert feature_collapse.predict(layer_norm=True, n_classes=5, label_noise=0.9).is_zero


def test_noise_is_not_in_the_json():
    noisy = feature_collapse.predict(n_words=9, sentence_length=3, n_classes="all", word_noise=0.1)
    plain = feature_collapse.predict(n_words=9, sentence_length=3, n_classes="all")
    assert list(noisy.to_json()) == list(plain.to_json())
    assert noisy.risk > plain.risk


@pytest.mark.parametrize("field", ["label_noise", "word_noise"])
@pytest.mark.parametrize("value", [-0.1, 1.0, math.nan, "0.1"])
def test_noise_is_checked(field, value):
    with pytest.raises(ValueError, match=rf"^{field}: expected a number in \[0, 1\), got"):
        feature_collapse.predict(**{field: value})
