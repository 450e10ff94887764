"""Claims on descent from a symmetric start: the branch, the conserved product, the end point, the decay of a gap."""

from collections.abc import Iterator

import numpy as np

from experiments.modality_gap.claims.minimum import descend, minimise
from experiments.verification.claim import Claim, compare, must_exceed
from theory import modality_gap as theory

PROOF = "derived here, theory/modality_gap/minimisers.md"
N_PAIRS, MISMATCH = 16, 0.1
RATE = 0.5  # learning rate of embeddings, in units of N/beta
BETA, GAP = 2.0, 1.2
RATES = (0.08, 0.04, 0.02)


def check_course() -> Iterator[Claim]:
    """Check the predictions for a symmetric start."""
    yield from _check_branch()
    yield from _check_product()
    yield from _check_decay()


def _start(gap: float) -> np.ndarray:
    return np.stack(theory.symmetric_embeddings(N_PAIRS, gap))


def _check_branch() -> Iterator[Claim]:
    """Compare the gap after float64 minimisation from the symmetric start on both sides of the threshold."""
    critical = theory.threshold(N_PAIRS, MISMATCH)
    for ratio in (0.95, 1.05, 2.0, 4.0):
        end = minimise(_start(1.0), MISMATCH, ratio * critical)
        predicted = theory.largest_gap(N_PAIRS, MISMATCH, ratio * critical)
        name = f"gap from the symmetric start, N={N_PAIRS} eps={MISMATCH:g} beta={ratio:g} z*"
        yield compare(name, PROOF, predicted, end.gap, 1e-6, "accuracy claimed for float64")


def _check_product() -> Iterator[Claim]:
    """Compare gap beta^k along descents with decreasing steps, and their end points."""
    for exponent in (1.0, 2.0):
        deviations, ends = [], []
        for rate in RATES:
            eta = rate * N_PAIRS / BETA
            n_steps = int(120 / rate)
            _, betas, gaps = descend(_start(GAP), MISMATCH, BETA, n_steps, eta, eta / (N_PAIRS * exponent))
            product = gaps * betas**exponent
            deviations.append(np.abs(product / product[0] - 1).max())
            ends.append((betas[-1], gaps[-1]))
        orders = np.diff(np.log(deviations)) / np.diff(np.log(RATES))
        name = f"gap beta^{exponent:g}"
        yield compare(
            f"{name} is constant, rate {RATES[-1]:g}", PROOF, 0.0, deviations[-1], 0.01, "claimed accuracy, 1 %"
        )
        note = "change of the order between two pairs of rates, plus twice the largest deviation"
        tolerance = abs(orders[1] - orders[0]) + 2 * deviations[0]
        yield compare(f"{name}: the deviation is of first order in the rate", PROOF, 1.0, orders[-1], tolerance, note)
        beta, gap = theory.end_point(N_PAIRS, MISMATCH, BETA, GAP, exponent=exponent)
        limit = 2 * np.array(ends[2]) - np.array(ends[1])
        change = np.abs(limit - (2 * np.array(ends[1]) - np.array(ends[0])))
        note = "change of the extrapolation to rate 0 from one pair of rates to the next"
        yield compare(f"{name}: final beta", PROOF, beta, limit[0], change[0], note)
        yield compare(f"{name}: final gap", PROOF, gap, limit[1], change[1], note)
        control = theory.end_point(N_PAIRS, MISMATCH, BETA, GAP, exponent=3 - exponent)[1]
        name = f"control: another exponent than {name} has another final gap"
        yield must_exceed(name, PROOF, float(change[1]), abs(float(limit[1]) - control))


def _check_decay() -> Iterator[Claim]:
    """Compare the growth or decay of a small gap, extrapolated to small steps, with the linearised flow."""
    for mismatch, beta in ((0.0, 2.0), (0.0, 6.0), (MISMATCH, 3.0), (MISMATCH, 6.0)):
        measured = []
        for rate in (0.02, 0.01):
            eta = rate * N_PAIRS / beta
            _, _, gaps = descend(_start(1e-4), mismatch, beta, 50, eta)
            measured.append(-np.log(gaps[-1] / gaps[0]) / (50 * eta))
        predicted = theory.decay_rate(N_PAIRS, mismatch, beta, 1.0)
        limit = 2 * measured[1] - measured[0]
        tolerance = abs(measured[1] - measured[0]) * 0.05 + 1e-6 * abs(predicted)
        name = f"decay of a small gap per step and rate, eps={mismatch:g} beta={beta:g}"
        yield compare(name, PROOF, predicted, limit, tolerance, "a twentieth of the change when the step is halved")
