"""Training without weight decay: growing norms, frozen noise in directions, and a fading effect of frequency.

For a saturated task trained on its population, the variables are: gradient descent of a collapsed network
(:mod:`theory.feature_collapse.dynamics.flow`), started from the learned norms once the concepts have separated; the
late-time law of :mod:`theory.feature_collapse.dynamics.no_weight_decay`; and the same law along the regularisation
path, next to the exact minimisers. For every task, the result of early stopping is added.

Directions: the part of the initial embeddings outside the modes that grow at zero has no first-order gradient. It stays
constant, apart from weight decay, while the norms grow. The words of a concept then differ by this frozen noise, so
their spread falls as one over their norm.
"""

from typing import Any

import numpy as np
import xarray

from experiments.core.columns import attach, each_member
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.feature_collapse.members import WordCell, WordMember
from simlab.metrics import geometry
from simlab.tasks.word_law import word_frequencies
from theory.feature_collapse.dynamics.flow import collapsed_descent
from theory.feature_collapse.dynamics.modes import escape_modes, growing_pair, pair_rates
from theory.feature_collapse.dynamics.no_weight_decay import LateNorms, flow_norms, path_norms

COLLAPSED = 0.05  # deviation from a simplex, of embeddings and classifier, below which a network counts as collapsed

VARIABLES = {
    "rank_norm": Variable(("record", "rank"), "learned |w| of the words of a rank, rms over concepts"),
    "rank_norm_descent": Variable(("record", "rank"), "|w| predicted from the norms at the start of the descent"),
    "rank_norm_late": Variable(("record", "rank"), "|w| predicted for late times, from the time alone"),
    "classifier_norm_descent": Variable(("record",), "|u| predicted from the norms at the start of the descent"),
    "cross_entropy_descent": Variable(
        ("record",), "cross-entropy predicted from the norms at the start of the descent", "nats"
    ),
    "descent_start": Variable((), "first record at which the concepts form a simplex", "steps"),
    "mean_margin": Variable(("record",), "learned margin V, the mean over the words of a concept", "nats"),
    "norm_ratio": Variable(("record",), "learned norm of the most frequent word over that of the rarest"),
    "mean_margin_descent": Variable(("record",), "predicted margin V from the start of the descent", "nats"),
    "norm_ratio_descent": Variable(("record",), "predicted ratio of norms from the start of the descent"),
    "mean_margin_exact": Variable((), "margin V of the minimiser for the weight decay", "nats"),
    "norm_ratio_exact": Variable((), "ratio of norms of the minimiser for the weight decay"),
    "mean_margin_path": Variable((), "margin V to next-to-leading order in the weight decay", "nats"),
    "norm_ratio_path": Variable((), "ratio of norms to next-to-leading order in the weight decay"),
    "log_frequency_ratio": Variable((), "log of the largest over the smallest frequency of a word"),
    "embedding_spread_frozen": Variable(("record",), "spread due to frozen initial noise, at the learned norms"),
    "best_step": Variable((), "step at which the test cross-entropy is smallest", "steps"),
    "best_accuracy": Variable((), "test accuracy at the best step"),
    "best_spread": Variable((), "spread of the embeddings within concepts at the best step"),
    "end_accuracy": Variable((), "test accuracy at the end"),
    "end_spread": Variable((), "spread of the embeddings within concepts at the end"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add :data:`VARIABLES`, and drop the weights at every record, which are not used afterwards."""
    rows = [_describe(dataset, index, cell, member) for index, cell, member in each_member(dataset, plan)]
    added = attach(dataset, plan, rows, VARIABLES)
    return added.drop_vars(["embeddings_trajectory", "classifier_trajectory"])


def frozen_noise(embeddings: np.ndarray, classifier: np.ndarray, member: WordMember) -> tuple[np.ndarray, np.ndarray]:
    """Split initial weights into the directions in which concepts grow, and the part that stays constant.

    Args:
        embeddings: initial word vectors, ``Float[n_w, d]``.
        classifier: initial classifier, ``Float[K, L, d]``.
        member: the member with these weights.

    Returns:
        Unit vectors of the concepts in the growing pairs, ``Float64[n_c, d]``; and W outside the modes,
        ``Float64[n_w, d]``.
    """
    task, latents = member.spec.task, member.data.latents
    embeddings, classifier = embeddings.astype(np.float64), classifier.astype(np.float64)
    frequencies = word_frequencies(task.word_frequency, task.words_per_concept)
    modes = escape_modes(word_frequencies=frequencies, n_concepts=task.n_concepts, latents=latents)
    right = np.kron(modes.directions.T, frequencies / np.linalg.norm(frequencies))
    left = modes.directions[latents] - modes.directions[latents].mean(axis=0)
    left /= np.sqrt(np.sum(left**2, axis=(0, 1)))
    decay = float(member.hyperparameters.embedding_weight_decay)
    rates = pair_rates(modes.singular_values, decay, float(member.hyperparameters.classifier_weight_decay))[0]
    cosine, sine = growing_pair(modes.singular_values, rates, decay)
    words, rows = right @ embeddings, np.einsum("kli,kld->id", left, classifier)
    directions = modes.directions @ (cosine[:, None] * words + sine[:, None] * rows)
    return geometry.directions(directions), embeddings - right.T @ words


def _describe(dataset: xarray.Dataset, index: tuple[int, ...], cell: WordCell, member: WordMember) -> dict[str, Any]:
    """Return the variables of a member; those predicted for the population only are NaN for other sources."""
    spec = member.spec
    n_records, n_ranks = spec.n_segments + 1, spec.task.words_per_concept
    history = {
        name: dataset[f"history_{name}"].values[index][:n_records]
        for name in (
            *("classifier_norm", "embedding_spread", "test_accuracy", "test_cross_entropy"),
            *("embedding_simplex_deviation", "classifier_simplex_deviation"),
        )
    }
    shape = (n_records, spec.task.n_concepts, n_ranks)
    weights = dataset.embeddings_trajectory.values[index][:n_records, : spec.task.n_words]
    norms = np.sqrt(np.nansum(weights.astype(np.float64) ** 2, axis=-1)).reshape(shape)
    rank_norm = np.sqrt(np.mean(norms**2, axis=1))
    row = {name: np.full([{"record": n_records, "rank": n_ranks}[dim] for dim in variable.dims], np.nan)
           for name, variable in VARIABLES.items()}  # fmt: skip
    row |= {"rank_norm": rank_norm, **_early_stopping(spec.steps_per_record, history)}
    if not (spec.source.is_population and spec.task.is_saturated):
        return row
    eta = spec.task.n_concepts / (spec.task.n_concepts - 1)
    frequencies = word_frequencies(spec.task.word_frequency, spec.task.words_per_concept)
    row |= {
        "mean_margin": eta * history["classifier_norm"] * rank_norm.mean(axis=1),
        "norm_ratio": rank_norm[:, 0] / rank_norm[:, -1],
        "log_frequency_ratio": np.log(frequencies.max() / frequencies.min()),
        "embedding_spread_frozen": _frozen_spread(dataset, index, member, rank_norm),
    }
    if cell.configuration.has_no_penalty:
        return row | _growth(member, rank_norm, history)
    return row | _path(cell)


def _early_stopping(steps_per_record: int, history: dict[str, np.ndarray]) -> dict[str, float]:
    """Return accuracy and spread at the record with the smallest test cross-entropy, and at the last record."""
    best = int(np.nanargmin(history["test_cross_entropy"]))
    return {
        "best_step": best * steps_per_record,
        "best_accuracy": history["test_accuracy"][best],
        "best_spread": history["embedding_spread"][best],
        "end_accuracy": history["test_accuracy"][-1],
        "end_spread": history["embedding_spread"][-1],
    }


def _frozen_spread(
    dataset: xarray.Dataset, index: tuple[int, ...], member: WordMember, rank_norm: np.ndarray
) -> np.ndarray:
    """Return the spread, at each record, of ideal directions with learned norms plus the initial noise."""
    task, dim, rates = member.spec.task, member.spec.network.embedding_dim, member.hyperparameters
    embeddings = dataset.embeddings_trajectory.values[index][0, : task.n_words, :dim]
    classifier = dataset.classifier_trajectory.values[index][0, : task.n_classes, : task.sentence_length, :dim]
    concepts, still = frozen_noise(embeddings, classifier, member)
    steps = np.arange(len(rank_norm)) * member.spec.steps_per_record
    remaining = (1 - float(rates.learning_rate) * float(rates.embedding_weight_decay)) ** steps
    groups = np.arange(task.n_words) // task.words_per_concept
    membership = geometry.membership_matrix(groups, task.n_concepts, np.float64)
    ideal = np.einsum("tb,ad->tabd", rank_norm, concepts).reshape(len(steps), *still.shape)
    noisy = ideal + remaining[:, None, None] * still
    return np.array([float(geometry.direction_spread(vectors, membership)) for vectors in noisy])


def _growth(member: WordMember, rank_norm: np.ndarray, history: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return predicted norms without weight decay: by descent from the first collapsed record, and by the late law."""
    spec, rate = member.spec, float(member.hyperparameters.learning_rate)
    task = _theory_task(spec.task)
    times = rate * np.arange(len(rank_norm)) * spec.steps_per_record
    late = np.stack([_late_norms(time, rank_norm.shape[1], task) for time in times])
    deviations = np.maximum(history["embedding_simplex_deviation"], history["classifier_simplex_deviation"])
    collapsed = np.flatnonzero(deviations < COLLAPSED)
    if not collapsed.size:
        return {"rank_norm_late": late}
    start = collapsed[0]
    descent = collapsed_descent(
        learning_rate=rate,
        n_steps=(len(rank_norm) - 1 - start) * spec.steps_per_record,
        steps_per_record=spec.steps_per_record,
        embedding_norms=rank_norm[start],
        classifier_norm=float(history["classifier_norm"][start]),
        **task,
    )
    norms = descent.embedding_norms
    eta = spec.task.n_concepts / (spec.task.n_concepts - 1)
    curves = {
        "rank_norm_descent": norms,
        "classifier_norm_descent": descent.classifier_norms,
        "cross_entropy_descent": descent.cross_entropies,
        "mean_margin_descent": eta * descent.classifier_norms * norms.mean(axis=1),
        "norm_ratio_descent": norms[:, 0] / norms[:, -1],
    }
    before = {name: np.full((start, *values.shape[1:]), np.nan) for name, values in curves.items()}
    return {
        "rank_norm_late": late,
        "descent_start": start * spec.steps_per_record,
        **{name: np.concatenate([before[name], values]) for name, values in curves.items()},
    }


def _late_norms(time: float, n_ranks: int, task: dict[str, Any]) -> np.ndarray:
    """Return the norms of the late-time law, NaN at times to which it does not apply."""
    try:
        return flow_norms(time=time, **task).embedding_norms
    except ValueError:
        return np.full(n_ranks, np.nan)


def _path(cell: WordCell) -> dict[str, Any]:
    """Return margin and ratio of norms of the exact minimiser, and to next-to-leading order where it applies."""
    exact, task = cell.prediction, cell.spec.task
    norms, eta = exact.embedding_norms, task.n_concepts / (task.n_concepts - 1)
    if exact.is_zero:
        return {}
    values = {
        "mean_margin_exact": eta * exact.classifier_norm * norms.mean(),
        "norm_ratio_exact": norms[0] / norms[-1],
    }
    late = _late_path(cell)
    if late is not None:
        values |= {"mean_margin_path": late.mean_margin, "norm_ratio_path": late.margins[0] / late.margins[-1]}
    return values


def _late_path(cell: WordCell) -> LateNorms | None:
    """Return the late law of the path, or None if the weight decay is too large or differs between W and U."""
    configuration = cell.configuration
    if configuration.embedding_weight_decay != configuration.classifier_weight_decay:
        return None
    try:
        return path_norms(weight_decay=configuration.embedding_weight_decay, **_theory_task(cell.spec.task))
    except ValueError:
        return None


def _theory_task(task) -> dict[str, Any]:
    """Return the arguments of theory for a saturated task."""
    return {
        "n_concepts": task.n_concepts,
        "n_words": task.n_words,
        "sentence_length": task.sentence_length,
        "word_frequency": word_frequencies(task.word_frequency, task.words_per_concept),
    }
