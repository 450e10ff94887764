"""All claims of dimensional collapse, in the order in which they are shown."""

from collections.abc import Iterator

from experiments.dimensional_collapse.claims.losses import check_losses
from experiments.dimensional_collapse.claims.minimisers import check_minimisers
from experiments.verification.claim import Claim


def check_dimensional_collapse() -> Iterator[Claim]:
    """Check expected losses, the effect of a finite batch, and the predicted spectra."""
    yield from check_losses()
    yield from check_minimisers()
