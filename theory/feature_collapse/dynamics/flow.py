"""The norms of a collapsed network during training, for saturated latents without LayerNorm.

A network w_(a,b) = r_b f_a, u_kl = c f_{z_kl} over an equiangular frame f keeps this form under gradient descent on the
population risk and under gradient flow, because the risk is invariant under permutations of concepts in words and
latents together. With Lemma 3 of `theory/global_optimality.md`, rho_b = 1 / (n_c - 1 + e^{eta c r_b}) - eps' / n_c
(eps' as in `noise`), and t = learning rate * steps,

    dr_b/dt = L mu_b c rho_b - lam_W r_b,     dc/dt = n_c^{1-L} sum_b mu_b r_b rho_b - lam_U c:

s_c + 1 equations for the norms in every saturated task, for any d >= n_c - 1. Their rest points are Type III and zero.
Without weight decay |W|^2 - |U|^2 = n_c |r|^2 - K L c^2 is conserved, as both terms change by 2 n_c L c sum_b mu_b r_b
rho_b per unit of time. Gradient descent with a finite learning rate is the Euler map of these equations.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.

Source: derived here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from theory.checks import require_fraction, require_integer, require_non_negative, require_positive
from theory.feature_collapse.latent_share import LatentShare, log_position_error, position_gain
from theory.feature_collapse.noise import joint_noise
from theory.feature_collapse.task import check_task
from theory.short_text import short_repr

if TYPE_CHECKING:
    from jaxtyping import Float

# Relative tolerance of the integrator (of order 8) per step, for values above this share of the initial norms.
_TOLERANCE, _SMALLEST = 1e-12, 1e-6


class CollapsedNorms(NamedTuple):
    """The norms of a collapsed network over time.

    Args:
        embedding_norms: r, float64 (T, s_c).
        classifier_norms: c, float64 (T,).
        cross_entropies: nats, float64 (T,).
    """

    embedding_norms: Float[np.ndarray, "T s_c"]
    classifier_norms: Float[np.ndarray, " T"]
    cross_entropies: Float[np.ndarray, " T"]

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True, eq=False)
class CollapsedMotion:
    """The equations of motion of the norms of a saturated task.

    Args:
        share: the numbers n_c, L, K; saturated.
        word_frequencies: mu, float64 (s_c,).
        weight_decay: lam_W >= 0.
        classifier_weight_decay: lam_U >= 0.
        noise: eps' of `noise`.
    """

    share: LatentShare
    word_frequencies: Float[np.ndarray, " s_c"]
    weight_decay: float
    classifier_weight_decay: float
    noise: float

    def velocity(self, state: Float[np.ndarray, " s_c+1"]) -> Float[np.ndarray, " s_c+1"]:
        """Return d/dt of the state (r, c), float64 (s_c + 1,)."""
        norms, c = state[:-1], state[-1]
        margins = self.share.eta * c * norms
        others, n_concepts = self.share.others, self.share.n_concepts
        evidence = np.exp(log_position_error(self.share, margins)) / others - self.noise / n_concepts
        margin_gradient = self.word_frequencies * evidence
        scale = math.exp((1 - self.share.sentence_length) * math.log(n_concepts))
        words = self.share.sentence_length * c * margin_gradient - self.weight_decay * norms
        return np.append(words, scale * np.sum(norms * margin_gradient) - self.classifier_weight_decay * c)

    def norms(self, states: Float[np.ndarray, "T s_c+1"]) -> CollapsedNorms:
        """Return the norms and cross-entropies of states (T, s_c + 1)."""
        margins = self.share.eta * states[:, -1:] * states[:, :-1]
        gains = position_gain(self.share, margins) + self.noise * margins / self.share.eta
        return CollapsedNorms(states[:, :-1], states[:, -1], self.share.sentence_length * gains @ self.word_frequencies)


def collapsed_motion(
    *,
    n_concepts: int,
    n_words: int,
    sentence_length: int,
    n_classes: int | str = "all",
    word_frequency: str | Sequence[float] | Float[np.ndarray, " s_c"],
    weight_decay: float = 0.0,
    classifier_weight_decay: float | None = None,
    label_noise: float = 0.0,
    word_noise: float = 0.0,
) -> CollapsedMotion:
    """Return the equations of motion of a task, after checking it.

    Args:
        n_concepts: n_c, at least 2.
        n_words: n_w, a multiple of n_c.
        sentence_length: L.
        n_classes: "all" or n_c^L.
        word_frequency: mu, as for `feature_collapse.predict`.
        weight_decay: lam_W >= 0, and lam_U too unless that is given.
        classifier_weight_decay: lam_U >= 0.
        label_noise: eps in [0, 1).
        word_noise: delta in [0, 1).

    Raises: ValueError, `field: expected ..., got ...`, also for fewer classes than latents.
    """
    task = check_task(
        n_concepts=n_concepts,
        n_words=n_words,
        sentence_length=sentence_length,
        n_classes=n_classes,
        word_frequency=word_frequency,
        weight_decay=1.0,
        classifier_weight_decay=None,
        layer_norm=False,
        embedding_dim=require_integer("n_concepts", n_concepts, minimum=2),
        latents=None,
    )
    if not task.share.saturated:
        raise ValueError(f"n_classes: expected all {task.share.n_latents} latents, got {task.share.n_classes}")
    weight_decay = require_non_negative("weight_decay", weight_decay)
    if classifier_weight_decay is None:
        classifier_weight_decay = weight_decay
    noises = require_fraction("label_noise", label_noise), require_fraction("word_noise", word_noise)
    return CollapsedMotion(
        share=task.share,
        word_frequencies=task.word_frequencies,
        weight_decay=weight_decay,
        classifier_weight_decay=require_non_negative("classifier_weight_decay", classifier_weight_decay),
        noise=joint_noise(*noises),
    )


def collapsed_flow(
    *,
    times: Sequence[float] | Float[np.ndarray, " T"],
    embedding_norms: Sequence[float] | Float[np.ndarray, " s_c"] | float,
    classifier_norm: float,
    **task: Any,
) -> CollapsedNorms:
    """Return the solution of gradient flow from a collapsed network.

    Args:
        times: t = learning rate * steps, non-negative and in ascending order, (T,).
        embedding_norms: r at t = 0, (s_c,), or one number for all words.
        classifier_norm: c at t = 0.
        task: the arguments of `collapsed_motion`.

    Returns: the norms at these times, to a relative error of about 1e-10.
    Valid: saturated latents and gradient flow; gradient descent differs by O(learning rate), see `collapsed_descent`.
    Raises: ValueError, `field: expected ..., got ...`; ArithmeticError if the integrator fails.
    Source: derived here.
    """
    motion = collapsed_motion(**task)
    start = _check_start(motion, embedding_norms, classifier_norm)
    times = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if times.ndim != 1 or not np.all(np.isfinite(times)) or times[0] < 0 or np.any(np.diff(times) < 0):
        raise ValueError(f"times: expected finite numbers that rise from zero or above, got {times.tolist()}")
    smallest = _TOLERANCE * _SMALLEST * max(float(np.abs(start).max()), 1e-200)
    solution = solve_ivp(
        lambda _, state: motion.velocity(state),
        (0.0, max(float(times[-1]), 1e-300)),
        start,
        method="DOP853",
        t_eval=np.unique(times),
        rtol=_TOLERANCE,
        atol=smallest,
    )
    if not solution.success:
        raise ArithmeticError(f"times: the integrator stopped before {times[-1]:g}: {solution.message}")
    return motion.norms(solution.y.T[np.searchsorted(solution.t, times)])


def collapsed_descent(
    *,
    learning_rate: float,
    n_steps: int,
    steps_per_record: int = 1,
    embedding_norms: Sequence[float] | Float[np.ndarray, " s_c"] | float,
    classifier_norm: float,
    **task: Any,
) -> CollapsedNorms:
    """Return the norms under gradient descent with a finite learning rate from a collapsed network, exactly.

    Args:
        learning_rate: of plain gradient descent on the population risk.
        n_steps: a multiple of steps_per_record.
        steps_per_record: steps between two records.
        embedding_norms: r at the start, (s_c,), or one number for all words.
        classifier_norm: c at the start.
        task: the arguments of `collapsed_motion`.

    Returns: the norms at the start and at every record, T = n_steps / steps_per_record + 1.
    Valid: saturated latents. Raises: ValueError, `field: expected ..., got ...`. Source: derived here.
    """
    motion = collapsed_motion(**task)
    state = _check_start(motion, embedding_norms, classifier_norm)
    learning_rate = require_positive("learning_rate", learning_rate)
    steps_per_record = require_integer("steps_per_record", steps_per_record, minimum=1)
    if require_integer("n_steps", n_steps, minimum=0) % steps_per_record:
        raise ValueError(f"n_steps: expected a multiple of steps_per_record={steps_per_record}, got {n_steps}")
    records = [state]
    for _ in range(n_steps // steps_per_record):
        for _ in range(steps_per_record):
            state = state + learning_rate * motion.velocity(state)
        records.append(state)
    return motion.norms(np.array(records))


def _check_start(
    motion: CollapsedMotion,
    embedding_norms: Sequence[float] | Float[np.ndarray, " s_c"] | float,
    classifier_norm: float,
) -> Float[np.ndarray, " s_c+1"]:
    """Return the initial state (r, c), float64 (s_c + 1,), or raise ValueError."""
    size = motion.word_frequencies.size
    norms = np.atleast_1d(np.asarray(embedding_norms, dtype=np.float64))
    if norms.shape not in ((1,), (size,)):
        raise ValueError(f"embedding_norms: expected one number or {size}, got an array of shape {norms.shape}")
    if not np.all(np.isfinite(norms)) or np.any(norms < 0):
        raise ValueError(f"embedding_norms: expected non-negative finite numbers, got {norms.min()} among them")
    return np.append(np.broadcast_to(norms, size), require_non_negative("classifier_norm", classifier_norm))
