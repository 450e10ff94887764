"""InfoNCE from the vectors whose inner products are the scores, without most of the traffic of the plain form.

With ``s_ij = rows_i . columns_j`` and the positive scores p, the loss of row i is ``log(1 + sum_j exp(s_ij - p_i))``;
its gradient needs the same exponentials as its value. Rows are taken in blocks whose scores stay in a CPU's cache.

Of B rows and columns in m dimensions:
    - one side: a block has its scores, maxima, exponentials, their sums and both products of the gradient. There are no
      more products than those of value and gradient, ``6 B^2 m`` operations, one exponential for each score, and no
      matrix of all scores;
    - two sides: the gradient needs the sums over columns first, so one matrix of ``B^2`` exponentials is kept.

The plain form does the same products, but writes and reads about ten matrices of ``B^2`` numbers beside. A CPU core
multiplies and adds about a hundred times in the time in which a number comes from memory, so that below a few hundred
dimensions the plain form mostly waits. Accelerators get blocks that fill them, few and large.
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

# Scores of a block: on a CPU 4 MB in float32, which its last cache holds; elsewhere 256 MB.
CPU_BLOCK, DEVICE_BLOCK = 2**20, 2**26
# Of scores and positives that may share one shift: B exp(60) and exp(-30) are numbers of float32.
RANGE = 60.0


class Sums(NamedTuple):
    """Sums of exponentials over negatives, ``exp(shift) * scaled``; ``shift`` is the largest score or the positive."""

    shift: Float[Array, " n"]
    scaled: Float[Array, " n"]

    def total(self, positive: Float[Array, " n"]) -> Float[Array, " n"]:
        """Return the sum over negatives and positive, over ``exp(shift)``."""
        return self.scaled + jnp.exp(positive - self.shift)

    def losses(self, positive: Float[Array, " n"]) -> Float[Array, " n"]:
        """Return ``log(1 + sum of exp(score - positive))``, with all its digits however small it is."""
        return (self.shift - positive) + jnp.log1p(self.scaled + jnp.expm1(positive - self.shift))


class Rows(NamedTuple):
    """Some rows.

    Attributes:
        vectors: the anchors.
        positive: the score of each with its positive.
        example: to which each belongs; -1 for padding, which has no scores.
    """

    vectors: Float[Array, "n m"]
    positive: Float[Array, " n"]
    example: Int[Array, " n"]


class Visited(NamedTuple):
    """What a first pass leaves of rows for a second one.

    Attributes:
        sums: over the negatives of each row.
        is_level: where all exponentials are about the middle of a :class:`Level`.
        kept: these exponentials, or else the scores; None if they are not needed.
    """

    sums: Sums
    is_level: Bool[Array, " n"]
    kept: Any


class Columns(NamedTuple):
    """The vectors among which the negatives are, those of other examples; column j belongs to ``j mod n_examples``."""

    vectors: Float[Array, "C m"]
    n_examples: int

    def scores(self, rows: Rows) -> Float[Array, "n C"]:
        """Return the scores of all negatives, and -inf where row and column belong to one example."""
        examples = jnp.arange(len(self.vectors))[None, :] % self.n_examples
        is_left_out = (rows.example[:, None] == examples) | (rows.example[:, None] < 0)
        return jnp.where(is_left_out, -jnp.inf, rows.vectors @ self.vectors.T)


class Level(NamedTuple):
    """One shift for all exponentials of rows and columns, safe where scores are near the positives.

    All positives lie within 30 of the middle and no score is above ``top``, 60 above the least positive: exponentials
    about the middle are below exp(60), and what float32 loses of them, below exp(-87), is less than exp(-57) of a
    positive's. Elsewhere rows and columns have exponentials of their own.
    """

    middle: Float[Array, ""]
    top: Float[Array, ""]

    @classmethod
    def of(cls, positive: Float[Array, " n"]) -> Level:
        """Return the level of positive scores; its top is -inf where they differ by more than 60."""
        positive = jax.lax.stop_gradient(positive)
        low, high = jnp.min(positive), jnp.max(positive)
        return cls((low + high) / 2, jnp.where(high - low < RANGE, low + RANGE, -jnp.inf))

    def holds(self, scores: Float[Array, "n C"]) -> Bool[Array, ""]:
        """Return whether no score is above the top."""
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

    First derivatives are computed together with the value; derivatives of all orders are right, in both modes.

    Args:
        rows: the anchors; row i belongs to example ``i mod n_examples``.
        columns: among which the negatives are, those of other examples.
        positive: ``p``, the score of each row with its positive.
        n_examples: ``B``.
        is_two_sided: whether the mean is also over the columns, as anchors among the rows with the same positives.
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
    """Return the mean loss of rows and columns and its gradients; the scores are computed once and kept."""
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
        columns: as many.
        keep: whether scores, or the exponentials, are kept as well.
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
    """Return the exponentials of the scores, over ``exp(shift)``, and their sums over the negatives of each row."""
    shift = jax.lax.stop_gradient(jnp.maximum(rows.positive, jnp.max(scores, axis=1)))
    exponentials = jnp.exp(scores - shift[:, None])
    return exponentials, Sums(shift, jnp.sum(exponentials, axis=1))


def _over_blocks(visit: Callable[..., tuple[Any, Any]], carry, rows: Rows, columns: Columns, *more):
    """Return what is carried from block to block, and the rest of what a visit returns, for all rows.

    Args:
        visit: ``(carry, block of rows, *blocks of more) -> (carry, arrays with a leading axis of rows)``.
        carry: at the start.
        rows: to be cut into blocks.
        columns: of which each block has all.
        more: trees of arrays with a leading axis of rows; padding is zero.
    """
    n_rows = len(rows.vectors)
    most = CPU_BLOCK if platform() == "cpu" else DEVICE_BLOCK
    n_blocks = -(-n_rows // max(1, most // len(columns.vectors)))
    if n_blocks == 1:
        return visit(carry, rows, *more)
    size = -(-n_rows // n_blocks)
    n_blocks = -(-n_rows // size)  # so that the first row of each block is none of the padding

    def cut(array):
        filled = jnp.pad(array, [(0, n_blocks * size - n_rows)] + [(0, 0)] * (array.ndim - 1))
        return filled.reshape(n_blocks, size, *array.shape[1:])

    blocks, *more = jax.tree.map(cut, (rows, *more))
    is_padding = jnp.arange(n_blocks * size).reshape(n_blocks, size) >= n_rows
    blocks = blocks._replace(example=jnp.where(is_padding, -1, blocks.example))
    carry, parts = jax.lax.scan(lambda carry, block: visit(carry, *block), carry, (blocks, *more))
    return carry, jax.tree.map(lambda part: part.reshape(-1, *part.shape[2:])[:n_rows], parts)
