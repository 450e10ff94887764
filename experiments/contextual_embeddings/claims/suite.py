"""All claims of contextual embeddings, in the order in which they are shown."""

from collections.abc import Iterator

from experiments.contextual_embeddings.claims.class_gram import check_class_gram
from experiments.contextual_embeddings.claims.identities import check_identities
from experiments.contextual_embeddings.claims.isotropy import check_isotropy
from experiments.contextual_embeddings.claims.minimum import check_minimum
from experiments.contextual_embeddings.claims.random_encoders import check_random_encoders
from experiments.verification.claim import Claim


def check_contextual_embeddings() -> Iterator[Claim]:
    """Check identities, the minimum loss, class vectors of unequal classes, the time to isotropy, random encoders."""
    yield from check_identities()
    yield from check_minimum()
    yield from check_class_gram()
    yield from check_isotropy()
    yield from check_random_encoders()
