"""The time to isotropy against its own ODE, and kernels of random encoders in cases that can be done by hand."""

import re

import numpy as np
import pytest

from theory import contextual_embeddings as theory

pytestmark = pytest.mark.quick


def test_known_optima():
    """24 classes that start at an angle of 0.1."""
    for target, best in ((0.5, 0.11), (0.1, 0.22), (0.01, 0.26)):
        assert theory.best_temperature(24, 0.1, target)[0] == pytest.approx(best, abs=5e-3)


def test_times_add_up_and_the_curve_passes_them():
    start, between = 0.2, float(theory.angle_of_cosine(np.array(0.6), 10))
    whole = theory.time_to_cosine(10, 0.3, start, 0.2)
    parts = theory.time_to_cosine(10, 0.3, start, 0.6) + theory.time_to_cosine(10, 0.3, between, 0.2)
    assert whole == pytest.approx(parts, rel=1e-12)
    curve = theory.cosine_curve(np.array([0.0, whole / 3, whole]), 10, 0.3, start)
    assert curve[0] == pytest.approx(1 - np.sin(0.2) ** 2 * 10 / 9)
    assert curve[2] == pytest.approx(0.2, abs=1e-7)


def test_a_time_beyond_all_numbers_is_infinite():
    assert theory.time_to_cosine(10, 1e-3, 0.2, 0.1) == np.inf


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((10, 0.3, 0.2, -0.2), "final_cosine: expected more than -1/(K-1)=-0.111111 and less than the initial cosine"),
        ((10, 0.3, 0.2, 0.99), "final_cosine: expected more than -1/(K-1)=-0.111111 and less than the initial cosine"),
        ((10, 0.3, 1.6, 0.2), "initial_angle: expected less than pi/2, got 1.6"),
        ((1, 0.3, 0.2, 0.2), "n_classes: expected at least 2, got 1"),
    ],
)
def test_bad_times_are_one_line(numbers, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        theory.time_to_cosine(*numbers)


def test_activation_kernels_at_their_ends():
    assert theory.activation_kernel(np.array([-1.0, 0.0, 1.0]), "relu") == pytest.approx([0, 1 / (2 * np.pi), 0.5])
    # GELU of independent inputs: (E u Phi(u))^2, and E u Phi(u) = E phi(u) = 1/(2 sqrt(pi)) by Stein's lemma.
    assert theory.activation_kernel(np.array(0.0), "gelu") == pytest.approx(1 / (4 * np.pi), rel=1e-12)


def test_one_block_by_hand():
    """Two sentences, (0, 1) and (0, 2), no positions: attention adds the means, the feed-forward its kernel."""
    words = np.array([[0, 1], [0, 2]])
    post, pre = (theory.kernels(theory.Encoder(depth=1, norm=norm), words) for norm in ("post", "pre"))
    first = (words.ravel()[:, None] == words.ravel()[None, :]).astype(float)
    means = np.kron(np.array([[0.5, 0.25], [0.25, 0.5]]), np.ones((2, 2)))
    assert post[0] == pytest.approx(first)
    attended = (first + means) / 1.5
    assert post[1] == pytest.approx((attended + theory.activation_kernel(attended, "relu")) / 1.5)
    raw = first + means
    assert pre[1] == pytest.approx(raw + theory.activation_kernel(raw / 1.5, "relu"))


def test_masked_tokens_are_as_if_they_were_not_there():
    encoder = theory.Encoder(depth=2, position_variance=0.5, activation="gelu")
    words, mask = np.array([[0, 1, 7], [0, 2, 7]]), np.array([[True, True, False]] * 2)
    masked, short = theory.kernels(encoder, words, mask), theory.kernels(encoder, words[:, :2])
    np.testing.assert_allclose(masked, short)
    kernel = masked[-1]
    first, second = (theory.layer_statistics(kernel, *given) for given in ((words, mask), (words[:, :2],)))
    assert first.anisotropy == second.anisotropy
    assert first.words.tolist() == [0, 1, 2]


def test_statistics_of_a_kernel_are_those_of_its_tokens():
    rng = np.random.default_rng(0)
    words = rng.integers(5, size=(6, 4))
    tokens = rng.normal(size=(24, 9)) + 0.5
    found = theory.layer_statistics(tokens @ tokens.T, words)
    flat = words.ravel()
    means = np.array([tokens[flat == word].mean(0) for word in found.words])
    np.testing.assert_allclose(found.square_mean, np.sum(means**2, axis=1))
    spread = [
        np.mean(np.sum((tokens[flat == word] - mean) ** 2, axis=1))
        for word, mean in zip(found.words, means, strict=True)
    ]
    np.testing.assert_allclose(found.variance, spread)
    whole = np.mean(np.sum((tokens - tokens.mean(0)) ** 2, axis=1))
    assert found.within_share == pytest.approx(found.counts @ spread / 24 / whole)
    sentence_means = tokens.reshape(6, 4, 9).mean(1)
    unit, unit_means = (array / np.linalg.norm(array, axis=-1, keepdims=True) for array in (tokens, sentence_means))
    assert found.intra_sentence == pytest.approx(np.mean(np.sum(unit * unit_means.repeat(4, axis=0), axis=1)))
    cosines = unit @ unit.T
    sentence = np.arange(24) // 4
    different = (flat[:, None] != flat) & (sentence[:, None] != sentence)
    assert found.anisotropy == pytest.approx(cosines[different].mean())


def test_independent_tokens_after_six_blocks():
    """M/Q as published here before; V_W/V of networks of width 256 is 0.79, where three numbers alone give 0.885."""
    layers = theory.three_scalars(6, 8)
    assert layers.different[-1] == pytest.approx(0.626, abs=5e-4)
    assert layers.within_share[0] == 0
    assert layers.within_share[-1] == pytest.approx(0.798, abs=5e-4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": -1}, "depth: expected at least 0, got -1"),
        ({"depth": 1, "norm": "none"}, "norm: expected one of pre, post, got 'none'"),
        ({"depth": 1, "activation": "tanh"}, "activation: expected one of relu, gelu, got 'tanh'"),
        ({"depth": 1, "embedding_variance": 0}, "embedding_variance: expected a positive number without positions"),
    ],
)
def test_bad_encoders_are_one_line(fields, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        theory.Encoder(**fields)


def test_an_empty_sentence_is_named():
    with pytest.raises(ValueError, match=r"^mask: expected a token in every sentence, got none in sentence 1$"):
        theory.kernels(theory.Encoder(depth=1), np.zeros((2, 2), int), np.array([[True, True], [False, False]]))
