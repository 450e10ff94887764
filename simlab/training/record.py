"""Records, taken between the segments of a run: the metrics of the objective and the gradient norm of the risk."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from simlab.losses.chunks import in_chunks, summed_gradient
from simlab.losses.objective import EvaluationSet
from simlab.losses.penalties import add_penalty_gradient, penalty
from simlab.tasks.batch import AnyArray, Batch, weighted
from simlab.training.optimizers import without_frozen
from simlab.training.run_state import Network, Problem, batch_loss
from simlab.training.spec import TrainingSpec
from simlab.validation import invalid

# The risk near zero weights differs from that at zero weights by at most NEAR_ZERO |gradient| |p|, where a quadratic
# form has 1/2, plus ROUNDINGS units of rounding, as the risk is a mean over many examples.
NEAR_ZERO, ROUNDINGS = 0.75, 100


class Record(NamedTuple):
    """A record, taken between segments; each entry is a scalar.

    Attributes:
        metrics: the metrics of the objective, a ``NamedTuple`` of scalars.
        gradient_norm: norm of the gradient of the training risk over the whole training set; measured only if the
            specification has a stopping rule on it, and NaN otherwise.
    """

    metrics: NamedTuple
    gradient_norm: jax.Array


def named_values(record: Record) -> dict[str, AnyArray]:
    """Return the entries of a record by name."""
    return record.metrics._asdict() | {"gradient_norm": record.gradient_norm}


def make_record(spec: TrainingSpec, network: Network) -> Callable:
    """Return ``(problem, state, hyper, index) -> Record``, the function that measures a run."""
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
        return Record(_named_tuple(spec, metrics), gradient_norm)

    return record


def _named_tuple(spec: TrainingSpec, metrics: Mapping[str, jax.Array]) -> NamedTuple:
    """Return metrics as a ``NamedTuple``, or raise ``ValueError`` unless they are scalars with the declared names."""
    names = tuple(spec.objective.metrics(spec))
    if not isinstance(metrics, Mapping) or set(metrics) != set(names):
        got = ", ".join(metrics) if isinstance(metrics, Mapping) else type(metrics).__name__
        raise invalid("metrics", f"a mapping with the names {', '.join(names)}", got)
    for name, value in metrics.items():
        if jnp.shape(value) != ():
            raise invalid(f"metrics {name}", "a scalar", f"an array of shape {jnp.shape(value)}")
    if "gradient_norm" in names:
        raise invalid("metrics", "a name other than gradient_norm, which every record has", ", ".join(names))
    if spec.objective.divergence_metric not in names:
        raise invalid("divergence_metric", f"one of the metrics {', '.join(names)}", spec.objective.divergence_metric)
    return _metrics_type(names)(**metrics)


@lru_cache(maxsize=256)
def _metrics_type(names: tuple[str, ...]) -> type:
    """Return the named tuple type of metrics with these names."""
    return namedtuple("Metrics", names)


def _gradient_norm(spec: TrainingSpec, network: Network, problem: Problem, params, hyper) -> jax.Array:
    """Return the norm of the gradient of the training risk over the whole training set, or NaN if it is not needed.

    Frozen parameters are left out, as the risk is not minimised over them.
    """
    if spec.until_gradient_norm is None:
        return jnp.full((), jnp.nan, spec.dtype)
    main, objective = spec.stages[-1], spec.objective
    on_batch = lambda params, batch: batch_loss(main, network, params, batch, problem, hyper, problem.loss_key)  # noqa: E731
    if objective.additive and isinstance(problem.sample, Batch):
        gradient = summed_gradient(on_batch, params, problem.sample, objective.numbers_per_example(spec))
    else:
        gradient = jax.grad(on_batch)(params, problem.sample)
    gradient = add_penalty_gradient(gradient, params, objective.penalties(params, hyper))
    return optax.tree.norm(without_frozen(gradient, objective.rates(params, hyper)))


def make_departure(spec: TrainingSpec, network: Network) -> Callable:
    """Return ``(problem, state, hyper, gradient_norm) -> bool``: whether a member has left the zero weights.

    Near zero weights, usually a saddle, the gradient is small although the minimum may be far away. There the risk is
    that of zero weights plus terms of degree ``k >= 2`` in the weights p, whose sum is at most ``|gradient| |p|/2``; at
    a minimum elsewhere the difference is larger once the gradient is small. If zero weights have no finite risk, as
    with a normalisation, every member counts as away.
    """
    objective = spec.objective

    def is_away(problem, state, hyper, gradient_norm):
        trained = without_frozen(state.params, objective.rates(state.params, hyper))
        at_zero = jax.tree.map(jnp.subtract, state.params, trained)
        start = _training_risk(spec, network, problem, at_zero, hyper)
        change = jnp.abs(_training_risk(spec, network, problem, state.params, hyper) - start)
        rounding = ROUNDINGS * jnp.finfo(spec.dtype).eps * jnp.abs(start)
        return ~jnp.isfinite(start) | (change > NEAR_ZERO * gradient_norm * optax.tree.norm(trained) + rounding)

    return is_away


def _training_risk(spec: TrainingSpec, network: Network, problem: Problem, params, hyper) -> jax.Array:
    """Return the risk over the whole training set: loss plus penalty."""
    main, objective = spec.stages[-1], spec.objective
    on_batch = lambda batch: batch_loss(main, network, params, batch, problem, hyper, problem.loss_key)  # noqa: E731
    if objective.additive and isinstance(problem.sample, Batch):
        chunks = in_chunks(weighted(problem.sample), objective.numbers_per_example(spec))
        loss = jnp.sum(jax.lax.map(on_batch, chunks))
    else:
        loss = on_batch(problem.sample)
    return loss + penalty(params, objective.penalties(params, hyper))
