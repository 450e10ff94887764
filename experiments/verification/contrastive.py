"""The claims on contrastive learning, phenomenon by phenomenon."""

from collections.abc import Iterator

from experiments.verification.claim import Claim


def check_contrastive() -> Iterator[Claim]:
    """Check dimensional collapse, representation kernels and hidden manifolds."""
    from experiments.dimensional_collapse.claims.suite import check_dimensional_collapse
    from experiments.hidden_manifold.claims.suite import check_hidden_manifold
    from experiments.representation_kernels.claims.suite import check_representation_kernels

    yield from check_dimensional_collapse()
    yield from check_representation_kernels()
    yield from check_hidden_manifold()
