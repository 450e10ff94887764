"""Training as a pure function: ``make_train(spec)`` returns ``train(key, data, hyperparameters)``.

Everything that determines shapes or the program is in the :class:`~simlab.training.spec.TrainingSpec`; what a sweep
varies is a traced argument, so that one compilation serves all values. A run is cut into *segments* of equally many
steps; after each a :class:`~simlab.training.record.Record` is taken. Running the segments one by one, to show progress
or to save, gives weights that are bit-identical to those of the whole run. The objective of the specification defines
the loss, the metrics and the saved arrays.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from simlab.data.sources import Source
from simlab.losses.penalties import add_penalty_gradient, penalty
from simlab.runtime.devices import platform
from simlab.training.optimizers import Optimizer, learning_rate, scale_updates, stage_optimizer, without_frozen
from simlab.training.record import make_departure, make_record
from simlab.training.run_state import Network, Problem, State, batch_loss
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS, Stage, TrainingSpec

# Numbers that a member may draw ahead: per weight, and at least. Drawing a number takes about seven temporaries, which
# together should need no more memory than a gradient, unless they are negligible.
DRAWN_PER_WEIGHT, ALWAYS_DRAWN = 1 / 8, 4096

# The number folded into the key for the random numbers of a loss; no step has this number.
LOSS_STREAM = 2**32 - 1


class Trainer(NamedTuple):
    """The pieces of a run, each pure and ready for ``jit`` and ``vmap``.

    Attributes:
        begin: ``(key, data, hyperparameters) -> (problem, state)``.
        sample: ``(key, data) -> sample``, the training set that ``begin`` draws with the same key.
        segments: for each stage ``(problem, state, hyperparameters, index) -> (state, bad_step)``, which takes the
            steps of segment ``index``, counted over the whole run; ``bad_step`` is the first of these steps (counted
            from 1 over the whole run) at which the loss was not finite, or 0.
        record: ``(problem, state, hyperparameters, index) -> Record`` after ``index`` segments.
        representation: ``(problem, state) -> dict``, the objective's named arrays.
        is_away: ``(problem, state, hyperparameters, gradient_norm) -> bool``, whether a member has left zero weights.
    """

    begin: Callable
    sample: Callable
    segments: tuple[Callable, ...]
    record: Callable
    representation: Callable
    is_away: Callable

    @property
    def segment(self) -> Callable:
        """The segment of the main stage."""
        return self.segments[-1]


def make_trainer(spec: TrainingSpec, optimizer: Optimizer | None = None) -> Trainer:
    """Return the pieces of the training run described by ``spec``.

    Args:
        spec: the static part.
        optimizer: a function from a learning rate to an optax transformation, which overrides the optimiser of every
            stage.
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
    record, is_away = make_record(spec, network), make_departure(spec, network)
    return Trainer(begin, sample, segments, record, representation, is_away)


def make_train(spec: TrainingSpec, optimizer: Optimizer | None = None) -> Callable:
    """Return ``train(key, data, hyperparameters) -> (problem, state, records)``, a whole run as a pure function.

    Args:
        spec: the static part.
        optimizer: as in :func:`make_trainer`.

    Returns:
        A function suitable for ``jax.jit(jax.vmap(...))``. Its records are stacked on a leading axis of length
        ``spec.n_segments + 1``; the first is taken before the first step.
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


def planned_steps(spec: TrainingSpec, source: Source) -> int:
    """Return the number of steps whose batches a run draws at once."""
    buffer_size = max(int(DRAWN_PER_WEIGHT * count_weights(spec)), ALWAYS_DRAWN)
    return source.prefetch_steps(spec.task, spec.steps_per_record, buffer_size)


def abstract_hyperparameters(spec: TrainingSpec):
    """Return hyperparameters with value 1, for tracing shapes."""
    fields = spec.objective.Hyperparameters
    return fields(*[1.0] * len(fields._fields))


def _abstract_network(spec: TrainingSpec) -> nnx.Module:
    """Return the network of a run with shapes in place of weights."""
    return nnx.eval_shape(lambda: _build_network(spec, nnx.Rngs(0), abstract_hyperparameters(spec)))


def _build_network(spec: TrainingSpec, rngs: nnx.Rngs, hyper) -> nnx.Module:
    """Return the network of a run with its initial weights."""
    return spec.network.build(spec.task, hyper, dtype=jnp.dtype(spec.dtype), rngs=rngs)


def _init_optimizer(stage: Stage, hyper, override: Optimizer | None, params: nnx.State) -> optax.OptState:
    """Return the initial optimiser state of a stage."""
    return stage_optimizer(stage, hyper, override)(getattr(hyper, stage.learning_rate)).init(params)


def _make_segment(spec: TrainingSpec, number: int, override: Optimizer | None, network: Network) -> Callable:
    """Return the function that takes the steps of one segment of a stage, see :class:`Trainer`."""
    stage, is_main = spec.stages[number], number == len(spec.pretraining)
    source, first_step = stage.source, spec.first_segments[number] * spec.steps_per_record
    n_planned = planned_steps(spec, source)
    split = tuple(spec.network.split_axes(spec.task))
    searches = override is None and stage.optimizer in LINE_SEARCH_OPTIMIZERS

    def step(batch, problem, params, memory, hyper, number):
        key = None if not stage.objective.stochastic else jax.random.fold_in(problem.loss_key, number)
        loss = lambda params: batch_loss(stage, network, params, batch, problem, hyper, key)  # noqa: E731
        optimizer = stage_optimizer(stage, hyper, override)
        penalties = stage.objective.penalties(params, hyper)
        rate = learning_rate(stage, hyper, number - 1 - first_step)
        if searches:
            return _search_step(optimizer(rate), loss, penalties, stage.objective.rates(params, hyper), params, memory)
        value, gradient = jax.value_and_grad(loss)(params)
        gradient = add_penalty_gradient(gradient, params, penalties)
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

        def plan(step_number):
            return source.plan(spec.task, sample, problem.data, problem.batch_key, step_number - 1, n_planned)

        def follow_plan(carry, _):
            return jax.lax.scan(advance, carry, plan(carry[-1]))[0], None

        def advance_and_draw(carry, _):
            carry, entries = carry
            carry, _ = advance(carry, jax.tree.map(lambda leaf: leaf[0], entries))
            return (carry, plan(carry[-1])), None

        with jax.default_matmul_precision(spec.precision):
            begun = state.params, memory, jnp.zeros_like(start), start + 1
            if n_planned > 1 or source.is_fixed:
                n_plans = spec.steps_per_record // n_planned
                (params, memory, bad_step, _), _ = jax.lax.scan(follow_plan, begun, length=n_plans)
            else:
                # The examples of the next step are carried: XLA would draw those of the same step again in each kernel
                # that reads them.
                drawn = begun, plan(start + 1)
                ((params, memory, bad_step, _), _), _ = jax.lax.scan(
                    advance_and_draw, drawn, length=spec.steps_per_record
                )
        states = tuple(memory if i == number else old for i, old in enumerate(state.optimizer_states))
        return State(params, states), bad_step

    return segment


def _search_step(
    transformation: optax.GradientTransformation, loss: Callable, penalties, rates, params: nnx.State, memory
) -> tuple[optax.Params, optax.OptState, jax.typing.ArrayLike]:
    """Return parameters and optimiser state after a step with a line search on the risk, and the risk before it.

    Value and gradient are reused from the end of the last line search. As there is no learning rate, ``rates`` have no
    effect except that parameters whose rate is 0 are frozen.
    """

    def risk(params):
        return loss(params) + penalty(params, penalties)

    value, gradient = optax.value_and_grad_from_state(risk)(params, state=memory)
    gradient = without_frozen(gradient, rates)
    update = optax.with_extra_args_support(transformation).update
    updates, memory = update(gradient, memory, params, value=value, grad=gradient, value_fn=risk)
    return optax.apply_updates(params, updates), memory, value


def _after_gradients(gradient: nnx.State, rate: jax.Array, split: tuple[str, ...]) -> jax.Array:
    """Return the learning rate with a no-op dependency on the gradients, which lets XLA reuse the weight buffers.

    On a CPU the compiler does not infer that weights are no longer read once all gradients are computed, and would copy
    the classifier at each step. The gradients of the ``split`` parameters, which are large, are left out: their update
    depends on them anyway.
    """
    if platform() != "cpu" or not split:
        return rate
    named = [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree.leaves_with_path(gradient)]
    probe = sum(leaf.reshape(-1)[0] for name, leaf in named if not any(large in name for large in split))
    # Always false, which the compiler cannot prove.
    return jnp.where((probe == jnp.inf) & (probe == -jnp.inf), 0, rate)
