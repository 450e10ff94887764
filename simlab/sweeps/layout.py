"""The layout of the members of one program over rows, parts and devices."""

from typing import NamedTuple


class Layout(NamedTuple):
    """The layout of the members of one program; sweeps with the same layout are bit-identical.

    Attributes:
        rows: number of members in one batch, a multiple of ``member_shards``.
        part: number of members in a part, the unit that is saved and claimed by a process. It exceeds ``rows`` where
            members may stop early: waiting members reuse the rows of stopped ones.
        member_shards: devices along the member axis.
        class_shards: devices along the class axis.
    """

    rows: int
    part: int
    member_shards: int
    class_shards: int = 1
