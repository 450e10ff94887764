"""Counts over all trials, and their table."""

from collections import Counter
from dataclasses import dataclass, field

# Order of the contents of a folder during a run; parts come between the manifest and the result.
_STAGES = {"nothing": 0, "the manifest": 1, "the result": 3}


@dataclass
class Tally:
    """Counts over all trials.

    Attributes:
        kills: number of kills, by the content of the folder.
        writing: number of kills that left a file half written.
        compared: number of datasets compared with the undisturbed one.
        members_lost: number of members missing from datasets.
        computed_twice: number of complete parts that were replaced by another file.
        corrupt: number of files found corrupt, although only kills have happened.
        differing: variables, coordinates and attributes that are not bit-identical.
        left_behind: number of files of killed processes next to the results, by name.
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
        """The number of all kills."""
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
