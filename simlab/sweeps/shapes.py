"""Shapes and shardings of the arrays of a compiled program: the inputs, the problem and the rows of its members."""

from collections.abc import Callable
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from simlab.runtime.devices import CLASS, MEMBER
from simlab.sweeps.members import Inputs, device_kind
from simlab.sweeps.rows import Rows
from simlab.training.run_state import Problem
from simlab.training.spec import TrainingSpec


class Shapes:
    """The shapes of all arrays, with a leading axis of rows.

    Args:
        spec: of the members.
        n_rows: members side by side, on all devices.
        mesh: members over its first axis, classes over the second.
        begin: ``(inputs, occupied) -> (problem, row)`` of one member.
    """

    def __init__(self, spec: TrainingSpec, n_rows: int, mesh: Mesh, begin: Callable):
        self._spec, self._n_rows, self._mesh, self._begin = spec, n_rows, mesh, begin
        self.sharding = NamedSharding(mesh, PartitionSpec(MEMBER))

    @cached_property
    def inputs(self) -> tuple[Inputs, jax.ShapeDtypeStruct]:
        """The arguments of ``begin`` for all rows, with their sharding."""
        spec = self._spec
        abstract = jax.tree.map(np.asarray, spec.task.abstract())
        data = jax.tree.map(lambda array: self._shape(device_kind(array, spec.dtype), *array.shape), abstract)
        fields = spec.objective.Hyperparameters
        hyperparameters = fields(*(self._shape(jnp.dtype(spec.dtype)) for _ in fields._fields))
        return Inputs(self._shape(jnp.uint32), data, hyperparameters), self._shape(jnp.bool_)

    @cached_property
    def begun(self) -> tuple[Problem, Rows]:
        """The results of ``begin`` for all rows."""
        return jax.eval_shape(jax.vmap(self._begin), *self.inputs)

    @cached_property
    def run(self) -> tuple[Problem, Rows, Inputs]:
        """The arguments of ``segment`` and ``record``, with their sharding."""
        problem, rows = self.begun
        problem = jax.tree.map(lambda leaf: _placed(leaf, self.sharding), problem)
        return problem, jax.tree.map(_placed, rows, self.row_sharding), self.inputs[0]

    @cached_property
    def row_sharding(self) -> Rows:
        """The sharding of the rows: members over the first mesh axis, split axes of parameters over the second."""
        split = NamedSharding(self._mesh, PartitionSpec(MEMBER, CLASS))
        axes = self._spec.network.split_axes(self._spec.task)

        def place(path, leaf):
            name = jax.tree_util.keystr(path)
            is_split = any(parameter in name and leaf.shape[1:] == axis.shape for parameter, axis in axes.items())
            return split if is_split else self.sharding

        return jax.tree_util.tree_map_with_path(place, self.begun[1])

    def _shape(self, dtype, *sizes: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((self._n_rows, *sizes), dtype, sharding=self.sharding)


def _placed(array: jax.ShapeDtypeStruct, sharding: NamedSharding) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=sharding)
