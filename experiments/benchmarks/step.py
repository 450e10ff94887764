"""The training step: ours beside the matrix products that bound it and beside PyTorch, one run and a sweep of them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from experiments.benchmarks import ours, pytorch
from experiments.benchmarks.arithmetic import StepCost, step_cost
from experiments.benchmarks.measurement import (
    WITHOUT_PYTORCH,
    Contestant,
    Measurement,
    Part,
    summarise,
    take_turns,
    unmeasured,
)
from experiments.benchmarks.settings import TASKS, BenchSettings
from experiments.feature_collapse.training_spec import WordSpec
from simlab.data.sources import FixedSample, FreshExamples
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.sweeps.layout import Layout
from simlab.training.spec import TrainingSpec
from simlab.validation import first_line

ALONE, SWEEP, EAGER, COMPILED = "simlab, alone", "simlab, sweep of", "PyTorch, eager", "PyTorch, compiled"
XLA_PRODUCTS, TORCH_PRODUCTS = "products (XLA)", "products (PyTorch)"

# A run's turn lasts about this long (s) on a machine of the given rate (operations per second) that needs at least the
# given time (s) for a step: long enough for the clock, short enough that what else the machine does falls on all alike.
# PyTorch calls its kernels one by one and needs at least the third time.
TURN_SECONDS = 0.3
PYTORCH_STEP = 5e-4
RATES = {"cpu": (1e11, 2e-5), "gpu": (2e13, 4e-5), "tpu": (2e13, 4e-5)}

# Steps of a sweep's turn at least: large members are brought from their place and back once a segment, and the paper's
# runs have segments of 250 steps and more.
LEAST_SEGMENT = 50


class Case(NamedTuple):
    """A task and data source whose step is measured: its name, the specification, the rates, members of the sweep."""

    name: str
    spec: WordSpec
    hyperparameters: Hyperparameters
    members: int


def make_parts(settings: BenchSettings) -> Iterator[Part]:
    """Yield a part for each case: times per step and their ratios."""
    for case in make_cases(settings):
        yield Part(case.name, partial(_measure, case, settings.rounds))


def make_cases(settings: BenchSettings) -> Iterator[Case]:
    """Yield what is measured, as the user chose."""
    platform = jax.default_backend()
    paper_members = 8 if platform == "cpu" else 64
    sizes = {
        "small": (32, 8, Hyperparameters(0.1, 0.1), 256),
        "paper": (100, 5, Hyperparameters(), paper_members),
    }
    for size in settings.sizes:
        (task, dim), (batch_size, per_class, hyperparameters, members) = TASKS[size], sizes[size]
        sources = {
            "fixed sample": FixedSample(n_examples=per_class * task.n_classes, batch_size=batch_size),
            "fresh sentences": FreshExamples(batch_size=batch_size),
        }
        for source_name, source in sources.items():
            spec = TrainingSpec(
                task=task,
                source=source,
                network=TwoLayer(embedding_dim=dim),
                objective=CrossEntropy(),
                n_steps=1,
                steps_per_record=1,
                precision=settings.precision,
            )
            spec = _with_steps(spec, _turn_steps(step_cost(spec), *RATES[platform]))
            yield Case(f"{size} size, {source_name}", spec, hyperparameters, settings.members or members)


def _turn_steps(cost: StepCost, rate: float, least: float) -> int:
    """Return the steps of a turn on a machine that does ``rate`` operations a second and needs ``least`` seconds."""
    return max(5, round(TURN_SECONDS / max(cost.flops / rate, least)))


def _with_steps(spec: WordSpec, n_steps: int) -> WordSpec:
    """Return the specification of a run whose one segment has so many steps."""
    return replace(spec, n_steps=n_steps, steps_per_record=n_steps)


def _for_pytorch(spec: WordSpec) -> WordSpec:
    """Return the specification with shorter turns, as PyTorch takes longer for each call."""
    rate, _ = RATES[jax.default_backend()]
    return _with_steps(spec, _turn_steps(step_cost(spec), rate, PYTORCH_STEP))


def _contestants(case: Case) -> list[Contestant]:
    """Return all who can run here."""
    spec, rates = case.spec, case.hyperparameters
    cost, n_steps = step_cost(spec), spec.steps_per_record
    layout = ours.even_layout(case.members)
    rows = layout.rows
    sweep_spec = _with_steps(spec, max(LEAST_SEGMENT, n_steps // rows))
    contestants = [
        ours.matrix_products(XLA_PRODUCTS, cost, n_steps, spec.precision),
        ours.training(ALONE, spec, rates, Layout(1, 1, 1)),
        ours.training(f"{SWEEP} {rows}", sweep_spec, rates, layout),
    ]
    if pytorch.is_installed():
        contestants.append(pytorch.matrix_products(TORCH_PRODUCTS, cost, n_steps, spec.precision))
        contestants.append(pytorch.training(EAGER, _for_pytorch(spec), rates))
    return contestants


def _measure(case: Case, rounds: int) -> Iterator[Measurement]:
    contestants = _contestants(case)
    missing = [] if pytorch.is_installed() else [(EAGER, WITHOUT_PYTORCH)]
    try:
        contestants.append(pytorch.compiled_training(COMPILED, _for_pytorch(case.spec), case.hyperparameters))
    except (ImportError, RuntimeError) as error:
        missing.append((COMPILED, first_line(error)))
    seconds = take_turns(contestants, rounds)
    cost = step_cost(case.spec)
    where = ("step", "arithmetic of a step", case.name)
    yield summarise(where, "operations", "MFLOP", cost.flops / 1e6)
    yield summarise(where, "bytes", "MB", cost.bytes / 1e6)
    yield summarise(where, "intensity", "operations/byte", cost.flops / cost.bytes)
    products = [seconds[name] for name in (XLA_PRODUCTS, TORCH_PRODUCTS) if name in seconds]
    limit = min(products, key=np.median)
    for contestant in contestants:
        where, times = ("step", case.name, contestant.name), seconds[contestant.name]
        yield summarise(where, "time", "us/step", 1e6 * times)
        yield summarise(where, "rate", "GFLOP/s", cost.flops / times / 1e9)
        yield summarise(where, "of the limit", "", limit / times)
        if EAGER in seconds:
            yield summarise(where, "times eager", "", seconds[EAGER] / times)
        for fact in contestant.facts:
            yield summarise(where, fact.quantity, fact.unit, fact.value)
    for name, reason in missing:
        yield unmeasured(("step", case.name, name), "us/step", reason)
