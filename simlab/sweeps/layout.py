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
        by_seed: whether parts list the members seed by seed, instead of cell by cell.
        same_seed: number of consecutive rows whose members share a seed: random numbers are drawn once for them.
        same_task: whether these members also share the arrays of the task, and so the training set.
    """

    rows: int
    part: int
    member_shards: int
    class_shards: int = 1
    by_seed: bool = False
    same_seed: int = 1
    same_task: bool = False

    @property
    def n_devices(self) -> int:
        """The number of devices that the members run on."""
        return self.member_shards * self.class_shards
