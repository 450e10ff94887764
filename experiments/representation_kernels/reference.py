"""The prediction of encoders of events, as the comparison reads it."""

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

NARROW = "{} dimensions are fewer than the rank {} of the kernel, which is out of reach"
SHALLOW = "hidden layers of {} units cannot give each of {} symbols any vector"
DISTANT = "the least loss is approached by embeddings of ever larger mean and not attained"


@dataclass(frozen=True, kw_only=True)
class WorldPrediction(Prediction):
    """The prediction with the kernel of the same world as the finest modality learns it.

    Args:
        events_kernel: centred, of the events themselves, ``Float[n, n]``, nats.
        pmi: centred PMI of what is seen, on the events, ``Float[n, n]``, nats.
        information: of a pair as it is seen, nats.
        excess: of the least loss above the log-count less the information, nats.
    """

    events_kernel: np.ndarray
    pmi: np.ndarray
    information: float
    excess: float

    __repr__ = short_repr


def check_theory(configuration: KernelConfiguration) -> None:
    """Raise ``ValueError`` for choices that theory cannot take."""
    configuration.check()
    make_task(configuration)


def predict(configuration: KernelConfiguration) -> WorldPrediction:
    """Return what theory says of a configuration."""
    from theory import representation_kernels as theory

    learned, finest = _learn(configuration, configuration.both_blocks), _learn(configuration, (1, 1))
    n = configuration.events
    kernel, events_kernel, pmi = (
        theory.centre(theory.on_events(one, n, n))
        for one in (learned.kernel, finest.kernel, theory.pmi_kernel(_table(configuration, configuration.both_blocks)))
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
    """Return the basis that says least, as CKA rests on two kernels."""
    return max(bases, key=BASES.index)


def _table(configuration: KernelConfiguration, blocks: tuple[int, int]) -> np.ndarray:
    """Return the table of co-occurrence of blocks, as theory knows it."""
    from theory import representation_kernels as theory

    row = theory.ring_row(configuration.events, configuration.window, configuration.width, configuration.floor)
    return theory.coarsen(theory.ring_table(row), *blocks)


def _learn(configuration: KernelConfiguration, blocks: tuple[int, int]) -> LearnedKernel:
    """Return the kernel that is learned of blocks; cells that differ in training alone share it."""
    world = configuration.events, configuration.window, configuration.width, configuration.floor
    return _learn_in(*world, blocks, configuration.encoders)


@lru_cache(maxsize=64)
def _learn_in(
    events: int, window: str, width: float, floor: float, blocks: tuple[int, int], encoders: int
) -> LearnedKernel:
    """Return the kernel that is learned of blocks of a ring world."""
    from theory import representation_kernels as theory

    table = theory.ring_table(theory.ring_row(events, window, width, floor))
    return theory.learn_table(theory.coarsen(table, *blocks), encoders)


def _caveats(configuration: KernelConfiguration, learned: LearnedKernel) -> tuple[str, ...]:
    """Return what keeps a network from the kernel."""
    n_symbols = configuration.events // min(configuration.both_blocks)
    caveats = []
    if configuration.output_dim < learned.rank:
        caveats.append(NARROW.format(configuration.output_dim, learned.rank))
    if configuration.architecture == "mlp" and configuration.hidden_width < n_symbols:
        caveats.append(SHALLOW.format(configuration.hidden_width, n_symbols))
    if not learned.is_attained:
        caveats.append(DISTANT)
    return tuple(caveats)
