"""Trials: a sweep whose processes are killed at random times until it is finished."""

import math
import random
import time
from pathlib import Path

from experiments.reliability.comparison import compare, differing
from experiments.reliability.processes import Processes, Run, processes
from experiments.reliability.tally import Tally
from experiments.reliability.undisturbed import COMMAND, Undisturbed, run_undisturbed
from experiments.reliability.watch import TICK, Watch

_SHARE = 0.8  # fraction of the remaining run in which a kill may come, as a run may be faster than the measured one


def run_trial(
    started: Processes,
    undisturbed: Undisturbed,
    folder: Path,
    tally: Tally,
    chance: random.Random,
    n_kills: int,
    n_processes: int = 1,
) -> None:
    """Run the sweep in a fresh folder with at most ``n_kills`` kills, and add the counts to the tally."""
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
        # After the result is saved, only figures are drawn, and one kill during that is enough.
        n_kills = 0 if watch.has_result else n_kills - 1
        lanes[lane] = begin(lane)
    for process in lanes:
        tally.corrupt += process.finish().count(": corrupt (")
    compare(tally, undisturbed, folder)
    tally.computed_twice += watch.computed_twice


def _wait_for_moment(
    lanes: list[Run], watch: Watch, undisturbed: Undisturbed, chance: random.Random | None
) -> list[int]:
    """Return the running lanes at a random time; without ``chance``, wait until all have ended."""
    begin, moment, change = time.monotonic(), math.inf, math.inf
    left = undisturbed.left(watch.n_complete)
    # If only the result is left to write, half of the processes are spared, or one trial would use up all kills.
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
    """Run trials in subfolders of a folder until ``n_kills`` processes have been killed.

    Args:
        folder: folder for the trials, the undisturbed runs and the shared files of the processes.
        n_kills: number of kills.
        n_processes: number of lanes of each trial.
        seed: seed of the times of the kills.
        say: called with a line of progress.

    Raises:
        Unreliable: a process failed or hangs without having been killed.
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
