"""All claims of norm and variance, in the order in which they are shown."""

from collections.abc import Iterator

from experiments.norm_and_variance.claims.identities import check_identities
from experiments.norm_and_variance.claims.initialisation import check_initialisation
from experiments.norm_and_variance.claims.precision import check_precision
from experiments.verification.claim import Claim


def check_norm_and_variance() -> Iterator[Claim]:
    """Check identities for any data, the precision of streamed moments, and the shares of untrained encoders."""
    yield from check_identities()
    yield from check_precision()
    yield from check_initialisation()
