"""All claims of representation kernels, theory against direct minimisation, in the order in which they are shown."""

from collections.abc import Iterator

import numpy as np

from experiments.representation_kernels.claims.descent import End, descend
from experiments.verification.claim import Claim, compare, must_exceed
from simlab.metrics.similarity import cka
from theory import representation_kernels as theory

PMI = "van den Oord et al. (arXiv 1807.03748), equation 5; Huh et al. (arXiv 2405.07987), section 4"
GRAM = "derived here, theory/representation_kernels/tables.py"
PROGRAM = "derived here, theory/representation_kernels/semidefinite.py"
COARSE = "derived here, theory/representation_kernels/ring_world.py"
EVENTS, FLOOR, WIDTH = 12, 0.05, 2.0
BLOCKS = (2, 3, 4, 6)
ENOUGH_DIMENSIONS, TOO_FEW = (12, 24), 3
# If the kernel of a descent has at most this error, InfoNCE exceeds its minimum by a mean KL divergence of at most half
# the square of twice the error (the error of a log-softmax is at most that of a row relative to its mean).
KERNEL_ERROR = 1e-5
LOSS_ERROR = (2 * KERNEL_ERROR) ** 2 / 2
NEAR = f"kernels to {KERNEL_ERROR:g} nats"
CLOSE = "half the square of twice the kernel tolerance"
# CKA is a product of normalised matrices, each with an error of at most twice the relative error of its kernel.
CKA_NOTE = "twice the relative errors of both kernels"


def check_representation_kernels() -> Iterator[Claim]:
    """Check one and two encoders, coarse views, general tables, and three controls."""
    yield from check_encoders()
    yield from check_indefinite()
    yield from check_blocks()
    yield from check_tables()


def ring_table(window: str, block: int = 1) -> np.ndarray:
    """Return the co-occurrence table of blocks of a ring of twelve events."""
    return theory.coarsen(theory.ring_table(theory.ring_row(EVENTS, window, WIDTH, FLOOR)), block, block)


def check_encoders() -> Iterator[Claim]:
    """Check that encoders with sufficiently many dimensions learn PMI, and that narrow ones do not."""
    table = ring_table("exponential")
    for encoders in (1, 2):
        learned = theory.learn_table(table, encoders)
        for dimensions in ENOUGH_DIMENSIONS:
            words = f"{encoders} encoder{'s' * (encoders > 1)} with {dimensions} dimensions, 12 events"
            yield from _check_end(words, PMI, learned, descend(table, dimensions, encoders))
    narrow = descend(table, TOO_FEW, 1)
    least = np.log(EVENTS) - theory.table_information(table)
    yield must_exceed(
        f"control: {TOO_FEW} dimensions, below the rank {learned.rank} of PMI, have a larger loss", GRAM,
        least + 1e3 * LOSS_ERROR, narrow.loss, "a thousand times the loss tolerance",
    )  # fmt: skip


def check_indefinite() -> Iterator[Claim]:
    """Check the convex program for a PMI that is not positive semidefinite."""
    table = ring_table("gaussian")
    learned = theory.learn_table(table, 1)
    end = descend(table, EVENTS, 1)
    yield from _check_end("1 encoder where PMI is indefinite", PROGRAM, learned, end)
    pmi = theory.centre(theory.pmi_kernel(table))
    yield must_exceed(
        "control: its kernel differs from PMI", GRAM, 1e3 * KERNEL_ERROR, float(np.abs(end.kernel - pmi).max()),
        "a thousand times the kernel tolerance",
    )  # fmt: skip
    yield from _check_end("2 encoders in the same world", PMI, theory.learn_table(table, 2), descend(table, EVENTS, 2))
    other = descend(ring_table("exponential"), EVENTS, 2)
    apart = 1 - cka(descend(table, EVENTS, 2).kernel, other.kernel)
    yield must_exceed("control: CKA distinguishes two worlds", COARSE, 1e-4, apart, "accuracy of CKA")


def check_blocks() -> Iterator[Claim]:
    """Check the CKA between modalities that show events and blocks."""
    for encoders in (1, 2):
        for window in ("exponential", "gaussian"):
            fine = descend(ring_table(window), EVENTS, encoders).kernel
            coarse = [_coarse_kernel(window, block, encoders) for block in BLOCKS]
            predicted = [
                theory.predict(events=EVENTS, blocks=block, window=window, encoders=encoders).cka for block in BLOCKS
            ]
            smallest = min(np.linalg.norm(kernel) for kernel in (fine, *coarse))
            yield compare(
                f"CKA of events with blocks of {', '.join(map(str, BLOCKS))}, {window} window, encoders: {encoders}",
                COARSE, predicted, [cka(fine, kernel) for kernel in coarse],
                4 * EVENTS * KERNEL_ERROR / smallest, CKA_NOTE,
            )  # fmt: skip


def _coarse_kernel(window: str, block: int, encoders: int) -> np.ndarray:
    """Return the kernel of blocks that a descent learns, expanded to the events; ``Float[n, n]``."""
    kernel = descend(ring_table(window, block), EVENTS // block, encoders).kernel
    return np.kron(kernel, np.ones((block, block)))


def check_tables() -> Iterator[Claim]:
    """Check an asymmetric table, and the lower bound on the loss of a symmetric one."""
    normal = np.random.default_rng(0).normal(size=(6, 5))
    table = np.exp(normal / 2) / np.exp(normal / 2).sum()
    learned = theory.learn_table(table)
    yield from _check_end("2 encoders, random table of 6 by 5 events", PMI, learned, descend(table, 5, 2))
    normal = np.random.default_rng(1).normal(size=(6, 6))
    table = np.exp((normal + normal.T) / 2) / np.exp((normal + normal.T) / 2).sum()
    learned = theory.learn_table(table, 1)
    infimum = np.log(6) - learned.information + learned.excess
    yield must_exceed(
        "1 encoder, random symmetric table: no descent falls below the certified bound", PROGRAM,
        infimum - learned.gap - 1e-15, descend(table, 6, 1).loss, "gap of the certificate, plus rounding",
    )  # fmt: skip


def _check_end(words: str, source: str, learned: theory.LearnedKernel, end: End) -> Iterator[Claim]:
    """Compare the kernel and the loss of a descent with the prediction."""
    yield compare(f"{words}: kernel", source, theory.centre(learned.kernel), end.kernel, KERNEL_ERROR, NEAR)
    least = np.log(end.kernel.shape[1]) - learned.information + learned.excess
    yield compare(f"{words}: minimum loss", source, least, end.loss, LOSS_ERROR + learned.gap, CLOSE)
