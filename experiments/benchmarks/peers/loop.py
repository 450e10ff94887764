"""The training loop of all peers: our start, the optimiser by its name, eager or compiled."""

# PyTorch is optional.
# pyright: reportMissingImports=false

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks.measurement import Contestant, Fact
from experiments.benchmarks.peers.peer import Peer, Tensor
from experiments.benchmarks.pytorch import device_name
from simlab.data.sources import FixedSample
from simlab.runtime.random_keys import random_key
from simlab.sweeps.members import Member, member_inputs
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS
from simlab.training.trainer import make_trainer

# Iterations that L-BFGS remembers, as many as ours.
HISTORY = 10

# Tries of each number of threads, and the steps of a try.
TRIES, TRIED_STEPS = 5, 5


class Start(NamedTuple):
    """Where a run of ours begins, as NumPy arrays.

    Attributes:
        weights: by name.
        decays: the coefficient ``lam`` of ``lam/2 |w|^2`` of each.
        rates: the factor on the learning rate of each.
        sample: the training set, a pytree; None where examples are fresh.
    """

    weights: dict[str, np.ndarray]
    decays: dict[str, float]
    rates: dict[str, float]
    sample: Any


class Loop(NamedTuple):
    """A training that can be continued.

    Attributes:
        peer: what is trained.
        step: takes a step on a batch.
        take: takes so many steps on batches of its own, and returns when the device is done.
    """

    peer: Peer
    step: Callable[[tuple], None]
    take: Callable[[int], None]


def start_of(member: Member) -> Start:
    """Return where the run of a member begins."""
    spec, trainer = member.spec, make_trainer(member.spec)
    inputs = jax.tree.map(jnp.asarray, member_inputs(member))
    problem, state = trainer.begin(random_key(inputs.seeds), inputs.data, inputs.hyperparameters)
    penalties = spec.objective.penalties(state.params, member.hyperparameters)
    rates = spec.objective.rates(state.params, member.hyperparameters)
    weights = by_name(state.params)
    return Start(
        weights,
        dict.fromkeys(weights, 0.0) if penalties is None else {n: float(v) for n, v in by_name(penalties).items()},
        dict.fromkeys(weights, 1.0) if rates is None else {n: float(v) for n, v in by_name(rates).items()},
        jax.tree.map(np.asarray, problem.sample),
    )


def by_name(parameters: Any) -> dict[str, np.ndarray]:
    """Return parameters of ours by their place in the network, such as ``layers/0/kernel``."""
    leaves = jax.tree.leaves_with_path(parameters)
    names = [jax.tree_util.keystr(path, simple=True, separator="/").removesuffix("/value") for path, _ in leaves]
    return {name: np.asarray(leaf) for name, (_, leaf) in zip(names, leaves, strict=True)}


def begin(module: str, member: Member, *, is_compiled: bool = False) -> Loop:
    """Return the training of a member by the peer in a module of this folder, from the weights of ours.

    With ``is_compiled`` the loss is compiled by ``torch.compile``.
    """
    import torch

    start = start_of(member)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, member.spec.dtype))
    try:
        peer: Peer = import_module(f"experiments.benchmarks.peers.{module}").make(member)
    finally:
        torch.set_default_dtype(usual)
    load(peer, start.weights)
    batches = draw_batches(peer, member, start)
    loss = torch.compile(peer.loss) if is_compiled else peer.loss
    if member.spec.optimizer in LINE_SEARCH_OPTIMIZERS:
        return _begin_search(peer, start, loss, next(batches))
    optimizer = make_optimizer(peer, member, start)

    def step(batch: tuple) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(*batch).backward()
        optimizer.step()

    def take(n_steps: int) -> None:
        for _ in range(n_steps):
            step(next(batches))
        _wait()

    return Loop(peer, step, take)


def _begin_search(peer: Peer, start: Start, loss: Callable, batch: tuple) -> Loop:
    """Return the training by L-BFGS, which begins anew each time: near a minimum its line search takes longer."""
    import torch

    def risk(batch: tuple) -> Tensor:
        value = loss(*batch)
        for name, decay in start.decays.items():
            if decay:
                value = value + decay / 2 * (peer.parameters[name] ** 2).sum()
        return value

    def search(batch: tuple, n_steps: int) -> None:
        load(peer, start.weights)
        optimizer = torch.optim.LBFGS(
            list(peer.parameters.values()),
            max_iter=n_steps,
            max_eval=100 * n_steps,
            tolerance_grad=0,
            tolerance_change=0,
            history_size=HISTORY,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad(set_to_none=True)
            value = risk(batch)
            value.backward()
            return value

        optimizer.step(closure)
        _wait()

    return Loop(peer, lambda batch: search(batch, 1), lambda n_steps: search(batch, n_steps))


def make_optimizer(peer: Peer, member: Member, start: Start):
    """Return the optimiser of the specification; parameters of equal rate and weight decay form a group."""
    import torch

    rate = float(member.hyperparameters.learning_rate)
    decoupled = float(getattr(member.hyperparameters, "decoupled_weight_decay", 0.0))
    groups = defaultdict(list)
    for name, parameter in peer.parameters.items():
        groups[rate * start.rates[name], decoupled or start.decays[name]].append(parameter)
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[member.spec.optimizer]
    return kind([{"params": some, "lr": rate, "weight_decay": decay} for (rate, decay), some in groups.items()])


def draw_batches(peer: Peer, member: Member, start: Start) -> Iterator[tuple]:
    """Yield batches without end: fresh ones, all of a sample, or parts of it in an order drawn anew each epoch."""
    import torch

    source = member.spec.source
    if peer.draw is not None:
        while True:
            yield peer.draw()
    if source.is_whole:
        whole = to_tensors(start.sample)
        while True:
            yield whole
    if not isinstance(source, FixedSample):
        raise TypeError(f"the peer of {type(source).__name__} has no draw")
    arrays, size = to_tensors(start.sample._replace(weights=None)), source.examples_per_step
    while True:
        order = torch.randperm(source.n_examples, device=device_name())
        for first in range(0, source.n_examples - size + 1, size):
            rows = order[first : first + size]
            yield tuple(array[rows] for array in arrays)


def to_tensors(batch: Any) -> tuple[Tensor, ...]:
    """Return the arrays of a batch of ours as tensors, whole numbers in 64 bits."""
    import torch

    arrays = [np.array(leaf) for leaf in jax.tree.leaves(batch)]
    return tuple(
        torch.tensor(array.astype(np.int64) if array.dtype.kind == "i" else array, device=device_name())
        for array in arrays
    )


def load(peer: Peer, weights: dict[str, np.ndarray]) -> None:
    """Set the parameters to weights of ours."""
    import torch

    with torch.no_grad():
        for name, parameter in peer.parameters.items():
            array = weights[name].T if name.endswith("kernel") else weights[name]
            parameter.copy_(torch.tensor(np.array(array)).reshape(parameter.shape))


def weights_of(peer: Peer, shapes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the parameters in the shapes of ours."""
    arrays = {name: parameter.detach().cpu().numpy() for name, parameter in peer.parameters.items()}
    return {
        name: (array.T if name.endswith("kernel") else array).reshape(shapes[name].shape)
        for name, array in arrays.items()
    }


def training(
    name: str, module: str, member: Member, n_steps: int, *, is_compiled: bool = False, n_threads: int
) -> Contestant:
    """Return the training of a member as a contestant.

    Args:
        name: as printed.
        module: of the peer, in this folder.
        member: as ours trains it.
        n_steps: of a turn.
        is_compiled: whether the loss is compiled.
        n_threads: of PyTorch: compiled code keeps the number that it was compiled with.

    Raises:
        RuntimeError: ``torch.compile`` does not work here.
    """
    import torch

    started = time.perf_counter()
    torch.set_num_threads(n_threads)
    loop = begin(module, member, is_compiled=is_compiled)
    loop.take(2)
    facts = (Fact("threads", "", n_threads),)
    if is_compiled:
        facts = (Fact("compile time", "s", time.perf_counter() - started), *facts)

    def turn() -> None:
        torch.set_num_threads(n_threads)
        loop.take(n_steps)

    return Contestant(name, turn, n_steps, facts)


def faster_threads(module: str, member: Member, choices: Sequence[int]) -> int:
    """Return the number of threads with which an eager step is faster, by the medians of a few tries in turns.

    Where other programs keep the cores busy, threads wait for each other, and a single one may be faster.
    """
    import torch

    loop = begin(module, member)
    loop.take(2)
    seconds: dict[int, list[float]] = {n_threads: [] for n_threads in choices}
    for _ in range(TRIES):
        for n_threads in choices:
            torch.set_num_threads(n_threads)
            started = time.perf_counter()
            loop.take(TRIED_STEPS)
            seconds[n_threads].append(time.perf_counter() - started)
    return min(choices, key=lambda n_threads: float(np.median(seconds[n_threads])))


def _wait() -> None:
    import torch

    if device_name() == "cuda":
        torch.cuda.synchronize()
