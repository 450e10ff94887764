"""Trials: a sweep whose processes are killed at random moments until it is finished nevertheless."""

import math
import random
import time
from pathlib import Path

from experiments.reliability.comparison import compare, differing
from experiments.reliability.processes import Processes, Run, processes
from experiments.reliability.tally import Tally
from experiments.reliability.undisturbed import COMMAND, Undisturbed, run_undisturbed
from experiments.reliability.watch import TICK, Watch

_SHARE = 0.8  # of what is left, in which a kill may come: a run may be faster than the one that was measured


def run_trial(
    started: Processes,
    undisturbed: Undisturbed,
    folder: Path,
    tally: Tally,
    chance: random.Random,
    n_kills: int,
    n_processes: int = 1,
) -> None:
    """Run the sweep in a fresh folder, with at most so many kills, and add what was seen to the tally."""
    watch = Watch(folder)

    def begin(lane: int) -> Run:
        shard = ["--shard", f"{lane}/{n_processes}"] if n_processes > 1 else []
        return started.begin([*COMMAND, *shard, "--out", str(folder)])

    lanes = [begin(lane) for lane in range(n_processes)]
    while running := _wait_for_moment(lanes, watch, undisturbed, chance if n_kills else None):
        lane = chance.choice(running)
        lanes[lane].kill()
        watch.look()
        tally.kills[watch.describe()] += 1
        tally.writing += watch.is_writing
        # To finish is then to draw the figures again: one kill there is enough.
        n_kills = 0 if watch.has_result else n_kills - 1
        lanes[lane] = begin(lane)
    for process in lanes:
        tally.corrupt += process.finish().count(": corrupt (")
    compare(tally, undisturbed, folder)
    tally.computed_twice += watch.computed_twice


def _wait_for_moment(
    lanes: list[Run], watch: Watch, undisturbed: Undisturbed, chance: random.Random | None
) -> list[int]:
    """Return the lanes that still run, at a random moment; without chance not before all have ended."""
    begin, moment, change = time.monotonic(), math.inf, math.inf
    left = undisturbed.left(watch.n_complete)
    # All that is left may be to write the result: half of those get through, or one trial would take all kills.
    if chance is None or (watch.n_complete == undisturbed.n_parts and chance.random() < 0.5):
        pass
    elif chance.random() < 0.5:
        moment = begin + chance.uniform(0, _SHARE) * left.seconds
    else:
        change = watch.changes + chance.uniform(0, _SHARE) * left.changes
    while running := [lane for lane, process in enumerate(lanes) if not process.has_ended()]:
        watch.look()
        if time.monotonic() >= moment or watch.changes >= change:
            break
        time.sleep(TICK)
    return running


def run_trials(folder: Path, n_kills: int, n_processes: int, seed: int, say=lambda text: None) -> Tally:
    """Run trials in subfolders of a folder until so many processes were killed.

    Args:
        folder: where the trials, the undisturbed runs and what the processes share go.
        n_kills: their number.
        n_processes: lanes of each trial.
        seed: of the moments.
        say: called with a line of progress.

    Raises:
        Unreliable: a process that nobody killed failed or hangs.
    """
    chance, tally = random.Random(seed), Tally()
    with processes(folder / "processes") as started:
        first = run_undisturbed(started, folder / "undisturbed-0")  # fills the cache
        undisturbed = run_undisturbed(started, folder / "undisturbed-1")
        tally.compared += 1
        tally.differing += [f"undisturbed: {name}" for name in differing(first.dataset, undisturbed.dataset)]
        say("undisturbed: {:.1f} s, {} changes of the folder".format(*undisturbed.marks[-1]))
        while tally.n_kills < n_kills:
            here = folder / f"trial-{tally.compared:03d}"
            run_trial(started, undisturbed, here, tally, chance, n_kills - tally.n_kills, n_processes)
            say(f"{tally.n_kills} of {n_kills} kills, {tally.compared} datasets compared")
    return tally
