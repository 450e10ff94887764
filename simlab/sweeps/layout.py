"""How the members of one program are laid out over rows, parts and devices."""

from typing import NamedTuple


class Layout(NamedTuple):
    """How the members of one program are laid out; on the same layout a sweep gives the same bits.

    Attributes:
        rows: members that run at once, a multiple of ``member_shards``.
        part: members of a part, the unit that is saved and that a process claims. More than ``rows`` where members
            may stop early: the next ones reuse the rows of those that have stopped.
        member_shards: devices along the member axis.
        class_shards: devices along the class axis.
    """

    rows: int
    part: int
    member_shards: int
    class_shards: int = 1
