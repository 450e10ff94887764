"""Claims on the kernel at initialisation: wide random encoders, layer by layer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import erf

from experiments.verification.claim import Claim, compare, must_exceed
from theory import contextual_embeddings as theory

SOURCE = "derived here: theory/contextual_embeddings.md, theorem 5"
WIDTH, N_NETWORKS, DEPTH = 256, 16, 2
N_SENTENCES, LENGTH, N_WORDS = 12, 6, 20
ENCODERS = (("post", "relu"), ("post", "gelu"), ("pre", "relu"), ("pre", "gelu"))
VARIANCE = 0.25  # of the entries of embeddings and position vectors
MEASURES = ("whole_mean_square", "mean_share", "within_share", "intra_sentence", "anisotropy")
N_NODES = 60


class Sentences(NamedTuple):
    """Random words, ``Int[N, L]``, and the mask of sentences of different lengths, ``Bool[N, L]``."""

    words: np.ndarray
    mask: np.ndarray


def check_random_encoders() -> Iterator[Claim]:
    """Check the kernels of activations, the kernel of all tokens by layer, and the recursion of independent tokens."""
    yield from _check_activations()
    rng = np.random.default_rng(0)
    words = rng.integers(N_WORDS, size=(N_SENTENCES, LENGTH))
    mask = np.arange(LENGTH) < rng.integers(2, LENGTH + 1, size=N_SENTENCES)[:, None]
    for number, (norm, activation) in enumerate(ENCODERS):
        encoder = theory.Encoder(
            depth=DEPTH,
            norm=norm,
            activation=activation,
            embedding_variance=VARIANCE,
            position_variance=VARIANCE,
        )
        yield from _check_encoder(encoder, Sentences(words, mask), number)
    yield from _check_independent()


def _check_activations() -> Iterator[Claim]:
    """Check E g(u) g(v): for GELU by two-dimensional quadrature, for ReLU by integration over the angle."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
    weights = weights / weights.sum()
    correlations = np.array([-0.9, -0.3, 0.0, 0.4, 0.8, 1.0])
    gelu = _activation("gelu")
    quadrature = [
        weights @ (gelu(nodes)[:, None] * gelu(c * nodes[:, None] + np.sqrt(1 - c**2) * nodes)) @ weights
        for c in correlations
    ]
    kernel = theory.activation_kernel(correlations, "gelu")
    yield compare("GELU of correlated inputs", SOURCE, kernel, quadrature, 1e-9, "Gauss-Hermite, 60 x 60 nodes")
    # ReLU is homogeneous: E relu(u) relu(v) is twice the mean over directions of the product of clipped cosines.
    turns = (np.arange(200_000) + 0.5) * 2 * np.pi / 200_000
    over_angles = [
        2 * np.mean(np.maximum(np.cos(turns), 0) * np.maximum(np.cos(turns - np.arccos(c)), 0)) for c in correlations
    ]
    kernel = theory.activation_kernel(correlations, "relu")
    yield compare("ReLU of correlated inputs", SOURCE, kernel, over_angles, 1e-9, "midpoint rule, 200,000 directions")


def _activation(name: str):
    return (lambda x: np.maximum(x, 0)) if name == "relu" else (lambda x: x * (1 + erf(x / np.sqrt(2))) / 2)


def _check_encoder(encoder: theory.Encoder, sentences: Sentences, number: int) -> Iterator[Claim]:
    """Compare the predicted statistics of each layer with means over networks of finite width."""
    rows = [
        _statistics(random_kernels(encoder, sentences, np.random.default_rng((number, seed))), sentences)
        for seed in range(N_NETWORKS)
    ]
    mean, error = np.mean(rows, axis=0)[1:], np.std(rows, axis=0, ddof=1)[1:] / np.sqrt(N_NETWORKS)
    sizes = np.maximum(error, np.finfo(float).eps)
    distances = np.abs(mean - _statistics(theory.kernels(encoder, *sentences), sentences)[1:]) / sizes
    name = f"statistics by layer in standard errors, {encoder.norm}-norm {encoder.activation}, width {WIDTH}"
    tolerance, note = 5.0, f"five standard errors of {N_NETWORKS} networks, for Student's t and finite-width bias"
    yield compare(name, SOURCE, 0.0, distances, tolerance, note)
    wrong = replace(encoder, activation="gelu" if encoder.activation == "relu" else "relu")
    distances = np.abs(mean - _statistics(theory.kernels(wrong, *sentences), sentences)[1:]) / sizes
    name = f"control: {wrong.activation} has other statistics, {encoder.norm}-norm {encoder.activation}"
    yield must_exceed(name, SOURCE, tolerance, float(distances.max()))


def _statistics(kernels: list[np.ndarray], sentences: Sentences) -> np.ndarray:
    """Return the measures of each layer, ``Float[layers, measures]``."""
    layers = [theory.layer_statistics(kernel, *sentences) for kernel in kernels]
    return np.array([[getattr(layer, name) for name in MEASURES] for layer in layers])


def random_kernels(encoder: theory.Encoder, sentences: Sentences, rng: np.random.Generator) -> list[np.ndarray]:
    """Return the inner products over d of all unmasked tokens at each layer of one random network."""
    words, mask = sentences
    activation = _activation(encoder.activation)

    def linear(inputs: np.ndarray, outputs: int) -> np.ndarray:
        return inputs @ (rng.standard_normal((inputs.shape[-1], outputs)) / np.sqrt(inputs.shape[-1]))

    def attention(tokens: np.ndarray) -> np.ndarray:
        means = np.sum(tokens * mask[..., None], axis=1) / mask.sum(1)[:, None]
        return np.broadcast_to(linear(linear(means, WIDTH), WIDTH)[:, None], tokens.shape)

    def feed_forward(tokens: np.ndarray) -> np.ndarray:
        return linear(activation(linear(tokens, 2 * WIDTH)), WIDTH)

    # Orthogonal embeddings have the infinite-width kernel, so that any deviation comes from the blocks.
    frame = np.sqrt(WIDTH) * np.linalg.qr(rng.standard_normal((WIDTH, N_WORDS + LENGTH)))[0].T
    embeddings = np.sqrt(encoder.embedding_variance) * frame[:N_WORDS]
    positions = np.sqrt(encoder.position_variance) * frame[N_WORDS:]
    tokens = embeddings[words] + positions
    is_post = encoder.norm == "post"
    tokens = _layer_norm(tokens) if is_post else tokens
    layers = [tokens]
    for _ in range(encoder.depth):
        for branch in (attention, feed_forward):
            tokens = _layer_norm(tokens + branch(tokens)) if is_post else tokens + branch(_layer_norm(tokens))
        layers.append(tokens)
    return [layer[mask] @ layer[mask].T / WIDTH for layer in layers]


def _layer_norm(tokens: np.ndarray) -> np.ndarray:
    centred = tokens - tokens.mean(-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True))


def _check_independent() -> Iterator[Claim]:
    """Check the scalar recursion of independent tokens on three sentences, two of which share a word."""
    words = np.arange(3 * LENGTH).reshape(3, LENGTH)
    words[1, 0] = words[0, 0]
    layers = theory.kernels(theory.Encoder(depth=6), words)
    closed = theory.three_scalars(6, LENGTH)
    cases = {
        "two occurrences of a word": ([layer[0, LENGTH] for layer in layers], closed.same_word),
        "two tokens of a sentence": ([layer[0, 1] for layer in layers], closed.same_sentence),
        "tokens of sentences that share no word": ([layer[0, 2 * LENGTH] for layer in layers], closed.different),
    }
    for name, (kernel, value) in cases.items():
        yield compare(f"independent tokens, cosine between {name}, 6 blocks", SOURCE, value, kernel, 1e-12, "rounding")
