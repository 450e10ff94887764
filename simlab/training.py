"""Training as a pure function: ``make_train(spec)`` returns ``train(key, distribution, hyperparameters)``.

What fixes a shape or a program is in the :class:`TrainingSpec`; what varies over a sweep is a traced argument, so that
one compilation serves all values. A run is cut into *segments* of equally many steps; after each a
:class:`Record` is taken. Whoever drives the segments one by one (to show progress or to save) gets the weights of the
uncut run bit by bit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from simlab import geometry
from simlab.networks import SentenceClassifier
from simlab.risk import cross_entropy, evaluate, penalty
from simlab.sentences import SentenceDistribution
from simlab.sources import Source, draw_batch
from simlab.tasks import SentenceTask
from simlab.validation import check_choice, check_count, check_real, invalid

Optimizer = Callable[[jax.Array], optax.GradientTransformation]


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """The static part of a training run.

    Args:
        task: what is learned.
        source: where sentences come from.
        embedding_dim: ``d``.
        layer_norm: whether word vectors are normalised (the network ``h*``).
        optimizer: the name of an optax optimiser that needs a learning rate only, such as ``"sgd"`` or ``"adam"``.
        n_steps: a multiple of ``steps_per_record``.
        steps_per_record: steps between two records.
        n_evaluation: sentences on which losses and accuracies are measured.
        dtype: of the weights, ``"float32"`` or ``"float64"`` (which needs ``jax.enable_x64``).
        precision: of matrix products; ``"highest"`` keeps float32 where a GPU would use TF32 and a TPU bfloat16.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    task: SentenceTask
    source: Source
    embedding_dim: int = 100
    layer_norm: bool = False
    optimizer: str = "sgd"
    n_steps: int
    steps_per_record: int
    n_evaluation: int = 5000
    dtype: str = "float32"
    precision: str = "highest"

    def __post_init__(self):
        check_count("embedding_dim", self.embedding_dim, 2 if self.layer_norm else 1)
        check_count("n_steps", self.n_steps)
        check_count("steps_per_record", self.steps_per_record)
        check_count("n_evaluation", self.n_evaluation)
        check_choice("dtype", self.dtype, ("float32", "float64"))
        check_choice("precision", self.precision, ("highest", "high", "default"))
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        if self.n_steps % self.steps_per_record:
            raise invalid("n_steps", f"a multiple of steps_per_record={self.steps_per_record}", self.n_steps)
        self.source.steps_per_epoch(self.task)

    @property
    def n_segments(self) -> int:
        """Number of segments, hence of records after the initial one."""
        return self.n_steps // self.steps_per_record


OPTIMIZERS = ("sgd", "adam", "adamax", "nadam", "rmsprop", "adagrad", "lion", "yogi", "radam", "lamb", "adan", "sophia")


class Hyperparameters(NamedTuple):
    """What a sweep varies without a new compilation; every field may be traced.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: factor on the initial weights.
        embedding_weight_decay: ``lam_W``, coefficient of ``|W|^2 / 2``, nats.
        classifier_weight_decay: ``lam_U``, coefficient of ``|U|^2 / 2``, nats.
    """

    learning_rate: jax.Array | float = 0.1
    initial_scale: jax.Array | float = 1e-3
    embedding_weight_decay: jax.Array | float = 1e-3
    classifier_weight_decay: jax.Array | float = 1e-3

    def check(self) -> "Hyperparameters":
        """Return itself, or raise ``ValueError`` for a value that is negative or not finite."""
        for name, value in self._asdict().items():
            check_real(name, value, positive=name in ("learning_rate", "initial_scale"))
        return self


class Record(NamedTuple):
    """What is logged between segments; each entry a scalar.

    Cross-entropies and the risk (training cross-entropy plus penalty) are in nats, accuracies in [0, 1]. Norms are
    root mean squares. For the spread and the cosine of directions see :mod:`simlab.geometry`.
    """

    train_cross_entropy: jax.Array
    train_accuracy: jax.Array
    test_cross_entropy: jax.Array
    test_accuracy: jax.Array
    risk: jax.Array
    embedding_norm: jax.Array
    classifier_norm: jax.Array
    embedding_spread: jax.Array
    classifier_spread: jax.Array
    embedding_cosine: jax.Array
    classifier_cosine: jax.Array


class Problem(NamedTuple):
    """What stays the same over a run: the task's realisation, its sample, the random keys."""

    distribution: SentenceDistribution
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
        segment: ``(problem, state, hyperparameters, index) -> state`` after the steps of segment ``index``.
        record: ``(problem, state, hyperparameters, index) -> Record`` after ``index`` segments.
        representation: ``state -> (embeddings, classifier)``: the word vectors that the classifier sees (after
            LayerNorm, if there is one), ``Float[n_w, d]``, and ``Float[K, L, d]``.
    """

    begin: Callable
    segment: Callable
    record: Callable
    representation: Callable


def make_trainer(spec: TrainingSpec, optimizer: Optimizer | None = None) -> Trainer:
    """Return the pieces of the training run that ``spec`` describes.

    Args:
        spec: the static part.
        optimizer: overrides ``spec.optimizer`` with any function from a learning rate to an optax transformation.
    """
    task, source = spec.task, spec.source
    optimizer = optimizer or getattr(optax, spec.optimizer)
    block = math.gcd(spec.steps_per_record, source.steps_per_epoch(task) or spec.steps_per_record)
    blocks_per_segment = spec.steps_per_record // block

    def build(rngs, initial_scale):
        return SentenceClassifier(
            n_words=task.n_words,
            sentence_length=task.sentence_length,
            n_classes=task.n_classes,
            embedding_dim=spec.embedding_dim,
            layer_norm=spec.layer_norm,
            initial_scale=initial_scale,
            dtype=jnp.dtype(spec.dtype),
            rngs=rngs,
        )

    graph = nnx.graphdef(nnx.eval_shape(lambda: build(nnx.Rngs(0), 1.0)))

    def begin(key, distribution, hyperparameters):
        init_key, sample_key, batch_key, evaluation_key = jax.random.split(key, 4)
        params = nnx.state(build(nnx.Rngs(params=init_key), hyperparameters.initial_scale), nnx.Param)
        sample = source.prepare(sample_key, distribution)
        state = State(params, optimizer(hyperparameters.learning_rate).init(params))
        return Problem(distribution, sample, batch_key, evaluation_key), state

    def step(problem, hyperparameters, state, entry):
        batch = source.batch(problem.sample, problem.distribution, entry)
        gradient = jax.grad(lambda params: cross_entropy(nnx.merge(graph, params), batch))(state.params)
        # The penalty's gradient is added by hand: differentiating it would read all weights once more for its value.
        decays = weight_decays(state.params, hyperparameters)
        gradient = jax.tree.map(lambda g, p, decay: g + decay * p, gradient, state.params, decays)
        transformation = optimizer(hyperparameters.learning_rate)
        updates, optimizer_state = transformation.update(gradient, state.optimizer_state, state.params)
        return State(optax.apply_updates(state.params, updates), optimizer_state)

    def segment(problem, state, hyperparameters, index):
        def run_block(state, number):
            entries = source.plan(problem.sample, problem.batch_key, number * block, block)
            advance = lambda state, entry: (step(problem, hyperparameters, state, entry), None)  # noqa: E731
            return jax.lax.scan(advance, state, entries)

        numbers = index * blocks_per_segment + jnp.arange(blocks_per_segment)
        with jax.default_matmul_precision(spec.precision):
            return jax.lax.scan(run_block, state, numbers)[0]

    def record(problem, state, hyperparameters, index):
        network = nnx.merge(graph, state.params)
        train_key, test_key = jax.random.split(jax.random.fold_in(problem.evaluation_key, index))
        train = source.evaluation(problem.sample, problem.distribution, train_key, spec.n_evaluation)
        test = draw_batch(test_key, problem.distribution, spec.n_evaluation)
        with jax.default_matmul_precision(spec.precision):
            train_loss, train_accuracy = evaluate(network, train)
            test_loss, test_accuracy = evaluate(network, test)
            risk = train_loss + penalty(state.params, weight_decays(state.params, hyperparameters))
            shape = _shape_of(network, problem.distribution.latents, task)
        return Record(train_loss, train_accuracy, test_loss, test_accuracy, risk, *shape)

    def representation(state):
        network = nnx.merge(graph, state.params)
        return network.representation(), network.classifier[...]

    return Trainer(begin, segment, record, representation)


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
            state = trainer.segment(problem, state, hyperparameters, index)
            return state, trainer.record(problem, state, hyperparameters, index + 1)

        state, rest = jax.lax.scan(advance, state, jnp.arange(spec.n_segments))
        records = jax.tree.map(lambda one, many: jnp.concatenate([one[None], many]), first, rest)
        return problem, state, records

    return train


def weight_decays(params: nnx.State, hyperparameters: Hyperparameters) -> nnx.State:
    """Return the coefficient of each parameter's penalty: ``lam_W`` for embeddings, ``lam_U`` for all else."""

    def decay(path, variable):
        embeddings = path[0] == "embeddings"
        chosen = hyperparameters.embedding_weight_decay if embeddings else hyperparameters.classifier_weight_decay
        return variable.replace(chosen)

    return nnx.map_state(decay, params)


def _shape_of(network: SentenceClassifier, latents: jax.Array, task: SentenceTask) -> tuple[jax.Array, ...]:
    """Return norm, spread and cosine of embeddings and classifier, in the order of :class:`Record`."""
    embeddings = network.representation()
    classifier = network.classifier[...].reshape(-1, embeddings.shape[-1])
    concepts = jnp.arange(task.n_words) // task.words_per_concept
    sets = [(embeddings, concepts), (classifier, jnp.asarray(latents).reshape(-1))]
    memberships = [geometry.membership_matrix(groups, task.n_concepts, embeddings.dtype) for _, groups in sets]
    measures = (
        lambda vectors, _: geometry.root_mean_square(geometry.norms(vectors)),
        geometry.direction_spread,
        geometry.group_cosine,
    )
    return tuple(
        measure(vectors, membership)
        for measure in measures
        for (vectors, _), membership in zip(sets, memberships, strict=True)
    )
