"""InfoNCE of a batch of 4,096 pairs and its gradient: ours beside its matrix products and beside PyTorch.

The time of the loss over that of its products depends on the dimension m, as the products do ``6 B^2 m`` operations and
all else is some ten for each of ``B^2`` scores: here m = 128, the embeddings of SimCLR (Chen et al., 2020).
"""

# PyTorch is optional.
# pyright: reportMissingImports=false

from collections.abc import Iterator
from functools import partial

import jax
import numpy as np

from experiments.benchmarks import ours, pytorch
from experiments.benchmarks.arithmetic import FLOAT_BYTES, StepCost
from experiments.benchmarks.measurement import Contestant, Fact, Measurement, Part, compare_steps
from experiments.benchmarks.settings import BenchSettings
from simlab.losses.info_nce import info_nce
from simlab.sweeps.compilation import held_bytes

OURS, PRODUCTS, EAGER = "simlab", "products (XLA)", "PyTorch, eager"
UNIT = "us/batch"
N_PAIRS, DIM, TEMPERATURE = 4096, 128, 0.1
# Whether the second views are anchors too.
SIDES = {"one-sided": False, "two-sided": True}


def make_parts(settings: BenchSettings) -> Iterator[Part]:
    """Yield a part for each loss: time of it and its gradient, how many times longer PyTorch takes, the products.

    Cosine similarity, negatives among the second views; PyTorch normalises, multiplies and calls ``cross_entropy``.
    """
    for name, is_two_sided in SIDES.items():
        yield Part(name, partial(_measure, name, is_two_sided, settings))


def _measure(name: str, is_two_sided: bool, settings: BenchSettings) -> Iterator[Measurement]:
    case = f"{name}, {N_PAIRS} pairs in {DIM} dimensions"
    contestants = [
        loss_and_gradient(is_two_sided, settings.precision),
        ours.matrix_products(PRODUCTS, products(N_PAIRS, DIM), 1, settings.precision),
    ]
    if pytorch.is_installed():
        contestants.append(in_pytorch(is_two_sided))
    yield from compare_steps(
        "contrastive", case, contestants, settings.rounds, unit=UNIT, peers={"times PyTorch": EAGER}, limit=PRODUCTS
    )


def products(n_pairs: int, dim: int) -> StepCost:
    """Return the three matrix products of loss and gradient, and the bytes of the embeddings and their gradients."""
    return StepCost(6 * n_pairs**2 * dim, 4 * FLOAT_BYTES * n_pairs * dim, n_pairs, dim, n_pairs)


def views(n_pairs: int = N_PAIRS, dim: int = DIM) -> np.ndarray:
    """Return embeddings of both views, ``Float[2, B, m]``: pairs of cosine about 0.7."""
    first, noise = np.random.default_rng(0).normal(size=(2, n_pairs, dim)).astype(np.float32)
    return np.stack([first, first + noise])


def loss_and_gradient(is_two_sided: bool, precision: str) -> Contestant:
    """Return our loss and its gradient in both embeddings."""
    loss = partial(info_nce, similarity="cosine", is_two_sided=is_two_sided)
    first, second = map(jax.numpy.asarray, views())
    with jax.default_matmul_precision(precision):
        run = jax.jit(jax.value_and_grad(loss, (0, 1))).lower(first, second, TEMPERATURE).compile()
    turn = lambda: jax.block_until_ready(run(first, second, np.float32(TEMPERATURE)))  # noqa: E731
    return Contestant(OURS, turn, 1, (Fact("memory", "MB", held_bytes(run) / 1e6),))


def in_pytorch(is_two_sided: bool) -> Contestant:
    """Return the same as it is written in PyTorch."""
    import torch

    device = pytorch.device_name()
    embeddings = [torch.tensor(side, device=device, requires_grad=True) for side in views()]
    return Contestant(EAGER, lambda: [float(part.sum()) for part in torch_gradient(embeddings, is_two_sided)], 1)


def torch_gradient(embeddings: list, is_two_sided: bool) -> tuple:
    """Return loss and gradients of two tensors of embeddings."""
    import torch
    from torch.nn.functional import cross_entropy, normalize

    first, second = (normalize(side, dim=1) for side in embeddings)
    scores = first @ second.T / TEMPERATURE
    labels = torch.arange(len(scores), device=scores.device)
    loss = cross_entropy(scores, labels)
    if is_two_sided:
        loss = (loss + cross_entropy(scores.T, labels)) / 2
    return loss.detach(), *torch.autograd.grad(loss, embeddings)
