"""Claims on the precision of a float32 variance when the mean is large."""

from collections.abc import Iterator

import numpy as np

from experiments.norm_and_variance import variance_formulas as formulas
from experiments.verification.claim import Claim, compare, must_exceed

SOURCE = "Chan, Golub, LeVeque (1979); simlab/metrics/moments.py"
RATIO, N_VECTORS, DIM, BATCH = 1e6, 8192, 16, 256
BOUND = 1e-5


def check_precision() -> Iterator[Claim]:
    """Check that at M/V = 1e6 Chan's rule is accurate, and that the difference Q - M is not."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(N_VECTORS, DIM)) / np.sqrt(DIM)
    vectors = (noise + np.sqrt(RATIO / DIM) * rng.choice([-1.0, 1.0], size=DIM)).astype(np.float32)
    wanted = formulas.reference_variance(vectors)
    for name, compute in (("compensated", formulas.compensated_merge), ("plain", formulas.plain_merge)):
        error = compute(vectors, BATCH) / wanted - 1
        note = "stated bound; a sum of 256 terms has at most 256 roundings of 6e-8"
        yield compare(
            f"Chan's rule in float32, {name}: relative error of V at M/V = 1e6", SOURCE, 0, error, BOUND, note
        )
    for name, compute in (("Q - M", formulas.difference_of_means), ("sums of squares", formulas.sums_of_squares)):
        error = abs(compute(vectors, BATCH) / wanted - 1)
        yield must_exceed(f"control: {name} is inaccurate at M/V = 1e6", SOURCE, 100 * BOUND, error)
