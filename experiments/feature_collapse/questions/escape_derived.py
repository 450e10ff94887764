"""The escape from the saddle at zero: predicted and learned curves, growth rates and plateaus.

The modes are those of :mod:`theory.feature_collapse.dynamics.modes`. Learned weights are projected onto them at every
record, so that the growing part of the embeddings is compared, without the remainder of the initial weights.
"""

from typing import Any

import numpy as np
import xarray

from experiments.core.columns import attach, each_member
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.feature_collapse.members import WordCell, WordMember
from simlab.tasks.word_law import word_frequencies
from theory.feature_collapse.dynamics.escape import LinearRegime, expected_linear_regime, linear_regime, plateau
from theory.feature_collapse.dynamics.modes import EscapeModes, escape_modes, escape_rate

PLATEAU = 0.01  # fraction of the final |W|^2, in the growing modes, at which the plateau ends
# A growth rate is the slope of log |w_i| over a window. The window begins where |w_i|^2 should have grown by GROWN, as
# the decaying pair is then below a thousandth of it. It ends where |W|^2 reaches the fraction NEAR of its final value,
# or its cube the fraction DRIVEN of |w_i|^2, because larger modes drive mode i at the third order.
GROWN, NEAR, DRIVEN = 1e3, 1e-3, 1e-4

VARIABLES = {
    "mode_singular_value": Variable(("mode",), "singular value of the mode at zero", "nats"),
    "mode_square": Variable(("record", "mode"), "learned |w_i|^2 along each mode"),
    "mode_square_linear": Variable(("record", "mode"), "|w_i|^2 in the linear regime, from the initial weights"),
    "rank": Variable(("record",), "effective rank of the learned embeddings, (sum s_i^2)^2 / sum s_i^4"),
    "growth_rate": Variable(("mode",), "slope of log |w_i| over learning rate times steps", "nats"),
    "growth_rate_predicted": Variable(("mode",), "predicted slope of log |w_i| over learning rate times steps", "nats"),
    "embedding_norm_linear": Variable(("record",), "|w|, rms, in the linear regime, from the initial weights"),
    "classifier_norm_linear": Variable(("record",), "|u|, rms, in the linear regime, from the initial weights"),
    "embedding_norm_expected": Variable(("record",), "|w|, rms, in the linear regime from the initial scale alone"),
    "classifier_norm_expected": Variable(("record",), "|u|, rms, in the linear regime from the initial scale alone"),
    "final_square": Variable((), "predicted final |W|^2, exact for the latents where that is known"),
    "plateau": Variable((), "learned length of the plateau: steps until |W|^2 of the modes is 1 % of final", "steps"),
    "plateau_predicted": Variable((), "length of the plateau predicted from the member's initial weights", "steps"),
    "plateau_expected": Variable((), "length of the plateau predicted from the initial scale alone", "steps"),
    "plateau_delay": Variable((), "contribution of the first nonlinear order to the predicted length", "steps"),
    "plateau_slowdown": Variable((), "relative reduction of the growth rate at the end of the plateau"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add :data:`VARIABLES`, and drop the weights at every record, which are not used afterwards."""
    rows = [_describe(dataset, index, cell, member) for index, cell, member in each_member(dataset, plan)]
    added = attach(dataset, plan, rows, VARIABLES)
    added.attrs["escape"] = f"plateau at {PLATEAU:g} of |W|^2; rates from {GROWN:g} of the start to {NEAR:g} of the end"
    return added.drop_vars(["embeddings_trajectory", "classifier_trajectory"])


def mode_squares(embeddings: np.ndarray, modes: EscapeModes, frequencies: np.ndarray) -> np.ndarray:
    """Return |w_i|^2 = |W^T q_i|^2 for q_i = v_i x mu/|mu|.

    Args:
        embeddings: ``Float[..., n_w, d]``, word (a, b) in row ``a s_c + b``.
        modes: modes of the saddle.
        frequencies: word frequencies mu, ``Float[s_c]``.

    Returns:
        ``Float64[..., m]``.
    """
    shape = (*embeddings.shape[:-2], len(modes.directions), frequencies.size, embeddings.shape[-1])
    along = np.einsum("...abd,b->...ad", embeddings.astype(np.float64).reshape(shape), frequencies)
    vectors = np.einsum("ai,...ad->...id", modes.directions, along) / np.linalg.norm(frequencies)
    return np.sum(vectors**2, axis=-1)


def growth_rates(times: np.ndarray, squares: np.ndarray, linear: np.ndarray, final: float) -> np.ndarray:
    """Return the slope of log |w_i| of each mode over its window; NaN for a window of fewer than three records.

    Args:
        times: learning rate times steps, ``Float[R]``.
        squares: |w_i|^2, ``Float[R, m]``.
        linear: |w_i|^2 in the linear regime, ``Float[R, m]``; it determines the start of the window.
        final: |W|^2 at the end of training.
    """
    rates = np.full(squares.shape[1], np.nan)
    total = squares.sum(axis=1)
    for mode, values in enumerate(squares.T):
        late = (total > NEAR * final) | (total**3 > DRIVEN * values)
        window = (np.cumsum(late) == 0) & (linear[:, mode] > GROWN * linear[0, mode])
        if np.sum(window) >= 3:
            rates[mode] = 0.5 * np.polyfit(times[window], np.log(values[window]), 1)[0]
    return rates


def rank(embeddings: np.ndarray) -> np.ndarray:
    """Return the effective rank of W, (sum s_i^2)^2 / sum s_i^4, from its singular values.

    Args:
        embeddings: ``Float[..., n_w, d]``.

    Returns:
        ``Float64[...]``, from 1 to d; NaN for a zero network.
    """
    doubles = embeddings.astype(np.float64)
    gram = np.swapaxes(doubles, -1, -2) @ doubles
    square = np.trace(gram, axis1=-2, axis2=-1)
    fourth = np.sum(gram**2, axis=(-2, -1))
    return np.divide(square**2, fourth, out=np.full(square.shape, np.nan), where=fourth > 0)


def crossing(steps: np.ndarray, squares: np.ndarray, target: float) -> float:
    """Return the step at which |W|^2 of the modes first reaches a target, interpolated in its logarithm, or NaN.

    Args:
        steps: steps of the records, ``Float[R]``.
        squares: |W|^2, ``Float[R]``.
        target: a positive value.
    """
    beyond = np.flatnonzero(squares >= target)
    if not beyond.size or beyond[0] == 0:
        return float(steps[0]) if beyond.size else np.nan
    last = beyond[0]
    logs = np.log(squares[last - 1 : last + 1])
    share = (np.log(target) - logs[0]) / (logs[1] - logs[0])
    return float(steps[last - 1] + share * (steps[last] - steps[last - 1]))


def _describe(dataset: xarray.Dataset, index: tuple[int, ...], cell: WordCell, member: WordMember) -> dict[str, Any]:
    """Return the predicted and learned variables of a member's escape."""
    task, rate = member.spec.task, float(member.hyperparameters.learning_rate)
    steps = member.spec.record_steps
    embeddings, classifier = _weights(dataset, index, member)
    modes = escape_modes(
        word_frequencies=word_frequencies(task.word_frequency, task.words_per_concept),
        n_concepts=task.n_concepts,
        latents=member.data.latents,
    )
    own, expected = _linear_regimes(member, embeddings[0], classifier[0])
    squares = mode_squares(embeddings, modes, word_frequencies(task.word_frequency, task.words_per_concept))
    final = _final_square(dataset, index, cell)
    decays = own.weight_decay, own.classifier_weight_decay
    rates = escape_rate(modes.singular_values, *decays, learning_rate=rate)
    # The linear regime does not hold beyond growth by e^300, and its squares overflow.
    shown = rate * steps * rates.max(initial=0.0) < 300
    linear = _until(shown, own.embedding_squares(steps[shown]))
    foreseen = [plateau(regime, final, fraction=PLATEAU) if final > 0 else None for regime in (own, expected)]
    ends = [np.nan if predicted is None else predicted.steps + predicted.delay for predicted in foreseen]
    return {
        "mode_singular_value": modes.singular_values,
        "mode_square": squares,
        "mode_square_linear": linear,
        "rank": rank(embeddings),
        "growth_rate": growth_rates(rate * steps, squares, linear, final),
        "growth_rate_predicted": rates,
        "embedding_norm_linear": _until(shown, own.embedding_norms(steps[shown])),
        "classifier_norm_linear": _until(shown, own.classifier_norms(steps[shown])),
        "embedding_norm_expected": _until(shown, expected.embedding_norms(steps[shown])),
        "classifier_norm_expected": _until(shown, expected.classifier_norms(steps[shown])),
        "final_square": final,
        "plateau": crossing(steps, squares.sum(axis=1), PLATEAU * final) if final > 0 else np.nan,
        "plateau_predicted": ends[0],
        "plateau_expected": ends[1],
        "plateau_delay": np.nan if foreseen[0] is None else foreseen[0].delay,
        "plateau_slowdown": np.nan if foreseen[0] is None else foreseen[0].slowdown,
    }


def _until(shown: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the values of the ``shown`` records, with NaN for the other records."""
    padded = np.full((len(shown), *values.shape[1:]), np.nan)
    padded[shown] = values
    return padded


def _weights(dataset: xarray.Dataset, index: tuple[int, ...], member: WordMember) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of a member at every record, without padding."""
    task, dim = member.spec.task, member.spec.network.embedding_dim
    embeddings = dataset.embeddings_trajectory.values[index]
    classifier = dataset.classifier_trajectory.values[index]
    n_records = member.spec.n_segments + 1
    return (
        embeddings[:n_records, : task.n_words, :dim],
        classifier[:n_records, : task.n_classes, : task.sentence_length, :dim],
    )


def _linear_regimes(
    member: WordMember, embeddings: np.ndarray, classifier: np.ndarray
) -> tuple[LinearRegime, LinearRegime]:
    """Return the linear regime from a member's initial weights, and its mean over initial weights of that scale."""
    task, rates = member.spec.task, member.hyperparameters
    shared = {
        "latents": member.data.latents,
        "word_frequencies": word_frequencies(task.word_frequency, task.words_per_concept),
        "n_concepts": task.n_concepts,
        "weight_decay": float(rates.embedding_weight_decay),
        "classifier_weight_decay": float(rates.classifier_weight_decay),
        "learning_rate": float(rates.learning_rate),
        "label_noise": task.label_noise,
        "word_noise": task.word_noise,
    }
    expected = expected_linear_regime(
        initial_scale=float(rates.initial_scale),
        embedding_dim=member.spec.network.embedding_dim,
        sentence_length=task.sentence_length,
        n_classes=task.n_classes,
        **shared,
    )
    return linear_regime(embeddings, classifier, **shared), expected


def _final_square(dataset: xarray.Dataset, index: tuple[int, ...], cell: WordCell) -> float:
    """Return |W|^2 at the minimum: the exact value for the latents if it is known, else the predicted one."""
    exact = dataset.exact_minimum.sel(quantity="embedding_norm").values[index]
    norm = exact if np.isfinite(exact) else dataset.predicted.sel(quantity="embedding_norm").values[index[:-1]]
    return float(cell.spec.task.n_words * norm**2)
