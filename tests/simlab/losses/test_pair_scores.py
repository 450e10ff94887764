"""InfoNCE in blocks against its plain form: values, derivatives, large scores, tiny losses, memory."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simlab.losses import pair_scores
from simlab.losses.info_nce import info_nce

SIZE = 13
# One block; or four and more, the last of which has rows of padding.
WHOLE, BLOCKS = 2**20, 60
# Scores of a block, negatives, sides, scale. At a scale of 20 scores differ by thousands: no shift is common to all.
CASES = [
    *((WHOLE, negatives, sided, 1.0) for negatives in ("first", "second", "both") for sided in (False, True)),
    *((BLOCKS, "second", sided, scale) for sided, scale in ((False, 20.0), (True, 1.0), (True, 20.0))),
    (BLOCKS, "both", True, 1.0),
]


@pytest.fixture
def blocks(monkeypatch):
    monkeypatch.setattr(pair_scores, "CPU_BLOCK", BLOCKS)


def plain(first, second, temperature, *, negatives, is_two_sided):
    """The loss of all distances, as it is written down."""

    def scores(a, b):
        return -jnp.sum((a[:, None, :] - b[None, :, :]) ** 2, axis=2) / (2 * temperature)

    def one_side(a, b):
        others = {"first": [a], "second": [b], "both": [a, b]}[negatives]
        positive = jnp.diagonal(scores(a, b))
        masked = [jnp.where(jnp.eye(len(a), dtype=bool), -jnp.inf, scores(a, other)) for other in others]
        return jnp.mean(jax.nn.logsumexp(jnp.concatenate([positive[:, None], *masked], axis=1), axis=1) - positive)

    sides = [one_side(first, second), one_side(second, first)]
    return sum(sides) / 2 if is_two_sided else sides[0]


def pairs(scale=1.0, n_members=3):
    first, second = scale * np.random.default_rng(0).normal(size=(2, n_members, SIZE, 4))
    return first, (first + second) / 2


@pytest.mark.parametrize(("block", "negatives", "is_two_sided", "scale"), CASES)
def test_value_and_gradient_are_those_of_the_plain_form(monkeypatch, block, negatives, is_two_sided, scale):
    """Under jit and vmap, in float64: some hundred roundings of numbers of the size of the scores."""
    monkeypatch.setattr(pair_scores, "CPU_BLOCK", block)
    choices = {"negatives": negatives, "is_two_sided": is_two_sided}
    ours, theirs = partial(info_nce, similarity="distance", **choices), partial(plain, **choices)

    def compute(*arguments):
        return [ours(*arguments), *(jax.value_and_grad(loss, (0, 1, 2))(*arguments) for loss in (ours, theirs))]

    with jax.enable_x64(True):
        value, found, expected = jax.jit(jax.vmap(compute))(*pairs(scale), np.array([0.3, 0.7, 1.5]))
    tolerance = 1e-12 * scale**2
    np.testing.assert_allclose(value, expected[0], rtol=1e-12, atol=tolerance)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=tolerance)


@pytest.mark.parametrize("is_two_sided", [False, True])
def test_second_derivatives_in_both_modes(blocks, is_two_sided):
    """Forward over reverse is the curvature along a direction; two losses share the blocks of one program."""
    choices = {"negatives": "second", "is_two_sided": is_two_sided}
    with jax.enable_x64(True):
        (first, second), direction = (side[0] for side in pairs()), np.random.default_rng(1).normal(size=(SIZE, 4))

        def curvature(loss):
            gradient = jax.grad(lambda shift: loss(first + shift * direction, second, 0.5))
            return jax.jit(lambda shift: (jax.jvp(gradient, (shift,), (1.0,)), jax.grad(gradient)(shift)))(0.1)

        found = curvature(partial(info_nce, similarity="distance", **choices))
        expected = curvature(partial(plain, **choices))
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("is_two_sided", [False, True])
def test_tiny_losses_and_huge_scores_keep_their_digits_in_float32(blocks, is_two_sided):
    loss = jax.jit(jax.value_and_grad(partial(info_nce, similarity="dot", is_two_sided=is_two_sided)))
    # Orthogonal vectors of norm r: each loss is log(1 + (B - 1) exp(-r^2/tau)).
    for square in (4.0, 40.0, 4000.0):
        vectors = np.sqrt(square, dtype=np.float32) * np.eye(SIZE, dtype=np.float32)
        # The exponent is rounded: to 1e-6 of 40.
        np.testing.assert_allclose(loss(vectors, vectors, 1.0)[0], np.log1p((SIZE - 1) * np.exp(-square)), rtol=1e-5)
    # Every negative is 4000 above its positive.
    value, gradient = loss(vectors, -vectors, 1.0)
    np.testing.assert_allclose(value, square + np.log(SIZE - 1), rtol=1e-6)
    assert np.all(np.isfinite(gradient))


@pytest.mark.quick
def test_what_is_not_a_number_stays_so(blocks):
    first, second = (side[0] for side in pairs())
    first[0, 0] = np.nan
    assert np.isnan(jax.jit(partial(info_nce, similarity="cosine", is_two_sided=True))(first, second, 1.0))


@pytest.mark.parametrize("is_two_sided", [False, True])
def test_four_thousand_pairs_need_little_memory(is_two_sided):
    """By the compiler's count: one side a block and some vectors; two sides one matrix of all pairs beside."""
    loss = partial(info_nce, similarity="cosine", is_two_sided=is_two_sided)
    side = jax.ShapeDtypeStruct((4096, 128), jnp.float32)
    compiled = jax.jit(jax.value_and_grad(loss, (0, 1))).lower(side, side, 0.1).compile()
    needed = compiled.memory_analysis().temp_size_in_bytes
    assert needed < (2**27 if is_two_sided else 2**26)
