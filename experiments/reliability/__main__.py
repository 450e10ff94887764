"""Kill a sweep at random moments, resume it, and compare its result with that of an undisturbed run.

``python -m experiments.reliability [--kills 100] [--processes 1] [--seed 0] [--folder DIR]``

Terms:

kill
    SIGKILL, which a process cannot catch. Half of the kills come after a random time, half right after a random change
    of the folder, that is, while a file is written or renamed; both are uniform over the rest of the run.
lane
    One of the processes that share a folder (``--shard``). After a kill, the lane runs the same command again.
trial
    A fresh folder, in which lanes are killed until the sweep is finished.
undisturbed
    The run of one process without kills; every trial must reproduce its result bit for bit.

Exit status: 0 if every trial is bit-identical to the undisturbed run and no finished part was computed twice, else 1.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from experiments.core.options import read_count
from experiments.reliability.processes import Unreliable
from experiments.reliability.trials import run_trials

_LEAST = {"kills": 1, "processes": 1, "seed": 0}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the trials, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="reliability", description=(__doc__ or "").partition("\n")[0], allow_abbrev=False
    )
    parser.add_argument("--kills", default="100", metavar="N", help="number of kills (default: 100)")
    parser.add_argument("--processes", default="1", metavar="N", help="processes that share a folder (default: 1)")
    parser.add_argument("--seed", default="0", metavar="N", help="seed of the times of the kills (default: 0)")
    parser.add_argument("--folder", metavar="DIR", help="folder for all files (default: a temporary folder)")
    arguments = parser.parse_args(argv)
    with ExitStack() as stack:
        folder = arguments.folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="simlab-reliability-"))
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        try:
            counts = [read_count(name, getattr(arguments, name), least) for name, least in _LEAST.items()]
            tally = run_trials(folder, *counts, say=lambda text: print(text, file=sys.stderr, flush=True))
        except Unreliable as failure:
            print(f"reliability: {failure}", file=sys.stderr)
            return 1
        print(tally.format())
        print(f"{time.monotonic() - begin:7.0f}  seconds")
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
