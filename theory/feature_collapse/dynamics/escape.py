"""Escape from the saddle at zero: the length of the initial plateau, and the growth of the modes during it.

The linear regime. Near zero, gradient descent acts on each mode of `modes` separately, so the norms of embeddings and
classifier follow from three numbers per mode: |w_i|^2, |u_i|^2 and <w_i, u_i> of the initial weights.

Its end. For saturated latents let w_(a,b) = mu_b/|mu| omega_a, Gamma the Gram matrix of the omega_a, and U as in the
growing pair. To first order in M, -G = N - mu_b / (n_c K) M, so the coupling sigma shrinks by the factor 1 - chi,

    chi = tan(theta) t_3 / (1 - eps') sqrt(n_c / (K L)) a |W|^2 / (n_c (n_c - 1)),   t_3 = sum_b mu_b^3 / |mu|^3,

with tan(theta) = (rho + lam_W) / sigma the ratio of U to W in the growing pair, a = (n_c - 1) tr(Gamma^2) / tr(Gamma)^2
(1 for an equiangular frame), and 1 - eps' = (1 - eps)(1 - delta). As chi grows like e^{2 rho t}, log |W|^2 lags behind
by chi sigma [sin(2 theta) / rho - 2 tan(theta) cos(2 theta) / (3 rho - rho_-)], with rho_- the rate of the decaying
pair; this lag over 2 rho is the `delay`. It does not depend on the size s of the initial weights, while the length of
the plateau grows like log(1/s).

Valid: gradient descent, and gradient flow as lr -> 0, on the population risk. Not covered: LayerNorm, which is not
defined at zero; momentum and rescaled gradients. Random batches have these rates on average.
Source: derived here.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import brentq

from theory.checks import require_integer, require_positive
from theory.feature_collapse.dynamics.modes import (
    EscapeModes,
    check_decays,
    escape_modes,
    growing_pair,
    pair_rates,
)
from theory.short_text import short_repr

if TYPE_CHECKING:
    from jaxtyping import Float, Int


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearRegime:
    """Gradient descent near zero, from given weights or averaged over random ones.

    Args:
        singular_values: sigma, float64 (m,).
        embedding_parts, classifier_parts, products: |w_i|^2, |u_i|^2 and <w_i, u_i> at the start, float64 (m,).
        null_embeddings, null_classifier: |W|^2 and |U|^2 outside all modes at the start.
        n_words, n_rows: n_w and K L.
        weight_decay, classifier_weight_decay: lam_W, lam_U.
        learning_rate: of gradient descent.
        slowing: chi / (tan(theta) |W|^2), see the module's docstring; exact for saturated latents.
    """

    singular_values: Float[np.ndarray, " m"]
    embedding_parts: Float[np.ndarray, " m"]
    classifier_parts: Float[np.ndarray, " m"]
    products: Float[np.ndarray, " m"]
    null_embeddings: float
    null_classifier: float
    n_words: int
    n_rows: int
    weight_decay: float
    classifier_weight_decay: float
    learning_rate: float
    slowing: float

    __repr__ = short_repr

    def embedding_squares(self, steps: Float[np.ndarray, ...] | float) -> Float[np.ndarray, "... m"]:
        """Return |w_i|^2 of every mode after the given numbers of steps, float64 (..., m)."""
        return self._squares(steps)[0]

    def embedding_norms(self, steps: Float[np.ndarray, ...] | float) -> Float[np.ndarray, ...]:
        """Return the root mean square norm of the embeddings after the given numbers of steps, float64 (...)."""
        outside = self.null_embeddings * self._decay(steps, self.weight_decay)
        return np.sqrt((self._squares(steps)[0].sum(axis=-1) + outside) / self.n_words)

    def classifier_norms(self, steps: Float[np.ndarray, ...] | float) -> Float[np.ndarray, ...]:
        """Return the root mean square of |u_kl| after the given numbers of steps, float64 (...)."""
        outside = self.null_classifier * self._decay(steps, self.classifier_weight_decay)
        return np.sqrt((self._squares(steps)[1].sum(axis=-1) + outside) / self.n_rows)

    def _decay(self, steps: Float[np.ndarray, ...] | float, decay: float) -> Float[np.ndarray, ...]:
        return (1 - self.learning_rate * decay) ** (2 * np.asarray(steps, dtype=np.float64))

    def _squares(
        self, steps: Float[np.ndarray, ...] | float
    ) -> tuple[Float[np.ndarray, "... m"], Float[np.ndarray, "... m"]]:
        """Return |w_i|^2 and |u_i|^2 after the steps, from the power of the 2 x 2 matrix of each mode."""
        up, down = pair_rates(self.singular_values, self.weight_decay, self.classifier_weight_decay)
        cosine, sine = growing_pair(self.singular_values, up, self.weight_decay)
        steps = np.asarray(steps, dtype=np.float64)[..., None]
        grown = np.exp(steps * np.log1p(self.learning_rate * up))
        fallen = np.exp(steps * np.log1p(self.learning_rate * down))
        from_words = cosine**2 * grown + sine**2 * fallen
        crossed = cosine * sine * (grown - fallen)
        from_rows = sine**2 * grown + cosine**2 * fallen
        words, rows, products = self.embedding_parts, self.classifier_parts, self.products
        return (
            from_words**2 * words + 2 * from_words * crossed * products + crossed**2 * rows,
            crossed**2 * words + 2 * from_rows * crossed * products + from_rows**2 * rows,
        )


def linear_regime(
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    *,
    latents: Int[np.ndarray, "K L"],
    word_frequencies: Float[np.ndarray, " s_c"],
    n_concepts: int,
    weight_decay: float,
    classifier_weight_decay: float | None = None,
    learning_rate: float,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> LinearRegime:
    """Return the linear regime from given initial weights, by projecting them onto the modes.

    Args:
        embeddings: W (n_w, d), word (a, b) in row a * s_c + b.
        classifier: U (K, L, d).
        latents: integers (K, L).
        word_frequencies: mu (s_c,), summing to 1.
        n_concepts: n_c.
        weight_decay: lam_W >= 0, and lam_U too unless that is given.
        classifier_weight_decay: lam_U >= 0.
        learning_rate: of gradient descent, positive and so small that no pair changes its sign.
        label_noise: eps in [0, 1).
        word_noise: delta in [0, 1).

    Returns: the linear regime; exact as the weights tend to zero. Raises: ValueError for an argument out of range.
    """
    modes = escape_modes(
        word_frequencies=word_frequencies,
        n_concepts=n_concepts,
        latents=latents,
        label_noise=label_noise,
        word_noise=word_noise,
    )
    decays = check_decays(weight_decay, classifier_weight_decay)
    latents, frequencies = np.asarray(latents), np.asarray(word_frequencies, dtype=np.float64)
    embeddings, classifier = np.asarray(embeddings, np.float64), np.asarray(classifier, np.float64)
    ranks = embeddings.reshape(n_concepts, frequencies.size, -1)
    words = modes.directions.T @ np.einsum("abd,b->ad", ranks, frequencies / np.linalg.norm(frequencies))
    left = modes.directions[latents] - modes.directions[latents].mean(axis=0)
    rows = np.einsum("kli,kld->id", left / np.sqrt((left**2).sum(axis=(0, 1))), classifier)
    rates = pair_rates(modes.singular_values, *decays)[0]
    cosine, sine = growing_pair(modes.singular_values, rates, decays[0])
    unevenness = _unevenness(cosine[:, None] * words + sine[:, None] * rows)
    return LinearRegime(
        singular_values=modes.singular_values,
        embedding_parts=(words**2).sum(axis=1),
        classifier_parts=(rows**2).sum(axis=1),
        products=(words * rows).sum(axis=1),
        null_embeddings=max(float((embeddings**2).sum() - (words**2).sum()), 0.0),
        null_classifier=max(float((classifier**2).sum() - (rows**2).sum()), 0.0),
        n_words=len(embeddings),
        n_rows=latents.size,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
        learning_rate=_check_rate(learning_rate, modes, decays),
        slowing=unevenness
        * _slowing(frequencies, n_concepts, latents.size, label_noise=label_noise, word_noise=word_noise),
    )


def expected_linear_regime(
    *,
    initial_scale: float,
    embedding_dim: int,
    word_frequencies: Float[np.ndarray, " s_c"],
    n_concepts: int,
    sentence_length: int,
    n_classes: int,
    latents: Int[np.ndarray, "K L"] | None = None,
    weight_decay: float,
    classifier_weight_decay: float | None = None,
    learning_rate: float,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> LinearRegime:
    """Return the linear regime averaged over random initial weights: s N(0, 1) for W, uniform +- s / sqrt(L d) for U.

    A direction of W then has E|w_i|^2 = d s^2, a direction of U has E|u_i|^2 = s^2 / (3 L), and E<w_i, u_i> = 0. The
    squares of a single start differ from the mean by a relative sqrt(2 / (d (n_c - 1))). `slowing` contains
    (d + n_c) / d, the ratio of the means of tr(Gamma^2) and tr(Gamma)^2 / (n_c - 1).

    Args:
        initial_scale: s > 0.
        embedding_dim: d.
        word_frequencies: mu (s_c,), summing to 1.
        n_concepts: n_c.
        sentence_length: L.
        n_classes: K.
        latents: integers (K, L), or None for positions where all concepts are equally frequent.
        weight_decay: lam_W >= 0, and lam_U too unless that is given.
        classifier_weight_decay: lam_U >= 0.
        learning_rate: as for `linear_regime`.
        label_noise: eps in [0, 1).
        word_noise: delta in [0, 1).

    Returns: the linear regime of the mean squares. Raises: ValueError for an argument out of range.
    """
    noise = {"label_noise": label_noise, "word_noise": word_noise}
    modes = escape_modes(
        word_frequencies=word_frequencies,
        n_concepts=n_concepts,
        latents=latents,
        sentence_length=sentence_length,
        n_classes=n_classes,
        **noise,
    )
    decays = check_decays(weight_decay, classifier_weight_decay)
    square = require_positive("initial_scale", initial_scale) ** 2
    dim = require_integer("embedding_dim", embedding_dim, minimum=1)
    per_word, per_row = dim * square, square / (3 * sentence_length)
    n_modes, n_rows = modes.singular_values.size, n_classes * sentence_length
    n_words = n_concepts * np.size(word_frequencies)
    return LinearRegime(
        singular_values=modes.singular_values,
        embedding_parts=np.full(n_modes, per_word),
        classifier_parts=np.full(n_modes, per_row),
        products=np.zeros(n_modes),
        null_embeddings=modes.null_words * per_word,
        null_classifier=modes.null_rows * per_row,
        n_words=n_words,
        n_rows=n_rows,
        weight_decay=decays[0],
        classifier_weight_decay=decays[1],
        learning_rate=_check_rate(learning_rate, modes, decays),
        slowing=(dim + n_concepts) / dim * _slowing(np.asarray(word_frequencies), n_concepts, n_rows, **noise),
    )


class Plateau(NamedTuple):
    """The length of the initial plateau near zero.

    Args:
        steps: until |W|^2 of the growing modes reaches its target in the linear regime; infinite if no mode grows.
        delay: additional steps because growth slows down, to first order in chi.
        slowdown: chi at the target, the relative reduction of the coupling; the relative error of `delay` is about chi.
    """

    steps: float
    delay: float
    slowdown: float


def plateau(regime: LinearRegime, final_squared_norm: float, *, fraction: float = 0.01) -> Plateau:
    """Return the predicted number of steps until |W|^2 of the growing modes reaches a fraction of its final value.

    Args:
        regime: the linear regime.
        final_squared_norm: the final |W|^2, n_c sum_b r_b^2 of `feature_collapse.predict`.
        fraction: the target as a share of the final value.

    Returns: the steps in the linear regime and their correction; `steps` is 0 if the start is beyond the target.
    """
    target = require_positive("final_squared_norm", final_squared_norm) * require_positive("fraction", fraction)
    decays = regime.weight_decay, regime.classifier_weight_decay
    up, down = pair_rates(regime.singular_values, *decays)
    growing = (up > 0) & (regime.embedding_parts + regime.classifier_parts > 0)
    if not np.any(growing):
        return Plateau(math.inf, 0.0, 0.0)

    def excess(steps: float) -> float:
        return float(np.log(max(regime.embedding_squares(steps)[growing].sum(), 1e-300) / target))

    if excess(0.0) >= 0:
        return Plateau(0.0, 0.0, 0.0)
    high = 1.0
    while excess(high) < 0:
        high *= 2
    steps = brentq(excess, 0.0, high, xtol=1e-9, rtol=1e-14)
    sigma, rate, fall = regime.singular_values[0], up[0], down[0]
    cosine, sine = growing_pair(sigma, rate, decays[0])
    chi = regime.slowing * sine / cosine * target
    rotation = 2 * sine / cosine * (cosine**2 - sine**2) / (3 * rate - fall)
    lag = chi * sigma * (2 * sine * cosine / rate - rotation)
    return Plateau(steps, lag / (2 * rate) / regime.learning_rate, float(chi))


def _unevenness(pairs: Float[np.ndarray, "m d"]) -> float:
    """Return a = m tr(Gamma^2) / tr(Gamma)^2 of the growing pairs (m, d), whose Gram matrix has Gamma's eigenvalues."""
    gram = pairs @ pairs.T
    trace = float(np.trace(gram))
    return len(gram) * float((gram**2).sum()) / trace**2 if trace else 1.0


def _slowing(
    word_frequencies: Float[np.ndarray, " s_c"], n_concepts: int, n_rows: int, *, label_noise: float, word_noise: float
) -> float:
    """Return chi / (tan(theta) a |W|^2)."""
    third = float((word_frequencies**3).sum()) / float(np.linalg.norm(word_frequencies)) ** 3
    evidence = (1 - label_noise) * (1 - word_noise)
    return third / evidence * math.sqrt(n_concepts / n_rows) / (n_concepts * (n_concepts - 1))


def _check_rate(learning_rate: float, modes: EscapeModes, decays: tuple[float, float]) -> float:
    """Return the learning rate, or raise ValueError if a pair would change its sign at every step."""
    learning_rate = require_positive("learning_rate", learning_rate)
    fastest = float(np.max(np.append(-pair_rates(modes.singular_values, *decays)[1], decays)))
    if learning_rate * fastest >= 1:
        raise ValueError(f"learning_rate: expected less than {1 / fastest:.6g}, got {learning_rate}")
    return learning_rate
