"""Looked-up word vectors against a table of word scores: where a batch is so large that the table pays."""

from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp

from experiments.benchmarks.measurement import Contestant, Measurement, Part, summarise, take_turns
from experiments.benchmarks.settings import BenchSettings
from simlab.losses.cross_entropy import cross_entropy_terms
from simlab.networks.logits import choose_logits, gathered_logits, tabulated_logits

GATHERED, TABULATED = "looked-up vectors", "table of scores"
# Sentences per word: the table costs what as many sentences as words cost with looked-up vectors.
RATIOS = (0.5, 1, 2, 4, 8)
# n_w, L, K, d of each preset.
SHAPES = {
    "quick": ((600, 15, 300, 30), (600, 15, 300, 100)),
    "paper": ((1200, 15, 1000, 30), (1200, 15, 1000, 100), (1200, 15, 1000, 300)),
}


def make_parts(settings: BenchSettings) -> Iterator[Part]:
    """Yield a part for each size and batch: the time of loss and gradient both ways, and which way simlab takes."""
    for shape in SHAPES[settings.preset]:
        for ratio in RATIOS:
            name = f"{', '.join(map(str, shape))}: {ratio:g} sentences per word"
            yield Part(name, partial(_measure, shape, ratio, settings))


def _measure(shape: tuple[int, int, int, int], ratio: float, settings: BenchSettings) -> Iterator[Measurement]:
    n_words, length, n_classes, dim = shape
    n_sentences = round(ratio * n_words)
    case = f"n_w = {n_words}, L = {length}, K = {n_classes}, d = {dim}; by sentences per word"
    ways = {GATHERED: gathered_logits, TABULATED: tabulated_logits}
    contestants = [
        Contestant(name, _loss_and_gradient(way, shape, n_sentences, settings.precision), 1)
        for name, way in ways.items()
    ]
    seconds = take_turns(contestants, settings.rounds)
    chosen = choose_logits(n_words, dim, n_sentences)
    for name, way in ways.items():
        where = ("word-table", case, name)
        yield summarise(where, "time", "ms", 1e3 * seconds[name], at=ratio)
        yield summarise(where, "times the vectors", "", seconds[GATHERED] / seconds[name], at=ratio)
        yield summarise(where, "taken", "", float(way is chosen), at=ratio)


def _loss_and_gradient(way: Callable, shape: tuple[int, int, int, int], n_sentences: int, precision: str) -> Callable:
    """Return a turn: mean cross-entropy of random sentences and its gradient in all weights."""
    n_words, length, n_classes, dim = shape
    word_key, class_key, sentence_key, label_key = jax.random.split(jax.random.key(0), 4)
    words = jax.random.normal(word_key, (n_words, dim))
    classifier = jax.random.normal(class_key, (n_classes, length, dim)) / (length * dim) ** 0.5
    sentences = jax.random.randint(sentence_key, (n_sentences, length), 0, n_words)
    labels = jax.random.randint(label_key, (n_sentences,), 0, n_classes)

    def loss(words, classifier):
        return jnp.mean(cross_entropy_terms(way(words, classifier, sentences), labels))

    with jax.default_matmul_precision(precision):
        run = jax.jit(jax.value_and_grad(loss, (0, 1))).lower(words, classifier).compile()
    return lambda: jax.block_until_ready(run(words, classifier))
