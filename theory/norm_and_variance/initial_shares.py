"""Norm and variance by layer before training: a transformer encoder of infinite width with independent tokens.

Weights are random and query weights zero, so that attention averages over the L tokens of a sentence. Words are many
and independent, and there are no positions. Then five numbers describe a layer: the squared norm q over d, and the
inner products over d of two tokens of one sentence (p), of two occurrences of a word in different sentences (s), of
different words in two sentences that share a word (h), and in two that do not (a). Initially q = s = 1 and
p = h = a = 0. Each branch adds the following functions of the five numbers divided by q:

    attention     the mean over all pairs of tokens of the two sentences: (1 + (L - 1) p)/L to q and p,
                  (s + (L^2 - 1) h)/L^2 to s and h, a to a
    feed-forward  E[f(u) f(v)] for standard normal u, v of that correlation

Post-norm divides all five by q after each branch, pre-norm does not. Almost all pairs of sentences share no word, so
M/Q = a/q, and V_within/V of words is (q - s)/(q - a).

The number h cannot be replaced by a: after the first block every token depends on its whole sentence, so two sentences
with a common word are more similar in all their tokens. With a in place of h, s is too small, and V_within/V for six
blocks, L = 8 and ReLU is 0.885 instead of 0.798.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer
from theory.short_text import short_repr

if TYPE_CHECKING:
    from jaxtyping import Float

NORMS = ("post", "pre")
ACTIVATIONS = ("relu", "gelu")
_NODES = 80  # Gauss-Hermite nodes for GELU; the result with 60 nodes agrees to 1e-14


@dataclass(frozen=True, kw_only=True, eq=False)
class InitialShares:
    """Predictions for each layer, the embeddings first; arrays `Float[depth + 1]`.

    Attributes:
        mean_share: M/Q, and the anisotropy of post-norm.
        within_share: V_within/V of words.
        between_share: V_between/Q of words, `s/q - a/q`.
        square: Q/d.
        same_sentence: the mean cosine of two tokens of a sentence.
        basis: "approximation".
        note: the assumptions.
        task: the arguments of the prediction.
    """

    mean_share: Float[np.ndarray, " layers"]
    within_share: Float[np.ndarray, " layers"]
    between_share: Float[np.ndarray, " layers"]
    square: Float[np.ndarray, " layers"]
    same_sentence: Float[np.ndarray, " layers"]
    basis: str = "approximation"
    note: str = "infinite width, zero query weights, many independent words, no positions"
    task: dict[str, object] = field(default_factory=dict)

    __repr__ = short_repr

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values."""
        names = ("mean_share", "within_share", "between_share", "square", "same_sentence")
        layers: dict[str, object] = {name: getattr(self, name).tolist() for name in names}
        return layers | {"basis": self.basis, "note": self.note}


def predict(*, depth: int = 6, norm: str = "post", sentence_length: int = 8, activation: str = "relu") -> InitialShares:
    """Return shares of norm and variance by layer at initialisation.

    Args:
        depth: number of blocks (attention, then feed-forward).
        norm: placement of LayerNorm, "post" or "pre".
        sentence_length: L, tokens.
        activation: "relu" or "gelu" (exact).

    Raises: ValueError, one line that names the field.
    """
    depth = require_integer("depth", depth, minimum=0)
    length = require_integer("sentence_length", sentence_length, minimum=1)
    for name, value, choices in (("norm", norm, NORMS), ("activation", activation, ACTIVATIONS)):
        if value not in choices:
            raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
    state = np.array([1.0, 0.0, 1.0, 0.0, 0.0])
    layers = [state]
    for _ in range(depth):
        for branch in (lambda cosines: _attend(cosines, length), lambda cosines: _kernel(cosines, activation)):
            state = state + branch(state / state[0])
            state = state / state[0] if norm == "post" else state
        layers.append(state)
    square, same_sentence, same_word, _, others = np.transpose(layers)
    return InitialShares(
        mean_share=others / square,
        within_share=(square - same_word) / (square - others),
        between_share=(same_word - others) / square,
        square=square,
        same_sentence=same_sentence / square,
        task={"depth": depth, "norm": norm, "sentence_length": length, "activation": activation},
    )


def _attend(cosines: Float[np.ndarray, " 5"], length: int) -> Float[np.ndarray, " 5"]:
    """Return the contribution of attention to q, p, s, h and a."""
    _, same_sentence, same_word, related, others = cosines
    own = (1 + (length - 1) * same_sentence) / length
    shared = (same_word + (length**2 - 1) * related) / length**2
    return np.array([own, own, shared, shared, others])


def _kernel(cosines: Float[np.ndarray, " 5"], activation: str) -> Float[np.ndarray, " 5"]:
    """Return ``E[f(u) f(v)]`` at each cosine: for ReLU in closed form (Cho and Saul, 2009), for GELU by quadrature."""
    cosines = np.clip(cosines, -1, 1)
    if activation == "relu":
        return (np.sqrt(1 - cosines**2) + (np.pi - np.arccos(cosines)) * cosines) / (2 * np.pi)
    nodes, weights = _gauss_hermite()
    first, second = nodes[:, None], nodes[None, :]
    mixed = cosines[:, None, None] * first + np.sqrt(1 - cosines**2)[:, None, None] * second
    return np.einsum("i,j,ij,kij->k", weights, weights, _gelu(first + 0 * second), _gelu(mixed))


@cache
def _gauss_hermite() -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / weights.sum()


def _gelu(values: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return values * ndtr(values)
