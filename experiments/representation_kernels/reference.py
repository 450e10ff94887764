"""The prediction for encoders of events, in the form the comparison reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from experiments.core.prediction import BASES, Prediction
from experiments.representation_kernels.configuration import KernelConfiguration
from experiments.representation_kernels.training_spec import make_task
from theory.short_text import short_repr

if TYPE_CHECKING:
    from theory.representation_kernels import LearnedKernel

NARROW = "{} dimensions are fewer than the rank {} of the kernel, which cannot be represented"
SHALLOW = "a hidden layer of {} units cannot map {} symbols to arbitrary vectors"
DISTANT = "the infimum of the loss is not attained: it is approached as the mean of the embeddings grows"


@dataclass(frozen=True, kw_only=True)
class WorldPrediction(Prediction):
    """A prediction with the kernel that the finest modality of the same world learns.

    Args:
        events_kernel: centred kernel of the events, ``Float[n, n]``, nats.
        pmi: centred PMI of the blocks, expanded to the events, ``Float[n, n]``, nats.
        information: mutual information of a pair of blocks, nats.
        excess: excess of the minimum loss over log(n) - information, nats.
    """

    events_kernel: np.ndarray
    pmi: np.ndarray
    information: float
    excess: float

    __repr__ = short_repr


def check_theory(configuration: KernelConfiguration) -> None:
    """Raise ``ValueError`` for options that the theory does not cover."""
    configuration.check()
    make_task(configuration)


def predict(configuration: KernelConfiguration) -> WorldPrediction:
    """Return the prediction for a configuration."""
    from theory import representation_kernels as theory

    learned, finest = _learn(configuration, configuration.both_blocks), _learn(configuration, (1, 1))
    n = configuration.events
    kernel, events_kernel, pmi = (
        theory.centre(theory.on_events(matrix, n, n))
        for matrix in (
            learned.kernel,
            finest.kernel,
            theory.pmi_kernel(_table(configuration, configuration.both_blocks)),
        )
    )
    caveats = _caveats(configuration, learned)
    loss = np.log(n) - learned.information
    return WorldPrediction(
        basis=_weakest(learned.basis, finest.basis, *("approximation" for _ in caveats)),
        kind="PMI" if learned.basis == "theorem" else "Gram matrix",
        note="; ".join(caveats),
        caveats=caveats,
        quantities={
            "loss": loss + learned.excess,
            "cka": theory.alignment(kernel, events_kernel),
            "kernel_error": 0.0,
            "excess": learned.excess,
            "pmi_distance": float(np.abs(kernel - pmi).max()),
        },
        arrays={"kernel": kernel},
        events_kernel=events_kernel,
        pmi=pmi,
        information=learned.information,
        excess=learned.excess,
    )


def _weakest(*bases: str) -> str:
    """Return the weakest of several bases, as CKA depends on two kernels."""
    return max(bases, key=BASES.index)


def _table(configuration: KernelConfiguration, blocks: tuple[int, int]) -> np.ndarray:
    """Return the co-occurrence table of blocks, computed by theory."""
    from theory import representation_kernels as theory

    row = theory.ring_row(configuration.events, configuration.window, configuration.width, configuration.floor)
    return theory.coarsen(theory.ring_table(row), *blocks)


def _learn(configuration: KernelConfiguration, blocks: tuple[int, int]) -> LearnedKernel:
    """Return the learned kernel of blocks, shared by cells that differ only in training."""
    world = configuration.events, configuration.window, configuration.width, configuration.floor
    return _learn_in(*world, blocks, configuration.encoders)


@lru_cache(maxsize=64)
def _learn_in(
    events: int, window: str, width: float, floor: float, blocks: tuple[int, int], encoders: int
) -> LearnedKernel:
    """Return the learned kernel of blocks in a ring world."""
    from theory import representation_kernels as theory

    table = theory.ring_table(theory.ring_row(events, window, width, floor))
    return theory.learn_table(theory.coarsen(table, *blocks), encoders)


def _caveats(configuration: KernelConfiguration, learned: LearnedKernel) -> tuple[str, ...]:
    """Return the reasons why a network cannot represent or reach the kernel."""
    n_symbols = configuration.events // min(configuration.both_blocks)
    caveats = []
    if configuration.output_dim < learned.rank:
        caveats.append(NARROW.format(configuration.output_dim, learned.rank))
    if configuration.architecture == "mlp" and configuration.hidden_width < n_symbols:
        caveats.append(SHALLOW.format(configuration.hidden_width, n_symbols))
    if not learned.is_attained:
        caveats.append(DISTANT)
    return tuple(caveats)
