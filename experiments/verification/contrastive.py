"""The claims on contrastive learning, phenomenon by phenomenon."""

from collections.abc import Iterator

from experiments.verification.claim import Claim


def check_contrastive() -> Iterator[Claim]:
    """Check dimensional collapse, and hidden manifolds."""
    from experiments.dimensional_collapse.claims.suite import check_dimensional_collapse
    from experiments.hidden_manifold.claims.suite import check_hidden_manifold

    yield from check_dimensional_collapse()
    yield from check_hidden_manifold()
