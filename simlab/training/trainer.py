"""Training as a pure function: ``make_train(spec)`` returns ``train(key, data, hyperparameters)``.

What fixes a shape or a program is in the :class:`~simlab.training.spec.TrainingSpec`; what varies over a sweep is a
traced argument, so that one compilation serves all values. A run is cut into *segments* of equally many steps; after
each a :class:`Record` is taken. Whoever drives the segments one by one (to show progress or to save) gets the weights
of the uncut run bit by bit. What is minimised, measured and kept is the business of the specification's objective.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from simlab.losses.cross_entropy import penalty, summed_gradient
from simlab.losses.objective import EvaluationSet
from simlab.runtime.devices import platform
from simlab.tasks.batch import Batch
from simlab.training.optimizers import Optimizer, learning_rate, scale_updates, stage_optimizer
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS, Stage, TrainingSpec
from simlab.validation import invalid

# Numbers of examples that a member may draw ahead: drawing takes some seven numbers for each, and shall need no more
# memory than a gradient does, except where that is next to nothing.
DRAWN_PER_WEIGHT, ALWAYS_DRAWN = 1 / 8, 4096

# What a key is folded with to draw the random numbers of a loss; no step has this number.
LOSS_STREAM = 2**32 - 1


class Record(NamedTuple):
    """What is logged between segments; each entry a scalar.

    Attributes:
        metrics: the objective's metrics, a ``NamedTuple`` of scalars.
        gradient_norm: norm of the gradient of the training risk over the whole training set; measured only if the
            specification stops on it, and NaN otherwise.
    """

    metrics: NamedTuple
    gradient_norm: jax.Array


def named_values(record: Record) -> dict[str, jax.Array]:
    """Return the entries of a record by name."""
    return record.metrics._asdict() | {"gradient_norm": record.gradient_norm}


class Problem(NamedTuple):
    """What stays the same over a run: the task's arrays, training sets, weights that are never trained, random keys."""

    data: Any
    sample: Any
    pretraining_samples: tuple
    untrained: nnx.State
    batch_key: jax.Array
    evaluation_key: jax.Array
    loss_key: jax.Array | None


class State(NamedTuple):
    """What a step changes: the parameters, and the state of the optimiser of each stage."""

    params: nnx.State
    optimizer_states: tuple[optax.OptState, ...]


class Trainer(NamedTuple):
    """The pieces of a run, each pure and ready for ``jit`` and ``vmap``.

    Attributes:
        begin: ``(key, data, hyperparameters) -> (problem, state)``.
        sample: ``(key, data) -> sample``, the training set that ``begin`` draws with the same key.
        segments: for each stage ``(problem, state, hyperparameters, index) -> (state, bad_step)`` after the steps of
            segment ``index``, counted over the whole run; ``bad_step`` is the first of these steps (counted from 1 over
            the whole run) at which the loss was not finite, or 0.
        record: ``(problem, state, hyperparameters, index) -> Record`` after ``index`` segments.
        representation: ``(problem, state) -> dict``: the objective's named arrays.
    """

    begin: Callable
    sample: Callable
    segments: tuple[Callable, ...]
    record: Callable
    representation: Callable

    @property
    def segment(self) -> Callable:
        """The segment of the main stage."""
        return self.segments[-1]


class Network(NamedTuple):
    """The structure of a network, without its variables."""

    graph: nnx.GraphDef

    def join(self, params: nnx.State, untrained: nnx.State) -> nnx.Module:
        """Return the module with these variables."""
        return nnx.merge(self.graph, params, untrained)


def make_trainer(spec: TrainingSpec, optimizer: Optimizer | None = None) -> Trainer:
    """Return the pieces of the training run that ``spec`` describes.

    Args:
        spec: the static part.
        optimizer: overrides the optimiser of every stage with any function from a learning rate to an optax
            transformation.
    """
    network = Network(nnx.split(_abstract_network(spec), nnx.Param, ...)[0])
    stages = spec.stages

    def begin(key, data, hyperparameters):
        init_key, sample_key, batch_key, evaluation_key = jax.random.split(key, 4)
        module = _build_network(spec, nnx.Rngs(params=init_key), hyperparameters)
        _, params, untrained = nnx.split(module, nnx.Param, ...)
        states = tuple(_init_optimizer(stage, hyperparameters, optimizer, params) for stage in stages)
        early = tuple(
            stage.source.prepare(spec.task, jax.random.fold_in(sample_key, number), data)
            for number, stage in enumerate(spec.pretraining)
        )
        is_stochastic = any(stage.objective.stochastic for stage in stages)
        problem = Problem(
            data=data,
            sample=spec.source.prepare(spec.task, sample_key, data),
            pretraining_samples=early,
            untrained=untrained,
            batch_key=batch_key,
            evaluation_key=evaluation_key,
            loss_key=jax.random.fold_in(key, LOSS_STREAM) if is_stochastic else None,
        )
        return problem, State(params, states)

    def sample(key, data):
        _, sample_key, _, _ = jax.random.split(key, 4)
        return spec.source.prepare(spec.task, sample_key, data)

    def representation(problem, state):
        module = network.join(state.params, problem.untrained)
        return spec.objective.representation(module, problem.data)

    segments = tuple(_make_segment(spec, number, optimizer, network) for number in range(len(stages)))
    return Trainer(begin, sample, segments, _make_record(spec, network), representation)


def make_train(spec: TrainingSpec, optimizer: Optimizer | None = None) -> Callable:
    """Return ``train(key, data, hyperparameters) -> (problem, state, records)``: a whole run, pure.

    Args:
        spec: the static part.
        optimizer: as in :func:`make_trainer`.

    Returns:
        A function fit for ``jax.jit(jax.vmap(...))``. Its records are stacked on a leading axis of length
        ``spec.n_segments + 1``, the first taken before the first step.
    """
    trainer = make_trainer(spec, optimizer)
    ends = (*spec.first_segments[1:], spec.n_segments)

    def train(key, data, hyperparameters):
        problem, state = trainer.begin(key, data, hyperparameters)
        stacked = [
            jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], trainer.record(problem, state, hyperparameters, 0))
        ]
        for segment, start, end in zip(trainer.segments, spec.first_segments, ends, strict=True):

            def advance(state, index, segment=segment):
                state, _ = segment(problem, state, hyperparameters, index)
                return state, trainer.record(problem, state, hyperparameters, index + 1)

            state, records = jax.lax.scan(advance, state, jnp.arange(start, end))
            stacked.append(records)
        return problem, state, jax.tree.map(lambda *parts: jnp.concatenate(parts), *stacked)

    return train


@lru_cache(maxsize=256)
def count_weights(spec: TrainingSpec) -> int:
    """Return the number of trained weights of a run."""
    _, params, _ = nnx.split(_abstract_network(spec), nnx.Param, ...)
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params))


def abstract_hyperparameters(spec: TrainingSpec):
    """Return hyperparameters of value 1, for tracing shapes."""
    fields = spec.objective.Hyperparameters
    return fields(*[1.0] * len(fields._fields))


def _abstract_network(spec: TrainingSpec) -> nnx.Module:
    """Return the network of a run with shapes in place of weights."""
    return nnx.eval_shape(lambda: _build_network(spec, nnx.Rngs(0), abstract_hyperparameters(spec)))


def _build_network(spec: TrainingSpec, rngs: nnx.Rngs, hyper) -> nnx.Module:
    """Return the network of a run with its initial weights."""
    return spec.network.build(spec.task, hyper, dtype=jnp.dtype(spec.dtype), rngs=rngs)


def _init_optimizer(stage: Stage, hyper, override: Optimizer | None, params: nnx.State) -> optax.OptState:
    """Return the state of the optimiser of a stage before its first step."""
    return stage_optimizer(stage, hyper, override)(getattr(hyper, stage.learning_rate)).init(params)


def _make_segment(spec: TrainingSpec, number: int, override: Optimizer | None, network: Network) -> Callable:
    """Return the function that takes the steps of one segment of a stage."""
    stage, is_main = spec.stages[number], number == len(spec.pretraining)
    source, first_step = stage.source, spec.first_segments[number] * spec.steps_per_record
    buffer_size = max(int(DRAWN_PER_WEIGHT * count_weights(spec)), ALWAYS_DRAWN)
    n_planned = source.prefetch_steps(spec.task, spec.steps_per_record, buffer_size)
    split = tuple(spec.network.split_axes(spec.task))
    searches = override is None and stage.optimizer in LINE_SEARCH_OPTIMIZERS

    def step(batch, problem, params, memory, hyper, number):
        key = None if not stage.objective.stochastic else jax.random.fold_in(problem.loss_key, number)
        loss = lambda params: _loss(stage, network, params, batch, problem, hyper, key)  # noqa: E731
        optimizer = stage_optimizer(stage, hyper, override)
        penalties = stage.objective.penalties(params, hyper)
        rate = learning_rate(stage, hyper, number - 1 - first_step)
        if searches:
            return _search_step(optimizer(rate), loss, penalties, stage.objective.rates(params, hyper), params, memory)
        value, gradient = jax.value_and_grad(loss)(params)
        gradient = _add_penalty_gradient(gradient, params, penalties)
        transformation = optimizer(_after_gradients(gradient, rate, split))
        updates, memory = transformation.update(gradient, memory, params)
        updates = scale_updates(updates, stage.objective.rates(params, hyper))
        return optax.apply_updates(params, updates), memory, value

    def segment(problem, state, hyper, index):
        start = jnp.asarray(index) * spec.steps_per_record
        sample = problem.sample if is_main else problem.pretraining_samples[number]
        memory = state.optimizer_states[number]
        if number > 0:
            fresh = _init_optimizer(stage, hyper, override, state.params)
            memory = jax.tree.map(lambda new, old: jnp.where(start == first_step, new, old), fresh, memory)

        def advance(carry, entry):
            params, memory, bad_step, step_number = carry
            batch = source.batch(sample, entry)
            params, memory, loss = step(batch, problem, params, memory, hyper, step_number)
            bad_step = jnp.where((bad_step == 0) & ~jnp.isfinite(loss), step_number, bad_step)
            return (params, memory, bad_step, step_number + 1), None

        def follow_plan(carry, _):
            step_number = carry[-1]
            entries = source.plan(spec.task, sample, problem.data, problem.batch_key, step_number - 1, n_planned)
            return jax.lax.scan(advance, carry, entries)[0], None

        with jax.default_matmul_precision(spec.precision):
            begun = state.params, memory, jnp.zeros_like(start), start + 1
            n_plans = spec.steps_per_record // n_planned
            (params, memory, bad_step, _), _ = jax.lax.scan(follow_plan, begun, length=n_plans)
        states = tuple(memory if i == number else old for i, old in enumerate(state.optimizer_states))
        return State(params, states), bad_step

    return segment


def _loss(stage: Stage, network: Network, params: nnx.State, batch, problem: Problem, hyper, key) -> jax.Array:
    """Return the loss of a batch, without the penalty."""
    return stage.objective.loss(network.join(params, problem.untrained), batch, problem.data, hyper, key)


def _search_step(
    transformation: optax.GradientTransformationExtraArgs, loss: Callable, penalties, rates, params: nnx.State, memory
) -> tuple[nnx.State, optax.OptState, jax.Array]:
    """Return parameters and optimiser state after a step with a line search on the risk, and the risk before it.

    Value and gradient are those with which the last line search ended. There is no learning rate to multiply by
    ``rates``, but parameters whose rate is 0 stay as they are.
    """

    def risk(params):
        return loss(params) + penalty(params, penalties)

    value, gradient = optax.value_and_grad_from_state(risk)(params, state=memory)
    gradient = _without_frozen(gradient, rates)
    updates, memory = transformation.update(gradient, memory, params, value=value, grad=gradient, value_fn=risk)
    return optax.apply_updates(params, updates), memory, value


def _make_record(spec: TrainingSpec, network: Network) -> Callable:
    """Return the function that measures a run."""
    source, size, objective = spec.source, spec.n_evaluation, spec.objective

    def record(problem, state, hyper, index):
        module = network.join(state.params, problem.untrained)
        key = jax.random.fold_in(problem.evaluation_key, index)
        train_key, *keys = jax.random.split(key, 1 + len(spec.task.evaluations))
        with jax.default_matmul_precision(spec.precision):
            train = source.evaluation(spec.task, problem.sample, problem.data, train_key, size)
            evaluations = {"train": EvaluationSet(train, not source.is_population)}
            for name, set_key in zip(spec.task.evaluations, keys, strict=True):
                batch = source.held_out(spec.task, name, problem.sample, problem.data, set_key, size)
                evaluations[name] = EvaluationSet(batch, not source.is_population or name != "test")
            value = penalty(state.params, objective.penalties(state.params, hyper))
            metrics = objective.measure(module, evaluations, problem.data, hyper, penalty=value, spec=spec)
            gradient_norm = _gradient_norm(spec, network, problem, state.params, hyper)
        _check_metrics(spec, metrics)
        return Record(metrics, gradient_norm)

    return record


def _check_metrics(spec: TrainingSpec, metrics: NamedTuple) -> None:
    """Raise ``ValueError`` unless the metrics are scalars with the declared names."""
    declared = tuple(spec.objective.metrics(spec))
    names = getattr(metrics, "_fields", None)
    if names != declared:
        raise invalid("metrics", f"a NamedTuple with the fields {', '.join(declared)}", names or type(metrics).__name__)
    if "gradient_norm" in declared:
        raise invalid("metrics", "a name other than gradient_norm, which every record has", declared)
    for name, value in metrics._asdict().items():
        if jnp.shape(value) != ():
            raise invalid(f"metrics {name}", "a scalar", f"an array of shape {jnp.shape(value)}")
    if spec.objective.divergence_metric not in names:
        raise invalid("divergence_metric", f"one of the metrics {', '.join(names)}", spec.objective.divergence_metric)


def _gradient_norm(spec: TrainingSpec, network: Network, problem: Problem, params, hyper) -> jax.Array:
    """Return the norm of the gradient of the training risk over the whole training set, or NaN if it is not needed.

    Frozen parameters do not count: they are no part of what is minimised.
    """
    if spec.until_gradient_norm is None:
        return jnp.full((), jnp.nan, spec.dtype)
    main, objective = spec.stages[-1], spec.objective
    on_batch = lambda params, batch: _loss(main, network, params, batch, problem, hyper, problem.loss_key)  # noqa: E731
    if objective.additive and isinstance(problem.sample, Batch):
        gradient = summed_gradient(on_batch, params, problem.sample, objective.numbers_per_example(spec))
    else:
        gradient = jax.grad(on_batch)(params, problem.sample)
    gradient = _add_penalty_gradient(gradient, params, objective.penalties(params, hyper))
    return optax.tree.norm(_without_frozen(gradient, objective.rates(params, hyper)))


def _without_frozen(gradient: nnx.State, rates: nnx.State | None) -> nnx.State:
    """Return the gradient with zeros for the parameters whose learning-rate factor is 0."""
    if rates is None:
        return gradient
    return jax.tree.map(lambda g, rate: jnp.where(rate == 0, 0, g), gradient, rates)


def _after_gradients(gradient: nnx.State, rate: jax.Array, split: tuple[str, ...]) -> jax.Array:
    """Return the learning rate, made to depend on the gradients: a no-op that lets XLA reuse the buffers of weights.

    On a CPU the compiler does not see by itself that no weight is read after all gradients are known, and would copy
    the classifier at each step. The gradients of the ``split`` parameters, the large ones, are left out: their update
    needs them anyway.
    """
    if platform() != "cpu" or not split:
        return rate
    named = [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree.leaves_with_path(gradient)]
    probe = sum(leaf.reshape(-1)[0] for name, leaf in named if not any(large in name for large in split))
    # Never true, which the compiler does not see.
    return jnp.where((probe == jnp.inf) & (probe == -jnp.inf), 0, rate)


def _add_penalty_gradient(gradient: nnx.State, params: nnx.State, penalties: nnx.State | None) -> nnx.State:
    """Return the gradient of the risk from that of the loss.

    By hand: differentiating the penalty would read all weights once more for its value.
    """
    if penalties is None:
        return gradient
    return jax.tree.map(lambda g, p, decay: g + decay * p, gradient, params, penalties)
