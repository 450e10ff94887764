"""All claims of superposition, in the order in which they are shown."""

from collections.abc import Iterator

from experiments.superposition.claims.geometry import check_geometry
from experiments.superposition.claims.limit import check_limit
from experiments.superposition.claims.robustness import check_averaging, check_gain
from experiments.superposition.claims.two_features import check_two_features
from experiments.verification.claim import Claim


def check_superposition() -> Iterator[Claim]:
    """Check two features, sums of codes and their limit, the gain, and feature averaging."""
    yield from check_two_features()
    yield from check_geometry()
    yield from check_limit()
    yield from check_gain()
    yield from check_averaging()
