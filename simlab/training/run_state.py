"""A run between two steps: the constant problem, the changing state, and the loss of a batch."""

from typing import Any, NamedTuple

import jax
import optax
from flax import nnx

from simlab.training.spec import Stage


class Problem(NamedTuple):
    """The constants of a run: the task's arrays, training sets, untrained variables and random keys."""

    data: Any
    sample: Any
    pretraining_samples: tuple
    untrained: nnx.State
    batch_key: jax.Array
    evaluation_key: jax.Array
    loss_key: jax.Array | None


class State(NamedTuple):
    """The state of a run: the parameters, and the optimiser state of each stage."""

    params: nnx.State
    optimizer_states: tuple[optax.OptState, ...]


class Network(NamedTuple):
    """The structure of a network, without its variables."""

    graph: nnx.GraphDef

    def join(self, params: nnx.State, untrained: nnx.State) -> nnx.Module:
        """Return the module with these variables."""
        return nnx.merge(self.graph, params, untrained)


def batch_loss(stage: Stage, network: Network, params: nnx.State, batch, problem: Problem, hyper, key) -> jax.Array:
    """Return the loss of a batch under the objective of a stage, without the penalty."""
    return stage.objective.loss(network.join(params, problem.untrained), batch, problem.data, hyper, key)
