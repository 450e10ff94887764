"""Random keys that are fast on a CPU: the same bits as JAX, with the rounds of Threefry unrolled.

JAX hashes counters with Threefry, on a CPU in a loop of five turns that reads and writes every counter at each turn.
Here the loop is unrolled, so that the compiler fuses the hash with the operations that use the bits.
"""

import math
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import define_prng_impl, threefry_prng_impl

from simlab.runtime.devices import platform
from simlab.runtime.settings import GENERATOR

# Threefry-2x32 of 20 rounds (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011).
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)
TURNS = 5
# The most elements whose indices fit the lower word of a counter.
LARGEST = 2**32


def random_key(seed: jax.Array | int) -> jax.Array:
    """Return the key of a seed, which gives the same bits as ``jax.random.key(seed)`` under JAX's default settings.

    Settings in the environment change neither the generator nor the seed.
    """
    # As in JAX: without double precision, the upper word of a Python integer is dropped.
    words = jnp.asarray(np.int64(seed) if isinstance(seed, int) else seed)
    implementation = _threefry() if platform() == "cpu" else GENERATOR
    return jax.random.wrap_key_data(threefry_prng_impl.seed(words), impl=implementation)


@jax.jit
def hash_counter(key: jax.Array, high: jax.Array, low: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return two hashes of each counter, ``UInt32[...]``, whose words are ``high`` and ``low``.

    Compiled as a function of its own shapes, so that programs trace and lower it only once for each.

    Args:
        key: ``UInt32[2]``.
        high: ``UInt32[...]``.
        low: ``UInt32[...]``.
    """
    keys = key[0], key[1], key[0] ^ key[1] ^ PARITY
    high, low = high + keys[0], low + keys[1]
    for turn in range(TURNS):
        for rotation in ROTATIONS[turn % 2]:
            high = high + low
            low = high ^ (low << rotation | low >> (32 - rotation))
        high = high + keys[(turn + 1) % 3]
        low = low + keys[(turn + 2) % 3] + np.uint32(turn + 1)
    return high, low


@lru_cache(maxsize=1)
def _threefry():
    """Return the PRNG implementation that JAX needs for keys of this kind."""
    return define_prng_impl(
        key_shape=threefry_prng_impl.key_shape,
        seed=threefry_prng_impl.seed,
        split=_split,
        random_bits=_random_bits,
        fold_in=_fold_in,
        name="threefry2x32_written_out",
        tag="written_out",
    )


def _split(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    return jnp.stack(_hash_indices(key, shape), axis=-1)


def _random_bits(key: jax.Array, width: int, shape: tuple[int, ...]) -> jax.Array:
    if width != 32 or math.prod(shape) > LARGEST:
        return threefry_prng_impl.random_bits(key, width, shape)
    high, low = _hash_indices(key, shape)
    return high ^ low


def _fold_in(key: jax.Array, number: jax.Array | int) -> jax.Array:
    return jnp.stack(hash_counter(key, jnp.uint32(0), jnp.asarray(number, jnp.uint32)))


def _hash_indices(key: jax.Array, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    """Return two hashes of the row-major index of each element, ``UInt32[*shape]`` each."""
    numbers = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    return hash_counter(key, jnp.zeros_like(numbers), numbers)
