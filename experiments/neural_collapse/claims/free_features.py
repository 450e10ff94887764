"""Free features: their exact minimiser, and claims that compare it with a prediction, for one or several heads.

Each sample is a sentence of one word that occurs nowhere else, so the exact minimiser for sentences applies unchanged.
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
        sizes: number of classes of each head, ``K_f``.
        decays: weight decays ``(lam_H, lam_W)`` of features and classifier, nats.
        dim: dimension ``d`` of the features.
        n_restarts: number of random starts.
        confusions: distribution of the label in each class of a single head, ``Float[K, K]``; None without label noise.
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
    """Compare rotation-invariant quantities: the Gram matrices of features and of classifier, and the logits.

    Args:
        name: name of the setting, with which the claims begin.
        source: source of the claims.
        features: predicted features, ``Float[N, d]``.
        classifier: predicted classifier, ``Float[K, d]``.
        minimum: the numerical minimiser.
    """
    learned_features, learned_classifier = best_vectors(minimum)
    pairs = {
        "Gram matrix of the features": (features, features, learned_features, learned_features),
        "Gram matrix of the classifier": (classifier, classifier, learned_classifier, learned_classifier),
        "logits": (features, classifier, learned_features, learned_classifier),
    }
    for label, (left, right, learned_left, learned_right) in pairs.items():
        tolerance = product_tolerance(minimum, left, right)
        learned = learned_left @ learned_right.T
        yield compare(f"{name}: {label}", source, left @ right.T, learned, tolerance, "position tolerance x length")


def product_tolerance(minimum: Minima, left: np.ndarray, right: np.ndarray) -> float:
    """Return a bound on the error of inner products between two sets of vectors ``Float[n, d]``.

    A product changes by at most the error of either vector times the length of the other.
    """
    lengths = [np.linalg.norm(vectors, axis=1).max() for vectors in (left, right)]
    return position_tolerance(minimum) * np.sqrt(left.shape[1]) * sum(lengths)


def compare_risk(name: str, source: str, predicted: float, minimum: Minima) -> Claim:
    """Compare the smallest risk with the predicted one, and keep the final risk of every restart."""
    tolerance = risk_tolerance(minimum)
    least_risk = minimum.risk[minimum.best]
    claim = compare(f"{name}: risk", source, predicted, least_risk, tolerance, "|gradient|^2 / curvature")
    return claim._replace(samples=tuple(minimum.risk - predicted))
