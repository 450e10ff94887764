"""A small phenomenon of the tests' own: least squares on Gaussian inputs, with its gradient and optimisers in NumPy.

The network is ``f(x) = x M A B`` with fixed ``M`` (no parameter) and trained ``A``, ``B``. Everything is small enough
to be repeated by hand, in float64, so that the trainer can be held against loops that share no code with it.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FixedSample, Population
from simlab.losses.objective import FINITE, POSITIVE, Bound, Metric, Objective
from simlab.networks.specs.architecture import Architecture
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.task import Task
from simlab.training.spec import TrainingSpec

# A fixed sample in batches: three steps an epoch.
FIXED = FixedSample(n_examples=12, batch_size=4)


class Pairs(NamedTuple):
    """Inputs ``Float[B, p]`` and targets ``Float[B, q]``."""

    inputs: Any
    targets: Any


class RegressionData(NamedTuple):
    """Teacher ``Float[p, q]``, inputs of the population ``Float[N, p]``, and the shift of the ``shifted`` set."""

    teacher: Any
    inputs: Any
    shift: Any


@dataclass(frozen=True, kw_only=True)
class Regression(Task):
    """Targets ``y = x T`` of standard normal inputs; the set ``shifted`` adds a constant to all inputs."""

    n_inputs: int = 3
    n_outputs: int = 2
    n_examples: int = 8
    evaluations: ClassVar[tuple[str, ...]] = ("test", "shifted")

    def sample(self, seed):
        rng = np.random.default_rng(seed)
        teacher = rng.standard_normal((self.n_inputs, self.n_outputs))
        return RegressionData(teacher, rng.standard_normal((self.n_examples, self.n_inputs)), 10.0)

    def draw(self, key, data, size):
        inputs = jax.random.normal(key, (size, self.n_inputs), jnp.result_type(data.teacher))
        return Pairs(inputs, inputs @ data.teacher)

    def draw_evaluation(self, name, key, data, size):
        inputs, _ = self.draw(key, data, size)
        inputs = inputs + (data.shift if name == "shifted" else 0)
        return Pairs(inputs, inputs @ data.teacher)

    def population(self, data):
        return Pairs(jnp.asarray(data.inputs), data.inputs @ data.teacher)


class Factored(nnx.Module):
    """``f(x) = x M A B``; ``M`` is a variable that is no parameter."""

    def __init__(self, task, hidden, scale, dtype, rngs):
        normal = lambda *shape: jax.random.normal(rngs.params(), shape, dtype)  # noqa: E731
        self.mixing = nnx.Variable(normal(task.n_inputs, task.n_inputs))
        self.first = nnx.Param(scale * normal(task.n_inputs, hidden))
        self.second = nnx.Param(scale * normal(hidden, task.n_outputs))

    def __call__(self, inputs):
        return inputs @ self.mixing[...] @ self.first[...] @ self.second[...]


@dataclass(frozen=True, kw_only=True)
class FactoredNetwork(Architecture):
    """The specification of :class:`Factored`."""

    hidden: int = 4

    def build(self, task, hyper, *, dtype, rngs):
        return Factored(task, self.hidden, hyper.initial_scale, dtype, rngs)


class Hyper(NamedTuple):
    """Hyperparameters of :class:`LeastSquares`; the factors are those on the learning rate of ``A`` and of ``B``."""

    learning_rate: Any = 0.1
    pretraining_rate: Any = 0.05
    initial_scale: Any = 0.5
    weight_decay: Any = 0.01
    first_factor: Any = 1.0
    second_factor: Any = 1.0


class DecoupledHyper(NamedTuple):
    """As :class:`Hyper`, with the weight decay of AdamW."""

    learning_rate: Any = 0.1
    pretraining_rate: Any = 0.05
    initial_scale: Any = 0.5
    weight_decay: Any = 0.0
    first_factor: Any = 1.0
    second_factor: Any = 1.0
    decoupled_weight_decay: Any = 0.3


class Metrics(NamedTuple):
    """Losses of all sets, and the mean of the inputs of those that are drawn."""

    risk: Any
    train_loss: Any
    test_loss: Any
    shifted_loss: Any
    test_mean: Any
    shifted_mean: Any
    test_is_sample: Any
    shifted_is_sample: Any


@dataclass(frozen=True, kw_only=True)
class LeastSquares(Objective):
    """``1/2 mean_i |f(x_i) - c y_i|^2 + lam/2 (|A|^2 + |B|^2)``.

    Args:
        target_scale: ``c``.
    """

    target_scale: float = 1.0
    Hyperparameters: ClassVar[type] = Hyper
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType(
        {
            "learning_rate": POSITIVE,
            "pretraining_rate": POSITIVE,
            "initial_scale": FINITE,
            "first_factor": Bound(high=2.0),
        }
    )

    def loss(self, network, batch, data, hyper, key):
        return jnp.sum((network(batch.inputs) - self.target_scale * batch.targets) ** 2) / (2 * len(batch.inputs))

    def penalties(self, params, hyper):
        return nnx.map_state(lambda path, variable: variable.replace(hyper.weight_decay), params)

    def rates(self, params, hyper):
        factors = {"first": hyper.first_factor, "second": hyper.second_factor}
        return nnx.map_state(lambda path, variable: variable.replace(factors[path[0]]), params)

    def measure(self, network, evaluations, data, hyper, *, penalty, spec):
        train, test, shifted = (evaluations[name] for name in ("train", "test", "shifted"))
        losses = [self.loss(network, each.batch, data, hyper, None) for each in (train, test, shifted)]
        means = [jnp.mean(each.batch.inputs) for each in (test, shifted)]
        metrics = Metrics(losses[0] + penalty, *losses, *means, float(test.is_sample), float(shifted.is_sample))
        return metrics._asdict()

    def metrics(self, spec):
        return {name: Metric(label=name) for name in Metrics._fields}

    def representation(self, network, data):
        return {name: getattr(network, name)[...] for name in ("mixing", "first", "second")}


@dataclass(frozen=True, kw_only=True)
class DecoupledLeastSquares(LeastSquares):
    """Least squares whose weight decay is that of AdamW."""

    Hyperparameters: ClassVar[type] = DecoupledHyper


@dataclass(frozen=True, kw_only=True)
class NoisyLeastSquares(LeastSquares):
    """Least squares with noise on the inputs, drawn anew at each step."""

    stochastic: ClassVar[bool] = True

    def loss(self, network, batch, data, hyper, key):
        if key is not None:
            noise = jax.random.normal(key, batch.inputs.shape, batch.inputs.dtype)
            batch = batch._replace(inputs=batch.inputs + 0.3 * noise)
        return super().loss(network, batch, data, hyper, key)


@dataclass(frozen=True, kw_only=True)
class Contrastive(LeastSquares):
    """``mean_i (log sum_j exp(z_i . y_j) - z_i . y_i)`` with ``z = f(x)``: the other targets are the negatives."""

    def loss(self, network, batch, data, hyper, key):
        similarity = network(batch.inputs) @ batch.targets.T
        return jnp.mean(jax.nn.logsumexp(similarity, axis=1) - jnp.diagonal(similarity))


def make_spec(**fields):
    """Return a specification in float64 of few steps on the population; any field may be given."""
    defaults = {
        "task": Regression(),
        "source": Population(),
        "network": FactoredNetwork(),
        "objective": LeastSquares(),
        "n_steps": 6,
        "steps_per_record": 2,
        "n_evaluation": 20,
        "dtype": "float64",
    }
    return TrainingSpec(**defaults | fields)


def train(spec, hyper=None, seed=0, **options):
    """Return the run of one member."""
    hyper = spec.objective.Hyperparameters() if hyper is None else hyper
    return train_members([Member(spec, hyper, seed)], **options)[0]


class NumpyRun:
    """A run by hand, in float64: weights ``A``, ``B``, the step number, and one step of each optimiser.

    Args:
        arrays: ``mixing``, ``first`` and ``second`` before the first step.
    """

    def __init__(self, arrays):
        self.mixing = np.array(arrays["mixing"], np.float64)
        self.weights = [np.array(arrays[name], np.float64) for name in ("first", "second")]
        self.restart()

    def restart(self):
        """Forget the moments of Adam."""
        self.n_updates = 0
        self.means = [np.zeros_like(weight) for weight in self.weights]
        self.squares = [np.zeros_like(weight) for weight in self.weights]

    def loss(self, pairs, target_scale=1.0):
        """``1/2 mean |x M A B - c y|^2``, example by example."""
        first, second = self.weights
        total = 0.0
        for x, y in zip(*pairs, strict=True):
            total += 0.5 * np.sum((x @ self.mixing @ first @ second - target_scale * y) ** 2)
        return total / len(pairs.inputs)

    def gradients(self, pairs, weight_decay, target_scale=1.0):
        """The gradient of loss and penalty by hand, example by example."""
        first, second = self.weights
        gradients = [weight_decay * first, weight_decay * second]
        for x, y in zip(*pairs, strict=True):
            mixed = x @ self.mixing
            residual = (mixed @ first @ second - target_scale * y) / len(pairs.inputs)
            gradients[0] = gradients[0] + np.outer(mixed, second @ residual)
            gradients[1] = gradients[1] + np.outer(mixed @ first, residual)
        return gradients

    def sgd(self, gradients, rate, factors=(1.0, 1.0)):
        """``w <- w - rate factor g``."""
        updates = zip(self.weights, gradients, factors, strict=True)
        self.weights = [weight - rate * factor * gradient for weight, gradient, factor in updates]

    def adam(self, gradients, rate, factors=(1.0, 1.0), decay=0.0):
        """Adam (Kingma and Ba, algorithm 1); with ``decay`` AdamW (Loshchilov and Hutter, algorithm 2)."""
        self.n_updates += 1
        for i, gradient in enumerate(gradients):
            self.means[i] = 0.9 * self.means[i] + 0.1 * gradient
            self.squares[i] = 0.999 * self.squares[i] + 0.001 * gradient**2
            mean = self.means[i] / (1 - 0.9**self.n_updates)
            square = self.squares[i] / (1 - 0.999**self.n_updates)
            direction = mean / (np.sqrt(square) + 1e-8) + decay * self.weights[i]
            self.weights[i] = self.weights[i] - rate * factors[i] * direction


def population_of(seed=0, task=None):
    """The population of a realisation, NumPy arrays."""
    teacher, inputs, _ = (task or Regression()).sample(seed)
    return Pairs(inputs, inputs @ teacher)


def assert_weights(arrays, numpy_run):
    """Hold learned weights against those of a run by hand.

    Both are float64 and sum in other orders: per step some twenty roundings of 1.1e-16 on numbers of order 1, which a
    few dozen steps and Adam's division (by roots of second moments above 1e-3) enlarge by less than 1e3.
    """
    for name, weight in zip(("first", "second"), numpy_run.weights, strict=True):
        np.testing.assert_allclose(arrays[name], weight, rtol=0, atol=1e-11)


def assert_same_bits(one, other):
    """Hold two pytrees of arrays against each other, bit by bit."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="session")
def lab():
    """This module: its classes and functions by name."""
    return sys.modules[__name__]
