"""InfoNCE in blocks against its plain form: values, derivatives, large scores, tiny losses, memory."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simlab.losses import pair_scores
from simlab.losses.info_nce import info_nce

SIZE = 13
CASES = [(negatives, is_two_sided) for negatives in ("first", "second", "both") for is_two_sided in (False, True)]
# The forms of one block and of four, the last of which has three rows of padding.
BLOCKS = {"whole": 2**20, "blocks": 60}


@pytest.fixture(params=BLOCKS.values(), ids=BLOCKS.keys())
def block(request, monkeypatch):
    monkeypatch.setattr(pair_scores, "CPU_BLOCK", request.param)


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


# At a scale of 20 scores differ by thousands: no shift is common to all.
@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("negatives", "is_two_sided"), CASES)
def test_value_and_gradient_are_those_of_the_plain_form(block, negatives, is_two_sided, scale):
    """Under jit and vmap, in float64: some hundred roundings of numbers of the size of the scores."""
    choices = {"negatives": negatives, "is_two_sided": is_two_sided}
    with jax.enable_x64(True):
        arguments = *pairs(scale), np.array([0.3, 0.7, 1.5])
        ours = partial(info_nce, similarity="distance", **choices)
        found, expected = (
            jax.jit(jax.vmap(jax.value_and_grad(loss, (0, 1, 2))))(*arguments)
            for loss in (ours, partial(plain, **choices))
        )
        value = jax.jit(jax.vmap(ours))(*arguments)
    tolerance = 1e-12 * scale**2
    np.testing.assert_allclose(value, expected[0], rtol=1e-12, atol=tolerance)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=tolerance)


@pytest.mark.parametrize("is_two_sided", [False, True])
def test_second_derivatives_in_both_modes(block, is_two_sided):
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
def test_tiny_losses_and_huge_scores_keep_their_digits_in_float32(block, is_two_sided):
    # Orthogonal vectors of norm r: each loss is log(1 + (B - 1) exp(-r^2/tau)).
    for square in (4.0, 40.0, 4000.0):
        vectors = np.sqrt(square, dtype=np.float32) * np.eye(SIZE, dtype=np.float32)
        loss = info_nce(vectors, vectors, 1.0, similarity="dot", is_two_sided=is_two_sided)
        # The exponent is rounded: to 1e-6 of 40.
        np.testing.assert_allclose(loss, np.log1p((SIZE - 1) * np.exp(-square)), rtol=1e-5)
    # Every negative is 4000 above its positive.
    opposite = jax.value_and_grad(lambda v: info_nce(v, -v, 1.0, similarity="dot", is_two_sided=is_two_sided))(vectors)
    np.testing.assert_allclose(opposite[0], square + np.log(SIZE - 1), rtol=1e-6)
    assert np.all(np.isfinite(opposite[1]))


def test_what_is_not_a_number_stays_so(block):
    first, second = (side[0] for side in pairs())
    first[0, 0] = np.nan
    for choices in ({"is_two_sided": True}, {}):
        assert np.isnan(info_nce(first, second, 1.0, similarity="cosine", **choices))


@pytest.mark.parametrize("is_two_sided", [False, True])
def test_four_thousand_pairs_need_little_memory(is_two_sided):
    """By the compiler's count: one side a block and some vectors; two sides one matrix of all pairs beside."""
    loss = partial(info_nce, similarity="cosine", is_two_sided=is_two_sided)
    side = jax.ShapeDtypeStruct((4096, 128), jnp.float32)
    compiled = jax.jit(jax.value_and_grad(loss, (0, 1))).lower(side, side, 0.1).compile()
    needed = compiled.memory_analysis().temp_size_in_bytes
    assert needed < (2**27 if is_two_sided else 2**26)
