"""Free features: their exact minimiser, and the claims that hold it against a prediction, for one head or several.

Features are words of their own in sentences of one word, so that the exact minimiser of the core applies as it is.
"""

from collections.abc import Iterator

import numpy as np

from experiments.verification.claim import Claim, compare
from experiments.verification.tolerance import position_tolerance, risk_tolerance
from simlab.exact.minimise import Minima, minimise
from simlab.exact.risk import ExactRisk, WeightedSentences


def minimise_free_features(
    labels: np.ndarray,
    sizes: tuple[int, ...],
    decays: tuple[float, float],
    dim: int,
    n_restarts: int,
    confusions: np.ndarray | None = None,
) -> Minima:
    """Return the minimiser over features of all samples and a classifier, found from random starts.

    Args:
        labels: class of each sample in each head, ``Int[N, F]``.
        sizes: classes of each head, ``K_f``.
        decays: ``(lam_H, lam_W)``, of features and classifier.
        dim: ``d``.
        n_restarts: random starts.
        confusions: ``Float[K, K]``, the distribution of the label in each class of a single head; None if certain.
    """
    n_samples = len(labels)
    samples = np.arange(n_samples)[:, None]
    risk = ExactRisk(
        population=WeightedSentences(
            samples, labels if confusions is None else labels[:, 0], np.full(n_samples, 1 / n_samples)
        ),
        n_words=n_samples,
        n_classes=sum(sizes),
        embedding_dim=dim,
        weight_decay=decays,
        heads=sizes if confusions is None else None,
        confusions=confusions,
    )
    return minimise(risk, n_restarts=n_restarts)


def best_vectors(minimum: Minima) -> tuple[np.ndarray, np.ndarray]:
    """Return features ``Float[N, d]`` and classifier ``Float[K, d]`` of the best restart."""
    return minimum.embeddings[minimum.best], minimum.classifier[minimum.best][:, 0]


def compare_products(
    name: str, source: str, features: np.ndarray, classifier: np.ndarray, minimum: Minima
) -> Iterator[Claim]:
    """Compare what no rotation changes: the Gram matrices of features and of classifier, and their products.

    Args:
        name: of the setting, to begin the claims with.
        source: of the claims.
        features: predicted, ``Float[N, d]``.
        classifier: predicted, ``Float[K, d]``.
        minimum: what was found.
    """
    found_features, found_classifier = best_vectors(minimum)
    pairs = {
        "Gram matrix of the features": (features, features, found_features, found_features),
        "Gram matrix of the classifier": (classifier, classifier, found_classifier, found_classifier),
        "logits": (features, classifier, found_features, found_classifier),
    }
    for label, (left, right, found_left, found_right) in pairs.items():
        tolerance = product_tolerance(minimum, left, right)
        learned = found_left @ found_right.T
        yield compare(f"{name}: {label}", source, left @ right.T, learned, tolerance, "that of position x length")


def product_tolerance(minimum: Minima, left: np.ndarray, right: np.ndarray) -> float:
    """Return how far inner products of two sets of vectors ``Float[n, d]`` may be from exact.

    A product moves by at most the distance of either vector times the length of the other.
    """
    lengths = [np.linalg.norm(vectors, axis=1).max() for vectors in (left, right)]
    return position_tolerance(minimum) * np.sqrt(left.shape[1]) * sum(lengths)


def compare_risk(name: str, source: str, predicted: float, minimum: Minima) -> Claim:
    """Compare the least risk with the predicted one, and keep where every restart ended."""
    tolerance = risk_tolerance(minimum)
    least_risk = minimum.risk[minimum.best]
    claim = compare(f"{name}: risk", source, predicted, least_risk, tolerance, "|gradient|^2 / curvature")
    return claim._replace(samples=tuple(minimum.risk - predicted))
