"""Claims on the minimum loss, equal margins and the largest gap, against direct minimisation."""

from collections.abc import Iterator

import numpy as np

from experiments.modality_gap.claims.minimum import End, loss_and_gradients, minimise, random_cones
from experiments.verification.claim import Claim, compare, must_exceed
from theory import modality_gap as theory

PROOF = "derived here, theory/modality_gap/minimisers.md"
TASKS = ((2, 0.2), (5, 0.1), (16, 0.1), (16, 0.0))
RATIOS = (0.5, 0.95, 1.05, 2.0)
SPREADS = (0.3, 3.0)
EPS = float(np.finfo(float).eps)
# Near a minimum a line search stops where losses differ by rounding, so vectors have half of the digits.
NOTE = "rounding of the loss"
LOSS_TOLERANCE = 1e-10
N_LOOSE = 200


def check_floor() -> Iterator[Claim]:
    """Check the minimum from random cones, the gaps of minimisers, the bound for arbitrary vectors, and controls."""
    for n_pairs, mismatch in TASKS:
        yield from _check_task(n_pairs, mismatch)
    yield from _check_degeneracy(16, 0.1)
    yield from _check_bound(6, 0.1)


def _check_task(n_pairs: int, mismatch: float) -> Iterator[Claim]:
    """Compare losses and gaps after minimisation from a tight and a wide cone in at least 3 N/2 dimensions."""
    critical = theory.threshold(n_pairs, mismatch)
    ends: dict[float, list[End]] = {}
    unit = critical if np.isfinite(critical) else 4.0
    for ratio in RATIOS:
        starts = [random_cones(n_pairs, 3 * n_pairs // 2 + 1, spread, seed) for seed, spread in enumerate(SPREADS)]
        ends[ratio] = [minimise(start, mismatch, ratio * unit) for start in starts]
    name = f"N={n_pairs} eps={mismatch:g}"
    least = [theory.minimal_loss(n_pairs, mismatch, ratio * unit) for ratio in RATIOS for _ in SPREADS]
    losses = [end.loss for ratio in RATIOS for end in ends[ratio]]
    yield compare(f"minimum loss, {name}, beta=0.5 to 2 z*", PROOF, least, losses, LOSS_TOLERANCE, NOTE)
    closing = [ratio for ratio in RATIOS if ratio * unit <= critical]
    gaps = [end.gap for ratio in closing for end in ends[ratio]]
    note = "square root of the tolerance of the loss over slope and beta"
    tolerance = max(_gap_tolerance(n_pairs, mismatch, ratio * unit) for ratio in closing)
    yield compare(f"the gap closes below z*, {name}, up to 0.95 z*", PROOF, 0.0, gaps, tolerance, note)
    if mismatch:
        gaps = [end.gap - theory.largest_gap(n_pairs, mismatch, ratio * unit) for ratio in (1.05, 2.0)
                for end in ends[ratio]]  # fmt: skip
        yield must_exceed(f"above z* no gap exceeds that of the branch, {name}", PROOF, float(np.max(gaps)), 1e-4)
        margin = n_pairs / (n_pairs - 1) * critical
        margins = np.concatenate([end.margins(ratio * unit).ravel() for ratio in (1.05, 2.0) for end in ends[ratio]])
        note = "square root of the tolerance of the loss over the curvature"
        tolerance = np.sqrt(2 * n_pairs * (n_pairs - 1) * LOSS_TOLERANCE / mismatch) * 2
        yield compare(f"all margins are equal above z*, {name}", PROOF, margin, margins, tolerance, note)


def _gap_tolerance(n_pairs: int, mismatch: float, beta: float) -> float:
    """Return the largest gap below the threshold at which the loss is within its tolerance of the minimum.

    By the bound on the gap ``a beta gap^2/4 <= a beta - m``, and the loss decreases in m at least with its slope at
    a beta.
    """
    factor = n_pairs / (n_pairs - 1)
    wrong = (n_pairs - 1) * np.exp(-factor * beta)
    slope = wrong / (1 + wrong) - mismatch
    return float(np.sqrt(4 * LOSS_TOLERANCE / (slope * factor * beta)))


def _check_degeneracy(n_pairs: int, mismatch: float) -> Iterator[Claim]:
    """Check minimisers with zero, half and the largest gap, and that other symmetric gaps have a larger loss."""
    beta = 2 * theory.threshold(n_pairs, mismatch)
    largest = theory.largest_gap(n_pairs, mismatch, beta)
    least = theory.minimal_loss(n_pairs, mismatch, beta)
    for share in (0.0, 0.5, 1.0):
        pair = np.stack(theory.embeddings_of_gap(n_pairs, mismatch, beta, share * largest))
        value, gradient, _ = loss_and_gradients(pair, mismatch, beta)
        name = f"minimiser with {share:g} of the largest gap, N={n_pairs} beta=2 z*"
        yield compare(f"{name}: loss", PROOF, least, value, 64 * EPS * beta, "rounding")
        yield compare(f"{name}: gradient", PROOF, 0.0, np.linalg.norm(gradient), 64 * EPS * beta, "rounding")
        gap = np.linalg.norm(np.subtract(*pair.mean(axis=1)))
        yield compare(f"{name}: gap", PROOF, share * largest, gap, 64 * EPS, "rounding")
    for factor in (0.9, 1.1):
        pair = np.stack(theory.symmetric_embeddings(n_pairs, factor * largest))
        value, *_ = loss_and_gradients(pair, mismatch, beta)
        yield must_exceed(
            f"control: symmetric embeddings at {factor:g} of that gap have a larger loss", PROOF, least + 1e-3, value
        )


def _check_bound(n_pairs: int, mismatch: float) -> Iterator[Claim]:
    """Check for arbitrary unit vectors that the mean margin bounds the gap, and equal margins the loss."""
    rng = np.random.default_rng(0)
    beta, slack, excess = 4.0, [], []
    for _ in range(N_LOOSE):
        pair = random_cones(n_pairs, 4, float(rng.uniform(0.1, 3)), int(rng.integers(2**31)))
        pair[1] += rng.uniform(0, 3) * pair[0]
        pair /= np.linalg.norm(pair, axis=2, keepdims=True)
        logits = beta * pair[0] @ pair[1].T
        margin = (np.trace(logits) - (logits.sum() - np.trace(logits)) / (n_pairs - 1)) / n_pairs
        factor = n_pairs / (n_pairs - 1)
        gap = np.linalg.norm(np.subtract(*pair.mean(axis=1)))
        slack.append(2 * np.sqrt(1 - margin / (factor * beta)) - gap)
        value, *_ = loss_and_gradients(pair, mismatch, beta)
        excess.append(value - float(theory.margin_loss(n_pairs, mismatch, margin / factor)))
    yield must_exceed(f"any unit vectors: gap <= 2 sqrt(1 - m/(a beta)), {N_LOOSE} draws", PROOF, 0.0, min(slack))
    yield must_exceed(f"any unit vectors: the loss is at least that of equal margins, {N_LOOSE} draws", PROOF, 0.0,
                      min(excess))  # fmt: skip
