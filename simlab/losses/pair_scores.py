"""InfoNCE from vectors whose inner products are the scores, with much less memory traffic than the direct form.

With ``s_ij = rows_i . columns_j`` and the positive scores p, the loss of row i is ``log(1 + sum_j exp(s_ij - p_i))``;
its gradient needs the same exponentials as its value. Rows are processed in blocks whose scores fit the cache of a CPU.

For B rows and columns in m dimensions:
    - one side: scores, maxima, exponentials, their sums and both products of the gradient are computed per block. Value
      and gradient take ``6 B^2 m`` operations and one exponential per score, without a matrix of all scores;
    - two sides: the gradient needs the sums over columns first, so that one matrix of ``B^2`` exponentials is stored.

The direct form computes the same products, but also writes and reads about ten matrices of ``B^2`` numbers. A CPU core
does about a hundred multiply-adds in the time of one memory access, so that below a few hundred dimensions the direct
form is bound by memory. Accelerators get a few large blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from simlab.runtime.devices import platform

if TYPE_CHECKING:
    from jaxtyping import Array, Bool, Float, Int

# Scores of a block: on a CPU 4 MB in float32, which fits its last-level cache; on other platforms 256 MB.
CPU_BLOCK, DEVICE_BLOCK = 2**20, 2**26
# Range of scores and positives that may share one shift: B exp(60) and exp(-30) are representable in float32.
RANGE = 60.0


class Sums(NamedTuple):
    """Sums of exponentials over negatives, ``exp(shift) * scaled``; ``shift`` is the largest score or the positive.

    The shift prevents overflow.
    """

    shift: Float[Array, " n"]
    scaled: Float[Array, " n"]

    def total(self, positive: Float[Array, " n"]) -> Float[Array, " n"]:
        """Return the sum over the negatives and the positive, divided by ``exp(shift)``."""
        return self.scaled + jnp.exp(positive - self.shift)

    def losses(self, positive: Float[Array, " n"]) -> Float[Array, " n"]:
        """Return ``log(1 + sum of exp(score - positive))``, to full relative precision also for small values."""
        return (self.shift - positive) + jnp.log1p(self.scaled + jnp.expm1(positive - self.shift))


class Rows(NamedTuple):
    """A block of rows, or all rows.

    Attributes:
        vectors: the anchors.
        positive: the score of each anchor with its positive.
        example: the example of each anchor; -1 for padding, which has no scores.
    """

    vectors: Float[Array, "n m"]
    positive: Float[Array, " n"]
    example: Int[Array, " n"]


class Visited(NamedTuple):
    """Results of a first pass over rows, for the second pass.

    Attributes:
        sums: sums over the negatives of each row.
        is_level: whether exponentials are relative to the middle of a :class:`Level`.
        kept: these exponentials if ``is_level``, otherwise the scores; None if they are not needed.
    """

    sums: Sums
    is_level: Bool[Array, " n"]
    kept: Any


class Columns(NamedTuple):
    """Candidates for negatives; column j belongs to example ``j mod n_examples`` and is a negative of all others."""

    vectors: Float[Array, "C m"]
    n_examples: int

    def scores(self, rows: Rows) -> Float[Array, "n C"]:
        """Return the scores of all negatives, and -inf where row and column belong to the same example."""
        examples = jnp.arange(len(self.vectors))[None, :] % self.n_examples
        is_left_out = (rows.example[:, None] == examples) | (rows.example[:, None] < 0)
        return jnp.where(is_left_out, -jnp.inf, rows.vectors @ self.vectors.T)


class Level(NamedTuple):
    """A common shift for all exponentials of rows and columns, which is safe if scores are near the positives.

    It is used if all positives are within 30 of the middle and no score exceeds ``top``, the smallest positive plus 60.
    Exponentials relative to the middle are then below exp(60), and those that underflow in float32, below exp(-87), are
    less than exp(-57) of that of a positive. Otherwise rows and columns have separate shifts.
    """

    middle: Float[Array, ""]
    top: Float[Array, ""]

    @classmethod
    def of(cls, positive: Float[Array, " n"]) -> Level:
        """Return the level of positive scores; its top is -inf if they differ by 60 or more."""
        positive = jax.lax.stop_gradient(positive)
        low, high = jnp.min(positive), jnp.max(positive)
        return cls((low + high) / 2, jnp.where(high - low < RANGE, low + RANGE, -jnp.inf))

    def holds(self, scores: Float[Array, "n C"]) -> Bool[Array, ""]:
        """Return whether all scores are below the top."""
        return jnp.max(scores) < self.top


@partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def mean_loss(
    rows: Float[Array, "R m"],
    columns: Float[Array, "C m"],
    positive: Float[Array, " R"],
    n_examples: int,
    is_two_sided: bool,
) -> Float[Array, ""]:
    """Return ``mean_i log(1 + sum_j exp(rows_i . columns_j - p_i))``, nats.

    First derivatives are computed together with the value; derivatives of any order are correct, in forward and reverse
    mode.

    Args:
        rows: the anchors; row i belongs to example ``i mod n_examples``.
        columns: candidates for negatives; those of other examples count.
        positive: ``p``, the score of each row with its positive.
        n_examples: ``B``.
        is_two_sided: whether the mean also runs over the columns as anchors, with the rows as candidates and the same
            positives.
    """
    anchors, others = _anchors(rows, positive, n_examples), Columns(columns, n_examples)
    if is_two_sided:
        visited, by_column = _visit_both(anchors, others, keep=False)
        return (jnp.mean(visited.sums.losses(positive)) + jnp.mean(by_column.losses(positive))) / 2
    visit = lambda carry, block: (carry, _exponentials(block, others.scores(block))[1].losses(block.positive))  # noqa: E731
    return jnp.mean(_over_blocks(visit, None, anchors, others)[1])


@mean_loss.defjvp
def _mean_loss_tangent(n_examples: int, is_two_sided: bool, primals, tangents):
    rows, columns, positive = primals
    differentiate = _two_sides if is_two_sided else _one_side
    value, gradients = differentiate(_anchors(rows, positive, n_examples), Columns(columns, n_examples))
    return value, sum(jnp.sum(gradient * tangent) for gradient, tangent in zip(gradients, tangents, strict=True))


def _anchors(vectors: Float[Array, "R m"], positive: Float[Array, " R"], n_examples: int) -> Rows:
    return Rows(vectors, positive, jnp.arange(len(vectors)) % n_examples)


def _one_side(rows: Rows, columns: Columns):
    """Return the mean loss of the rows and its gradients, in one pass."""

    def visit(columns_gradient, block: Rows):
        exponentials, sums = _exponentials(block, columns.scores(block))
        total = sums.total(block.positive)
        columns_gradient += exponentials.T @ (block.vectors / total[:, None])
        rows_gradient = (exponentials @ columns.vectors) / total[:, None]
        return columns_gradient, (sums.losses(block.positive), rows_gradient, -sums.scaled / total)

    columns_gradient, parts = _over_blocks(visit, jnp.zeros_like(columns.vectors), rows, columns)
    losses, rows_gradient, positive_gradient = parts
    gradients = (rows_gradient, columns_gradient, positive_gradient)
    return jnp.mean(losses), tuple(gradient / len(losses) for gradient in gradients)


def _two_sides(rows: Rows, columns: Columns):
    """Return the mean loss of rows and columns and its gradients; the scores are computed once and stored."""
    visited, by_column = _visit_both(rows, columns, keep=True)
    level = Level.of(rows.positive)
    column_total = by_column.total(rows.positive)

    def visit(columns_gradient, block: Rows, seen: Visited):
        kept, shift, total = seen.kept, seen.sums.shift, seen.sums.total(block.positive)

        def of_exponentials():
            of_row = jnp.exp(level.middle - shift) / total
            of_column = jnp.exp(level.middle - by_column.shift) / column_total
            return kept * (of_row[:, None] + of_column[None, :])

        def of_scores():
            scores = jnp.where(block.example[:, None] < 0, -jnp.inf, kept)
            of_row = jnp.exp(scores - shift[:, None]) / total[:, None]
            return of_row + jnp.exp(scores - by_column.shift[None, :]) / column_total[None, :]

        weights = jax.lax.cond(seen.is_level[0], of_exponentials, of_scores)
        return columns_gradient + weights.T @ block.vectors, weights @ columns.vectors

    columns_gradient, rows_gradient = _over_blocks(visit, jnp.zeros_like(columns.vectors), rows, columns, visited)
    by_row = visited.sums
    positive_gradient = -(by_row.scaled / by_row.total(rows.positive) + by_column.scaled / column_total)
    losses = jnp.concatenate([by_row.losses(rows.positive), by_column.losses(rows.positive)])
    gradients = (rows_gradient, columns_gradient, positive_gradient)
    return jnp.mean(losses), tuple(gradient / len(losses) for gradient in gradients)


def _visit_both(rows: Rows, columns: Columns, *, keep: bool) -> tuple[Visited, Sums]:
    """Return the sums over the negatives of rows and of columns, which have the same positives.

    Args:
        rows: the anchors.
        columns: as many columns.
        keep: whether scores or exponentials are stored for a second pass.
    """
    level = Level.of(rows.positive)

    def visit(by_column: Sums, block: Rows):
        scores = columns.scores(block)

        def at_once():
            exponentials = jnp.exp(scores - level.middle)
            shift = jax.lax.stop_gradient(block.positive)
            of_row = Sums(shift, jnp.sum(exponentials, axis=1) * jnp.exp(level.middle - shift))
            added = jnp.sum(exponentials, axis=0) * jnp.exp(level.middle - by_column.shift)
            return Sums(by_column.shift, by_column.scaled + added), of_row, (exponentials if keep else None)

        def apart():
            shift = jnp.maximum(by_column.shift, jax.lax.stop_gradient(jnp.max(scores, axis=0)))
            scaled = by_column.scaled * jnp.exp(by_column.shift - shift)
            scaled += jnp.sum(jnp.exp(scores - shift[None, :]), axis=0)
            return Sums(shift, scaled), _exponentials(block, scores)[1], (scores if keep else None)

        is_level = level.holds(scores)
        by_column, of_row, kept = jax.lax.cond(is_level, at_once, apart)
        return by_column, Visited(of_row, jnp.full(block.positive.shape, is_level), kept)

    start = Sums(jax.lax.stop_gradient(rows.positive), jnp.zeros_like(rows.positive))
    by_column, visited = _over_blocks(visit, start, rows, columns)
    return visited, by_column


def _exponentials(rows: Rows, scores: Float[Array, "n C"]) -> tuple[Float[Array, "n C"], Sums]:
    """Return the exponentials of the scores, divided by ``exp(shift)``, and their sums over the negatives of a row."""
    shift = jax.lax.stop_gradient(jnp.maximum(rows.positive, jnp.max(scores, axis=1)))
    exponentials = jnp.exp(scores - shift[:, None])
    return exponentials, Sums(shift, jnp.sum(exponentials, axis=1))


def _over_blocks(visit: Callable[..., tuple[Any, Any]], carry, rows: Rows, columns: Columns, *more):
    """Call ``visit`` on all blocks of rows, and return the last carry and the arrays for all rows.

    Args:
        visit: ``(carry, block of rows, *blocks of more) -> (carry, arrays with a leading axis of rows)``.
        carry: the initial carry.
        rows: the rows to be cut into blocks.
        columns: the columns, whose number determines the size of a block.
        more: trees of arrays with a leading axis of rows; padding is zero.
    """
    n_rows = len(rows.vectors)
    most = CPU_BLOCK if platform() == "cpu" else DEVICE_BLOCK
    n_blocks = -(-n_rows // max(1, most // len(columns.vectors)))
    if n_blocks == 1:
        return visit(carry, rows, *more)
    size = -(-n_rows // n_blocks)
    n_blocks = -(-n_rows // size)  # so that the first row of a block is never padding

    def cut(array):
        filled = jnp.pad(array, [(0, n_blocks * size - n_rows)] + [(0, 0)] * (array.ndim - 1))
        return filled.reshape(n_blocks, size, *array.shape[1:])

    blocks, *more = jax.tree.map(cut, (rows, *more))
    is_padding = jnp.arange(n_blocks * size).reshape(n_blocks, size) >= n_rows
    blocks = blocks._replace(example=jnp.where(is_padding, -1, blocks.example))
    carry, parts = jax.lax.scan(lambda carry, block: visit(carry, *block), carry, (blocks, *more))
    return carry, jax.tree.map(lambda part: part.reshape(-1, *part.shape[2:])[:n_rows], parts)
