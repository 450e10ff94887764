"""The gradient of the cross-entropy in the logit matrix, and the entropy along the ray of dual points."""

import itertools

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator
from scipy.special import entr

from theory.optimality import logit_blocks
from theory.optimality.dual_entropy import entropy_ray, largest_theta
from theory.optimality.logit_gradient import logit_gradient
from theory.optimality.sentence_logits import score_sentences

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps
# Sums over fewer than 1000 weighted sentences of terms below 10: rounding stays below this.
ROUNDING = 1e-13


def direct_cross_entropy(problem, matrix, label_noise):
    """F(M) sentence by sentence, from the definition."""
    n_classes, length = problem["classifier"].shape[:2]
    rows = matrix.reshape(n_classes, length, -1)
    total = 0.0
    for sentence, label, weight in zip(problem["sentences"], problem["classes"], problem["weights"], strict=True):
        logits = sum(rows[:, position, word] for position, word in enumerate(sentence))
        target = (1 - label_noise) * np.eye(n_classes)[label] + label_noise / n_classes
        total += weight * (np.log(np.exp(logits).sum()) - target @ logits)
    return total


def logit_matrix(problem):
    classifier = problem["classifier"]
    return classifier.reshape(-1, classifier.shape[-1]) @ problem["embeddings"].T


@pytest.mark.parametrize("label_noise", [0.0, 0.3])
def test_gradient_is_the_derivative(random_problem, label_noise):
    problem = random_problem(0)
    gradient = logit_gradient(**problem, label_noise=label_noise)
    matrix, step = logit_matrix(problem), 1e-5
    for row, column in itertools.product(range(0, 15, 4), range(7)):
        shift = np.zeros_like(matrix)
        shift[row, column] = step
        rise = direct_cross_entropy(problem, matrix + shift, label_noise)
        fall = direct_cross_entropy(problem, matrix - shift, label_noise)
        # Central differences: truncation step^2 and rounding eps F / step, F below 10.
        assert gradient[row, column] == pytest.approx((rise - fall) / (2 * step), abs=5e-10)
    scored = score_sentences(**problem, label_noise=label_noise)
    assert scored.cross_entropy == pytest.approx(direct_cross_entropy(problem, matrix, label_noise), abs=ROUNDING)


def test_gradient_against_a_loop(enumerated_task, zipf):
    task = enumerated_task.saturated(3, 2, zipf(2))
    words, weights, classes = task.sentences
    sentences = {"sentences": words, "classes": classes, "weights": weights}
    rng = np.random.default_rng(1)
    embeddings, classifier = rng.normal(size=(6, 4)), rng.normal(size=(9, 2, 4))
    expected = task.logit_matrix_gradient(embeddings, classifier)
    np.testing.assert_allclose(
        logit_gradient(**sentences, embeddings=embeddings, classifier=classifier), expected, atol=1e-15
    )


@pytest.mark.parametrize("memory_limit", [0, 2**29])
def test_operator_and_array_agree(random_problem, memory_limit):
    problem, rng = random_problem(2), np.random.default_rng(3)
    array = logit_gradient(**problem, label_noise=0.1)
    operator = logit_gradient(**problem, label_noise=0.1, memory_limit=memory_limit, as_operator=True)
    assert isinstance(operator, LinearOperator)
    right, left = rng.normal(size=(7, 3)), rng.normal(size=(15, 2))
    np.testing.assert_allclose(operator @ right, array @ right, atol=ROUNDING)
    np.testing.assert_allclose(operator.H @ left, array.T @ left, atol=ROUNDING)
    np.testing.assert_allclose(operator.matvec(right[:, 0]), array @ right[:, 0], atol=ROUNDING)
    np.testing.assert_allclose(operator.rmatvec(left[:, 0]), array.T @ left[:, 0], atol=ROUNDING)
    assert isinstance(logit_gradient(**problem, memory_limit=0), LinearOperator)


def test_a_sure_network_keeps_its_digits():
    # Two classes, logits (m, -m): 1 - p = 1 / (1 + e^{2m}) = 4e-18 at m = 20.
    sentences = {"sentences": np.array([[0], [1]]), "classes": np.array([0, 1]), "weights": None}
    network = {"embeddings": np.array([[1.0], [-1.0]]), "classifier": 20 * np.array([[[1.0]], [[-1.0]]])}
    gradient = logit_gradient(**sentences, **network)
    error_probability = 1 / (1 + np.exp(40))
    np.testing.assert_allclose(gradient, 0.5 * error_probability * np.array([[-1, 1], [1, -1]]), rtol=100 * EPS)
    assert score_sentences(**sentences, **network).cross_entropy == pytest.approx(error_probability, rel=100 * EPS)


@pytest.mark.parametrize("label_noise", [0.0, 0.2])
def test_entropy_along_the_ray(random_problem, label_noise):
    # Weights small enough for no class to be nearly impossible: theta = 1 stays away from the end of the ray.
    problem = random_problem(7)
    problem["classifier"] = 0.3 * problem["classifier"]
    scored = score_sentences(**problem, label_noise=label_noise)
    logits = np.einsum("nld,kld->nk", problem["embeddings"][problem["sentences"]], problem["classifier"])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = (1 - label_noise) * np.eye(5)[problem["classes"]] + label_noise / 5
    end, ray = largest_theta(scored), entropy_ray(scored)

    def mixed(theta):
        return targets + theta * (probabilities - targets)

    assert mixed(end * (1 - 1e-9)).min() > 0 > mixed(end * (1 + 1e-9)).min()
    for theta in [0.1, 0.7, 1.0, 0.5 + 0.5 * end]:
        point, step = ray(theta), 1e-5 * min(theta, end - theta)
        q = mixed(theta)
        assert point.value == pytest.approx(-problem["weights"] @ (q * np.log(q)).sum(axis=1), abs=ROUNDING)
        # Central differences: relative truncation 1e-10, and rounding eps / step below 1e-8.
        slope = (ray(theta + step).value - ray(theta - step).value) / (2 * step)
        curvature = (ray(theta + step).slope - ray(theta - step).slope) / (2 * step)
        assert point.slope == pytest.approx(slope, abs=1e-7)
        assert point.curvature == pytest.approx(curvature, rel=1e-5)
    # D(1) = F - <G, M> and D'(1) = -<G, M>: the tangent of F at M, evaluated at 0.
    product = float((logit_gradient(**problem, label_noise=label_noise) * logit_matrix(problem)).sum())
    assert ray(1.0).value == pytest.approx(scored.cross_entropy - product, abs=ROUNDING)
    assert ray(1.0).slope == pytest.approx(-product, abs=ROUNDING)


@pytest.mark.parametrize("n_sentences", [5, 400])
def test_logits_and_entropies_do_not_depend_on_blocks_and_chunks(n_sentences, monkeypatch):
    """Fewer sentences than words take one path, more the other; both are the definition."""
    monkeypatch.setattr(logit_blocks, "_BLOCK_ENTRIES", 4 * max(n_sentences, 60))  # 4 of 6 classes
    monkeypatch.setattr(logit_blocks, "_CHUNK_ENTRIES", 4 * 3)  # 3 sentences
    rng = np.random.default_rng(0)
    sentences, classes = rng.integers(20, size=(n_sentences, 3)), rng.integers(6, size=n_sentences)
    embeddings, classifier = rng.normal(size=(20, 4)), 3 * rng.normal(size=(6, 3, 4))
    logits = np.array(
        [[sum(u @ embeddings[x] for u, x in zip(rows, s, strict=True)) for rows in classifier] for s in sentences]
    )
    others = np.where(np.arange(6) == classes[:, None], 0, np.exp(logits))
    shares = others / np.exp(logits).sum(axis=1, keepdims=True)
    conditional = others / others.sum(axis=1, keepdims=True)
    for memory_limit in (0, 2**29):
        scored = score_sentences(sentences, classes, None, embeddings, classifier, memory_limit=memory_limit)
        # Twelve products of size about 3 summed in any order; the sums over classes have six terms.
        np.testing.assert_allclose(scored.logits(), logits, rtol=0, atol=1e-13)
        np.testing.assert_allclose(scored.log_others, np.log(others.sum(axis=1)), rtol=0, atol=1e-13)
        np.testing.assert_allclose(scored.other_entropy, entr(conditional).sum(axis=1), rtol=0, atol=1e-12)
        np.testing.assert_allclose(scored.spread, entr(shares).sum(axis=1), rtol=0, atol=1e-12)
        np.testing.assert_allclose(scored.least_other, np.where(others > 0, logits, np.inf).min(axis=1), atol=1e-13)
        np.testing.assert_allclose(scored.mean_logit, logits.mean(axis=1), rtol=0, atol=1e-13)


def test_entropies_of_confident_sentences_keep_their_digits():
    """With other classes e^-700 below the own one nothing may cancel or vanish; with one class there are no others."""
    scored = score_sentences([[0]], [0], None, [[1.0]], [[[700.0]], [[0.0]], [[0.0]]])
    assert scored.other_entropy == pytest.approx(np.log(2), rel=1e-15)
    assert scored.spread == pytest.approx(2 * 700 * np.exp(-700), rel=1e-13)
    alone = score_sentences([[0]], [0], None, [[1.0]], [[[700.0]]])
    assert alone.spread == 0
    assert alone.cross_entropy == 0
