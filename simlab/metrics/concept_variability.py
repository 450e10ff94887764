"""Collapse of the tokens of a layer onto their concepts: variance within concepts over variance between concepts.

At each position ``l`` the tokens ``x_bl`` of the sentences ``b``, of probability ``p_b``, fall into groups (concepts),
and these into words. With ``E`` the mean over sentences at position ``l``, and then over positions,

    between = E |mean(l, concept) - mean(l)|^2        = trace(Sigma_between)
    within  = E |x_bl - mean(l, concept)|^2           = trace(Sigma_within)
    word    = E |mean(l, word) - mean(l, concept)|^2  the part of ``within`` that the word's identity explains
    context = E |x_bl - mean(l, word)|^2              the rest: the effect of the other positions

``within + between`` is the total variance around the means of the positions, and ``within = word + context`` where a
word has one concept. The ratio ``within / between`` is 0 at collapse and invariant to rotation, scaling and translation
of the tokens. It replaces the first measure of neural collapse, ``trace(Sigma_within Sigma_between^+)`` (Papyan, Han,
Donoho, arXiv 2008.08186), which needs a pseudo-inverse.

The variances are those of the given tokens, without Bessel's correction: in a sample with ``n`` tokens of one word at
one position, ``1/n`` of the variance from context is counted as ``word``. Whole populations have no such bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simlab.validation import check_count, invalid

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from simlab.tasks.batch import AnyArray


class ConceptVariability(NamedTuple):
    """Variances of the tokens of one layer, each a scalar in squared units of the tokens.

    Attributes:
        within: variance around the means of groups.
        between: variance of the means of groups around the mean of their position.
        word: the part of ``within`` between words; NaN where no words are given.
        context: the part of ``within`` inside words; NaN where no words are given.
    """

    within: Float[AnyArray, ""]
    between: Float[AnyArray, ""]
    word: Float[AnyArray, ""]
    context: Float[AnyArray, ""]

    @property
    def ratio(self) -> Float[AnyArray, ""]:
        """``within / between``, dimensionless: infinite if only ``between`` is zero, NaN if both are."""
        xp = self.between.__array_namespace__()
        divisor = xp.where(self.between > 0, self.between, xp.ones_like(self.between))
        undefined = xp.where(self.within > 0, xp.inf, xp.nan)
        return xp.where(self.between > 0, self.within / divisor, undefined)


def concept_variability(
    hidden: Float[AnyArray, "B P m"],
    groups: Int[AnyArray, "B P"],
    words: Int[AnyArray, "B P"] | None = None,
    weights: Float[AnyArray, " B"] | None = None,
    *,
    n_groups: int,
    n_words: int | None = None,
) -> ConceptVariability:
    """Return the :class:`ConceptVariability` of a layer, in the precision of its tokens. NumPy and JAX arrays alike.

    Memory: a few copies of ``hidden``, and one mean for each position and group, and for each position and word.

    Args:
        hidden: ``Float[B, P, m]``, tokens of ``B`` sentences at ``P`` positions; a layer that merges the positions has
            ``P = 1``.
        groups: ``Int[B, P]``, below ``n_groups``: the concept of each token, or the class of each sentence in a layer
            that merges the positions.
        words: ``Int[B, P]``, below ``n_words``: the word of each token, each within one group; None if ``within`` is
            not to be split.
        weights: ``Float[B]``, the probability of each sentence, summing to 1; None means ``1/B``.
        n_groups: number of groups; some may be empty.
        n_words: number of words.

    Returns:
        The variances, averaged over positions.

    Raises:
        ValueError: the shape of the labels is not that of the tokens, or their number is not a positive whole number.
    """
    xp = hidden.__array_namespace__()
    n_sentences, n_positions, dim = hidden.shape
    _check_labels("groups", groups, n_groups, (n_sentences, n_positions))
    if words is not None:
        _check_labels("words", words, n_words, (n_sentences, n_positions))
    if weights is None:
        weights = xp.full(n_sentences, 1 / n_sentences, dtype=hidden.dtype)
    token_weights = xp.repeat(weights / n_positions, n_positions)
    positions = xp.arange(n_sentences * n_positions) % n_positions

    def explain(tokens, labels, n_labels):
        """Return the mean square of the means of each position and label, and the tokens minus these means."""
        cells = positions * n_labels + labels.reshape(-1)
        means = _cell_means(tokens, cells, token_weights, n_positions * n_labels)[cells]
        return _mean_square(means, token_weights), tokens - means

    # Centred at every step, so that no large squares cancel.
    _, centred = explain(hidden.reshape(-1, dim), xp.zeros_like(groups), 1)
    between, residuals = explain(centred, groups, n_groups)
    within = _mean_square(residuals, token_weights)
    word = context = xp.full_like(within, xp.nan)
    if words is not None:
        word, residuals = explain(residuals, words, n_words)
        context = _mean_square(residuals, token_weights)
    return ConceptVariability(within, between, word, context)


def _check_labels(field: str, labels: Int[AnyArray, "B P"], n_labels: int | None, shape: tuple[int, int]) -> None:
    """Raise ``ValueError`` unless the labels have the shape of the tokens and their number is given."""
    check_count(f"n_{field}", n_labels)
    if labels.shape != shape:
        raise invalid(field, f"labels of shape {shape}, one per token", labels.shape)


def _mean_square(vectors: Float[AnyArray, "N m"], weights: Float[AnyArray, " N"]) -> Float[AnyArray, ""]:
    """Return ``sum_i p_i |v_i|^2`` of ``Float[N, m]`` and ``Float[N]``."""
    xp = vectors.__array_namespace__()
    return xp.sum(weights * xp.sum(vectors**2, axis=1))


def _cell_means(
    vectors: Float[AnyArray, "N m"], cells: Int[AnyArray, " N"], weights: Float[AnyArray, " N"], n_cells: int
) -> Float[AnyArray, "n_cells m"]:
    """Return the weighted mean of each cell, ``Float[n_cells, m]``; zero for a cell without weight."""
    sums = _cell_sums(vectors * weights[:, None], cells, n_cells)
    masses = _cell_sums(weights[:, None], cells, n_cells)
    return sums / masses.__array_namespace__().where(masses > 0, masses, 1)


def _cell_sums(
    vectors: Float[AnyArray, "N m"], cells: Int[AnyArray, " N"], n_cells: int
) -> Float[AnyArray, "n_cells m"]:
    """Return the sum of ``Float[N, m]`` over each cell ``Int[N]``, ``Float[n_cells, m]``."""
    xp = vectors.__array_namespace__()
    sums = xp.zeros((n_cells, vectors.shape[1]), dtype=vectors.dtype)
    if hasattr(sums, "at"):
        # JAX. The order of additions on a GPU is not fixed: the last digits may differ from run to run.
        return sums.at[cells].add(vectors)
    xp.add.at(sums, cells, vectors)
    return sums
