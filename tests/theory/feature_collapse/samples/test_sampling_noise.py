"""The sample size at which collapse begins."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import feature_collapse
from theory.feature_collapse.samples.sampling_noise import critical_sample, draw_sample, noise_ratio
from theory.optimality.certificates import certify, certify_layer_norm

LATENTS = np.array(list(itertools.product(range(3), repeat=2)))
SIZES = {"n_concepts": 3, "n_words": 12, "sentence_length": 2, "n_classes": "all", "embedding_dim": 5}


def predict(**changes):
    return feature_collapse.predict(**{**SIZES, "weight_decay": 1e-2, "word_frequency": "zipf", **changes})


def test_under_layer_norm_the_prediction_for_the_population_minimises_a_sample_exactly_where_the_noise_is_small():
    """A theorem without any first order: the duality gap on the sample is zero to rounding, or there is a descent."""
    prediction = predict(layer_norm=True)
    ratios = []
    for per_class in (2, 3, 4, 6, 8, 12, 20, 40):
        sample = draw_sample(prediction, LATENTS, per_class, np.random.default_rng(per_class))
        arrays = *sample, None, prediction.embeddings(), prediction.classifier(LATENTS)
        certificate = certify_layer_norm(*arrays, classifier_weight_decay=1e-2)
        ratios.append(noise_ratio(prediction, LATENTS, *sample))
        assert certificate.risk == pytest.approx(prediction.risk, rel=1e-13)
        if ratios[-1] < 1:
            assert certificate.sigma_max**2 / 1e-2 == pytest.approx(1, rel=1e-10)
            assert certificate.gap < 1e-12
        else:
            below = minimise(prediction, *sample, seed=0, layer_norm=True).fun - prediction.risk
            # The descent goes with the square of what the noise exceeds 1 by; the bound tells how far it can go.
            assert -certificate.gap - 1e-12 < below < -1e-3 * (ratios[-1] - 1) ** 2
    assert min(ratios) < 0.8
    assert max(ratios) > 1.2


def test_without_layer_norm_nothing_but_noise_is_left_of_the_gradient_on_a_huge_sample():
    prediction = predict()
    sample = draw_sample(prediction, LATENTS, 10_000, np.random.default_rng(1))
    ratio = noise_ratio(prediction, LATENTS, *sample)
    arrays = *sample, None, prediction.embeddings(), prediction.classifier(LATENTS)
    certificate = certify(*arrays, embedding_weight_decay=1e-2, classifier_weight_decay=1e-2)
    # In the plane of the network the noise is of the size that it has outside, `ratio`: five times that.
    assert certificate.sigma_max / 1e-2 == pytest.approx(1, abs=5 * ratio)
    assert ratio < 0.03


def test_the_noise_falls_as_the_root_of_the_sample():
    prediction, rng = predict(), np.random.default_rng(0)
    scaled = [
        [n * noise_ratio(prediction, LATENTS, *draw_sample(prediction, LATENTS, n, rng)) ** 2 for _ in range(16)]
        for n in (50, 800)
    ]
    few, many = np.mean(scaled, axis=1)
    assert few == pytest.approx(many, abs=5 * np.hypot(*np.std(scaled, axis=1, ddof=1)) / 4)


def test_layer_norm_makes_the_critical_sample_forget_the_word_frequencies():
    latents = np.array(list(itertools.product(range(3), repeat=3)))

    def difference(layer_norm):
        tasks = ({"word_frequency": law, "layer_norm": layer_norm} for law in ("uniform", "zipf"))
        predictions = (predict(n_words=60, sentence_length=3, weight_decay=3e-3, **task) for task in tasks)
        uniform, zipf = (critical_sample(prediction, latents, per_class=15, n_draws=24) for prediction in predictions)
        return (zipf.per_class - uniform.per_class) / np.hypot(uniform.error, zipf.error)

    assert abs(difference(layer_norm=True)) < 5
    assert difference(layer_norm=False) > 5


def test_a_sample_is_minimised_in_two_dimensions_from_about_the_critical_size_on():
    """An oracle that knows neither frames nor noise: L-BFGS in float64 on drawn sentences, and its singular values."""
    prediction = predict(word_frequency="uniform", weight_decay=0.02)
    critical = critical_sample(prediction, LATENTS, n_draws=16).per_class
    third = {
        factor: [third_singular_value(prediction, round(factor * critical), seed) for seed in range(3)]
        for factor in (1 / 4, 4)
    }
    # Noise twice as large as the weight decay, and half as large: far enough from 1 for the first order.
    assert min(third[1 / 4]) > 0.05
    assert max(third[4]) < 1e-3


def third_singular_value(prediction, per_class, seed):
    """Third singular value of the embeddings at the minimum of a drawn sample, relative to the first."""
    sample = draw_sample(prediction, LATENTS, per_class, np.random.default_rng(seed))
    values = np.linalg.svd(minimise(prediction, *sample, seed).x[: 12 * 5].reshape(12, 5), compute_uv=False)
    return values[2] / values[0]


def minimise(prediction, sentences, classes, seed, *, layer_norm=False):
    """Descend the risk of a sample from random weights."""
    n_words, dim, n_classes = 12, 5, len(LATENTS)
    decay, targets = prediction.classifier_weight_decay, np.eye(n_classes)[classes]
    shapes = [(n_words, dim), (n_classes, 2, dim)]

    def risk(vector):
        raw, classifier = vector[: n_words * dim].reshape(shapes[0]), vector[n_words * dim :].reshape(shapes[1])
        centred, scale = raw, 1.0
        if layer_norm:
            centred = raw - raw.mean(axis=1, keepdims=True)
            scale = np.sqrt(np.mean(centred**2, axis=1, keepdims=True))
        words = centred / scale
        logits = np.einsum("nld,kld->nk", words[sentences], classifier)
        top = logits.max(axis=1, keepdims=True)
        exponentials = np.exp(logits - top)
        total = exponentials.sum(axis=1, keepdims=True)
        value = np.mean(np.log(total) + top - (targets * logits).sum(axis=1, keepdims=True))
        errors = (exponentials / total - targets) / len(classes)
        word_gradient = np.zeros_like(words)
        np.add.at(word_gradient, sentences, np.einsum("nk,kld->nld", errors, classifier))
        if layer_norm:
            along = np.mean(word_gradient * words, axis=1, keepdims=True) * words
            of_words, penalised = (
                (word_gradient - word_gradient.mean(axis=1, keepdims=True) - along) / scale,
                classifier,
            )
        else:
            of_words, penalised = word_gradient + decay * words, vector
        of_classifier = np.einsum("nk,nld->kld", errors, words[sentences]) + decay * classifier
        return value + decay / 2 * np.sum(penalised**2), np.concatenate([of_words.ravel(), of_classifier.ravel()])

    start = np.random.default_rng(seed + 100).normal(size=n_words * dim + n_classes * 2 * dim)
    return minimize(risk, start, jac=True, method="L-BFGS-B", options={"maxiter": 3000, "ftol": 0, "gtol": 1e-9})


def test_an_approximation_or_too_few_draws_are_refused():
    with pytest.raises(ValueError, match=r"^prediction: expected a theorem .*, got an approximation or zero$"):
        critical_sample(predict(n_classes=5), LATENTS[:5])
    with pytest.raises(ValueError, match=r"^n_draws: expected at least 2, got 1$"):
        critical_sample(predict(), LATENTS, n_draws=1)
