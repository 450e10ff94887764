"""Processes that carry out commands of ``simlab`` and can be killed at any moment."""

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

# What a process imports before it is forked, so that a kill meets the sweep and not an import.
_PRELOADED = [
    "experiments.feature_collapse.regimes",
    "experiments.tables.sweep",
    "experiments.feature_collapse.comparison",
    "experiments.feature_collapse.optimality",
    "figures.sweeps.sweep",
    "fontTools.subset",
    "h5netcdf",
    "simlab.sweeps.sweep",
]  # fmt: skip

_LONGEST = 300.0  # seconds that a process may take before it counts as hanging


@lru_cache(maxsize=1)
def _copies():
    """Return the context whose processes are forked from one that has imported what the sweep needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


class Unreliable(Exception):  # noqa: N818 - it names the verdict
    """A run that nobody killed failed or hangs."""


class Run:
    """A process that carries out one command.

    Args:
        words: of the command, after ``simlab``.
        cache: folder of compiled programs.
        said: the file that its stderr goes to.
        longest: seconds after which it counts as hanging.
    """

    def __init__(self, words: Sequence[str], cache: Path, said: Path, longest: float):
        self._longest = longest
        self._deadline = time.monotonic() + longest
        self._said = said
        said.touch()
        self._process = _copies().Process(target=_obey, args=(list(words), cache, said), daemon=True)
        self._process.start()

    @property
    def number(self) -> int | None:
        """The system's number of the process, which has one once it has begun."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Return whether it has ended.

        Raises:
            Unreliable: it hangs.
        """
        return self._exit_status() is not None

    def kill(self) -> None:
        """End it by SIGKILL."""
        self._process.kill()
        self._process.join()

    def wait(self) -> tuple[int, str]:
        """Wait for its end and return the exit status and what it wrote to stderr.

        Raises:
            Unreliable: it hangs.
        """
        while (status := self._exit_status()) is None:
            self._process.join(1.0)
        return status, self._said.read_text()

    def finish(self) -> str:
        """Wait for its end and return what it wrote to stderr.

        Raises:
            Unreliable: it failed or hangs.
        """
        status, said = self.wait()
        if status:
            raise Unreliable(f"exit status {status}: {said}")
        return said

    def _exit_status(self) -> int | None:
        """Return the exit status, or None while it runs; raise ``Unreliable`` if it hangs."""
        status = self._process.exitcode
        if status is None and time.monotonic() > self._deadline:
            raise Unreliable(f"a process still runs after {self._longest:.0f} s")
        return status


class Processes:
    """Starts processes.

    Attributes:
        folder: of the compiled programs that all share, and of what they write to stderr.
        longest: seconds after which a process counts as hanging.
    """

    def __init__(self, folder: Path, longest: float):
        self.folder, self.longest = folder, longest
        self._begun: list[Run] = []

    def begin(self, words: Sequence[str]) -> Run:
        """Return a process that has just begun the command."""
        run = Run(words, self.folder, self.folder / f"said-{len(self._begun)}", self.longest)
        self._begun.append(run)
        return run

    def end(self) -> None:
        """Kill whatever still runs."""
        for run in self._begun:
            run.kill()


@contextmanager
def processes(folder: Path, longest: float = _LONGEST) -> Iterator[Processes]:
    """Yield a :class:`Processes`; none of its processes outlives the context."""
    folder.mkdir(parents=True, exist_ok=True)
    started = Processes(folder, longest)
    try:
        yield started
    finally:
        started.end()


def _obey(words: list[str], cache: Path, said: Path) -> None:
    """Carry out a command in this process; save its state at every record, so that many kills fall into a save."""
    import experiments.commands.cli
    import simlab.sweeps.work

    for path, stream in ((os.devnull, sys.stdout), (said, sys.stderr)):
        with open(path, "w") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ["XDG_CACHE_HOME"] = str(cache)
    simlab.sweeps.work.SAVE_INTERVAL = simlab.sweeps.work.SAVE_SHARE = 0
    sys.exit(experiments.commands.cli.main(words))
