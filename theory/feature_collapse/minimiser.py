"""Feature collapse: the representation that a one-layer network learns, of one of three types.

    LayerNorm                     -> Type II:  LN(w_(a,b)) = sqrt(d) f_a,  u_kl = c f_{z_kl}
    no LayerNorm, equal words     -> Type I:   w_(a,b) = r f_a,            u_kl = c f_{z_kl}
    no LayerNorm, unequal words   -> Type III: w_(a,b) = r_b f_a,          u_kl = c f_{z_kl}

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.

Source: Laurent, von Brecht, Bresson, Feature Collapse, arXiv 2305.16162, Theorems 1 to 3; each solver states which
results are derived here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from theory.feature_collapse.assumptions import list_assumptions
from theory.feature_collapse.margins.type_one import solve_type_one
from theory.feature_collapse.margins.type_three import solve_type_three
from theory.feature_collapse.margins.type_three_sampled import solve_type_three_sampled
from theory.feature_collapse.margins.type_two import solve_type_two
from theory.feature_collapse.network import CollapsedNetwork, zero_network
from theory.feature_collapse.noise import joint_noise
from theory.feature_collapse.prediction import Prediction
from theory.feature_collapse.task import CollapseTask, check_task
from theory.feature_collapse.zero_threshold import zero_threshold
from theory.frames import equiangular_frame

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def predict(
    *,
    n_concepts: int = 3,
    n_words: int = 1200,
    sentence_length: int = 15,
    n_classes: int | str = 1000,
    word_frequency: str | Sequence[float] | Float[np.ndarray, " s_c"] = "uniform",
    weight_decay: float = 1e-3,
    classifier_weight_decay: float | None = None,
    layer_norm: bool = False,
    embedding_dim: int = 100,
    latents: Int[np.ndarray, "K L"] | None = None,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> Prediction:
    """Return the predicted minimiser of the risk.

        R = E[cross-entropy] + lam_W/2 |W|^2 + lam_U/2 |U|^2,     with LayerNorm R* = E[cross-entropy] + lam_U/2 |U|^2

    Args:
        n_concepts: n_c, at least 2.
        n_words: n_w, a multiple of n_c.
        sentence_length: L.
        n_classes: K, from 1 to n_c^L, or "all" for n_c^L.
        word_frequency: "uniform", "zipf" (mu_b ∝ 1/b), "zipf:EXPONENT" (mu_b ∝ b^-EXPONENT), or the frequencies mu_b of
            the s_c = n_w / n_c words of a concept.
        weight_decay: lam_W > 0, and lam_U too unless `classifier_weight_decay` is given. With LayerNorm and no
            `classifier_weight_decay` it is the lam of R*.
        classifier_weight_decay: lam_U > 0. Without LayerNorm the risk is solved at lam = sqrt(lam_W lam_U); then W is
            scaled by (lam_U / lam_W)^{1/4} and U by the inverse, which gives the minimiser for lam_W and lam_U. With
            LayerNorm, `weight_decay` is then a penalty on W: 0 for R*; for a positive one there is no minimiser (not
            exact).
        layer_norm: whether a LayerNorm without parameters acts on each embedding.
        embedding_dim: d, at least n_c - 1, with LayerNorm n_c.
        latents: integers (K, L), optional; used for the zero threshold and the assumptions, not for the norms.
        label_noise: eps in [0, 1), the probability that a label is replaced by a uniform draw from all classes.
        word_noise: delta in [0, 1), the probability, independently at each position, that a word is replaced by a word
            of a concept drawn uniformly from all concepts, with rank drawn from mu. `noise` derives the effect of both.

    Returns: the prediction; risk and cross-entropy, in nats, are over the noisy population. At or above the zero
    threshold it is the zero network with risk log K; for one class it is the zero network with cross-entropy 0. For
    K < n_c^L the kappa approximation has its own threshold, lower by the factor (theta - eps) / (1 - eps), theta =
    K / (K + 1 - kappa), at and above which it gives the zero network. Just below, its risk approaches
    log(K + 1 - kappa) instead of log K, an error of 1/K of the approximation.
    Valid: a theorem (`exact`) for saturated latents; otherwise an approximation for K latents drawn at random.
    Raises: ValueError, `field: expected ..., got ...`.
    Source: arXiv 2305.16162, Theorems 1 to 3; Type III for K < n_c^L, the threshold for given latents, unequal weight
    decay and noise derived here.
    """
    task = check_task(
        n_concepts=n_concepts,
        n_words=n_words,
        sentence_length=sentence_length,
        n_classes=n_classes,
        word_frequency=word_frequency,
        weight_decay=weight_decay,
        classifier_weight_decay=classifier_weight_decay,
        layer_norm=layer_norm,
        embedding_dim=embedding_dim,
        latents=latents,
        label_noise=label_noise,
        word_noise=word_noise,
    )
    frame = equiangular_frame(task.share.n_concepts, task.embedding_dim, orthogonal_to_ones=task.layer_norm)
    threshold = None if task.layer_norm else _threshold(task)
    return _assemble(task, frame, threshold, _solve(task, threshold))


def _threshold(task: CollapseTask) -> float:
    """Return the zero threshold of the task: for its latents if given, otherwise for balanced positions."""
    share = task.share
    return zero_threshold(
        task.latents,
        task.word_frequencies,
        share.n_concepts,
        sentence_length=share.sentence_length,
        n_classes=share.n_classes,
        label_noise=task.label_noise,
        word_noise=task.word_noise,
    )


def _solve(task: CollapseTask, threshold: float | None) -> CollapsedNetwork:
    """Return the collapsed network: solved at equal weight decays, then rescaled; `threshold` is None for LayerNorm."""
    share, n_words_per_concept = task.share, task.word_frequencies.size
    noise = {"label_noise": task.label_noise, "word_noise": task.word_noise}
    if threshold is None:
        if share.n_classes == 1:
            norms = np.full(n_words_per_concept, math.sqrt(task.embedding_dim))
            return replace(zero_network(share, n_words_per_concept), embedding_norms=norms)
        return solve_type_two(share, n_words_per_concept, task.embedding_dim, task.classifier_weight_decay, **noise)
    decay = task.joint_weight_decay
    if decay >= threshold:
        return zero_network(share, n_words_per_concept)
    if task.collapse_type == "I":
        network = solve_type_one(share, n_words_per_concept, decay, **noise)
    elif share.saturated:
        network = solve_type_three(share, task.word_frequencies, decay, noise=joint_noise(**noise))
    else:
        network = solve_type_three_sampled(share, task.word_frequencies, decay, **noise)
    rescaling = math.sqrt(math.sqrt(task.classifier_weight_decay) / math.sqrt(task.weight_decay))
    return replace(
        network,
        embedding_norms=network.embedding_norms * rescaling,
        classifier_norm=network.classifier_norm / rescaling,
    )


def _assemble(
    task: CollapseTask, frame: Float[np.ndarray, "n_c d"], threshold: float | None, network: CollapsedNetwork
) -> Prediction:
    """Return the prediction from the task and the solved network."""
    assumptions = list_assumptions(task, threshold)
    return Prediction(
        collapse_type=task.collapse_type,
        embedding_norms=network.embedding_norms,
        classifier_norm=network.classifier_norm,
        cross_entropy=network.cross_entropy,
        risk=network.risk,
        zero_threshold=threshold,
        is_zero=network.is_zero,
        is_theorem=all(assumption.holds for assumption in assumptions),
        assumptions=assumptions,
        residual=network.residual,
        frame=frame,
        word_frequency=task.word_frequency,
        word_frequencies=task.word_frequencies,
        n_concepts=task.share.n_concepts,
        n_words=task.n_words,
        sentence_length=task.share.sentence_length,
        n_classes=task.share.n_classes,
        weight_decay=task.weight_decay,
        classifier_weight_decay=task.classifier_weight_decay,
        label_noise=task.label_noise,
        word_noise=task.word_noise,
    )
