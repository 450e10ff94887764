"""Drive training runs from the host: many seeds at once, segment by segment, with progress."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from simlab.sentences import SentenceDistribution, draw_distribution
from simlab.sources import Batch
from simlab.spec import Hyperparameters, TrainingSpec
from simlab.training import Optimizer, Record, Trainer, make_trainer
from simlab.validation import check_count, invalid


class Runs(NamedTuple):
    """The outcome of one specification for several seeds, as NumPy arrays.

    Attributes:
        seeds: ``Int[S]``.
        latents: ``Int32[S, K, L]``.
        embeddings: ``Float[S, n_w, d]``, the word vectors that the classifier sees (after LayerNorm, if any).
        classifier: ``Float[S, K, L, d]``.
        sample: the training set of each seed, a :class:`~simlab.sources.Batch` with a leading axis of seeds, or None
            if sentences were fresh.
        steps: ``Int[R]``, the number of steps taken before each record.
        records: a :class:`~simlab.training.Record` of ``Float[S, R]``.
        status: ``finished`` or ``diverged`` for each seed.
    """

    seeds: np.ndarray
    latents: np.ndarray
    embeddings: np.ndarray
    classifier: np.ndarray
    sample: Batch | None
    steps: np.ndarray
    records: Record
    status: np.ndarray


class _Compiled(NamedTuple):
    """The vmapped and compiled pieces of a trainer; ``seed`` is the mapped axis."""

    begin: Callable
    segment: Callable
    record: Callable
    representation: Callable


def _compile(trainer: Trainer) -> _Compiled:
    """Return the pieces with seeds as their leading axis; each compiles once for all segments."""
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
        seeds: different whole numbers below 2^32, at least one.
        optimizer: as in :func:`simlab.training.make_trainer`.
        on_segment: called after each segment with the number of segments done.

    Returns:
        The :class:`Runs`.

    Raises:
        ValueError: a hyperparameter or a seed is out of range, or float64 is asked for but not enabled.
    """
    seeds = check_seeds(seeds)
    if spec.dtype == "float64" and not jax.config.jax_enable_x64:
        raise invalid("dtype", "float32, or a call within jax.enable_x64(True)", spec.dtype)
    hyperparameters = jax.tree.map(lambda value: jnp.asarray(value, spec.dtype), hyperparameters.check())
    compiled = _compile(make_trainer(spec, optimizer))
    distribution = _draw_distributions(spec, seeds)
    keys = jax.vmap(jax.random.key)(jnp.asarray(seeds, jnp.uint32))
    problem, state = compiled.begin(keys, distribution, hyperparameters)
    records = [compiled.record(problem, state, hyperparameters, 0)]
    for index in range(spec.n_segments):
        state = compiled.segment(problem, state, hyperparameters, index)
        records.append(compiled.record(problem, state, hyperparameters, index + 1))
        if on_segment is not None:
            jax.block_until_ready(state)
            on_segment(index + 1)
    embeddings, classifier = compiled.representation(state)
    history = jax.tree.map(lambda *values: np.stack([np.asarray(value) for value in values], axis=1), *records)
    return Runs(
        seeds=np.asarray(seeds),
        latents=np.asarray(distribution.latents),
        embeddings=np.asarray(embeddings),
        classifier=np.asarray(classifier),
        sample=jax.tree.map(np.asarray, problem.sample),
        steps=np.arange(spec.n_segments + 1) * spec.steps_per_record,
        records=history,
        status=np.where(np.isfinite(history.risk[:, -1]), "finished", "diverged"),
    )


def check_seeds(seeds: Sequence[int]) -> list[int]:
    """Return the seeds as a list, or raise ``ValueError`` unless they are different whole numbers below 2^32."""
    checked = [check_count("seeds", seed, 0) for seed in seeds]
    if not checked or len(set(checked)) < len(checked) or max(checked) >= 2**32:
        raise invalid("seeds", "different whole numbers below 2^32, at least one", checked)
    return checked


def _draw_distributions(spec: TrainingSpec, seeds: list[int]) -> SentenceDistribution:
    """Return the realised task of each seed, stacked on a leading axis."""
    drawn = [draw_distribution(spec.task, seed) for seed in seeds]
    latents = np.stack([one.latents for one in drawn])
    mu = np.stack([one.word_frequencies for one in drawn])
    return SentenceDistribution(jnp.asarray(latents), jnp.asarray(mu, spec.dtype))
