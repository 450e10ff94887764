"""RMSNorm with a trainable scale: the closed form against a minimisation of the risk that knows no collapse."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from theory.feature_collapse.trainable_scale import solve_trainable_scale

N_CONCEPTS, LENGTH, DIM, DECAY = 3, 2, 4, 4e-3
SIZES = {"n_concepts": N_CONCEPTS, "sentence_length": LENGTH, "embedding_dim": DIM}
CLASSES = np.array(list(itertools.product(range(N_CONCEPTS), repeat=LENGTH)))
# Two words for each concept, 0.7 and 0.3 of it.
WORDS = np.array(list(itertools.product(range(2 * N_CONCEPTS), repeat=LENGTH)))
SHARES = np.prod(np.array([0.7, 0.3])[WORDS % 2], axis=1) / N_CONCEPTS**LENGTH
LABELS = WORDS // 2 @ [3, 1]


def risk_and_gradient(flat):
    """The risk of every sentence, with its gradient by hand."""
    n_words, shape = 2 * N_CONCEPTS, (len(CLASSES), LENGTH, DIM)
    words, scale = flat[: n_words * DIM].reshape(n_words, DIM), flat[-DIM:]
    classifier = flat[n_words * DIM : -DIM].reshape(shape)
    lengths = np.linalg.norm(words, axis=1, keepdims=True)
    unit = np.sqrt(DIM) * words / lengths
    seen = scale * unit
    logits = np.einsum("nld,kld->nk", seen[WORDS], classifier)
    logits -= logits.max(axis=1, keepdims=True)
    normaliser = np.log(np.exp(logits).sum(axis=1))
    value = SHARES @ (normaliser - logits[np.arange(len(WORDS)), LABELS])
    residual = np.exp(logits - normaliser[:, None])
    residual[np.arange(len(WORDS)), LABELS] -= 1
    residual *= SHARES[:, None]
    to_classifier = np.einsum("nk,nld->kld", residual, seen[WORDS]) + DECAY * classifier
    to_seen = np.zeros_like(words)
    np.add.at(to_seen, WORDS, np.einsum("nk,kld->nld", residual, classifier))
    to_scale = np.sum(to_seen * unit, axis=0) + DECAY * scale
    gradient_in_unit = scale * to_seen
    to_words = (
        np.sqrt(DIM)
        / lengths
        * (gradient_in_unit - unit * np.sum(unit * gradient_in_unit, axis=1, keepdims=True) / DIM)
    )
    value += DECAY / 2 * (np.sum(classifier**2) + np.sum(scale**2))
    return value, np.concatenate([to_words.ravel(), to_classifier.ravel(), to_scale])


@pytest.fixture(scope="module")
def minima():
    minima = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        start = np.concatenate([rng.normal(size=2 * N_CONCEPTS * DIM), 0.3 * rng.normal(size=18 * DIM), np.ones(DIM)])
        options = {"maxiter": 3000, "maxcor": 30, "ftol": 1e-16, "gtol": 1e-9}
        minima.append(minimize(risk_and_gradient, start, jac=True, method="L-BFGS-B", options=options))
    return minima


def test_the_gradient_by_hand():
    point, direction = np.random.default_rng(0).normal(size=(2, 2 * N_CONCEPTS * DIM + 18 * DIM + DIM))
    values = [risk_and_gradient(point + step * direction)[0] for step in (1e-5, -1e-5)]
    # Central differences err by h^2 = 1e-10 times a third derivative, and by rounding, 1e-15/h.
    expected = risk_and_gradient(point)[1] @ direction
    np.testing.assert_allclose((values[0] - values[1]) / 2e-5, expected, rtol=1e-6)


def test_random_starts_end_at_the_closed_form(minima):
    predicted = solve_trainable_scale(**SIZES, weight_decay=DECAY)
    # A gradient below 1e-9 over curvatures of at least some share of the decay: squares of 1e-7 in the risk.
    np.testing.assert_allclose([minimum.fun for minimum in minima], predicted.risk, rtol=1e-12)
    for minimum in minima:
        scale = np.sort(np.abs(minimum.x[-DIM:]))[::-1]
        np.testing.assert_allclose(scale, [predicted.scale] * 2 + [0] * 2, atol=1e-5)
        words = minimum.x[: 2 * N_CONCEPTS * DIM].reshape(-1, DIM)
        seen = minimum.x[-DIM:] * np.sqrt(DIM) * words / np.linalg.norm(words, axis=1, keepdims=True)
        np.testing.assert_allclose(np.linalg.norm(seen, axis=1), predicted.embedding_norm, rtol=1e-5)
        cosines = seen @ seen.T / predicted.embedding_norm**2
        np.testing.assert_allclose(cosines[::2, ::2][~np.eye(3, dtype=bool)], -0.5, atol=1e-5)
        classifier = minimum.x[2 * N_CONCEPTS * DIM : -DIM].reshape(-1, DIM)
        np.testing.assert_allclose(np.linalg.norm(classifier, axis=1), predicted.classifier_norm, rtol=1e-5)


def test_two_penalties_are_equal_and_the_product_is_optimal():
    for n_concepts, length, dim in ((2, 1, 1), (4, 3, 8), (5, 2, 40)):
        predicted = solve_trainable_scale(
            n_concepts=n_concepts, sentence_length=length, embedding_dim=dim, weight_decay=1e-3
        )
        vectors, active = n_concepts**length * length, n_concepts - 1

        def risk(norm, inverse, sizes=(n_concepts, length, dim, vectors, active)):
            n, length, dim, vectors, active = sizes
            entropy = length * np.log1p((n - 1) * np.exp(-n / (n - 1) * norm * inverse))
            return entropy + 5e-4 * (vectors * inverse**2 + active * norm**2 / dim)

        best = risk(predicted.embedding_norm, predicted.classifier_norm)
        assert predicted.risk == pytest.approx(best, rel=1e-12)
        for factor in (0.999, 1.001):
            assert risk(factor * predicted.embedding_norm, predicted.classifier_norm) > best
            assert risk(predicted.embedding_norm, factor * predicted.classifier_norm) > best


def test_beyond_the_threshold_all_is_zero():
    # share = lam sqrt(K L m / d) / (L eta) = (n_c - 1)/n_c.
    threshold = 2 / 3 * 2 * 1.5 / np.sqrt(18 * 2 / DIM)
    below, above = (solve_trainable_scale(**SIZES, weight_decay=factor * threshold) for factor in (0.999, 1.001))
    assert below.n_active == 2
    # To first order in x = 1e-3: t = x n_c/(n_c - 1) / eta = 2 x, and r^2 = t sqrt(K L d / m) = 6 t; corrections of x.
    assert below.embedding_norm**2 == pytest.approx(12e-3, rel=5e-3)
    assert above == (0, 0, 0, 0, pytest.approx(2 * np.log(3)), pytest.approx(2 * np.log(3)))


def test_too_few_dimensions_are_named():
    with pytest.raises(ValueError, match=r"^embedding_dim: expected at least 2, got 1$"):
        solve_trainable_scale(n_concepts=3, sentence_length=2, embedding_dim=1, weight_decay=1e-3)
