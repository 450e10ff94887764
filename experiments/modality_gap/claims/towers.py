"""Claims on the gap of random towers, against networks of large width."""

from collections.abc import Iterator

import numpy as np

from experiments.verification.claim import Claim, compare, must_exceed
from theory import modality_gap as theory

SOURCE = "Cho and Saul 2009; derived here, theory/modality_gap/towers.py"
N_PAIRS, INPUT_DIM, WIDTH, OUTPUT_DIM, N_DRAWS = 12, 6, 512, 1024, 12
STANDARD_ERRORS = 5


def check_towers() -> Iterator[Claim]:
    """Check squared gaps of towers of several depths with low-dimensional inputs."""
    for depth in (0, 1, 3):
        squares = np.array([_squared_gap(depth, seed) for seed in range(N_DRAWS)])
        predicted = theory.initial_gap(N_PAIRS, depth, INPUT_DIM) ** 2
        error = STANDARD_ERRORS * squares.std(ddof=1) / np.sqrt(N_DRAWS)
        tolerance = error + 2 * depth / WIDTH + 1 / OUTPUT_DIM
        note = "five standard errors, plus finite-width terms 2 depth/width and 1/d"
        yield compare(
            f"squared gap of random towers, depth {depth}", SOURCE, predicted, squares.mean(), tolerance, note
        )
        if depth:
            other = theory.initial_gap(N_PAIRS, depth - 1, INPUT_DIM) ** 2
            name = f"control: the gap at depth {depth} differs from that at depth {depth - 1}"
            yield must_exceed(name, SOURCE, float(tolerance), abs(other - float(squares.mean())))


def _squared_gap(depth: int, seed: int) -> float:
    """Return the squared gap of two random towers with independent inputs, from its definition."""
    rng = np.random.default_rng((depth, seed))
    means = []
    for _ in range(2):
        hidden = rng.normal(size=(N_PAIRS, INPUT_DIM))
        for _ in range(depth):
            weights = rng.normal(size=(hidden.shape[1], WIDTH)) * np.sqrt(2 / hidden.shape[1])
            hidden = np.maximum(hidden @ weights, 0)
        outputs = hidden @ rng.normal(size=(hidden.shape[1], OUTPUT_DIM))
        means.append((outputs / np.linalg.norm(outputs, axis=1, keepdims=True)).mean(axis=0))
    return float(np.sum((means[0] - means[1]) ** 2))
