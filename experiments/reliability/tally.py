"""Counts of what was seen in all trials, and their table."""

from collections import Counter
from dataclasses import dataclass, field

# When a folder holds what; between them, parts.
_STAGES = {"nothing": 0, "the manifest": 1, "the result": 3}


@dataclass
class Tally:
    """What was seen in all trials.

    Attributes:
        kills: their number, by what the folder held.
        writing: how many of them left a file half written.
        compared: datasets that were compared with the undisturbed one.
        members_lost: members that a dataset should hold and does not.
        computed_twice: complete parts that were replaced by another file.
        corrupt: files that were found corrupt, though nothing but kills has happened to them.
        differing: variables, coordinates and attributes that are not the same to the bit.
        left_behind: files of killed processes beside the results.
    """

    kills: Counter[str] = field(default_factory=Counter)
    writing: int = 0
    compared: int = 0
    members_lost: int = 0
    computed_twice: int = 0
    corrupt: int = 0
    differing: list[str] = field(default_factory=list)
    left_behind: Counter[str] = field(default_factory=Counter)

    @property
    def n_kills(self) -> int:
        """All kills."""
        return sum(self.kills.values())

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, computed twice, corrupt or different."""
        return not (self.members_lost or self.computed_twice or self.corrupt or self.differing)

    def format(self) -> str:
        """Return the table."""
        ordered = sorted(self.kills.items(), key=lambda row: (_STAGES.get(row[0], 2), row[0]))
        rows = [(number, f"kills with {what} in the folder") for what, number in ordered]
        rows += [
            (self.n_kills, "kills"),
            (self.writing, "of them while a file was being written"),
            (self.compared, "datasets compared"),
            (self.members_lost, "members lost"),
            (self.computed_twice, "complete parts computed twice"),
            (self.corrupt, "corrupt files"),
            (len(self.differing), "differences" + "".join(f"\n{'':9}{line}" for line in self.differing)),
        ]
        rows += [(number, f"left behind: {what}") for what, number in sorted(self.left_behind.items())]
        return "\n".join(f"{number:7}  {what}" for number, what in rows)
