"""The oracle of these tests: the true risk of any network, every sentence of a small task enumerated."""

import itertools
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
        found = minimize(self.flat_risk, start, args=(dim,), jac=True, method="L-BFGS-B", options=options).x
        step = np.inf
        for _ in range(3 if polish else 0):
            moves = 1e-5 * np.eye(size)
            hessian = [(self.flat_risk(found + m, dim)[1] - self.flat_risk(found - m, dim)[1]) / 2e-5 for m in moves]
            # Rotations leave the risk as it is: eigenvalues near zero, which the pseudo-inverse drops.
            step = np.linalg.pinv(np.array(hessian), rcond=1e-6, hermitian=True) @ self.flat_risk(found, dim)[1]
            found = found - step
        matrices = found.reshape(-1, dim)
        bound = 2 * np.linalg.norm(found) * np.linalg.norm(step)
        return self.flat_risk(found, dim)[0], matrices[: sum(self.n_values)], matrices[sum(self.n_values) :], bound


@pytest.fixture(scope="session")
def unconstrained_features():
    return UnconstrainedFeatures
