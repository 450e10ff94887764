"""Streaming mean and variance of vectors by group: count, mean and sum of squared deviations.

For the n vectors x of a group (the occurrences of a token, of a concept, or of a layer)

    mean = sum x / n,    S_j = sum (x_j - mean_j)^2,    M = |mean|^2,    V = sum_j S_j / n,    Q = M + V.

Two sets of vectors merge exactly (Chan, Golub, LeVeque, 1979), with ``delta = mean_b - mean_a`` and ``n = n_a + n_b``:

    mean = mean_a + delta n_b/n,    S = S_a + S_b + delta^2 n_a n_b/n.

No large numbers are subtracted; the difference of E[x^2] and E[x]^2 loses all digits in float32 once M/V is 1e7.
Vectors have the precision of the network. Means and sums are stored as pairs of such numbers whose sum is the value
(the second is the rounding error of the first), with about twice the digits, so that accuracy is kept over many batches
and without double precision on the accelerator. Memory is O(groups x d), independent of the number of vectors.

The same batches in the same order give the same bits on CPU and TPU. On a GPU the sums within a batch are atomic, and
``XLA_FLAGS=--xla_gpu_deterministic_ops=true`` is needed for this.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.storage.sealed_files import CorruptFile, read_arrays, write_arrays
from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from jaxtyping import Float, Int

_LABEL = "moments of vectors by group"


class Moments(NamedTuple):
    """Moments of G groups of vectors in d dimensions, on the device.

    Attributes:
        count: number of vectors of each group.
        mean: their rounded mean.
        mean_error: the rounding error of ``mean``, to be added to it.
        spread: the rounded sum of squared deviations S of each dimension.
        spread_error: the rounding error of ``spread``, to be added to it.
    """

    count: Int[jax.Array, "*layers G"]
    mean: Float[jax.Array, "*layers G d"]
    mean_error: Float[jax.Array, "*layers G d"]
    spread: Float[jax.Array, "*layers G d"]
    spread_error: Float[jax.Array, "*layers G d"]


def empty_moments(n_groups: int, dim: int, dtype: jnp.dtype = jnp.float32, n_layers: int | None = None) -> Moments:
    """Return the moments of no vectors.

    Args:
        n_groups: G.
        dim: d.
        dtype: type of the sums; that of the vectors or a wider one.
        n_layers: if given, the length of a leading axis, as :func:`add_layers` needs it.

    Raises:
        ValueError: a size is less than 1.
    """
    leading = () if n_layers is None else (check_count("n_layers", n_layers),)
    shape = (*leading, check_count("n_groups", n_groups), check_count("dim", dim))
    zeros = (jnp.zeros(shape, dtype) for _ in range(4))
    return Moments(jnp.zeros(shape[:-1], jnp.int32), *zeros)


def moments_of(vectors: Float[jax.Array, "N d"], groups: Int[jax.Array, " N"], n_groups: int) -> Moments:
    """Return the moments of one batch, by a corrected two-pass sum.

    Deviations are taken from the rounded mean; their mean, which is the rounding error, corrects both results.

    Args:
        vectors: of any floating type; sums are at least float32.
        groups: the group of each vector; vectors with a group outside ``0..G-1`` are left out.
        n_groups: G.
    """
    dtype = jnp.promote_types(vectors.dtype, jnp.float32)
    is_counted = (groups >= 0) & (groups < n_groups)
    place = jnp.where(is_counted, groups, n_groups)
    vectors = vectors.astype(dtype)

    def total(values):
        return jax.ops.segment_sum(values, place, n_groups + 1)[:n_groups]

    count = total(is_counted.astype(jnp.int32))
    share = (1 / jnp.maximum(count, 1)).astype(dtype)[:, None]
    rough = total(vectors) * share
    deviations = vectors - rough[jnp.minimum(place, n_groups - 1)]
    offset = total(deviations) * share
    spread = total(deviations**2) - offset**2 * count.astype(dtype)[:, None]
    return Moments(count, *_two_sum(rough, offset), spread, jnp.zeros_like(spread))


def merge(first: Moments, second: Moments) -> Moments:
    """Return the moments of the union of two sets of vectors, group by group: of batches, shards or processes."""
    dtype = first.mean.dtype
    count = first.count + second.count
    share = (second.count.astype(dtype) / jnp.maximum(count, 1).astype(dtype))[..., None]
    delta = (second.mean - first.mean) + (second.mean_error - first.mean_error)
    mean, mean_error = _add_pair(first.mean, first.mean_error, delta * share)
    between = delta**2 * share * first.count.astype(dtype)[..., None]
    spread, spread_error = _add_pair(first.spread, first.spread_error + second.spread_error, second.spread)
    spread, spread_error = _add_pair(spread, spread_error, between)
    is_first = (first.count == 0)[..., None]  # a rounded difference from zero would lose the error term
    mean, mean_error = jnp.where(is_first, second.mean, mean), jnp.where(is_first, second.mean_error, mean_error)
    return Moments(count, mean, mean_error, spread, spread_error)


def add(moments: Moments, vectors: Float[jax.Array, "N d"], groups: Int[jax.Array, " N"]) -> Moments:
    """Return moments with a batch added; the cost grows with the batch and not with the number of groups.

    Args:
        moments: the moments so far, of G groups.
        vectors: the batch.
        groups: the group of each vector; vectors with a group outside ``0..G-1`` are left out.
    """
    present, local, size = _compact(groups, moments.count.shape[-1])
    return _merge_rows(moments, moments_of(vectors, local, size), present)


def add_layers(moments: Moments, vectors: Float[jax.Array, "layers N d"], groups: Int[jax.Array, " N"]) -> Moments:
    """Return the moments of several layers with a batch of each added; see :func:`add`.

    Sums over a batch are computed layer by layer, which on a CPU is several times as fast as all layers at once.
    """
    present, local, size = _compact(groups, moments.count.shape[-1])
    batch = jax.lax.map(lambda layer: moments_of(layer, local, size), vectors)
    return jax.vmap(_merge_rows, in_axes=(0, 0, None))(moments, batch, present)


def _merge_rows(moments: Moments, batch: Moments, present: jax.Array) -> Moments:
    """Return moments with those of a batch merged into the groups present in the batch."""
    before = Moments(*(array.at[present].get(mode="fill", fill_value=0) for array in moments))
    after = merge(before, Moments(batch.count, *(array.astype(moments.mean.dtype) for array in batch[1:])))
    pairs = zip(moments, after, strict=True)
    return Moments(*(array.at[present].set(rows, mode="drop") for array, rows in pairs))


class Sums(NamedTuple):
    """Counts and compensated sums of G groups of vectors, for means without variances.

    Attributes:
        count: number of vectors of each group.
        total: their rounded sum.
        error: the rounding error of ``total``, to be added to it.
    """

    count: Int[jax.Array, "*layers G"]
    total: Float[jax.Array, "*layers G d"]
    error: Float[jax.Array, "*layers G d"]


def empty_sums(n_groups: int, dim: int, dtype: jnp.dtype = jnp.float32, n_layers: int | None = None) -> Sums:
    """Return the sums of no vectors; arguments are those of :func:`empty_moments`."""
    return Sums(*empty_moments(n_groups, dim, dtype, n_layers)[:3])


def add_to_sums(sums: Sums, vectors: Float[jax.Array, "layers N d"], groups: Int[jax.Array, " N"]) -> Sums:
    """Return the sums of several layers with a batch of each added, at a third of the cost of :func:`add_layers`."""
    present, local, size = _compact(groups, sums.count.shape[-1])
    dtype = sums.total.dtype
    count = jax.ops.segment_sum(jnp.ones_like(local), local, size)
    terms = jax.lax.map(lambda layer: jax.ops.segment_sum(layer.astype(dtype), local, size), vectors)

    def add_rows(sums: Sums, term: jax.Array) -> Sums:
        before = Sums(*(array.at[present].get(mode="fill", fill_value=0) for array in sums))
        after = Sums(before.count + count, *_add_pair(before.total, before.error, term))
        return Sums(*(array.at[present].set(rows, mode="drop") for array, rows in zip(sums, after, strict=True)))

    return jax.vmap(add_rows)(sums, terms)


def save_moments(path: Path, moments: Moments) -> None:
    """Write moments atomically; :func:`load_moments` returns the same bits."""
    write_arrays(path, _LABEL, {name: np.asarray(array) for name, array in moments._asdict().items()})


def load_moments(path: Path) -> Moments:
    """Return saved moments, to which further batches may be added.

    Raises:
        ValueError: the file is damaged or holds something else.
        FileNotFoundError: there is no such file.
    """
    try:
        arrays = read_arrays(path, _LABEL)
        return Moments(**{name: jnp.asarray(arrays[name]) for name in Moments._fields})
    except (CorruptFile, KeyError) as error:
        raise invalid("moments", f"a file that save_moments wrote, and {path} is none ({error})", path.name) from None


def _compact(groups: jax.Array, n_groups: int) -> tuple[jax.Array, jax.Array, int]:
    """Return the sorted groups of a batch, the index of each vector's group among them, and their largest number.

    The last index may belong to vectors that are left out; ``present`` is out of range there.
    """
    groups = jnp.where((groups >= 0) & (groups < n_groups), groups, n_groups)
    size = min(len(groups), n_groups + 1)
    present, local = jnp.unique(groups, return_inverse=True, size=size, fill_value=n_groups)
    return present, local, size


def _two_sum(first: jax.Array, second: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the rounded sum and its rounding error, exactly (Knuth)."""
    total = first + second
    virtual = total - first
    return total, (first - (total - virtual)) + (second - virtual)


def _add_pair(value: jax.Array, error: jax.Array, term: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return ``value + error + term`` as a rounded number and its rounding error."""
    total, rest = _two_sum(value, term)
    return _two_sum(total, rest + error)
