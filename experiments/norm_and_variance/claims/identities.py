"""Claims on identities of norm and variance on synthetic tokens, with and without LayerNorm, by token and sentence."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.verification.claim import Claim, compare, must_exceed
from simlab.metrics.contextual.norm_and_variance import GroupMoments, mean_cosine, trade_off, variance_shares
from theory import norm_and_variance as theory

SOURCE = "derived here: theory/norm_and_variance/trade_off.py"
COSINES = "derived here: theory/norm_and_variance/similarities.py"
SHARED = "derived here: theory/norm_and_variance/shared_variance.py"
N_TOKENS, N_SENTENCES, N_OCCURRENCES, DIM = 40, 60, 2400, 24
IDENTITY, NOTE = 1e-12, "rounding of sums of 2,400 numbers"


class Occurrences(NamedTuple):
    """Vectors, ``Float[N, d]``, with the token and the sentence of each."""

    vectors: np.ndarray
    tokens: np.ndarray
    sentences: np.ndarray

    def moments(self, labels: np.ndarray) -> GroupMoments:
        """Return the moments of each label, from their definition."""
        groups = [self.vectors[labels == label] for label in np.unique(labels)]
        return GroupMoments(
            np.array([len(group) for group in groups]),
            np.array([group.mean(axis=0) for group in groups]),
            np.array([np.sum((group - group.mean(axis=0)) ** 2, axis=0) for group in groups]),
        )


def draw_occurrences(normalised: bool, epsilon: float = 0.0) -> Occurrences:
    """Return random tokens that depend on their sentences, with or without LayerNorm."""
    rng = np.random.default_rng(0)
    sentences = rng.integers(N_SENTENCES, size=N_OCCURRENCES)
    tokens = np.where(rng.random(N_OCCURRENCES) < 0.4, sentences % N_TOKENS, rng.integers(N_TOKENS, size=N_OCCURRENCES))
    lengths = rng.uniform(0.5, 2.0, size=(N_TOKENS, 1))
    vectors = (lengths * rng.normal(size=(N_TOKENS, DIM)))[tokens] + rng.normal(size=(N_SENTENCES, DIM))[sentences]
    vectors = vectors + 0.5 * rng.normal(size=vectors.shape) + 0.8
    if normalised:
        centred = vectors - vectors.mean(axis=1, keepdims=True)
        vectors = centred / np.sqrt(np.mean(centred**2, axis=1, keepdims=True) + epsilon)
    return Occurrences(vectors, tokens, sentences)


def check_identities() -> Iterator[Claim]:
    """Check identities for any data, those under LayerNorm, and controls that must fail."""
    free, pinned = draw_occurrences(normalised=False), draw_occurrences(normalised=True)
    for name, data in (("free", free), ("LayerNorm", pinned)):
        yield from _check_parts(name, data)
        yield from _check_trade_off(name, data)
    yield from _check_pinned(pinned)
    measured = trade_off(free.moments(free.tokens))
    name = "control: without LayerNorm the slope of V on M is not -1"
    yield must_exceed(name, SOURCE, 0.1, abs(measured.slope + 1))
    yield from _check_shared(free)


def _check_parts(name: str, data: Occurrences) -> Iterator[Claim]:
    """Check Q = M + V for each token, and V = V_within + V_between for both groupings."""
    moments = data.moments(data.tokens)
    squares = np.array([np.mean(np.sum(data.vectors[data.tokens == t] ** 2, axis=1)) for t in np.unique(data.tokens)])
    yield compare(f"Q = M + V for each token, {name}", SOURCE, 1, moments.square / squares, IDENTITY, NOTE)
    centred = data.vectors - data.vectors.mean(axis=0)
    total = np.mean(np.sum(centred**2, axis=1))
    for kind, labels in (("tokens", data.tokens), ("sentences", data.sentences)):
        grouped = data.moments(labels)
        within = grouped.spread.sum() / N_OCCURRENCES
        offsets = grouped.mean - data.vectors.mean(axis=0)
        between = grouped.count @ np.sum(offsets**2, axis=1) / N_OCCURRENCES
        yield compare(
            f"V = V_within + V_between over {kind}, {name}", SOURCE, 1, (within + between) / total, IDENTITY, NOTE
        )


def _check_trade_off(name: str, data: Occurrences) -> Iterator[Claim]:
    """Check the predicted slope and correlation against a regression of V on M."""
    moments = data.moments(data.tokens)
    measured = trade_off(moments)
    predicted = theory.predict_trade_off(measured.deviation_ratio, measured.square_correlation)
    slope = np.polyfit(moments.mean_square, moments.variance, 1)[0]
    correlation = np.corrcoef(moments.mean_square, moments.variance)[0, 1]
    yield compare(f"slope of V on M equals r s - 1, {name}", SOURCE, predicted.slope, slope, 1e-11, NOTE)
    yield compare(f"corr(M, V) from s and r, {name}", SOURCE, predicted.correlation, correlation, 1e-11, NOTE)


def _check_pinned(data: Occurrences) -> Iterator[Claim]:
    """Check the consequences of |x|^2 = d."""
    measured = trade_off(data.moments(data.tokens))
    yield compare("LayerNorm: slope of V on M", SOURCE, -1, measured.slope, IDENTITY, NOTE)
    yield compare("LayerNorm: corr(M, V)", SOURCE, -1, measured.correlation, IDENTITY, NOTE)
    with_epsilon = draw_occurrences(normalised=True, epsilon=0.3)
    free = draw_occurrences(normalised=False).vectors
    wanted = [theory.pinned_square(DIM, variance, 0.3) for variance in free.var(axis=1)]
    squares = np.sum(with_epsilon.vectors**2, axis=1)
    yield compare("LayerNorm with epsilon: |x|^2 = d v/(v + epsilon)", SOURCE, wanted, squares, 1e-11, NOTE)
    moments, whole = data.moments(data.tokens), data.moments(np.zeros(N_OCCURRENCES, int))
    cosines = data.vectors @ data.vectors.T / DIM
    different = ~np.eye(N_OCCURRENCES, dtype=bool)
    predicted = theory.mean_cosine(N_OCCURRENCES, whole.mean_square[0] / DIM)
    note = "rounding of 5.8 million cosines"
    yield compare("anisotropy over all pairs from M/Q", COSINES, predicted, cosines[different].mean(), 1e-11, note)
    same = (data.tokens == 0)[:, None] & (data.tokens == 0) & different
    predicted = theory.mean_cosine(int(moments.count[0]), moments.mean_square[0] / DIM)
    yield compare("self-similarity of a token from M/Q", COSINES, predicted, cosines[same].mean(), IDENTITY, NOTE)
    streamed = mean_cosine(moments.count, moments.mean / np.sqrt(DIM))[0]
    yield compare("self-similarity of a token, streamed", COSINES, predicted, streamed, IDENTITY, NOTE)
    weights = moments.count / N_OCCURRENCES
    shares = theory.between_share(weights.tolist(), (moments.mean_square / DIM).tolist(), whole.mean_square[0] / DIM)
    between = variance_shares(moments).between_share
    yield compare("adjusted self-similarity equals V_between/Q", COSINES, shares, between, IDENTITY, NOTE)


def _check_shared(data: Occurrences) -> Iterator[Claim]:
    """Check the bound 1 + rho on the variance explained by tokens and sentences, and the function that attains it."""
    counts = np.zeros((N_TOKENS, N_SENTENCES))
    np.add.at(counts, (data.tokens, data.sentences), 1)
    limit = theory.explained_limit(counts)
    explained = [
        sum(1 - variance_shares(subset.moments(labels)).within_share for labels in (data.tokens, data.sentences))
        for subset in (data, data._replace(vectors=data.vectors[:, :1]))
    ]
    yield must_exceed("tokens and sentences explain at most 1 + rho", SHARED, max(explained), limit, "theorem")
    best = _best_function(data, counts)
    total = sum(1 - variance_shares(best.moments(labels)).within_share for labels in (data.tokens, data.sentences))
    yield compare("the best function attains 1 + rho", SHARED, limit, total, 1e-9, "600 alternating conditional means")
    note = "rho = 0 would be the bound for independent tokens"
    yield must_exceed("control: rho is not zero here", SHARED, 0.1, limit - 1, note)


def _best_function(data: Occurrences, counts: np.ndarray) -> Occurrences:
    """Return f(token) + g(sentence) from alternating conditional means, a power iteration; ``Float[N, 1]``."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    of_token = np.random.default_rng(1).normal(size=N_TOKENS)
    for _ in range(600):
        of_sentence = (counts.T @ (of_token - of_token @ rows / N_OCCURRENCES)) / columns
        of_token = counts @ of_sentence / rows
        of_token /= np.sqrt(of_token**2 @ rows)
    of_sentence = counts.T @ of_token / columns
    of_sentence /= np.sqrt(of_sentence**2 @ columns)
    return data._replace(vectors=(of_token[data.tokens] + of_sentence[data.sentences])[:, None])
