"""A duality gap for any network: an upper bound on its risk minus the global minimum, however it was trained.

The logits of h are linear in M = U W^T, and the least penalty of all (W, U) with U W^T = M is lam |M|_*, with lam =
sqrt(lam_W lam_U) and |.|_* the sum of singular values. So the risk is at least min_M F(M) + lam |M|_*, a convex problem
with the dual

    maximise  sum_n omega_n H(q_n)   over distributions q_n with   sigma_max(Gq) <= lam

(see `dual_entropy`). The probabilities of the network, moved towards the targets until they are feasible, give the
lower bound. Derivations and proofs: `theory/global_optimality.md`.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_positive
from theory.optimality.dual_entropy import best_scaling, entropy_ray, largest_theta
from theory.optimality.gradient_form import gradient_form
from theory.optimality.sentence_logits import score_sentences
from theory.optimality.spectral_norm import SpectralNorm

if TYPE_CHECKING:
    from jaxtyping import Float, Int

_MEMORY_LIMIT = 2**29


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A lower bound on the risk, and the gap of a network, however it was trained.

    Args:
        sigma_max: largest singular value of G = dF/dM; under LayerNorm of G diag(alpha)^{-1/2}.
        excess: sigma_max / lam - 1; under LayerNorm d sigma_max^2 sum(alpha) / |G V|^2 - 1, which is never negative. A
            critical point with excess <= 0 is a global minimiser.
        risk, cross_entropy: of the network, nats.
        lower_bound: lower bound on the risk, nats: over networks of every dimension, under LayerNorm of the same d.
        gap: risk - lower_bound, nats; 0 where rounding makes it negative.
        theta: the scale of the dual point of `lower_bound`.
        method: the method that computed sigma_max.
        proven: whether the method cannot have missed a larger singular value; if not, the bound relies on Lanczos.
    """

    sigma_max: float
    excess: float
    risk: float
    cross_entropy: float
    lower_bound: float
    gap: float
    theta: float
    method: str
    proven: bool

    @property
    def relative_gap(self) -> float:
        """The gap as a share of the risk; 0 if both are zero."""
        return self.gap / self.risk if self.risk > 0 else 0.0


def certify(
    sentences: Int[np.ndarray, "N L"],
    classes: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"] | None,
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    *,
    embedding_weight_decay: float,
    classifier_weight_decay: float,
    label_noise: float = 0.0,
    method: str = "auto",
    memory_limit: int = _MEMORY_LIMIT,
) -> Certificate:
    """Return a lower bound on the risk of networks h, and the gap of a given network.

        R = F + lam_W/2 |W|^2 + lam_U/2 |U|^2 >= min R >= max over theta of sum_n omega_n H(t_n + theta (p_n - t_n)),
        theta <= lam / sigma_max(G),   lam = sqrt(lam_W lam_U)

    Args:
        sentences: word indices in [0, n_w), (N, L). A training set certifies the risk of its training, the enumerated
            population the true risk.
        classes: integers in [0, K), (N,).
        weights: non-negative numbers (N,) that sum to 1, or None for equal weights.
        embeddings: W (n_w, d), of any precision; computations use float64.
        classifier: U (K, L, d), of any precision.
        embedding_weight_decay: lam_W > 0.
        classifier_weight_decay: lam_U > 0.
        label_noise: eps in [0, 1), the probability that a label is redrawn uniformly from all classes.
        method: of `sigma_max`: "auto", "svd", "gram" or "lanczos".
        memory_limit: bytes; larger arrays are recomputed in blocks or never formed.

    Returns: the certificate. Its `gap` bounds risk - min risk, over networks of every dimension d.
    Valid: for every network and every weighted set of sentences, up to rounding; the bound is attained at a global
    minimiser if d is at least the rank of the best M.
    Raises: ValueError, `field: expected ..., got ...`.
    Source: derived here; `theory/global_optimality.md`.
    """
    decays = (
        require_positive("embedding_weight_decay", embedding_weight_decay),
        require_positive("classifier_weight_decay", classifier_weight_decay),
    )
    scored = score_sentences(
        sentences, classes, weights, embeddings, classifier, label_noise=label_noise, memory_limit=memory_limit
    )
    decay = np.sqrt(decays[0]) * np.sqrt(decays[1])
    norm = gradient_form(scored, method, memory_limit).sigma_max()
    limit = decay / norm.upper if norm.upper > 0 else np.inf
    bound = best_scaling(entropy_ray(scored), min(limit, largest_theta(scored)))
    penalty = 0.5 * (decays[0] * np.sum(scored.embeddings**2) + decays[1] * np.sum(scored.classifier**2))
    return assemble_certificate(scored.cross_entropy, norm, norm.upper / decay - 1, penalty, bound)


def certify_layer_norm(
    sentences: Int[np.ndarray, "N L"],
    classes: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"] | None,
    embeddings: Float[np.ndarray, "n_w d"],
    classifier: Float[np.ndarray, "K L d"],
    *,
    classifier_weight_decay: float,
    label_noise: float = 0.0,
    method: str = "auto",
    memory_limit: int = _MEMORY_LIMIT,
    refinements: int = 10,
) -> Certificate:
    """Return a lower bound on the risk of networks h*, with LayerNorm on the embeddings, and the gap of a network.

        R* = F + lam/2 |U|^2 >= D(theta) - theta^2 (d/2) (sigma^2 / lam) sum_w alpha_w,
        sigma = sigma_max(G diag(alpha)^{-1/2}),   D(theta) = sum_n omega_n H(t_n + theta (p_n - t_n))

    for every theta and every alpha that is positive where G has a column other than zero. alpha_w = |(G^T G V)_w| /
    (lam sqrt(d)) is the multiplier of |v_w|^2 = d at a critical point. Repeating V <- G^T G V with rows rescaled to
    sqrt(d) lowers (sigma^2) sum alpha at the same G; the better of the first and the last alpha is used.

    Args:
        sentences: word indices in [0, n_w), (N, L).
        classes: integers in [0, K), (N,).
        weights: non-negative numbers (N,) that sum to 1, or None for equal weights.
        embeddings: W (n_w, d), before the LayerNorm (which is idempotent).
        classifier: U (K, L, d).
        classifier_weight_decay: lam > 0.
        label_noise: as for `certify`.
        method: as for `certify`.
        memory_limit: as for `certify`.
        refinements: number of improvements of alpha; 0 for the alpha of the network itself.

    Returns: the certificate; `sigma_max` and `excess` refer to the alpha of the network itself. Words that never occur
    have alpha = 0 and do not enter.
    Valid: for every network and every weighted set of sentences, over networks h* of the same d.
    Raises: ValueError, `field: expected ..., got ...`; also for an embedding with equal entries.
    Source: derived here; `theory/global_optimality.md`.
    """
    decay = require_positive("classifier_weight_decay", classifier_weight_decay)
    scored = score_sentences(
        sentences,
        classes,
        weights,
        normalise(embeddings),
        classifier,
        label_noise=label_noise,
        memory_limit=memory_limit,
    )
    form = gradient_form(scored, method, memory_limit)
    dim, vectors = scored.embeddings.shape[1], scored.embeddings
    alpha = form.multipliers(vectors, decay)
    norm = form.sigma_max(alpha)
    dual_penalty = _dual_penalty(norm, alpha, dim, decay)
    excess = _relative_excess(dual_penalty, 0.5 / decay * float(np.sum(form.gram_product(vectors) * vectors)))
    if refinements:
        for _ in range(refinements):
            vectors = form.ascend(vectors)
        refined = form.multipliers(vectors, decay)
        dual_penalty = min(dual_penalty, _dual_penalty(form.sigma_max(refined), refined, dim, decay))
    bound = best_scaling(entropy_ray(scored), largest_theta(scored), penalty=dual_penalty)
    penalty = 0.5 * decay * np.sum(scored.classifier**2)
    return assemble_certificate(scored.cross_entropy, norm, excess, penalty, bound)


def normalise(embeddings: Float[np.ndarray, "n_w d"]) -> Float[np.ndarray, "n_w d"]:
    """Return LN(w) = (w - mean(w)) / std(w) for each row of W (n_w, d), in float64.

    Raises: ValueError for a row with equal entries, for which LN is undefined.
    """
    array = np.asarray(embeddings, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"embeddings: expected an array with 2 axes, got shape {array.shape}")
    centred = array - array.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.mean(centred**2, axis=1, keepdims=True))
    if np.any(spread <= 8 * np.finfo(np.float64).eps * np.abs(array).max(axis=1, keepdims=True)):
        raise ValueError(f"embeddings: expected rows with unequal entries, got row {int(np.argmin(spread))}")
    return centred / spread


def _dual_penalty(norm: SpectralNorm, alpha: Float[np.ndarray, " n_w"], dim: int, decay: float) -> float:
    """Return (d/2) (sigma^2 / lam) sum alpha, nats."""
    return 0.5 * dim * norm.upper**2 / decay * float(alpha.sum())


def _relative_excess(value: float, least: float) -> float:
    """Return value / least - 1; 0 if both are zero, infinite if only `least` is."""
    if value <= 0:
        return 0.0
    return value / least - 1 if least > 0 else np.inf


def assemble_certificate(
    cross_entropy: float, norm: SpectralNorm, excess: float, penalty: float, bound: tuple[float, float]
) -> Certificate:
    """Return the certificate; `bound` is the pair of the lower bound on the risk and its theta."""
    risk = cross_entropy + float(penalty)
    lower_bound, theta = float(bound[0]), float(bound[1])
    return Certificate(
        sigma_max=norm.upper,
        excess=float(excess),
        risk=risk,
        cross_entropy=cross_entropy,
        lower_bound=lower_bound,
        gap=max(risk - lower_bound, 0.0),
        theta=theta,
        method=norm.method,
        proven=norm.proven,
    )
