"""All claims of feature contamination, in the order in which they are shown."""

from collections.abc import Iterator

from experiments.feature_contamination.claims.curves import check_curves
from experiments.feature_contamination.claims.neurons import check_neurons
from experiments.feature_contamination.claims.ratio import check_ratio
from experiments.verification.claim import Claim


def check_feature_contamination() -> Iterator[Claim]:
    """Check the ODE of a neuron, the contamination ratio, and the ODE of training curves."""
    yield from check_neurons()
    yield from check_ratio()
    yield from check_curves()
