"""Keys that draw JAX's own bits with another program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simlab.runtime import random_keys
from simlab.runtime.devices import platform
from simlab.runtime.random_keys import hash_counter, random_key

pytestmark = pytest.mark.quick

DRAWS = {
    "bits": lambda key: jax.random.bits(key, (7, 3)),
    "one number": lambda key: jax.random.bits(key),
    "none": lambda key: jax.random.bits(key, (0, 3)),
    "short bits": lambda key: jax.random.bits(key, (5,), jnp.uint8),
    "uniform": lambda key: jax.random.uniform(key, (5, 1, 2)),
    "normal": lambda key: jax.random.normal(key, (4, 3)),
    "whole numbers": lambda key: jax.random.randint(key, (50,), 0, 81),
    "split": lambda key: jax.random.key_data(jax.random.split(key, (2, 3))),
    "fold in": lambda key: jax.random.key_data(jax.random.fold_in(key, 2**32 - 1)),
    "many keys": lambda key: jax.vmap(lambda one: jax.random.uniform(one, (3,)))(jax.random.split(key, 4)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_the_bits_are_those_of_jax(draw, seed):
    seed = jnp.uint32(seed)
    np.testing.assert_array_equal(jax.jit(draw)(random_key(seed)), draw(jax.random.key(seed)))


def test_double_precision_has_the_bits_of_jax():
    with jax.enable_x64(True):
        mine, theirs = (jax.random.uniform(key, (6,), jnp.float64) for key in (random_key(3), jax.random.key(3)))
        assert mine.dtype == jnp.float64
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("key", "counter", "hashed"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_answers_that_its_authors_publish(key, counter, hashed):
    """The known answers for 20 rounds of threefry2x32 in the authors' library Random123."""
    assert tuple(map(int, hash_counter(jnp.array(key, jnp.uint32), *map(jnp.uint32, counter)))) == hashed


def test_more_numbers_than_a_word_counts_are_left_to_jax(monkeypatch):
    """Where the word holds fewer than nine: JAX's own function draws them, and the bits stay the same."""
    monkeypatch.setattr(random_keys, "LARGEST", 8)
    monkeypatch.setattr(random_keys, "hash_counter", None)
    np.testing.assert_array_equal(jax.random.bits(random_key(5), (9, 3)), jax.random.bits(jax.random.key(5), (9, 3)))
    with pytest.raises(TypeError):
        jax.random.bits(random_key(5), (7,))


def test_no_setting_chooses_other_bits():
    wanted = jax.random.key_data(random_key(3))
    with jax.default_prng_impl("rbg"), jax.threefry_partitionable(False):
        np.testing.assert_array_equal(jax.random.key_data(random_key(3)), wanted)
    jax.config.update("jax_random_seed_offset", 1)
    try:
        np.testing.assert_array_equal(jax.random.key_data(random_key(3)), wanted)
    finally:
        jax.config.update("jax_random_seed_offset", 0)
    assert (random_key(0).dtype != jax.random.key(0).dtype) == (platform() == "cpu")
