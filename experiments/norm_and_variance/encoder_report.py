"""The statistics of an encoder by layer, computed in float64 from the sums of a pass over a corpus.

*Frequent* tokens have a separate group each. M/Q, the shares of the variance and the trade-off of M and V are over
frequent words, without special tokens. Self-similarity is a mean over frequent tokens. Anisotropy is the mean cosine
between different tokens in different sentences, including rare tokens; two rare occurrences of the same token count as
different, which affects at most (least count)/(occurrences) of all pairs. Names that end in ``_all`` include special
tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np
from scipy.stats import rankdata

from simlab.metrics.contextual.norm_and_variance import (
    GroupMoments,
    group_moments,
    mean_cosine,
    pooled_mean,
    rogue_share,
    trade_off,
    variance_shares,
)
from simlab.metrics.moments import Moments, Sums

if TYPE_CHECKING:
    from jaxtyping import Float

    from experiments.norm_and_variance.encoder_pass import PassState
    from experiments.norm_and_variance.sentences import TokenGroups

Arrays = dict[str, np.ndarray]


class UnitMeans(NamedTuple):
    """Counts and means of unit vectors by group, in float64."""

    count: np.ndarray
    mean: np.ndarray

    def take(self, groups) -> UnitMeans:
        """Return a selection of the groups."""
        return UnitMeans(self.count[groups], self.mean[groups])

    @property
    def self_similarity(self) -> np.ndarray:
        """Mean cosine between different vectors of each group."""
        return mean_cosine(self.count, self.mean)

    @property
    def pair_sums(self) -> tuple[float, float]:
        """Sum of the cosines of all pairs within groups, including each vector with itself, and their number."""
        return float(self.count**2 @ np.sum(self.mean**2, axis=1)), float(np.sum(self.count**2.0))

    def pooled(self) -> UnitMeans:
        """Return all groups merged into one."""
        return UnitMeans(np.array([self.count.sum()]), pooled_mean(self.count, self.mean)[None])


def unit_means(sums: Sums) -> UnitMeans:
    """Return the means of one layer's sums."""
    count = np.asarray(sums.count, np.int64)
    total = np.asarray(sums.total, np.float64) + np.asarray(sums.error, np.float64)
    return UnitMeans(count, total / np.maximum(count, 1)[:, None])


def describe_layers(
    state: PassState, groups: TokenGroups, scale: Float[np.ndarray, "layers d"], offset: Float[np.ndarray, "layers d"]
) -> Arrays:
    """Return arrays by layer, ``Float[layers]``, and by layer and frequent word, ``Float[layers, words]``.

    Args:
        state: the state at the end of the pass.
        groups: the groups of its tokens.
        scale: scale of the LayerNorm at the end of each layer.
        offset: offset of that LayerNorm.
    """
    rows = []
    for layer in range(len(scale)):
        moments = Moments(*(array[layer] for array in state.tokens))
        before = group_moments(moments)
        units = unit_means(Sums(*(array[layer] for array in state.directions)))
        sentences = [[array[kind, layer] for array in state.sentences] for kind in (0, 1)]
        row = _trade_offs(before.take(groups.words), scale[layer], offset[layer])
        row |= _similarities(units, groups, sentences, int(state.n_sentences))
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _trade_offs(before: GroupMoments, scale: np.ndarray, offset: np.ndarray) -> Arrays:
    """Return shares and trade-offs of frequent words, from moments before scale and offset."""
    after = before.transform(scale, offset)
    shares, scaled, unscaled = variance_shares(after), trade_off(after), trade_off(before)
    return {
        "mean_share": shares.mean_share,
        "within_share": shares.within_share,
        "between_share": shares.between_share,
        "correlation": scaled.correlation,
        "slope": scaled.slope,
        "deviation_ratio": scaled.deviation_ratio,
        "square_correlation": scaled.square_correlation,
        "undone_correlation": unscaled.correlation,
        "token_mean_square": after.mean_square,
        "token_variance": after.variance,
    }  # pyright: ignore[reportReturnType] - numbers become arrays when layers are stacked


def _similarities(units: UnitMeans, groups: TokenGroups, sentences, n_sentences: int) -> Arrays:
    """Return mean cosines, without special tokens and with them."""
    values = {}
    is_word = np.ones(groups.n_groups, bool)
    is_word[groups.special] = False
    for kind, suffix in enumerate(("", "_all")):
        intra, squares, repeat_squares, pairs, repeat_pairs = sentences[kind]
        counted = units if suffix else units.take(is_word)
        frequent = units.take(slice(0, len(groups.tokens))) if suffix else units.take(groups.words)
        total, n_total = counted.pooled().pair_sums
        same, n_same = frequent.pair_sums
        n_rare = groups.n_rare_occurrences  # each forms a pair with itself
        n_different = n_total - pairs - n_same - n_rare + repeat_pairs
        difference = total - squares - same - n_rare + repeat_squares
        similar = frequent.self_similarity
        pooled = counted.pooled().mean[0]
        values |= {
            f"self_similarity{suffix}": np.mean(similar) if len(similar) else np.nan,
            f"intra{suffix}": intra / n_sentences,
            f"anisotropy{suffix}": difference / n_different if n_different > 0 else np.nan,
            f"rogue_share{suffix}": rogue_share(pooled),
            f"rogue_dimension{suffix}": int(np.argmax(pooled**2)),
        }
    return values | {"token_self_similarity": units.take(groups.words).self_similarity}


def context_similarity(state: PassState, groups: TokenGroups) -> Float[np.ndarray, " words"]:
    """Return for each frequent word the mean cosine between its sentences, one per occurrence."""
    return unit_means(Sums(*(array[0] for array in state.contexts))).take(groups.words).self_similarity


def determination(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"]) -> float:
    """Return R^2 of a linear regression, the squared correlation; NaN for fewer than three pairs."""
    return _correlation(first, second) ** 2


def rank_correlation(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"]) -> float:
    """Return Spearman's correlation; NaN for fewer than three pairs."""
    return _correlation(rankdata(first), rankdata(second))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    if len(first) < 3 or not (np.std(first) > 0 and np.std(second) > 0):
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def to_arrays(state: PassState, n_done: int, fingerprint: str) -> Arrays:
    """Return the state after ``n_done`` batches as arrays to be saved, with the fingerprint of its pass."""
    leaves = {f"{index:02d}": np.asarray(leaf) for index, leaf in enumerate(jax.tree.leaves(state))}
    return {"fingerprint": np.array(fingerprint), "n_done": np.array(n_done)} | leaves


def from_arrays(arrays: Arrays | None, begun: PassState, fingerprint: str) -> tuple[PassState, int]:
    """Return a saved state and its number of batches, or the initial state if none of this pass is saved."""
    if arrays is None or str(arrays["fingerprint"]) != fingerprint:
        return begun, 0
    leaves = [arrays[name] for name in sorted(arrays) if name.isdigit()]
    return jax.tree.unflatten(jax.tree.structure(begun), leaves), int(arrays["n_done"])
