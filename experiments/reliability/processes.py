"""Processes that run commands of ``simlab`` and can be killed at any time."""

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

# Modules imported before a process is forked, so that kills fall into the sweep and not into imports.
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

_LONGEST = 300.0  # seconds after which a process counts as hanging


@lru_cache(maxsize=1)
def _copies():
    """Return a context that forks processes from a server which has imported the modules of the sweep."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


class Unreliable(Exception):  # noqa: N818 - it names the verdict
    """A run failed or hangs without having been killed."""


class Run:
    """A process that runs one command.

    Args:
        words: words of the command, after ``simlab``.
        cache: folder of compiled programs.
        said: file for the process's stderr.
        longest: seconds after which the process counts as hanging.
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
        """The process id, or None before the process has started."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Return whether the process has ended.

        Raises:
            Unreliable: it hangs.
        """
        return self._exit_status() is not None

    def kill(self) -> None:
        """End the process by SIGKILL."""
        self._process.kill()
        self._process.join()

    def wait(self) -> tuple[int, str]:
        """Wait for the process to end, and return its exit status and its stderr.

        Raises:
            Unreliable: it hangs.
        """
        while (status := self._exit_status()) is None:
            self._process.join(1.0)
        return status, self._said.read_text()

    def finish(self) -> str:
        """Wait for the process to end, and return its stderr.

        Raises:
            Unreliable: it failed or hangs.
        """
        status, said = self.wait()
        if status:
            raise Unreliable(f"exit status {status}: {said}")
        return said

    def _exit_status(self) -> int | None:
        """Return the exit status, or None while the process runs; raise ``Unreliable`` if it hangs."""
        status = self._process.exitcode
        if status is None and time.monotonic() > self._deadline:
            raise Unreliable(f"a process still runs after {self._longest:.0f} s")
        return status


class Processes:
    """A starter of processes, which keeps track of them.

    Attributes:
        folder: folder for shared compiled programs and for the stderr of each process.
        longest: seconds after which a process counts as hanging.
    """

    def __init__(self, folder: Path, longest: float):
        self.folder, self.longest = folder, longest
        self._begun: list[Run] = []

    def begin(self, words: Sequence[str]) -> Run:
        """Start a process with the words of a command, and return it."""
        run = Run(words, self.folder, self.folder / f"said-{len(self._begun)}", self.longest)
        self._begun.append(run)
        return run

    def end(self) -> None:
        """Kill every process that still runs."""
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
    """Run a command in this process, saving its state at every record so that many kills fall into a save."""
    import experiments.commands.cli
    import simlab.sweeps.work

    for path, stream in ((os.devnull, sys.stdout), (said, sys.stderr)):
        with open(path, "w") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ["XDG_CACHE_HOME"] = str(cache)
    simlab.sweeps.work.SAVE_INTERVAL = simlab.sweeps.work.SAVE_SHARE = 0
    sys.exit(experiments.commands.cli.main(words))
