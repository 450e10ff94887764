"""The oracle of these tests: the true risk of any network, every sentence of a small task enumerated."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.optimize import minimize


def softmax_rows(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class EnumeratedTask:
    """All sentences of all classes with their probabilities; nothing here knows about collapse or frames."""

    latents: np.ndarray
    word_frequencies: np.ndarray
    n_concepts: int
    label_noise: float = 0.0

    @classmethod
    def saturated(cls, n_concepts, sentence_length, word_frequencies, label_noise=0.0):
        latents = np.array(list(itertools.product(range(n_concepts), repeat=sentence_length)))
        return cls(latents, np.asarray(word_frequencies), n_concepts, label_noise)

    @property
    def sentences(self):
        """Word indices (n, L), probabilities (n,) and true classes (n,)."""
        n_words, length = self.word_frequencies.size, self.latents.shape[1]
        choices = np.array(list(itertools.product(range(n_words), repeat=length)))
        words = (self.latents[:, None, :] * n_words + choices).reshape(-1, length)
        probabilities = np.tile(self.word_frequencies[choices].prod(axis=1), len(self.latents)) / len(self.latents)
        return words, probabilities, np.repeat(np.arange(len(self.latents)), len(choices))

    def cross_entropy(self, embeddings, classifier):
        """Return the expected cross-entropy and its gradients in the embeddings and the classifier."""
        words, probabilities, classes = self.sentences
        vectors = embeddings[words]
        logits = np.einsum("nld,kld->nk", vectors, classifier)
        n_classes = len(self.latents)
        targets = (1 - self.label_noise) * np.eye(n_classes)[classes] + self.label_noise / n_classes
        log_sums = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)) + logits.max(axis=1)
        value = probabilities @ (log_sums - (targets * logits).sum(axis=1))
        errors = probabilities[:, None] * (softmax_rows(logits) - targets)
        embedding_gradient = np.zeros_like(embeddings)
        np.add.at(embedding_gradient, words, np.einsum("nk,kld->nld", errors, classifier))
        return value, embedding_gradient, np.einsum("nk,nld->kld", errors, vectors)

    def risk(self, embeddings, classifier, embedding_decay, classifier_decay, *, layer_norm=False):
        """Return the risk and its gradients; with `layer_norm` every embedding is normalised first."""
        vectors = embeddings
        if layer_norm:
            spread = embeddings.std(axis=1, keepdims=True)
            vectors = (embeddings - embeddings.mean(axis=1, keepdims=True)) / spread
        value, embedding_gradient, classifier_gradient = self.cross_entropy(vectors, classifier)
        if layer_norm:
            centred = embedding_gradient - embedding_gradient.mean(axis=1, keepdims=True)
            along = (embedding_gradient * vectors).mean(axis=1, keepdims=True)
            embedding_gradient = (centred - along * vectors) / spread
        penalty = 0.5 * (embedding_decay * (embeddings**2).sum() + classifier_decay * (classifier**2).sum())
        return (
            value + penalty,
            embedding_gradient + embedding_decay * embeddings,
            classifier_gradient + classifier_decay * classifier,
        )

    def logit_matrix_gradient(self, embeddings, classifier):
        """Return G = dF/dM, rows (k, l), columns words, M = U W^T, by summing over sentences."""
        words, probabilities, classes = self.sentences
        logits = np.einsum("nld,kld->nk", embeddings[words], classifier)
        errors = probabilities[:, None] * (softmax_rows(logits) - np.eye(len(self.latents))[classes])
        length = self.latents.shape[1]
        gradient = np.zeros((len(self.latents), length, len(embeddings)))
        for position in range(length):
            np.add.at(gradient[:, position, :].T, words[:, position], errors)
        return gradient.reshape(-1, len(embeddings))


@pytest.fixture
def enumerated_task():
    return EnumeratedTask


def enumerate_noisy(latents, word_frequencies, n_concepts, label_noise=0.0, word_noise=0.0):
    """Every sentence with every label, by the definition of the noise: sentences (n, L), labels (n,), weights (n,).

    `word_noise` is one number, or one for each rank: how often that word is replaced by any word.
    """
    frequencies = np.asarray(word_frequencies, float)
    replaced = np.broadcast_to(np.asarray(word_noise, float), frequencies.shape)
    n_ranks, (n_classes, length) = frequencies.size, latents.shape
    seen = np.zeros((n_concepts, n_concepts * n_ranks))
    for concept, rank in itertools.product(range(n_concepts), range(n_ranks)):
        seen[concept, concept * n_ranks + rank] += frequencies[rank] * (1 - replaced[rank])
        seen[concept] += frequencies[rank] * replaced[rank] * np.tile(frequencies, n_concepts) / n_concepts
    sentences = np.array(list(itertools.product(range(n_concepts * n_ranks), repeat=length)))
    labels = (1 - label_noise) * np.eye(n_classes) + label_noise / n_classes
    given_class = np.array([seen[latent, sentences].prod(axis=1) for latent in latents])
    weights = (labels.T @ given_class).ravel() / n_classes
    classes = np.repeat(np.arange(n_classes), len(sentences))
    occurs = weights > 0
    return np.tile(sentences, (n_classes, 1))[occurs], classes[occurs], weights[occurs]


@pytest.fixture
def noisy_population():
    return enumerate_noisy


class NoisyRisk:
    """The risk of a network over an enumerated noisy population, with its gradient, in one vector of parameters."""

    def __init__(self, population, n_words, n_classes, dim, decay, layer_norm=False):
        self.population, self.decay, self.layer_norm = population, decay, layer_norm
        self.shapes = (n_words, dim), (n_classes, population[0].shape[1], dim)

    def unpack(self, point):
        size = math.prod(self.shapes[0])
        embeddings = point[:size].reshape(self.shapes[0])
        if self.layer_norm:
            centred = embeddings - embeddings.mean(axis=1, keepdims=True)
            embeddings = centred / centred.std(axis=1, keepdims=True)
        return embeddings, point[size:].reshape(self.shapes[1])

    def __call__(self, point):
        sentences, labels, weights = self.population
        embeddings, classifier = self.unpack(point)
        vectors, rows = embeddings[sentences], np.arange(len(labels))
        logits = np.einsum("nld,kld->nk", vectors, classifier)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        sums = exponentials.sum(axis=1)
        value = weights @ (np.log(sums) + logits.max(axis=1) - logits[rows, labels])
        errors = exponentials / sums[:, None]
        errors[rows, labels] -= 1
        errors *= weights[:, None]
        by_word = np.zeros_like(embeddings)
        np.add.at(by_word, sentences, np.einsum("nk,kld->nld", errors, classifier))
        by_class = np.einsum("nk,nld->kld", errors, vectors) + self.decay * classifier
        value += self.decay / 2 * (classifier**2).sum()
        if self.layer_norm:
            raw = point[: embeddings.size].reshape(embeddings.shape)
            along = (by_word * embeddings).mean(axis=1, keepdims=True) * embeddings
            by_word = (by_word - by_word.mean(axis=1, keepdims=True) - along) / raw.std(axis=1, keepdims=True)
        else:
            by_word = by_word + self.decay * embeddings
            value += self.decay / 2 * (embeddings**2).sum()
        return value, np.concatenate([by_word.ravel(), by_class.ravel()])

    def minimise(self, gtol=1e-9):
        """Return a minimum reached from a random start, and the norm of the gradient there."""
        start = np.random.default_rng(0).normal(size=sum(map(math.prod, self.shapes)))
        options = {"maxiter": 20000, "maxfun": 40000, "ftol": 0, "gtol": gtol, "maxcor": 40}
        solution = minimize(self, start, jac=True, method="L-BFGS-B", options=options)
        return solution.fun, *self.unpack(solution.x), np.linalg.norm(solution.jac)

    def smallest_curvature(self, point):
        """Return the smallest eigenvalue of the Hessian that is not zero; none is negative.

        Central differences with step 1e-5: truncation 1e-10, rounding eps / 1e-5 = 2e-11; below 1e-7 they are zero.
        """
        steps = 1e-5 * np.eye(point.size)
        hessian = np.stack([(self(point + h)[1] - self(point - h)[1]) / 2e-5 for h in steps])
        eigenvalues = np.linalg.eigvalsh(0.5 * (hessian + hessian.T))
        assert eigenvalues[0] > -1e-7
        return eigenvalues[eigenvalues > 1e-7][0]

    def check(self, prediction, frame, latents, *, descend):
        """Hold a prediction against the risk: stationary to rounding there, and, to `descend`, where a start ends."""
        norms, classifier_norm, value = prediction.embedding_norms, prediction.classifier_norm, prediction.risk
        embeddings = np.tile(norms, len(frame))[:, None] * np.repeat(frame, len(norms), axis=0)
        classifier = classifier_norm * frame[latents]
        point = np.concatenate([embeddings.ravel(), classifier.ravel()])
        # Sums of some hundred weights that add up to 1, times vectors shorter than 10.
        rounding = 1000 * np.finfo(np.float64).eps
        free = NoisyRisk(self.population, *self.shapes[0][:1], len(latents), self.shapes[0][1], 0.0, self.layer_norm)
        assert free(point)[0] == pytest.approx(prediction.cross_entropy, abs=rounding)
        assert self(point)[0] == pytest.approx(value, abs=rounding)
        assert np.abs(self(point)[1]).max() < rounding
        if not descend:
            return
        least, words, rows, gradient = self.minimise()
        # A gradient |g| leaves a distance below |g| / h and a risk excess below |g|^2 / h, h the smallest curvature; 2
        # allows for its change in between, 1e-14 for rounding.
        curvature = self.smallest_curvature(point)
        distance = 2 * gradient / curvature + 1e-14
        # A distance above this would prove nothing.
        assert distance < 1e-4
        assert least == pytest.approx(value, abs=distance**2 * curvature + 1e-14)
        np.testing.assert_allclose(words @ words.T, embeddings @ embeddings.T, atol=10 * distance * norms.max())
        np.testing.assert_allclose(np.linalg.norm(rows, axis=2), classifier_norm, atol=distance, rtol=0)


@pytest.fixture
def noisy_risk():
    return NoisyRisk


@pytest.fixture
def zipf():
    """Frequencies mu_b proportional to 1/b, written out independently of the package."""

    def frequencies(n_words):
        weights = [1 / b for b in range(1, n_words + 1)]
        return np.array(weights) / sum(weights)

    return frequencies


@pytest.fixture(scope="session")
def random_problem():
    """Weighted sentences with classes, and a network, without any structure: drawn from a seed."""

    def draw(seed, n_sentences=40, n_words=7, n_classes=5, length=3, dim=4):
        rng = np.random.default_rng(seed)
        weights = rng.random(n_sentences)
        return {
            "sentences": rng.integers(0, n_words, (n_sentences, length)),
            "classes": rng.integers(0, n_classes, n_sentences),
            "weights": weights / weights.sum(),
            "embeddings": rng.normal(size=(n_words, dim)),
            "classifier": rng.normal(size=(n_classes, length, dim)),
        }

    return draw


@dataclass(frozen=True, eq=False)
class UnconstrainedFeatures:
    """Free features h_i (N, d) under one linear head for each label; nothing here knows about simplices or groups."""

    labels: np.ndarray
    n_values: tuple[int, ...]
    feature_weight_decay: float
    classifier_weight_decay: float

    def risk(self, classifiers, features):
        """Return the risk and its gradients; the heads are stacked, (sum of n_values, d)."""
        logits, errors = features @ classifiers.T, []
        value, ends = 0.0, np.cumsum(self.n_values)
        for column, end, size in zip(self.labels.T, ends, self.n_values, strict=True):
            block = logits[:, end - size : end]
            shift = block.max(axis=1)
            own = block[np.arange(len(block)), column]
            value += np.mean(np.log(np.exp(block - shift[:, None]).sum(axis=1)) + shift - own)
            errors.append((softmax_rows(block) - np.eye(size)[column]) / len(block))
        errors = np.hstack(errors)
        decays = self.classifier_weight_decay, self.feature_weight_decay
        penalty = 0.5 * (decays[0] * (classifiers**2).sum() + decays[1] * (features**2).sum())
        return (
            value + penalty,
            errors.T @ features + decays[0] * classifiers,
            errors @ classifiers + decays[1] * features,
        )

    def flat_risk(self, unknowns, dim):
        """Return the risk and its gradient in one vector."""
        n_rows = sum(self.n_values)
        matrices = unknowns.reshape(-1, dim)
        value, classifier_gradient, feature_gradient = self.risk(matrices[:n_rows], matrices[n_rows:])
        return value, np.vstack([classifier_gradient, feature_gradient]).ravel()

    def minimise(self, dim, seed, polish=True):
        """Return risk, heads and features from a random start, and how far their Gram matrix may be from exact.

        L-BFGS, then Newton's method with a Hessian by central differences (step 1e-5, so entries are good to 1e-9).
        The bound is twice the norm times the last step, which is what one more step would change.
        """
        size = (sum(self.n_values) + len(self.labels)) * dim
        start = np.random.default_rng(seed).normal(size=size)
        options = {"maxiter": 20000, "maxfun": 40000, "ftol": 1e-16, "gtol": 1e-9}
        minimiser = minimize(self.flat_risk, start, args=(dim,), jac=True, method="L-BFGS-B", options=options).x
        step = np.inf
        for _ in range(3 if polish else 0):
            moves = 1e-5 * np.eye(size)
            hessian = [
                (self.flat_risk(minimiser + m, dim)[1] - self.flat_risk(minimiser - m, dim)[1]) / 2e-5 for m in moves
            ]
            # Rotations leave the risk as it is: eigenvalues near zero, which the pseudo-inverse drops.
            step = np.linalg.pinv(np.array(hessian), rcond=1e-6, hermitian=True) @ self.flat_risk(minimiser, dim)[1]
            minimiser = minimiser - step
        matrices = minimiser.reshape(-1, dim)
        bound = 2 * np.linalg.norm(minimiser) * np.linalg.norm(step)
        return self.flat_risk(minimiser, dim)[0], matrices[: sum(self.n_values)], matrices[sum(self.n_values) :], bound


@pytest.fixture(scope="session")
def unconstrained_features():
    return UnconstrainedFeatures
