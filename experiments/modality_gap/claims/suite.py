"""All claims of the modality gap, in the order in which they are shown."""

from collections.abc import Iterator

from experiments.modality_gap.claims.course import check_course
from experiments.modality_gap.claims.floor import check_floor
from experiments.modality_gap.claims.towers import check_towers
from experiments.verification.claim import Claim


def check_modality_gap() -> Iterator[Claim]:
    """Check the minimum and its gaps, descent from a symmetric start, and random towers."""
    yield from check_floor()
    yield from check_course()
    yield from check_towers()
