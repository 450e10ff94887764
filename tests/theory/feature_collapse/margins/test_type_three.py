"""Type III with all latents: the published equations, the enumerated risk, direct minimisation, optimality."""

import itertools
import time

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import feature_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.type_three import solve_type_three

EPS = np.finfo(np.float64).eps


def published_residuals(prediction):
    """Relative residuals of the two published equations, from the norms alone."""
    n_concepts, length = prediction.n_concepts, prediction.sentence_length
    norms, c = prediction.embedding_norms, prediction.classifier_norm
    left = prediction.weight_decay * norms / (length * prediction.word_frequencies)
    right = c / (n_concepts - 1 + np.exp(n_concepts / (n_concepts - 1) * c * norms))
    balance = ((norms / c) ** 2).sum() / (length * float(n_concepts) ** (length - 1))
    return np.abs(left / right - 1).max(), abs(balance - 1)


@pytest.mark.parametrize("decay", [1e-10, 1e-6, 1e-3])
@pytest.mark.parametrize(
    "frequency", [(0.97, 0.03), (1 - 1e-9, 1e-9), "zipf", "zipf:0.001", "zipf:-1"], ids=lambda value: str(value)
)
def test_published_equations_hold(frequency, decay):
    prediction = feature_collapse.predict(
        n_words=6 if isinstance(frequency, tuple) else 1200,
        sentence_length=6,
        n_classes="all",
        word_frequency=frequency,
        weight_decay=decay,
    )
    if prediction.is_zero:
        assert decay >= prediction.zero_threshold
        return
    # Margins y up to 40 enter through e^y, so that each side is known to about 40 eps; a few such terms.
    assert max(published_residuals(prediction)) < 400 * EPS


def test_reference_values(zipf):
    prediction = feature_collapse.predict(n_words=9, sentence_length=3, n_classes="all", word_frequency="zipf")
    # Found independently: the two published equations solved by mpmath at 40 digits from a rough guess.
    exact_norms = (3.675964914418040592769, 3.323612575288548012759, 3.119492450932863815081)
    np.testing.assert_allclose(prediction.embedding_norms, exact_norms, rtol=20 * EPS)
    assert prediction.classifier_norm == pytest.approx(1.126948547152322670281, rel=20 * EPS)
    assert prediction.risk == pytest.approx(0.12089209809778273106, rel=20 * EPS)
    # Found independently: exact population risk minimised in float64 from random starts; printed to these digits.
    small = {"n_words": 9, "sentence_length": 3, "n_classes": "all"}
    assert feature_collapse.predict(**small).risk == pytest.approx(0.12251047, abs=5e-9)
    with_norm = feature_collapse.predict(**small, layer_norm=True, embedding_dim=5, word_frequency=zipf(3))
    assert with_norm.risk == pytest.approx(0.12999135, abs=5e-9)


@pytest.mark.parametrize(("embedding_decay", "classifier_decay"), [(2e-3, 2e-3), (1e-2, 4e-4), (1e-4, 3e-2)])
@pytest.mark.parametrize("frequency", ["zipf", "uniform"])
def test_full_risk_is_stationary(enumerated_task, zipf, frequency, embedding_decay, classifier_decay):
    prediction = feature_collapse.predict(
        n_words=9,
        sentence_length=2,
        n_classes="all",
        word_frequency=frequency,
        weight_decay=embedding_decay,
        classifier_weight_decay=classifier_decay,
        embedding_dim=3,
    )
    task = enumerated_task.saturated(3, 2, zipf(3) if frequency == "zipf" else np.full(3, 1 / 3))
    embeddings, classifier = prediction.embeddings(), prediction.classifier(task.latents)
    value, by_embedding, by_classifier = task.risk(embeddings, classifier, embedding_decay, classifier_decay)
    # Sums over 81 sentences of probabilities (summing to 1) times vectors shorter than 10: rounding below 81 * 10 eps.
    assert value == pytest.approx(prediction.risk, abs=1000 * EPS)
    assert task.cross_entropy(embeddings, classifier)[0] == pytest.approx(prediction.cross_entropy, abs=1000 * EPS)
    assert max(np.abs(by_embedding).max(), np.abs(by_classifier).max()) < 1000 * EPS


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("frequencies", [(0.7, 0.3), (0.5, 0.5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_direct_minimisation_finds_the_prediction(enumerated_task, layer_norm, frequencies, seed):
    n_concepts, length, dim, decay = 2, 2, 4, 1e-2
    task = enumerated_task.saturated(n_concepts, length, frequencies)
    prediction = feature_collapse.predict(
        n_concepts=n_concepts,
        n_words=4,
        sentence_length=length,
        n_classes="all",
        word_frequency=frequencies,
        weight_decay=decay,
        layer_norm=layer_norm,
        embedding_dim=dim,
    )
    shapes = (4, dim), (4, length, dim)

    def risk(parameters):
        embeddings, classifier = parameters[: 4 * dim].reshape(shapes[0]), parameters[4 * dim :].reshape(shapes[1])
        embedding_decay = 0.0 if layer_norm else decay
        value, *gradients = task.risk(embeddings, classifier, embedding_decay, decay, layer_norm=layer_norm)
        return value, np.concatenate([gradient.ravel() for gradient in gradients])

    start = np.random.default_rng(seed).normal(size=4 * dim + 4 * length * dim)
    options = {"maxiter": 20000, "maxfun": 40000, "ftol": 0, "gtol": 1e-9, "maxcor": 40}
    solution = minimize(risk, start, jac=True, method="L-BFGS-B", options=options)
    embeddings, classifier = solution.x[: 4 * dim].reshape(shapes[0]), solution.x[4 * dim :].reshape(shapes[1])
    if layer_norm:
        embeddings = embeddings - embeddings.mean(axis=1, keepdims=True)
        embeddings *= np.sqrt(dim) / np.linalg.norm(embeddings, axis=1, keepdims=True)
    # A gradient of norm |g| leaves a distance below |g| / h, h the smallest Hessian eigenvalue off the gauge
    # directions, and a risk excess below |g|^2 / h; 2 allows for the Hessian varying in between, 1e-14 for rounding.
    point = np.concatenate([prediction.embeddings().ravel(), prediction.classifier(task.latents).ravel()])
    curvature = smallest_curvature(lambda x: risk(x)[1], point)
    distance = 2 * np.linalg.norm(solution.jac) / curvature
    assert distance < 1e-5
    assert solution.fun == pytest.approx(prediction.risk, abs=distance**2 * curvature + 1e-14)
    expected = np.tile(prediction.embedding_norms, n_concepts)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), expected, atol=distance + 1e-14, rtol=0)
    np.testing.assert_allclose(
        np.linalg.norm(classifier, axis=2), prediction.classifier_norm, atol=distance + 1e-14, rtol=0
    )


def smallest_curvature(gradient, point):
    """Return the smallest Hessian eigenvalue that is not zero; also check that none is negative.

    Central differences with step 1e-5: truncation 1e-10, rounding eps / 1e-5 = 2e-11; eigenvalues below 1e-7 are zero.
    """
    step = 1e-5 * np.eye(point.size)
    hessian = np.stack([(gradient(point + h) - gradient(point - h)) / 2e-5 for h in step])
    eigenvalues = np.linalg.eigvalsh(0.5 * (hessian + hessian.T))
    assert eigenvalues[0] > -1e-7
    return eigenvalues[eigenvalues > 1e-7][0]


def test_prediction_is_a_global_minimiser(enumerated_task, zipf):
    decay = 3e-3
    task = enumerated_task.saturated(3, 3, zipf(2))
    prediction = feature_collapse.predict(
        n_words=6, sentence_length=3, n_classes="all", word_frequency="zipf", weight_decay=decay, embedding_dim=4
    )
    gradient = task.logit_matrix_gradient(prediction.embeddings(), prediction.classifier(task.latents))
    values = np.linalg.svd(gradient, compute_uv=False)
    # A critical point with spectral norm |G| <= lam is a global minimiser; here n_c - 1 singular values equal lam.
    # G sums 216 probabilities, so that it is known to 216 eps.
    np.testing.assert_allclose(values[:2], decay, atol=216 * EPS, rtol=0)
    assert np.all(values[2:] < 216 * EPS)


def test_layer_norm_prediction_is_a_global_minimiser(enumerated_task, zipf):
    decay, dim = 3e-3, 5
    task = enumerated_task.saturated(3, 2, zipf(2))
    prediction = feature_collapse.predict(
        n_words=6,
        sentence_length=2,
        n_classes="all",
        word_frequency="zipf",
        weight_decay=decay,
        layer_norm=True,
        embedding_dim=dim,
    )
    vectors, classifier = prediction.embeddings(), prediction.classifier(task.latents)
    gradient = task.logit_matrix_gradient(vectors, classifier)
    word_gradient = gradient.T @ classifier.reshape(-1, dim)
    multipliers = -(word_gradient * vectors).sum(axis=1) / dim
    # alpha is the multiplier of |v|^2 = d. With alpha > 0 and stationarity in v, sigma_max(G alpha^{-1/2})^2 <= lam
    # proves a global minimum: (lam/2)|U|^2 + sum alpha/2 |v|^2 >= sqrt(lam) |M alpha^{1/2}|_*.
    # Rounding as above, over alpha.
    assert np.all(multipliers > 0)
    np.testing.assert_allclose(word_gradient, -multipliers[:, None] * vectors, atol=216 * EPS)
    rounding = 216 * EPS / multipliers.min()
    np.testing.assert_allclose(multipliers[:2] / multipliers[0], zipf(2) / zipf(2)[0], atol=rounding)
    top = np.linalg.svd(gradient / np.sqrt(multipliers), compute_uv=False)[0]
    assert top**2 == pytest.approx(decay, rel=rounding)


def test_one_solution_whatever_the_skew():
    # The risk over margins is convex: minimised directly from many starts it never falls below the prediction.
    frequencies, decay, length = np.array([0.97, 0.03]), 1e-4, 4
    share = LatentShare(n_concepts=2, sentence_length=length, n_classes=16)
    network = solve_type_three(share, frequencies, decay)

    def risk(parameters):
        norms, c = parameters[:2], parameters[2]
        gains = length * frequencies @ np.log1p(np.exp(-2 * c * norms))
        return gains + decay / 2 * (2 * norms @ norms + 16 * length * c * c)

    starts = itertools.product((0.1, 3.0), (0.1, 3.0), (0.1, 2.0))
    risks = [minimize(risk, start, method="BFGS", options={"gtol": 1e-9}).fun for start in starts]
    # Finite differences stop BFGS at a gradient of about 1e-8: the excess over the minimum is below 1e-10.
    assert min(risks) == pytest.approx(network.risk, abs=1e-10)
    assert min(risks) > network.risk - 1e-14


def test_nearly_uniform_words_approach_type_one():
    # mu = (1 + e, 1 - e)/2: the risk differs by O(e^2), because Type I is a symmetric critical point.
    risks = [
        feature_collapse.predict(
            n_words=6, sentence_length=3, n_classes="all", word_frequency=(0.5 + e / 2, 0.5 - e / 2)
        ).risk
        for e in (1e-2, 1e-3)
    ]
    uniform = feature_collapse.predict(n_words=6, sentence_length=3, n_classes="all").risk
    slope = np.log10(abs(risks[0] - uniform) / abs(risks[1] - uniform))
    # The next term is O(e^4), 1e-4 relative to the first.
    assert slope == pytest.approx(2, abs=1e-3)


def test_paper_scale_zipf_is_fast():
    start = time.perf_counter()
    prediction = feature_collapse.predict(n_classes="all", word_frequency="zipf", weight_decay=1e-6)
    assert time.perf_counter() - start < 1.0
    assert prediction.is_theorem
    # Margins up to 10 enter through e^y; logarithms of size log(K L) = 19 set the marginal penalty: 40 eps, a few
    # such terms.
    assert prediction.residual < 100 * EPS
    assert max(published_residuals(prediction)) < 400 * EPS


def test_unsaturated_latents_are_refused():
    share = LatentShare(n_concepts=3, sentence_length=3, n_classes=20)
    with pytest.raises(ValueError, match=r"^n_classes: expected all 27 latents, got 20$"):
        solve_type_three(share, np.array([0.6, 0.4]), 1e-3)
