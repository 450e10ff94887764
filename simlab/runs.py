"""Drive training runs from the host: many seeds at once, segment by segment, with progress."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.sentences import SentenceDistribution, draw_distribution
from simlab.training import Hyperparameters, Optimizer, Record, Trainer, TrainingSpec, make_trainer


class Runs(NamedTuple):
    """The outcome of one specification for several seeds, as NumPy arrays.

    Attributes:
        seeds: ``Int[S]``.
        latents: ``Int32[S, K, L]``.
        embeddings: ``Float[S, n_w, d]``, the word vectors that the classifier sees (after LayerNorm, if any).
        classifier: ``Float[S, K, L, d]``.
        steps: ``Int[R]``, the number of steps taken before each record.
        records: a :class:`~simlab.training.Record` of ``Float[S, R]``.
        status: ``finished`` or ``diverged`` for each seed.
        seconds: wall time of the training steps alone, compilation and records left out.
    """

    seeds: np.ndarray
    latents: np.ndarray
    embeddings: np.ndarray
    classifier: np.ndarray
    steps: np.ndarray
    records: Record
    status: np.ndarray
    seconds: float


class _Compiled(NamedTuple):
    """The vmapped and compiled pieces of a trainer; ``seed`` is the mapped axis."""

    begin: Callable
    segment: Callable
    record: Callable
    representation: Callable


def _compile(trainer: Trainer) -> _Compiled:
    return _Compiled(
        begin=jax.jit(jax.vmap(trainer.begin, (0, 0, None))),
        segment=jax.jit(jax.vmap(trainer.segment, (0, 0, None, None)), donate_argnums=1),
        record=jax.jit(jax.vmap(trainer.record, (0, 0, None, None))),
        representation=jax.jit(jax.vmap(trainer.representation)),
    )


def run_seeds(
    spec: TrainingSpec,
    hyperparameters: Hyperparameters,
    seeds: Sequence[int],
    *,
    optimizer: Optimizer | None = None,
    on_segment: Callable[[int], None] | None = None,
) -> Runs:
    """Train ``spec`` once per seed, all seeds side by side.

    A seed decides the latents, the sample, the initial weights and the order of the batches; a seed's result does not
    depend on the others beside it beyond rounding.

    Args:
        spec: the static part.
        hyperparameters: one value of each for all seeds.
        seeds: different whole numbers, at least one.
        optimizer: as in :func:`simlab.training.make_trainer`.
        on_segment: called after each segment with the number of segments done.

    Returns:
        The :class:`Runs`.
    """
    hyperparameters = jax.tree.map(lambda value: jnp.asarray(value, spec.dtype), hyperparameters.check())
    compiled = _compile(make_trainer(spec, optimizer))
    drawn = [draw_distribution(spec.task, seed) for seed in seeds]
    latents = np.stack([one.latents for one in drawn])
    mu = np.stack([one.word_frequencies for one in drawn])
    distribution = SentenceDistribution(jnp.asarray(latents), jnp.asarray(mu, spec.dtype))
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds, jnp.uint32))
    problem, state = compiled.begin(keys, distribution, hyperparameters)
    records = [compiled.record(problem, state, hyperparameters, 0)]
    segment = compiled.segment.lower(problem, state, hyperparameters, 0).compile()
    seconds = 0.0
    for index in range(spec.n_segments):
        started = time.perf_counter()
        state = jax.block_until_ready(segment(problem, state, hyperparameters, index))
        seconds += time.perf_counter() - started
        records.append(compiled.record(problem, state, hyperparameters, index + 1))
        if on_segment is not None:
            on_segment(index + 1)
    embeddings, classifier = compiled.representation(state)
    history = jax.tree.map(lambda *values: np.stack([np.asarray(value) for value in values], axis=1), *records)
    return Runs(
        seeds=np.asarray(seeds),
        latents=latents,
        embeddings=np.asarray(embeddings),
        classifier=np.asarray(classifier),
        steps=np.arange(spec.n_segments + 1) * spec.steps_per_record,
        records=history,
        status=np.where(np.isfinite(history.risk[:, -1]), "finished", "diverged"),
        seconds=seconds,
    )
