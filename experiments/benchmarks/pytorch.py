"""The same training as a user of PyTorch would write it; PyTorch is optional (the extra ``bench``).

An embedding, a linear layer without bias, cross-entropy, SGD with weight decay; the data lives on the device and the
order of a fixed sample is drawn anew in each epoch.
"""

# PyTorch is optional.
# pyright: reportMissingImports=false

import importlib.util
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import jax
import numpy as np

from experiments.benchmarks.arithmetic import StepCost
from experiments.benchmarks.measurement import Contestant, Fact
from experiments.benchmarks.resident_memory import peak_growth
from experiments.feature_collapse.training_spec import WordSpec
from simlab.data.sources import FixedSample, Population
from simlab.losses.classification import Hyperparameters
from simlab.sweeps.members import Member, member_inputs
from simlab.tasks.batch import Batch
from simlab.tasks.word_law import word_frequencies
from simlab.training.trainer import make_trainer
from simlab.validation import invalid


def is_installed() -> bool:
    """Return whether PyTorch can be imported."""
    return importlib.util.find_spec("torch") is not None


@contextmanager
def same_threads() -> Iterator[None]:
    """Give PyTorch back the number of threads that it had before; nothing happens where it is not installed."""
    if not is_installed():
        yield
        return
    import torch

    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def device_name() -> str:
    """Return the device that PyTorch shares with JAX: ``cuda`` if both see a GPU."""
    import torch

    return "cuda" if jax.default_backend() == "gpu" and torch.cuda.is_available() else "cpu"


def make_network(spec: WordSpec, initial_scale: float):
    """Return the network of ``spec`` as a ``torch.nn.Module``: sentences ``Int[B, L]`` to logits ``Float[B, K]``."""
    import torch
    from torch import nn

    task, dim = spec.task, spec.network.embedding_dim
    layers = [nn.Embedding(task.n_words, dim)]
    if spec.network.layer_norm:
        layers.append(nn.LayerNorm(dim, eps=0.0, elementwise_affine=False))
    layers += [nn.Flatten(), nn.Linear(task.sentence_length * dim, task.n_classes, bias=False)]
    network = nn.Sequential(*layers).to(device_name())
    with torch.no_grad():
        for weights in network.parameters():
            weights *= initial_scale
    return network


def make_optimizer(network, hyperparameters: Hyperparameters):
    """Return SGD with the weight decays of the embedding and of the linear layer."""
    import torch

    embeddings, classifier = network.parameters()
    groups = [
        {"params": [embeddings], "weight_decay": float(hyperparameters.embedding_weight_decay)},
        {"params": [classifier], "weight_decay": float(hyperparameters.classifier_weight_decay)},
    ]
    return torch.optim.SGD(groups, lr=float(hyperparameters.learning_rate))


def batches(spec: WordSpec) -> Iterator[tuple]:
    """Yield labelled batches without end, ``(Int64[B, L], Int64[B])``: of the sample of seed 0, or fresh ones."""
    import torch

    task, source, device = spec.task, spec.source, device_name()
    if isinstance(source, FixedSample):
        sentences, labels = to_torch(training_set(spec))
        size = source.examples_per_step
        while True:
            order = torch.randperm(len(labels), device=device)
            for start in range(0, len(order) - size + 1, size):
                rows = order[start : start + size]
                yield sentences[rows], labels[rows]
    if isinstance(source, Population):
        raise invalid("source", "a fixed sample or fresh sentences", type(source).__name__)
    latents = torch.tensor(Member(spec, Hyperparameters(), 0).data.latents.astype(np.int64), device=device)
    bounds = torch.tensor(
        np.cumsum(word_frequencies(task.word_frequency, task.words_per_concept))[:-1],
        dtype=torch.float32,
        device=device,
    )
    while True:
        labels = torch.randint(task.n_classes, (source.batch_size,), device=device)
        concepts = latents[labels]
        ranks = torch.searchsorted(bounds, torch.rand(concepts.shape, device=device), right=True)
        yield concepts * task.words_per_concept + ranks, labels


def training_set(spec: WordSpec) -> Batch:
    """Return the fixed sample of the member with seed 0, NumPy arrays."""
    inputs = member_inputs(Member(spec, Hyperparameters(), 0))
    sample = make_trainer(spec).sample(jax.random.key(inputs.seeds), inputs.data)
    return jax.tree.map(np.asarray, sample)


def to_torch(batch: Batch) -> tuple:
    """Return sentences and labels of a batch on PyTorch's device."""
    import torch

    return tuple(torch.tensor(part.astype(np.int64), device=device_name()) for part in (batch.inputs, batch.classes))


def weights_of(network, spec: WordSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return the embeddings ``Float[n_w, d]`` and the classifier ``Float[K, L, d]`` of a network without LayerNorm."""
    embeddings, classifier = (weights.detach().cpu().numpy() for weights in network.parameters())
    return embeddings, classifier.reshape(spec.task.n_classes, spec.task.sentence_length, spec.network.embedding_dim)


class Loop(NamedTuple):
    """A training loop that can be continued.

    Attributes:
        network: a ``torch.nn.Module``.
        take: takes so many further steps and returns when the device is done.
    """

    network: object
    take: Callable[[int], None]


def begin(spec: WordSpec, hyperparameters: Hyperparameters, *, compiled: bool = False) -> Loop:
    """Return the training loop, eager or with network and loss compiled by ``torch.compile``."""
    import torch
    from torch.nn.functional import cross_entropy

    set_precision(spec.precision)
    network = make_network(spec, float(hyperparameters.initial_scale))
    optimizer = make_optimizer(network, hyperparameters)
    data = batches(spec)
    loss = lambda sentences, labels: cross_entropy(network(sentences), labels)  # noqa: E731
    if compiled:
        loss = torch.compile(loss)

    def take(n_steps: int) -> None:
        for _ in range(n_steps):
            optimizer.zero_grad()
            loss(*next(data)).backward()
            optimizer.step()
        _wait()

    return Loop(network, take)


def training(name: str, spec: WordSpec, hyperparameters: Hyperparameters) -> Contestant:
    """Return the eager training loop as a contestant."""

    def begin_and_step():
        loop = begin(spec, hyperparameters)
        loop.take(2)
        return loop

    loop, memory = _with_peak_memory(begin_and_step)
    facts = () if memory is None else (Fact("memory", "MB", memory / 1e6),)
    return Contestant(name, lambda: loop.take(spec.steps_per_record), spec.steps_per_record, facts)


def compiled_training(name: str, spec: WordSpec, hyperparameters: Hyperparameters) -> Contestant:
    """Return the training loop with ``torch.compile`` as a contestant.

    Raises:
        RuntimeError: ``torch.compile`` does not work here.
    """
    started = time.perf_counter()
    loop = begin(spec, hyperparameters, compiled=True)
    loop.take(1)
    fact = Fact("compile time", "s", time.perf_counter() - started)
    return Contestant(name, lambda: loop.take(spec.steps_per_record), spec.steps_per_record, (fact,))


def matrix_products(name: str, cost: StepCost, n_steps: int, precision: str) -> Contestant:
    """Return the three matrix products of a step, as PyTorch's libraries do them."""
    import torch

    set_precision(precision)
    words, classifier, gradient = (
        torch.randn(shape, device=device_name())
        for shape in ((cost.batch, cost.width), (cost.classes, cost.width), (cost.batch, cost.classes))
    )

    def turn() -> None:
        for _ in range(n_steps):
            torch.matmul(words, classifier.T)
            torch.matmul(gradient.T, words)
            torch.matmul(gradient, classifier)
        _wait()

    return Contestant(name, turn, n_steps)


def set_precision(precision: str) -> None:
    """Let PyTorch use TF32 where simlab may."""
    import torch

    torch.set_float32_matmul_precision("highest" if precision == "highest" else "high")


def _wait() -> None:
    import torch

    if device_name() == "cuda":
        torch.cuda.synchronize()


def _with_peak_memory(call: Callable[[], Loop]) -> tuple[Loop, int | None]:
    """Return what ``call`` returns, and the bytes held at most on the way; None where they are not counted."""
    import torch

    if device_name() == "cpu":
        return peak_growth(call)
    held = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return call(), torch.cuda.max_memory_allocated() - held
