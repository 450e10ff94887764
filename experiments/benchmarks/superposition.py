"""The training of a phase diagram: ours beside PyTorch, all cells as one batch of instances, and a loop over cells."""

# PyTorch is optional.
# pyright: reportMissingImports=false

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from experiments.benchmarks import ours, pytorch
from experiments.benchmarks.measurement import Contestant, Measurement, compare_steps
from experiments.benchmarks.settings import BenchSettings
from experiments.registry import find_experiment
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import Sweep

SAMPLED, WEIGHTED = "simlab, masks sampled", "simlab, every mask weighted"
APART = ", own draws"
INSTANCES, LOOP = "PyTorch, instances", "PyTorch, loop over cells"
EXPERIMENT = "phase-diagram"
# Steps of a turn: of all cells at once, and of each of a few cells one after the other.
TURN_STEPS, LOOP_STEPS, LOOP_CELLS = 50, 50, 4


def measure_superposition(settings: BenchSettings) -> Iterator[Measurement]:
    """Yield the time of a step of a cell, and how many times longer PyTorch takes, or a sweep without shared draws.

    All draw as many examples in a step. PyTorch and the first two of ours draw which features are active; the others
    of ours weight all four masks instead, as the experiment does, and so compute four times as many outputs. Members of
    one seed share their draws as in a run, and draw their own where the name says so.
    """
    sampled, weighted = (grid_members(settings, masks) for masks in ("sampled", "weighted"))
    (shared,) = Sweep(sampled).choose_layouts(chunk=len(sampled))
    apart = ours.even_layout(len(sampled))
    n_members = apart.rows
    contestants = []
    for name, members in ((SAMPLED, sampled), (WEIGHTED, weighted)):
        if shared.rows == len(members):
            by_seed = sorted(members, key=lambda member: member.seed)
            contestants.append(ours.sweep(name, by_seed, shared))
        contestants.append(ours.sweep(f"{name}{APART}", members[:n_members], apart))
    if pytorch.is_installed():
        contestants += [batched_instances(INSTANCES, sampled[:n_members]), loop_over_cells(LOOP, sampled)]
    case = f"{n_members} members, {sampled[0].spec.source.batch_size} draws each"
    unit = "us/cell and step"
    peers = {"times PyTorch": INSTANCES, "times own draws, sampled": f"{SAMPLED}{APART}"}
    peers["times own draws, weighted"] = f"{WEIGHTED}{APART}"
    yield from compare_steps("superposition", case, contestants, settings.rounds, unit=unit, peers=peers)


def grid_members(settings: BenchSettings, masks: str) -> list[Member]:
    """Return the members of the phase diagram's preset, of runs whose only segment is a turn.

    Args:
        settings: its ``members`` are the first so many.
        masks: ``sampled`` or ``weighted``.
    """
    plan = find_experiment(EXPERIMENT).plan(settings.preset, {"masks": masks, "precision": settings.precision})
    members = [
        Member(replace(cell.spec, n_steps=TURN_STEPS, steps_per_record=TURN_STEPS), cell.hyperparameters, seed)
        for cell in plan.cells
        for seed in plan.seeds
    ]
    return members[: settings.members]


def batched_instances(name: str, members: Sequence[Member]) -> Contestant:
    """Return a training step of all members at once, each an instance on a leading axis of the weights."""
    take = begin_instances(members)
    return Contestant(name, lambda: take(TURN_STEPS), TURN_STEPS * len(members))


def loop_over_cells(name: str, members: Sequence[Member]) -> Contestant:
    """Return the training of some members one after the other, each with weights and an optimiser of its own."""
    chosen = [members[index] for index in np.linspace(0, len(members) - 1, LOOP_CELLS).astype(int)]
    takes = [begin_instances([member]) for member in chosen]

    def turn() -> None:
        for take in takes:
            take(LOOP_STEPS)

    return Contestant(name, turn, LOOP_STEPS * len(chosen))


def begin_instances(members: Sequence[Member]):
    """Return ``take(n_steps)``, which takes further steps of Adam with fresh samples and returns the last loss of each.

    ``x' = relu(W^T W x + b)`` of each instance by ``einsum``, the loss their weighted squared error, the learning rate
    the cosine of the specification over its steps, again and again.

    Args:
        members: of two features or more, masks sampled; they share all but the numbers that vary.
    """
    import torch

    spec, device = members[0].spec, pytorch.device_name()
    laws = [member.spec.task.sample(member.seed) for member in members]
    tensor = lambda values: torch.tensor(np.array(values, np.float32), device=device)  # noqa: E731
    p = tensor([law.active_probability for law in laws])[:, None]
    importance = tensor([law.importance for law in laws])
    scale = p[:, 0] * importance.min(dim=1).values
    n_instances, n_features, n_hidden = len(members), spec.task.n_features, spec.network.n_hidden
    peak = float(members[0].hyperparameters.learning_rate)
    initial = float(members[0].hyperparameters.initial_scale) / n_hidden**0.5
    weights = torch.nn.Parameter(initial * torch.randn(n_instances, n_hidden, n_features, device=device))
    bias = torch.nn.Parameter(torch.zeros(n_instances, n_features, device=device))
    optimizer = torch.optim.Adam([weights, bias], lr=peak)
    shape = (spec.source.batch_size, n_instances, n_features)

    def take(n_steps: int):
        for step in range(n_steps):
            for group in optimizer.param_groups:
                group["lr"] = peak * 0.5 * (1 + math.cos(math.pi * step / n_steps))
            optimizer.zero_grad(set_to_none=True)
            values = torch.rand(shape, device=device)
            inputs = torch.where(torch.rand(shape, device=device) < p, values, torch.zeros((), device=device))
            hidden = torch.einsum("bif,ihf->bih", inputs, weights)
            outputs = torch.relu(torch.einsum("bih,ihf->bif", hidden, weights) + bias)
            losses = (importance * (inputs - outputs) ** 2).mean(dim=0).sum(dim=1)
            (losses / scale).sum().backward()
            optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()
        return losses.detach().cpu().numpy()

    return take
