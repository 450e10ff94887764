"""Claims on the minimum contrastive loss: direct minimisation over free sentences and free tokens."""

from collections.abc import Iterator

import numpy as np

from experiments.contextual_embeddings.claims.free_sentences import End, FreeSentences, intra_similarity
from experiments.verification.claim import Claim, compare, must_exceed
from theory import contextual_embeddings as theory

BOUND = "derived here: theory/contextual_embeddings.md, theorem 1"
COLLAPSE = "derived here: theory/contextual_embeddings.md, corollary of theorem 1"
# L-BFGS stops where values differ by rounding, far below six digits.
DIGITS = 1e-6
# The loss is quadratic at its minimum, so the error of the vectors is the square root of that of the loss.
VECTORS = 1e-4
NOTE, VECTOR_NOTE = "six digits", "square root of the accuracy of the loss"
SETTINGS = (
    FreeSentences(n_classes=5, n_sentences=1, batch_size=2, temperature=0.5),
    FreeSentences(n_classes=5, n_sentences=1, batch_size=4, temperature=1.0),
    FreeSentences(n_classes=4, n_sentences=2, batch_size=3, temperature=0.5),
    FreeSentences(n_classes=4, n_sentences=2, batch_size=3, temperature=0.5, repeats_classes=True),
    FreeSentences(n_classes=4, n_sentences=1, batch_size=5, temperature=0.7, repeats_classes=True),
)
TOKENS = {"n_classes": 3, "n_sentences": 2, "batch_size": 3, "temperature": 0.5, "n_tokens": 3, "dim": 5}


def check_minimum() -> Iterator[Claim]:
    """Check the minimum loss, the simplex, and that tokens collapse under dot products but not under cosines."""
    for free in SETTINGS:
        yield from _check_setting(free, free.descend(0))
    yield from _check_tokens()


def _check_setting(free: FreeSentences, end: End) -> Iterator[Claim]:
    collisions = "with collisions" if free.repeats_classes else "classes differ"
    name = f"K={free.n_classes} B={free.batch_size} tau={free.temperature:g}, {collisions}, n={free.n_sentences}"
    draws = {"replacement_draws": free.repeats_classes}
    least = theory.minimum_loss(free.n_classes, free.batch_size, free.temperature, **draws)
    yield compare(f"minimum loss, {name}", BOUND, least, end.loss, DIGITS, NOTE)
    gram = theory.simplex_gram(free.n_classes)
    of_pairs = np.einsum("ksd,ltd->klst", end.sentences, end.sentences)
    yield compare(
        f"sentence vectors form a simplex, {name}", BOUND, gram[:, :, None, None], of_pairs, VECTORS, VECTOR_NOTE
    )
    other = theory.minimum_loss(free.n_classes, free.batch_size, 1.1 * free.temperature, **draws)
    wrong = abs(other - end.loss)
    yield must_exceed(f"control: another temperature has another minimum loss, {name}", BOUND, DIGITS, wrong)


def _check_tokens() -> Iterator[Claim]:
    """Check free tokens under mean pooling: dot products require sentence vectors of unit length, cosines do not."""
    dot = FreeSentences(**TOKENS)
    cosine = FreeSentences(**TOKENS, similarity="cosine")
    ends = {"dot": dot.descend(0), "cosine": cosine.descend(0)}
    least = theory.minimum_loss(dot.n_classes, dot.batch_size, dot.temperature)
    for similarity, end in ends.items():
        yield compare(f"minimum loss over free tokens, {similarity}", COLLAPSE, least, end.loss, DIGITS, NOTE)
    tokens = ends["dot"].tokens.reshape(-1, dot.dim)
    classes = np.repeat(np.arange(dot.n_classes), dot.n_sentences * dot.n_tokens)
    gram = theory.simplex_gram(dot.n_classes)[np.ix_(classes, classes)]
    name = "dot: every token equals the class vector of its sentence"
    yield compare(name, COLLAPSE, gram, tokens @ tokens.T, VECTORS, VECTOR_NOTE)
    intra = intra_similarity(ends["dot"])
    yield compare("dot: intra-sentence similarity", COLLAPSE, 1.0, intra, VECTORS, VECTOR_NOTE)
    name = "control: cosine similarity leaves the tokens of a sentence distinct"
    yield must_exceed(name, COLLAPSE, 0.1, 1 - intra_similarity(ends["cosine"]))
