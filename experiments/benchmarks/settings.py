"""What a user of ``simlab bench`` may choose."""

from typing import NamedTuple

from simlab.validation import check_choice, check_count

SIZES = ("small", "paper")
PRESETS = ("quick", "paper")


class BenchSettings(NamedTuple):
    """The choices, checked by :meth:`check`.

    Attributes:
        sizes: of the task whose step is measured, of ``SIZES``.
        rounds: turns of each contestant.
        members: of a sweep; None for 256 of the small size, and of the paper's size 8 on a CPU and 64 elsewhere.
        precision: of matrix products, as in :class:`simlab.training.spec.TrainingSpec`.
        preset: ``quick`` or ``paper``, of what takes long: the time to the minimum and the scaling.
    """

    sizes: tuple[str, ...] = SIZES
    rounds: int = 9
    members: int | None = None
    precision: str = "highest"
    preset: str = "quick"

    def check(self) -> "BenchSettings":
        """Return itself, or raise ``ValueError`` that names the field."""
        for size in self.sizes:
            check_choice("size", size, SIZES)
        check_count("rounds", self.rounds)
        if self.members is not None:
            check_count("members", self.members)
        check_choice("precision", self.precision, ("highest", "high", "default"))
        check_choice("preset", self.preset, PRESETS)
        return self
