"""Type III below saturation: the contour integral against a sum over all sentences."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from experiments.verification.claim import Claim, compare
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.mellin_barnes import expected_log_mixture

SOURCE = "derived here"
# n_c, L, K, s_c: from few latents to nearly all.
SIZES = ((3, 4, 2, 5), (3, 4, 40, 5), (3, 4, 80, 5), (2, 8, 100, 4), (10, 6, 1000, 3), (3, 15, 1000, 2))


def check_integral() -> Iterator[Claim]:
    """Check the expected logarithm over random words for each size."""
    rng = np.random.default_rng(0)
    for n_concepts, length, n_classes, ranks in SIZES:
        share = LatentShare(n_concepts=n_concepts, sentence_length=length, n_classes=n_classes)
        gains = rng.uniform(0.01, math.log(n_concepts), ranks)
        frequencies = rng.dirichlet(np.ones(ranks))
        expected = sum_over_multisets(share.kappa, length, gains, frequencies)
        value = expected_log_mixture(share, gains, frequencies).value
        name = f"contour integral, n_c={n_concepts} L={length} K={n_classes} s_c={ranks}: relative"
        yield compare(name, SOURCE, 1.0, value / expected, 1e-12, "rounding of both sums, with a margin of ten")


def sum_over_multisets(kappa: float, length: int, gains: np.ndarray, frequencies: np.ndarray) -> float:
    """Return ``E log(1 - kappa + kappa e^S)`` by enumeration of the multisets of words, summed exactly."""
    terms = []
    for multiset in itertools.combinations_with_replacement(range(len(gains)), length):
        counts = np.bincount(multiset, minlength=len(gains))
        orders = math.factorial(length) // math.prod(math.factorial(int(count)) for count in counts)
        weight = orders * float(np.prod(frequencies**counts))
        terms.append(weight * math.log1p(kappa * math.expm1(float(counts @ gains))))
    return math.fsum(terms)
