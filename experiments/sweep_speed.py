"""Speedup of a sweep over sequential training of its members: ``python -m experiments.sweep_speed``.

The members of a small task (12 words, L = 4, K = 81, d = 8, batches of 32) are trained side by side on all devices, and
some of them sequentially on one device. Both are compiled before they are timed, and alternate in one process. The host
time is the CPU time of the host thread, while the devices compute.
"""

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np

from experiments.tables.columns import format_columns
from simlab.data.sources import FixedSample
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.runtime.devices import use_all_cores
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep, train_members
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec

TASK = SentenceTask(n_words=12, sentence_length=4, n_classes="all", word_frequency="zipf")
RATES = Hyperparameters(learning_rate=0.1, initial_scale=0.1)


def main() -> int:
    """Measure the times, print the table, and return exit status 0."""
    parser = argparse.ArgumentParser(description="Time a sweep against sequential training of its members.")
    parser.add_argument("--members", type=int, default=256, help="members of the sweep (default: 256)")
    parser.add_argument("--rates", type=int, default=1, help="learning rates, each with as many seeds (default: 1)")
    parser.add_argument("--alone", type=int, default=16, help="members trained sequentially (default: 16)")
    parser.add_argument("--steps", type=int, default=4000, help="steps of each member (default: 4000)")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions, reduced to their median (default: 5)")
    arguments = parser.parse_args()
    use_all_cores()
    source = FixedSample(n_examples=8 * TASK.n_classes, batch_size=32)
    spec = TrainingSpec(
        task=TASK,
        source=source,
        network=TwoLayer(embedding_dim=8),
        objective=CrossEntropy(),
        n_steps=arguments.steps,
        steps_per_record=arguments.steps // 10,
        n_evaluation=500,
    )
    seeds = range(arguments.members // arguments.rates)
    factors = np.geomspace(0.5, 2, arguments.rates) if arguments.rates > 1 else [1.0]
    rates = [RATES._replace(learning_rate=RATES.learning_rate * factor) for factor in factors]
    members = [Member(spec, hyperparameters, seed) for hyperparameters in rates for seed in seeds]
    layouts = Sweep(members).choose_layouts()
    rounds = [_measure(members, arguments.alone, layouts[0]) for _ in range(arguments.rounds + 1)][1:]
    together, alone, host = np.median(rounds, axis=0)
    speedup = np.array([row[1] / row[0] for row in rounds])
    rows = [
        ("microseconds per step and member", "", ""),
        ("sequential", f"{1e6 * alone / arguments.steps:.1f}", ""),
        ("in a sweep", f"{1e6 * together / arguments.steps:.1f}", ""),
        ("speedup", f"{np.median(speedup):.2f}", f"{speedup.min():.2f} to {speedup.max():.2f}"),
        ("host time", f"{100 * host:.1f} %", "of the sweep's time"),
        ("layout", f"{layouts[0].rows} rows", f"{layouts[0].member_shards} devices"),
        ("rows of a seed", f"{layouts[0].same_seed}", "share their draws"),
    ]
    print(format_columns(rows))
    return 0


def _measure(members: list[Member], n_alone: int, layout: Layout) -> tuple[float, float, float]:
    """Return the seconds per member in a sweep and sequentially, and the host's share of the time of the sweep."""
    host = time.thread_time()
    together = _seconds(lambda: train_members(members, layouts=[layout]))
    host = time.thread_time() - host
    alone = _seconds(lambda: train_members(members[:n_alone], layouts=[Layout(1, 1, 1)]))
    return together / len(members), alone / n_alone, host / together


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
