"""Contextual embeddings before training: the kernel of a wide transformer encoder with random weights.

Query weights are zero at the start, so that attention is uniform over the tokens of a sentence. As the width grows,
inner products of tokens over d follow a recursion on the kernel K of all tokens of all sentences:

    K_0 = (v_w [same word] + v_p [same position])                          v: variances of embeddings and positions
    attention     B = a (mean of K over the tokens of both sentences)      a: gain of the value and output maps
    feed-forward  B = f kappa(K)                                           f: gain of the map from the hidden units
    post-norm     K <- (K + B) normalised to unit diagonal, after K_0 and each branch; B is of this K
    pre-norm      R <- R + B, with B of R normalised to unit diagonal, and the states are R

There is no cross term between a branch and the residual stream because the weights of the branch are independent of its
input. For independent tokens and no positions a few numbers suffice (`three_scalars`): the cosine of two occurrences of
a word, of two tokens of a sentence, and of two tokens of different sentences. Derivation: theorem 5 of
`contextual_embeddings.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer, require_non_negative
from theory.contextual_embeddings.activation_kernels import activation_kernel, check_activation

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

NORMS = ("pre", "post")
# Most tokens of a kernel, which takes 8 bytes times the square of their number.
LARGEST_COUNT = 20_000


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A random encoder of infinite width.

    Args:
        depth: number of blocks (attention, then feed-forward), 0 or more.
        norm: "pre" or "post".
        activation: "relu" or "gelu".
        embedding_variance: v_w, variance of an entry of a word embedding.
        position_variance: v_p, variance of an entry of a position embedding; 0 for no positions.
        attention_gain: a; 1 if the value and output maps have entries of variance 1/(inputs).
        feed_forward_gain: f; 1 if both maps of the feed-forward network have entries of variance 1/(inputs).
        final_norm: whether a pre-norm encoder normalises once more after the last block.

    Raises: ValueError, one line that names the field.
    """

    depth: int
    norm: str = "post"
    activation: str = "relu"
    embedding_variance: float = 1.0
    position_variance: float = 0.0
    attention_gain: float = 1.0
    feed_forward_gain: float = 1.0
    final_norm: bool = False

    def __post_init__(self):
        require_integer("depth", self.depth, minimum=0)
        if self.norm not in NORMS:
            raise ValueError(f"norm: expected one of {', '.join(NORMS)}, got {self.norm!r}")
        check_activation(self.activation)
        for field in ("embedding_variance", "position_variance", "attention_gain", "feed_forward_gain"):
            require_non_negative(field, getattr(self, field))
        if not self.embedding_variance + self.position_variance:
            raise ValueError("embedding_variance: expected a positive number without positions, got 0")


def kernels(
    encoder: Encoder, words: Int[np.ndarray, "S L"], mask: Bool[np.ndarray, "S L"] | None = None
) -> list[Float[np.ndarray, "N N"]]:
    """Return the kernel of all N tokens of the given sentences at each layer, the embeddings first.

    Tokens are in the order of ``words[mask]``: sentence by sentence, without masked positions. An entry is the inner
    product of two tokens divided by d.

    Args:
        encoder: the encoder.
        words: the word at each position of each sentence, any integers.
        mask: which positions hold a token; None for all.

    Returns: depth + 1 matrices (N, N), float64; one more for a pre-norm encoder with a final norm.
    Raises: ValueError, one line that names the field; also for a sentence without tokens.
    """
    tokens = _tokens(words, mask)
    state = encoder.embedding_variance * (tokens.words[:, None] == tokens.words[None, :])
    state = state + encoder.position_variance * (tokens.positions[:, None] == tokens.positions[None, :])
    is_post = encoder.norm == "post"
    state = _normalise(state) if is_post else state
    layers = [state]
    for _ in range(encoder.depth):
        for branch in (_attention(encoder, tokens), _feed_forward(encoder)):
            state = _normalise(state + branch(state)) if is_post else state + branch(_normalise(state))
        layers.append(state)
    return layers if is_post or not encoder.final_norm else [*layers, _normalise(state)]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerStatistics:
    """Statistics of the tokens of one layer, from their kernel; inner products are divided by d.

    Args:
        words: the words that occur, sorted.
        counts: n_t, float64; this and the next three arrays are in the order of `words`.
        mean_square: Q_t, mean |x|^2 of the occurrences.
        square_mean: M_t = |mean x|^2; V_t = Q_t - M_t.
        self_similarity: mean cosine of two different occurrences; NaN below two.
        whole_mean_square: Q.
        whole_square_mean: M; V = Q - M.
        within_share: V_W/V, the variance within words over the total variance.
        intra_sentence: mean cosine of a token and the mean of its sentence.
        anisotropy: mean cosine of different words in different sentences; NaN if there are none.
    """

    words: Int[np.ndarray, " t"]
    counts: Float[np.ndarray, " t"]
    mean_square: Float[np.ndarray, " t"]
    square_mean: Float[np.ndarray, " t"]
    self_similarity: Float[np.ndarray, " t"]
    whole_mean_square: float
    whole_square_mean: float
    within_share: float
    intra_sentence: float
    anisotropy: float

    @property
    def variance(self) -> Float[np.ndarray, " t"]:
        """V_t = Q_t - M_t."""
        return self.mean_square - self.square_mean

    @property
    def mean_share(self) -> float:
        """M/Q of all tokens."""
        return self.whole_square_mean / self.whole_mean_square


def layer_statistics(
    kernel: Float[np.ndarray, "N N"], words: Int[np.ndarray, "S L"], mask: Bool[np.ndarray, "S L"] | None = None
) -> LayerStatistics:
    """Return the statistics of one kernel from `kernels`, for the same words and mask.

    They are exact for the given sentences in a network of infinite width: all means are over pairs of these tokens.

    Args:
        kernel: of all N tokens, (N, N).
        words: the word at each position of each sentence, as for `kernels`.
        mask: as for `kernels`.

    Raises: ValueError, one line that names the field.
    """
    tokens = _tokens(words, mask)
    vocabulary, index = np.unique(tokens.words, return_inverse=True)
    counts = np.bincount(index).astype(float)
    groups = np.zeros((len(vocabulary), len(index)))
    groups[index, np.arange(len(index))] = 1.0
    norms = np.sqrt(np.diag(kernel))
    cosines = kernel / np.outer(norms, norms)
    total = np.sum(groups @ cosines * groups, axis=1)
    square_mean = np.sum(groups @ kernel * groups, axis=1) / counts**2
    whole_square, whole_mean = float(np.mean(np.diag(kernel))), float(kernel.mean())
    within = whole_square - float(counts @ square_mean) / len(index)
    with np.errstate(divide="ignore", invalid="ignore"):
        similarity = np.where(counts >= 2, (total - counts) / (counts * (counts - 1)), np.nan)
    different = (index[:, None] != index[None, :]) & (tokens.sentences[:, None] != tokens.sentences[None, :])
    to_means = tokens.averages @ kernel  # inner products of sentence means and tokens
    own = to_means[tokens.sentences, np.arange(len(index))]
    lengths = np.sqrt(np.sum(to_means * tokens.averages, axis=1))[tokens.sentences]
    return LayerStatistics(
        words=vocabulary,
        counts=counts,
        mean_square=groups @ np.diag(kernel) / counts,
        square_mean=square_mean,
        self_similarity=similarity,
        whole_mean_square=whole_square,
        whole_square_mean=whole_mean,
        within_share=within / (whole_square - whole_mean),
        intra_sentence=float(np.mean(own / (norms * lengths))),
        anisotropy=float(cosines[different].mean()) if different.any() else float("nan"),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ThreeScalars:
    """Cosines by layer, the embeddings first, each float64 (depth + 1,).

    Args:
        same_word: of two occurrences of one word in different sentences, the self-similarity.
        same_sentence: of two tokens of one sentence.
        different: of tokens of sentences that share no word, the anisotropy and M/Q.
    """

    same_word: Float[np.ndarray, " layers"]
    same_sentence: Float[np.ndarray, " layers"]
    different: Float[np.ndarray, " layers"]

    @property
    def within_share(self) -> Float[np.ndarray, " layers"]:
        """V_W/V, the variance within words over the total variance."""
        return (1 - self.same_word) / (1 - self.different)


def three_scalars(depth: int, sentence_length: int, activation: str = "relu") -> ThreeScalars:
    """Return the cosines of a post-norm encoder with independent tokens, many words and no positions.

    With ``B_s = (1 + (L - 1) pair)/L`` the squared norm of a sentence's mean, attention is
    ``x -> (x + B_x)/(1 + B_s)``, where B_x is B_s for two tokens of a sentence and aniso for sentences that share no
    word. Two sentences that share one word have ``B = (self + 2 (L - 1) one + (L - 1)^2 none)/L^2``: *one* is the
    cosine of the shared word with another word of the other sentence, *none* that of two other words. Both deviate from
    aniso with depth, so the recursion closes in five numbers, not three. The feed-forward network is
    ``x -> (x + kappa(x))/(1 + kappa(1))``.

    Args:
        depth: number of blocks.
        sentence_length: L, at least 1.
        activation: "relu" or "gelu".

    Raises: ValueError, one line that names the field.
    """
    depth = require_integer("depth", depth, minimum=0)
    length = require_integer("sentence_length", sentence_length, minimum=1)
    check_activation(activation)
    rest, unit = length - 1, activation_kernel(np.ones(()), activation)
    values = np.array([1.0, 0.0, 0.0, 0.0, 0.0])  # self, pair, aniso, one, none
    layers = [values]
    for _ in range(depth):
        same, pair, other, one, none = values
        square = (1 + rest * pair) / length
        shared = (same + 2 * rest * one + rest**2 * none) / length**2
        values = (values + np.array([shared, square, other, shared, shared])) / (1 + square)
        values = (values + activation_kernel(values, activation)) / (1 + unit)
        layers.append(values)
    same_word, same_sentence, different = np.array(layers).T[:3]
    return ThreeScalars(same_word=same_word, same_sentence=same_sentence, different=different)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tokens:
    """All tokens of some sentences, flattened: word, position and sentence of each, and the averaging matrix."""

    words: Int[np.ndarray, " N"]
    positions: Int[np.ndarray, " N"]
    sentences: Int[np.ndarray, " N"]
    averages: Float[np.ndarray, "S N"]


def _tokens(words, mask) -> _Tokens:
    """Return the tokens of the unmasked positions, or raise ValueError for a wrong shape, type or number."""
    words = np.asarray(words)
    if words.ndim != 2 or not words.size or not np.issubdtype(words.dtype, np.integer):
        raise ValueError(f"words: expected integers of shape (sentences, positions), got shape {words.shape}")
    mask = np.ones(words.shape, bool) if mask is None else np.asarray(mask, bool)
    if mask.shape != words.shape:
        raise ValueError(f"mask: expected the shape of words, {words.shape}, got {mask.shape}")
    lengths = mask.sum(1)
    if not lengths.all():
        raise ValueError(f"mask: expected a token in every sentence, got none in sentence {int(np.argmin(lengths))}")
    if lengths.sum() > LARGEST_COUNT:
        raise ValueError(f"words: expected at most {LARGEST_COUNT} tokens, got {lengths.sum()}")
    sentences, positions = np.nonzero(mask)
    averages = (np.arange(len(words))[:, None] == sentences[None, :]) / lengths[:, None]
    return _Tokens(words=words[mask], positions=positions, sentences=sentences, averages=averages)


def _attention(encoder: Encoder, tokens: _Tokens):
    """Return the map from a kernel to that of the attention outputs, the mean value of each token's sentence."""

    def attend(kernel: Float[np.ndarray, "N N"]) -> Float[np.ndarray, "N N"]:
        means = tokens.averages @ kernel @ tokens.averages.T
        return encoder.attention_gain * means[np.ix_(tokens.sentences, tokens.sentences)]

    return attend


def _feed_forward(encoder: Encoder):
    return lambda kernel: encoder.feed_forward_gain * activation_kernel(kernel, encoder.activation)


def _normalise(kernel: Float[np.ndarray, "N N"]) -> Float[np.ndarray, "N N"]:
    norms = np.sqrt(np.diag(kernel))
    return kernel / norms[:, None] / norms[None, :]
