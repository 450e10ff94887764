"""A member of a sweep: one training run, as plain values; and many of them as arrays."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import jax
import numpy as np

from simlab.sentences import SentenceDistribution
from simlab.spec import Hyperparameters, TrainingSpec
from simlab.tasks import SentenceTask, draw_latents, word_frequencies
from simlab.training import Record


class Member(NamedTuple):
    """One run of a sweep.

    Attributes:
        spec: the static part.
        hyperparameters: the traced part.
        seed: decides the latents, the sample, the initial weights and the order of the batches, and nothing else does:
            members of one seed differ by what the sweep varies alone.
    """

    spec: TrainingSpec
    hyperparameters: Hyperparameters
    seed: int

    @property
    def latents(self) -> np.ndarray:
        """``Int32[K, L]``, the same for all members of a seed that share a program; not to be written to."""
        return _latents(self.spec.program.task, self.seed)


class Inputs(NamedTuple):
    """What the compiled pieces are told of each member; arrays whose leading axis is the member.

    Attributes:
        seeds: ``UInt32[W]``.
        distribution: the realised task of each.
        hyperparameters: ``Float[W]`` each.
    """

    seeds: jax.Array
    distribution: SentenceDistribution
    hyperparameters: Hyperparameters


class MemberRun(NamedTuple):
    """The outcome of a member, as NumPy arrays.

    Attributes:
        embeddings: ``Float[n_w, d]``, the word vectors that the classifier sees (after LayerNorm, if any).
        classifier: ``Float[K, L, d]``.
        records: a :class:`~simlab.training.Record` of ``Float[R]``; NaN after a member has stopped.
        status: ``finished``, ``converged`` or ``diverged``.
        first_bad_step: the first step, counted from 1, at which the loss was not finite; 0 if none.
        n_segments: the segments that were taken, one record after each.
        trajectory: embeddings ``Float[R, n_w, d]`` and classifier ``Float[R, K, L, d]`` at each record, or None.
    """

    embeddings: np.ndarray
    classifier: np.ndarray
    records: Record
    status: str
    first_bad_step: int
    n_segments: int
    trajectory: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def last_record(self) -> Record:
        """The record at which the member stopped."""
        return Record(*(values[self.n_segments] for values in self.records))


def stack_inputs(members: Sequence[Member]) -> Inputs:
    """Return the members' arrays, stacked; all must share one program."""
    dtype = members[0].spec.dtype
    frequencies = [word_frequencies(member.spec.task) for member in members]
    return Inputs(
        seeds=np.array([member.seed for member in members], np.uint32),
        distribution=SentenceDistribution(
            np.stack([member.latents for member in members]), np.stack(frequencies).astype(dtype)
        ),
        hyperparameters=jax.tree.map(
            lambda *values: np.array(values, dtype), *(member.hyperparameters for member in members)
        ),
    )


@lru_cache(maxsize=256)
def _latents(task: SentenceTask, seed: int) -> np.ndarray:
    """Return the latents of a seed; a sweep asks for the same ones again for each value that it varies."""
    return draw_latents(task, seed)
