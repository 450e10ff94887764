"""A member of a sweep: one training run, as plain values; and many of them as arrays."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from simlab.spec import Hyperparameters, TrainingSpec
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
    def distribution(self):
        """The realised task, NumPy arrays that are not to be written to."""
        return self.spec.task.realise(self.seed)

    @property
    def latents(self) -> np.ndarray:
        """``Int32[K, L]`` of a task of sentences, the same for all members of a seed that share a program."""
        return self.distribution.latents


class Inputs(NamedTuple):
    """What the compiled pieces are told of each member; arrays whose leading axis is the member.

    Attributes:
        seeds: ``UInt32[W]``.
        distribution: the realised task of each, such as :class:`simlab.sentences.SentenceDistribution`.
        hyperparameters: ``Float[W]`` each.
    """

    seeds: jax.Array
    distribution: object
    hyperparameters: Hyperparameters


class MemberRun(NamedTuple):
    """The outcome of a member, as NumPy arrays.

    Attributes:
        embeddings: ``Float[n_w, d]``, the word vectors (or features of samples) that the classifier sees, after
            LayerNorm, if any.
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
        return jax.tree.map(lambda values: values[self.n_segments], self.records)


def stack_inputs(members: Sequence[Member], program: TrainingSpec | None = None) -> Inputs:
    """Return the members' arrays, stacked, as their program takes them: that of the first if none is given."""
    program = program or members[0].spec
    dtype = program.dtype
    stack = lambda *arrays: np.stack(arrays).astype(kept_kind(arrays[0], dtype))  # noqa: E731
    return Inputs(
        seeds=np.array([member.seed for member in members], np.uint32),
        distribution=jax.tree.map(stack, *(program.task.admit(member.distribution) for member in members)),
        hyperparameters=jax.tree.map(
            lambda *values: np.array(values, dtype), *(member.hyperparameters for member in members)
        ),
    )


def kept_kind(array: np.ndarray, dtype: str) -> np.dtype:
    """Return the kind that an array has on the device: real numbers take that of the weights."""
    return np.dtype(dtype) if array.dtype.kind == "f" else array.dtype
