"""Claims on statistics of collapsed tokens: formulas against all pairs of token embeddings of a sample."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.verification.claim import Claim, compare, must_exceed
from theory import contextual_embeddings as theory

SOURCE = "derived here: theory/contextual_embeddings.md, theorem 2"
LANGUAGE = theory.SentenceLanguage(n_classes=12, exclusive=3, shared=((3, 3), (2, 4)), function_words=3)
N_SENTENCES, WORDS_PER_CONCEPT = 120, 3
ROUNDING, NOTE = 1e-12, "rounding of sums over all pairs of tokens"


class Sample(NamedTuple):
    """Word, concept, class and sentence of each token of a sample, ``Int[N]`` each."""

    words: np.ndarray
    concepts: np.ndarray
    classes: np.ndarray
    sentences: np.ndarray


def draw(language: theory.SentenceLanguage, n_sentences: int, seed: int) -> Sample:
    """Draw sentences of the language word by word; the words of a concept are equally likely."""
    rng = np.random.default_rng(seed)
    shares = [(language.exclusive, 1), *language.shared]
    words, concepts, classes, sentences = [], [], [], []
    for sentence in range(n_sentences):
        own = int(rng.integers(language.n_classes))
        first = 0
        for positions, sharing in shares:
            for _ in range(positions):
                concept = first + own // sharing
                if rng.random() < language.replacement:
                    concept = language.n_concepts + int(rng.integers(language.function_words))
                is_content = concept < language.n_concepts
                concepts.append(concept)
                words.append(concept * WORDS_PER_CONCEPT + is_content * int(rng.integers(WORDS_PER_CONCEPT)))
                classes.append(own)
                sentences.append(sentence)
            first += language.n_classes // sharing
    return Sample(*map(np.array, (words, concepts, classes, sentences)))


def check_identities() -> Iterator[Claim]:
    """Check pair counts, the law of the language, Cramer's V^2 and the bound on two groupings."""
    sample = draw(LANGUAGE, N_SENTENCES, seed=0)
    rng = np.random.default_rng(1)
    yield from _check_pairs("simplex", sample, _simplex(LANGUAGE.n_classes, rng))
    free = rng.normal(size=(LANGUAGE.n_classes, 20))
    yield from _check_pairs("any class vectors", sample, free / np.linalg.norm(free, axis=1, keepdims=True))
    yield from _check_law()
    yield from _check_groupings(rng)


def _simplex(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the vertices of a regular simplex in random directions, by centring an orthonormal frame."""
    frame = np.linalg.qr(rng.normal(size=(2 * count, count)))[0].T
    frame = frame - frame.mean(0)
    return frame / np.linalg.norm(frame, axis=1, keepdims=True)


def _check_pairs(name: str, sample: Sample, vectors: np.ndarray) -> Iterator[Claim]:
    """Compare statistics computed from counts with those computed from one vector for each token."""
    tokens = vectors[sample.classes]
    cosines = tokens @ tokens.T
    n_words = (LANGUAGE.n_concepts + LANGUAGE.function_words) * WORDS_PER_CONCEPT
    counted = theory.sample_statistics(
        sample.words,
        sample.classes,
        sample.sentences,
        n_words=n_words,
        n_classes=LANGUAGE.n_classes,
        class_gram=vectors @ vectors.T,
    )
    same_word = sample.words[:, None] == sample.words[None, :]
    same_sentence = sample.sentences[:, None] == sample.sentences[None, :]
    yield compare(
        f"anisotropy from counts, {name}", SOURCE, counted.anisotropy, cosines[~same_word & ~same_sentence].mean(),
        ROUNDING, NOTE,
    )  # fmt: skip
    often = np.flatnonzero(counted.counts >= 2)
    off_diagonal = ~np.eye(len(tokens), dtype=bool)
    direct = [cosines[same_word & off_diagonal & (sample.words == word)[:, None]].mean() for word in often]
    name_of = f"self-similarity of each word from counts, {name}"
    yield compare(name_of, SOURCE, counted.self_similarity[often], direct, ROUNDING, NOTE)
    means = np.array([tokens[sample.words == word].mean(0) for word in range(n_words) if counted.counts[word]])
    weights = counted.counts[counted.counts > 0] / len(tokens)
    between = weights @ np.sum((means - tokens.mean(0)) ** 2, axis=1)
    name_between = f"variance between words from counts, {name}"
    yield compare(name_between, SOURCE, counted.between_words, between, ROUNDING, NOTE)
    total = np.mean(np.sum((tokens - tokens.mean(0)) ** 2, axis=1))
    name_total = f"all variance is between sentences, {name}"
    yield compare(name_total, SOURCE, counted.between_sentences, total, ROUNDING, NOTE)


def _check_law() -> Iterator[Claim]:
    """Compare the law of the language with drawn sentences, and Cramer's V^2 with the variance between words."""
    law = LANGUAGE.law()
    statistics = theory.collapsed_statistics(law)
    expected = np.outer(law.frequencies, law.priors)
    chi_squared = np.sum(law.joint**2 / expected) - 1
    cramers_v2 = chi_squared / (LANGUAGE.n_classes - 1)
    name = "Cramer's V^2 equals the share of variance between words"
    yield compare(name, SOURCE, statistics.between_concepts, cramers_v2, ROUNDING)
    total = statistics.between_concepts + statistics.between_words + statistics.context + statistics.anisotropy
    yield compare("shares of the variance and M/Q sum to 1", SOURCE, 1.0, total, ROUNDING)
    sample = draw(LANGUAGE, 6000, seed=2)
    vectors = _simplex(LANGUAGE.n_classes, np.random.default_rng(3))
    for kind, value in law.by_kind(statistics.self_similarity).items():
        pairs, error = _mean_of_pairs(sample, vectors, [i for i, name in enumerate(law.kinds) if name == kind])
        name = f"self-similarity of {kind.replace('_', ' ')} words in drawn sentences"
        yield compare(name, SOURCE, value, pairs, 5 * error + ROUNDING, "five standard errors")


def _mean_of_pairs(sample: Sample, vectors: np.ndarray, concepts: list[int]) -> tuple[float, float]:
    """Return the mean cosine of random same-concept token pairs from different sentences, and its standard error."""
    rng = np.random.default_rng(4)
    values = []
    for concept in concepts:
        places = np.flatnonzero(sample.concepts == concept)
        first, second = rng.choice(places, (2, 1000))
        differ = sample.sentences[first] != sample.sentences[second]
        ends = vectors[sample.classes[first[differ]]], vectors[sample.classes[second[differ]]]
        values.append(np.sum(ends[0] * ends[1], axis=1))
    flat = np.concatenate(values)
    return float(flat.mean()), float(flat.std() / np.sqrt(len(flat)))


def _check_groupings(rng: np.random.Generator) -> Iterator[Claim]:
    """Check the bound 1 + rho on the summed shares of two groupings, which an eigenfunction attains."""
    joint = rng.dirichlet(np.ones(30)).reshape(6, 5)
    rows, columns = np.divmod(np.arange(30), 5)
    weights = joint.ravel()

    def projection(groups: np.ndarray) -> np.ndarray:
        same = groups[:, None] == groups[None, :]
        mean = same * weights / (same @ weights)[:, None]
        root = np.sqrt(weights)
        return root[:, None] * (mean - weights) / root  # symmetric; the overall mean is projected out

    largest = np.linalg.eigvalsh(projection(rows) + projection(columns))[-1]
    rho = theory.maximal_correlation(joint)
    source = "derived here: theory/contextual_embeddings.md, lemma 1"
    yield compare("two groupings explain at most 1 + rho of a variance in total", source, 1 + rho, largest, ROUNDING)
    name = "control: the shares of two groupings can exceed the whole variance"
    yield must_exceed(name, source, 1.0, float(largest))
