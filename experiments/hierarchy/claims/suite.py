"""All claims on hierarchy: ``simlab verify hierarchy``."""

from collections.abc import Iterator

from experiments.hierarchy.claims.labels import check_labels
from experiments.hierarchy.claims.linear import check_linear
from experiments.verification.claim import Claim


def check_hierarchy() -> Iterator[Claim]:
    """Check the claims on hierarchical labels and on deep linear networks."""
    yield from check_labels()
    yield from check_linear()
