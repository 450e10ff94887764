"""The authors' toy training of feature contamination: ours beside PyTorch, one run and a sweep."""

# PyTorch is optional.
# pyright: reportMissingImports=false

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from experiments.benchmarks import ours, pytorch
from experiments.benchmarks.measurement import Contestant, Measurement, compare_steps
from experiments.benchmarks.settings import BenchSettings
from experiments.registry import find_experiment
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member

ALONE, SWEEP, LOOP = "simlab, alone", "simlab, sweep", "PyTorch, one run"
EXPERIMENT, MEMBERS = "contamination-toy", 32
TURN_STEPS = 10


def measure_contamination(settings: BenchSettings) -> Iterator[Measurement]:
    """Yield the time of a step of a member, and how many times longer it takes PyTorch, which trains runs in turn."""
    members = toy_members(settings)
    layout = ours.even_layout(len(members))
    rows = layout.rows
    contestants = [
        ours.sweep(ALONE, members[:1], Layout(1, 1, 1)),
        ours.sweep(SWEEP, members[:rows], layout),
    ]
    if pytorch.is_installed():
        contestants.append(loop(members[0]))
    task = members[0].spec
    case = f"{task.source.n_examples} examples, {task.task.input_dim} inputs, {rows} members in the sweep"
    unit = "us/member and step"
    yield from compare_steps(
        "contamination", case, contestants, settings.rounds, unit=unit, peers={"times PyTorch": LOOP}
    )


def toy_members(settings: BenchSettings) -> list[Member]:
    """Return runs of the first regime of the experiment, a ReLU on a linear core; they differ in their seeds."""
    plan = find_experiment(EXPERIMENT).plan(settings.preset, {"precision": settings.precision})
    cell = plan.cells[0]
    spec = replace(cell.spec, n_steps=TURN_STEPS, steps_per_record=TURN_STEPS)
    return [Member(spec, cell.hyperparameters, seed) for seed in range(settings.members or MEMBERS)]


def loop(member: Member) -> Contestant:
    """Return the training of one run; a sweep takes as long for each member, as PyTorch trains them in turn."""
    take = begin(member)
    return Contestant(LOOP, lambda: take(TURN_STEPS), TURN_STEPS)


def begin(member: Member):
    """Return ``take(n_steps)``, which takes further steps of AdamW and returns the last loss.

    ``nn.Linear``, an activation and ``nn.Linear`` on all examples in each step, with the logistic loss.
    """
    import torch
    from torch import nn

    spec, hyper, device = member.spec, member.hyperparameters, pytorch.device_name()
    law, task = spec.task.sample(member.seed), spec.task
    rng = np.random.default_rng(member.seed)
    labels = np.where(np.arange(spec.source.n_examples) % 2, 1.0, -1.0)
    strengths = rng.uniform(size=(len(labels), task.n_features))
    features = strengths * np.where(np.arange(task.n_features) < task.core_features, labels[:, None], 1.0)
    tensor = lambda values: torch.tensor(np.array(values, np.float32), device=device)  # noqa: E731
    inputs, targets = tensor(features @ law.directions), tensor(labels)
    n_hidden = spec.network.n_hidden
    network = nn.Sequential(nn.Linear(task.n_inputs, n_hidden), nn.ReLU(), nn.Linear(n_hidden, 1)).to(device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=hyper.learning_rate, weight_decay=hyper.decoupled_weight_decay
    )

    def take(n_steps: int) -> float:
        loss = torch.zeros(())
        for _ in range(n_steps):
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.softplus(-targets * network(inputs)[:, 0]).mean()
            loss.backward()
            optimizer.step()
        return float(loss.detach())

    return take
