"""What a user of ``simlab bench`` may choose."""

from typing import NamedTuple

from experiments.atlas.entries import ENTRIES
from experiments.atlas.entries import NAMES as PHENOMENA
from experiments.catalogue import Entry
from simlab.sizes import check_array
from simlab.tasks.sentence_task import SentenceTask
from simlab.validation import check_choice, check_count

# The task whose step is measured, and the dimension of its embeddings, by the name of its size.
TASKS = {
    "small": (SentenceTask(n_words=12, sentence_length=4, n_classes="all", word_frequency="zipf"), 8),
    "paper": (SentenceTask(n_words=1200, sentence_length=15, n_classes=1000), 100),
}
SIZES = tuple(TASKS)
PRESETS = ("quick", "paper")


class BenchSettings(NamedTuple):
    """The choices, checked by :meth:`check`.

    Attributes:
        sizes: of the task whose step is measured, of ``SIZES``.
        rounds: turns of each contestant.
        members: of a sweep; None for what each benchmark chooses (step: 256 of the small size, and of the paper's size
            8 on a CPU and 64 elsewhere).
        precision: of matrix products, as in :class:`simlab.training.spec.TrainingSpec`.
        preset: ``quick`` or ``paper``, of the experiments, and of what takes long: the time to the minimum and the
            scaling.
        only: phenomena of ``training`` and ``overheads``; all of them if none is named.
    """

    sizes: tuple[str, ...] = SIZES
    rounds: int = 9
    members: int | None = None
    precision: str = "highest"
    preset: str = "quick"
    only: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The chosen phenomena of the atlas."""
        return tuple(entry for entry in ENTRIES if not self.only or entry.name in self.only)

    def check(self) -> "BenchSettings":
        """Return itself, or raise ``ValueError`` that names the field."""
        for size in self.sizes:
            check_choice("sizes", size, SIZES)
        check_count("rounds", self.rounds)
        if self.members is not None:
            self._check_members(check_count("members", self.members))
        check_choice("precision", self.precision, ("highest", "high", "default"))
        check_choice("preset", self.preset, PRESETS)
        for name in self.only:
            check_choice("only", name, PHENOMENA)
        return self

    def of_a_measurement(self) -> dict[str, object]:
        """Return what decides how a part is measured; ``sizes`` and ``only`` choose parts."""
        return {name: value for name, value in self._asdict().items() if name not in ("sizes", "only")}

    def _check_members(self, members: int) -> None:
        """Raise ``ValueError`` for a sweep whose weights no memory holds; nothing is compiled for it."""
        for task, dim in (TASKS[size] for size in self.sizes):
            n_weights = dim * (task.n_words + task.n_classes * task.sentence_length)
            check_array("weights of all members", 4 * n_weights, members=members)
