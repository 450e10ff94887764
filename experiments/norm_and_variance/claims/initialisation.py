"""Claims on shares of norm and variance before training: the scalar recursion against kernels and networks."""

from collections.abc import Iterator

import numpy as np

from experiments.verification.claim import Claim, compare, must_exceed
from theory import contextual_embeddings, norm_and_variance

SOURCE = "derived here: theory/norm_and_variance/initial_shares.py"
DEPTH, LENGTH = 4, 3
# Three sentences, of which only the first two share a word.
WORDS = np.array([[0, 1, 2], [0, 3, 4], [5, 6, 7]])
WIDTHS, N_NETWORKS, N_SENTENCES, N_WORDS = (32, 64, 128), 24, 40, 400


def check_initialisation() -> Iterator[Claim]:
    """Check the recursion for both norms and activations, and the convergence of networks to it with width."""
    for norm in ("post", "pre"):
        for activation in ("relu", "gelu"):
            predicted = norm_and_variance.predict(depth=DEPTH, norm=norm, sentence_length=LENGTH, activation=activation)
            encoder = contextual_embeddings.Encoder(depth=DEPTH, norm=norm, activation=activation)
            kernels = np.array(contextual_embeddings.kernels(encoder, WORDS))
            square, same_word, other = kernels[:, 8, 8], kernels[:, 0, 3], kernels[:, 0, 8]
            name, note = f"{norm}-norm, {activation}", "rounding, plus quadrature for GELU"
            yield compare(f"M/Q by layer, {name}", SOURCE, predicted.mean_share, other / square, 1e-10, note)
            within = (square - same_word) / (square - other)
            yield compare(f"V_within/V by layer, {name}", SOURCE, predicted.within_share, within, 1e-10, note)
            yield compare(f"Q/d by layer, {name}", SOURCE, predicted.square / square, 1, 1e-10, note)
            related = kernels[:, 1, 4]
            note = "the other words of sentences that share a word are correlated too"
            yield must_exceed(
                f"control: three numbers do not suffice, {name}", SOURCE, 0.01, float(np.max(related - other)), note
            )
    yield from _check_width()


def _check_width() -> Iterator[Claim]:
    """Check that the squared error of a network against the kernel decreases as 1/width."""
    rng = np.random.default_rng(0)
    words = rng.integers(N_WORDS, size=(N_SENTENCES, LENGTH))
    encoder = contextual_embeddings.Encoder(depth=DEPTH)
    kernel = contextual_embeddings.kernels(encoder, words)[-1]
    predicted = contextual_embeddings.layer_statistics(kernel, words).mean_share
    errors = [
        np.mean([(_random_share(words, width, rng) - predicted) ** 2 for _ in range(N_NETWORKS)]) for width in WIDTHS
    ]
    slope = np.polyfit(np.log(WIDTHS), np.log(errors), 1)[0]
    # A mean of 24 squared normal errors has a relative standard error of sqrt(2/24); the slope is over log 4.
    tolerance = 3 * np.sqrt(2 * 2 / N_NETWORKS) / np.log(WIDTHS[-1] / WIDTHS[0])
    note = f"three standard errors; {N_NETWORKS} networks at each of the widths {', '.join(map(str, WIDTHS))}"
    name = "slope of the squared error of M/Q against width, untrained networks"
    yield compare(name, SOURCE, -1, slope, tolerance, note)


def _random_share(words: np.ndarray, width: int, rng: np.random.Generator) -> float:
    """Return M/Q of the last layer of one random post-norm encoder with ReLU."""
    tokens = _normalise(rng.normal(size=(N_WORDS, width)))[words]
    for _ in range(DEPTH):
        mean = np.broadcast_to(tokens.mean(axis=1, keepdims=True), tokens.shape)
        tokens = _normalise(tokens + mean @ _draw(rng, width, width) @ _draw(rng, width, width))
        hidden = np.maximum(tokens @ _draw(rng, width, 4 * width), 0)
        tokens = _normalise(tokens + hidden @ _draw(rng, 4 * width, width))
    flat = tokens.reshape(-1, width)
    return float(np.sum(flat.mean(axis=0) ** 2) / np.mean(np.sum(flat**2, axis=1)))


def _draw(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    return rng.normal(size=(inputs, outputs)) / np.sqrt(inputs)


def _normalise(tokens: np.ndarray) -> np.ndarray:
    centred = tokens - tokens.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True))
