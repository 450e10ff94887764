"""Training as a pure function: ``make_train(spec)`` returns ``train(key, distribution, hyperparameters)``.

What fixes a shape or a program is in the :class:`~simlab.spec.TrainingSpec`; what varies over a sweep is a traced
argument, so that one compilation serves all values. A run is cut into *segments* of equally many steps; after each a
:class:`Record` is taken. Whoever drives the segments one by one (to show progress or to save) gets the weights of the
uncut run bit by bit.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from simlab.devices import platform
from simlab.risk import accuracy_standard_error, cross_entropy, cross_entropy_gradient, evaluate, penalty
from simlab.spec import LINE_SEARCH_OPTIMIZERS, Hyperparameters, TrainingSpec

Optimizer = Callable[[jax.Array], optax.GradientTransformation]

# Words and labels that a member may draw ahead: drawing takes some seven numbers for each, and shall need no more
# memory than a gradient does, except where that is next to nothing.
DRAWN_PER_WEIGHT, ALWAYS_DRAWN = 1 / 8, 4096

# Trials of one line search at most: near the minimum, where values differ by rounding, no number of them succeeds.
SEARCH_STEPS = 10


class Record(NamedTuple):
    """What is logged between segments; each entry a scalar.

    Cross-entropies and the risk (training cross-entropy plus penalty) are in nats, accuracies in [0, 1]; a ``_error``
    is the standard error of the sample on which the value was measured. The norm of the gradient of the training risk
    over the whole training set is measured only if the specification stops on it, and NaN otherwise. ``shape`` is what
    the architecture measures, such as a :class:`simlab.vector_shape.VectorShape`.
    """

    train_cross_entropy: jax.Array
    train_accuracy: jax.Array
    test_cross_entropy: jax.Array
    test_cross_entropy_error: jax.Array
    test_accuracy: jax.Array
    test_accuracy_error: jax.Array
    risk: jax.Array
    gradient_norm: jax.Array
    shape: NamedTuple


def named_values(record: Record) -> dict[str, jax.Array]:
    """Return the entries of a record by name, those of its shape beside the others, in the order of its leaves."""
    values = record._asdict()
    return {name: value for name, value in values.items() if name != "shape"} | record.shape._asdict()


class Problem(NamedTuple):
    """What stays the same over a run: the task's realisation, its sample, the random keys."""

    distribution: object
    sample: object
    batch_key: jax.Array
    evaluation_key: jax.Array


class State(NamedTuple):
    """What a step changes."""

    params: nnx.State
    optimizer_state: optax.OptState


class Trainer(NamedTuple):
    """The pieces of a run, each pure and ready for ``jit`` and ``vmap``.

    Attributes:
        begin: ``(key, distribution, hyperparameters) -> (problem, state)``.
        sample: ``(key, distribution) -> sample``, the training set that ``begin`` draws with the same key.
        segment: ``(problem, state, hyperparameters, index) -> (state, bad_step)`` after the steps of segment ``index``;
            ``bad_step`` is the first of these steps (counted from 1 over the whole run) at which the loss was not
            finite, or 0.
        record: ``(problem, state, hyperparameters, index) -> Record`` after ``index`` segments.
        representation: ``(distribution, state) -> (embeddings, classifier)``: the vectors of words or samples that the
            classifier sees (after LayerNorm, if there is one), ``Float[n_w, d]``, and ``Float[K, L, d]``.
    """

    begin: Callable
    sample: Callable
    segment: Callable
    record: Callable
    representation: Callable


def make_trainer(spec: TrainingSpec, optimizer: Optimizer | None = None) -> Trainer:
    """Return the pieces of the training run that ``spec`` describes.

    Args:
        spec: the static part.
        optimizer: overrides ``spec.optimizer`` with any function from a learning rate to an optax transformation.
    """
    optimizer = optimizer or named_optimizer(spec.optimizer)
    graph = nnx.graphdef(nnx.eval_shape(lambda: _build_network(spec, nnx.Rngs(0), 1.0)))

    def begin(key, distribution, hyperparameters):
        init_key, sample_key, batch_key, evaluation_key = jax.random.split(key, 4)
        network = _build_network(spec, nnx.Rngs(params=init_key), hyperparameters.initial_scale)
        params = nnx.state(network, nnx.Param)
        state = State(params, optimizer(hyperparameters.learning_rate).init(params))
        training_set = spec.source.prepare(sample_key, distribution)
        return Problem(distribution, training_set, batch_key, evaluation_key), state

    def sample(key, distribution):
        _, sample_key, _, _ = jax.random.split(key, 4)
        return spec.source.prepare(sample_key, distribution)

    def representation(distribution, state):
        network = nnx.merge(graph, state.params)
        return network.representation(distribution), network.classifier[...]

    return Trainer(begin, sample, _make_segment(spec, optimizer, graph), _make_record(spec, graph), representation)


def make_train(spec: TrainingSpec, optimizer: Optimizer | None = None) -> Callable:
    """Return ``train(key, distribution, hyperparameters) -> (problem, state, records)``: a whole run, pure.

    Args:
        spec: the static part.
        optimizer: as in :func:`make_trainer`.

    Returns:
        A function fit for ``jax.jit(jax.vmap(...))``. Its records are stacked on a leading axis of length
        ``spec.n_segments + 1``, the first taken before the first step.
    """
    trainer = make_trainer(spec, optimizer)

    def train(key, distribution, hyperparameters):
        problem, state = trainer.begin(key, distribution, hyperparameters)
        first = trainer.record(problem, state, hyperparameters, 0)

        def advance(state, index):
            state, _ = trainer.segment(problem, state, hyperparameters, index)
            return state, trainer.record(problem, state, hyperparameters, index + 1)

        state, rest = jax.lax.scan(advance, state, jnp.arange(spec.n_segments))
        records = jax.tree.map(lambda one, many: jnp.concatenate([one[None], many]), first, rest)
        return problem, state, records

    return train


def named_optimizer(name: str) -> Optimizer:
    """Return the optax optimiser called ``name``, its own weight decay (if it has one) set to zero.

    L-BFGS searches along its direction for the length of a step and knows no learning rate.
    """
    optimizer = getattr(optax, name)
    if name in LINE_SEARCH_OPTIMIZERS:
        search = optax.scale_by_zoom_linesearch(max_linesearch_steps=SEARCH_STEPS, initial_guess_strategy="one")
        return lambda learning_rate: optimizer(linesearch=search)
    decays = "weight_decay" in inspect.signature(optimizer).parameters
    return partial(optimizer, weight_decay=0.0) if decays else optimizer


def weight_decays(params: nnx.State, hyperparameters: Hyperparameters) -> nnx.State:
    """Return the coefficient of each parameter's penalty: ``lam_W`` for embeddings, ``lam_U`` for all else.

    A ``backbone`` carries none: where there is one, the features that it gives are penalised in its place.
    """
    special = {"embeddings": hyperparameters.embedding_weight_decay, "backbone": 0.0}

    def decay(path, variable):
        return variable.replace(special.get(path[0], hyperparameters.classifier_weight_decay))

    return nnx.map_state(decay, params)


def _build_network(spec: TrainingSpec, rngs: nnx.Rngs, initial_scale: jax.Array | float) -> nnx.Module:
    """Return the network of a run with its initial weights."""
    return spec.network.build(spec.task, initial_scale=initial_scale, dtype=jnp.dtype(spec.dtype), rngs=rngs)


def _make_loss(spec: TrainingSpec, graph: nnx.GraphDef) -> Callable:
    """Return ``(params, batch, hyperparameters) -> nats``: the cross-entropy, and the penalty on features if any.

    The latter is ``lam/2 |h_i|^2`` for each sample of the training set, of which a batch counts with its weights.
    """

    def loss(params, batch, hyperparameters):
        network = nnx.merge(graph, params)
        value = cross_entropy(network, batch)
        if not spec.network.penalises_features:
            return value
        weights = batch.weights.reshape(len(batch.weights), -1).mean(axis=1)
        squares = jnp.sum(network.features(batch.inputs) ** 2, axis=-1)
        penalised = spec.task.n_examples * jnp.sum(weights * squares)
        return value + hyperparameters.embedding_weight_decay / 2 * penalised

    return loss


def _make_segment(spec: TrainingSpec, optimizer: Optimizer, graph: nnx.GraphDef) -> Callable:
    """Return the function that takes the steps of one segment."""
    source = spec.source
    room = max(int(DRAWN_PER_WEIGHT * spec.n_weights), ALWAYS_DRAWN)
    n_planned = source.steps_ahead(spec.task, spec.steps_per_record, room)
    searches = spec.optimizer in LINE_SEARCH_OPTIMIZERS
    batch_loss = _make_loss(spec, graph)

    def step(batch, state, hyperparameters):
        loss = lambda params: batch_loss(params, batch, hyperparameters)  # noqa: E731
        if searches:
            return _search_step(optimizer(hyperparameters.learning_rate), loss, state, hyperparameters)
        value, gradient = jax.value_and_grad(loss)(state.params)
        gradient = _add_penalty_gradient(gradient, state.params, hyperparameters)
        transformation = optimizer(_once_known(gradient, hyperparameters.learning_rate))
        updates, optimizer_state = transformation.update(gradient, state.optimizer_state, state.params)
        return State(optax.apply_updates(state.params, updates), optimizer_state), value

    def segment(problem, state, hyperparameters, index):
        start = jnp.asarray(index) * spec.steps_per_record

        def advance(carry, entry):
            state, bad_step, number = carry
            batch = source.batch(problem.sample, problem.distribution, entry)
            state, loss = step(batch, state, hyperparameters)
            bad_step = jnp.where((bad_step == 0) & ~jnp.isfinite(loss), number, bad_step)
            return (state, bad_step, number + 1), None

        def follow_plan(carry, _):
            _, _, number = carry
            entries = source.plan(problem.sample, problem.distribution, problem.batch_key, number - 1, n_planned)
            return jax.lax.scan(advance, carry, entries)[0], None

        with jax.default_matmul_precision(spec.precision):
            begun = state, jnp.zeros_like(start), start + 1
            (state, bad_step, _), _ = jax.lax.scan(follow_plan, begun, length=spec.steps_per_record // n_planned)
            return state, bad_step

    return segment


def _search_step(
    transformation: optax.GradientTransformationExtraArgs,
    loss: Callable,
    state: State,
    hyperparameters: Hyperparameters,
) -> tuple[State, jax.Array]:
    """Return the state after a step with a line search on the risk, and the risk before it.

    Value and gradient are those with which the last line search ended.
    """

    def risk(params):
        return loss(params) + penalty(params, weight_decays(params, hyperparameters))

    params, memory = state
    value, gradient = optax.value_and_grad_from_state(risk)(params, state=memory)
    updates, memory = transformation.update(gradient, memory, params, value=value, grad=gradient, value_fn=risk)
    return State(optax.apply_updates(params, updates), memory), value


def _make_record(spec: TrainingSpec, graph: nnx.GraphDef) -> Callable:
    """Return the function that measures a run."""
    source, size, n_classes = spec.source, spec.n_evaluation, spec.task.n_classes
    loss = _make_loss(spec, graph)

    def record(problem, state, hyperparameters, index):
        network = nnx.merge(graph, state.params)
        train_key, test_key = jax.random.split(jax.random.fold_in(problem.evaluation_key, index))
        with jax.default_matmul_precision(spec.precision):
            train = evaluate(
                network, source.evaluation(problem.sample, problem.distribution, train_key, size), n_classes
            )
            test = evaluate(network, source.test(problem.sample, problem.distribution, test_key, size), n_classes)
            shape = spec.network.measure(network, spec.task, problem.distribution)
            gradient_norm = _gradient_norm(spec, loss, problem, state.params, hyperparameters)
            unpenalised = train.cross_entropy
            if spec.network.penalises_features:
                unpenalised = loss(state.params, problem.sample, hyperparameters)
        risk = unpenalised + penalty(state.params, weight_decays(state.params, hyperparameters))
        sampled = 0.0 if source.exact else 1.0
        return Record(
            train.cross_entropy,
            train.accuracy,
            test.cross_entropy,
            sampled * test.deviation / jnp.sqrt(size),
            test.accuracy,
            sampled * accuracy_standard_error(test.accuracy, size),
            risk,
            gradient_norm,
            shape,
        )

    return record


def _gradient_norm(spec: TrainingSpec, loss: Callable, problem: Problem, params, hyperparameters) -> jax.Array:
    """Return the norm of the gradient of the training risk over the whole training set, or NaN if nobody asks."""
    if spec.until_gradient_norm is None:
        return jnp.full((), jnp.nan, spec.dtype)
    on_batch = lambda params, batch: loss(params, batch, hyperparameters)  # noqa: E731
    gradient = cross_entropy_gradient(on_batch, params, problem.sample, spec.task.n_classes)
    return optax.tree.norm(_add_penalty_gradient(gradient, params, hyperparameters))


def _once_known(gradient: nnx.State, learning_rate: jax.Array) -> jax.Array:
    """Return the learning rate when all is known of a gradient that weights were read for.

    No weight changes before, so that the compiler writes the new ones over the old. That for CPUs does not see by
    itself when they are read no longer, and would copy the classifier at each step. The classifier's gradient is not
    asked: its update needs it anyway.
    """
    if platform() != "cpu":
        return learning_rate
    named = [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree.leaves_with_path(gradient)]
    probe = sum(leaf.reshape(-1)[0] for name, leaf in named if "classifier" not in name)
    # Never true, which the compiler does not see.
    return jnp.where((probe == jnp.inf) & (probe == -jnp.inf), 0, learning_rate)


def _add_penalty_gradient(gradient: nnx.State, params: nnx.State, hyperparameters: Hyperparameters) -> nnx.State:
    """Return the gradient of the risk from that of the cross-entropy.

    By hand: differentiating the penalty would read all weights once more for its value.
    """
    decays = weight_decays(params, hyperparameters)
    return jax.tree.map(lambda g, p, decay: g + decay * p, gradient, params, decays)
