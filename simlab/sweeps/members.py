"""Members of a sweep: one training run as plain values, and many members as stacked arrays."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import numpy as np

from simlab.tasks.batch import AnyArray
from simlab.training.spec import TrainingSpec

SpecT = TypeVar("SpecT", bound=TrainingSpec)
HyperparametersT = TypeVar("HyperparametersT")


class Member(NamedTuple, Generic[SpecT, HyperparametersT]):
    """One run of a sweep.

    Attributes:
        spec: the static part.
        hyperparameters: the traced part, of the type that the objective declares.
        seed: determines the task's arrays, the sample, the initial weights and the order of batches: members with the
            same seed differ only in what the sweep varies.
    """

    spec: SpecT
    hyperparameters: HyperparametersT
    seed: int

    @property
    def data(self) -> Any:
        """The arrays of the realised task, read-only NumPy arrays."""
        return self.spec.task.sample(self.seed)


class Inputs(NamedTuple):
    """The arguments of the compiled programs; arrays whose leading axis is the member.

    They are NumPy arrays on the host, JAX arrays on the devices, and shapes when a program is lowered.

    Attributes:
        seeds: ``UInt32[W]``.
        data: the arrays of each realised task, such as :class:`simlab.tasks.sentences.SentenceDistribution`.
        hyperparameters: ``Float[W]`` each.
    """

    seeds: AnyArray
    data: Any
    hyperparameters: NamedTuple


class MemberRun(NamedTuple):
    """The outcome of a member, as NumPy arrays.

    Attributes:
        final: the objective's named arrays at the end.
        metrics: the history of each metric and of the gradient norm, ``Float[R]`` by name; NaN after a member has
            stopped.
        status: ``finished``, ``converged`` or ``diverged``.
        first_bad_step: the first step, counted from 1, at which the loss was not finite; 0 if none.
        n_segments: the number of segments taken, with one record after each.
        initial: the named arrays before the first step, or None.
        trajectory: the named arrays at each record, on a leading axis, or None.
    """

    final: dict[str, np.ndarray]
    metrics: dict[str, np.ndarray]
    status: str
    first_bad_step: int
    n_segments: int
    initial: dict[str, np.ndarray] | None = None
    trajectory: dict[str, np.ndarray] | None = None

    @property
    def last_metrics(self) -> dict[str, float]:
        """The metrics of the record at which the member stopped."""
        return {name: values[self.n_segments] for name, values in self.metrics.items()}


def stack_inputs(members: Sequence[Member], program: TrainingSpec | None = None) -> Inputs:
    """Return the members' arrays, stacked, in the form of ``program`` (by default the first member's)."""
    program = program or members[0].spec
    dtype = program.dtype
    stack = lambda *arrays: np.stack(arrays).astype(device_kind(np.asarray(arrays[0]), dtype))  # noqa: E731
    return Inputs(
        seeds=np.array([member.seed for member in members], np.uint32),
        data=jax.tree.map(stack, *(program.task.admit(member.data) for member in members)),
        hyperparameters=jax.tree.map(
            lambda *values: np.array(values, dtype), *(member.hyperparameters for member in members)
        ),
    )


def member_inputs(member: Member, program: TrainingSpec | None = None) -> Inputs:
    """Return the arrays of one member without an axis of members, in the form of ``program`` as in stack_inputs."""
    return jax.tree.map(lambda array: array[0], stack_inputs([member], program))


def device_kind(array: np.ndarray, dtype: str) -> np.dtype:
    """Return the dtype of an array on the device: that of the weights for real numbers, else its own."""
    return np.dtype(dtype) if array.dtype.kind == "f" else array.dtype
