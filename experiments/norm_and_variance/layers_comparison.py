"""Norm of the mean and variance in each layer of a small transformer, beside the formula and what is predicted."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.norm_and_variance.layers_reference import LEAST_COUNT, LayersPrediction
from simlab.metrics.norm_and_variance import GroupMoments, trade_off, variance_shares
from simlab.sweeps.members import MemberRun
from theory import norm_and_variance as theory

QUANTITIES = {
    "formula_error": Quantity(label="corr(M, V) less (r s - 1)/sqrt(1 + s^2 - 2 r s), largest", headline="learned"),
    "last_correlation": Quantity(label="corr(M, V), last layer", headline="compared"),
    "last_mean_share": Quantity(label="M/Q, last layer", headline="compared"),
    "last_within_share": Quantity(label="V_within/V of words, last layer", headline="compared"),
    "last_square": Quantity(label="Q/d, last layer"),
    "mean_share_error": Quantity(
        label="M/Q: largest error of a layer", panels=(Panel(label="error of\nM/Q", height=0.8),)
    ),
    "within_share_error": Quantity(label="V_within/V: largest error of a layer"),
    "square_error": Quantity(label="Q/d: largest relative error of a layer"),
}
_BY_LAYER = {
    "mean_share": "learned M/Q of all words together",
    "within_share": "learned V_within/V of words",
    "between_share": "learned V_between/Q of words",
    "square": "learned Q/d of all words together",
    "correlation": "learned corr(M, V) over words",
    "slope": "learned slope of V on M over words",
    "deviation_ratio": "learned s, sd(Q)/sd(M) over words",
    "square_correlation": "learned r, corr(Q, M) over words",
}
ARRAYS = {
    **{name: Variable(("layer",), about) for name, about in _BY_LAYER.items()},
    "token_mean_square": Variable(("layer", "word"), "learned M/d of each word, NaN of rare ones"),
    "token_variance": Variable(("layer", "word"), "learned V/d of each word, NaN of rare ones"),
    "token_count": Variable(("word",), "learned from so many occurrences in the evaluation sentences"),
}


def measure(member, run: MemberRun, prediction: LayersPrediction) -> Measured:
    """Return shares and trade-off of each layer; words count that are seen often enough."""
    task, evaluation = member.spec.task, member.data.evaluation
    words = np.asarray(evaluation.words)
    names = [name for name in member.spec.network.layers if name != "final"]
    rows, formula = [], []
    for name in names:
        moments = word_moments(run.final[name], words, task.n_words)
        row = _measure_layer(moments, run.final[name].shape[-1])
        s, r = row["deviation_ratio"], row["square_correlation"]
        rows.append(row)
        # r has no meaning where s is rounding: all squared norms are the same.
        formula.append(theory.predict_trade_off(s, r if np.isfinite(r) else 0.0) if np.isfinite(s) else None)
    arrays = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    arrays["token_count"] = moments.count.astype(float)
    predicted = {name: array for name, array in prediction.arrays.items() if name not in ("correlation", "slope")}
    predicted |= {
        name: np.array([np.nan if one is None else getattr(one, name) for one in formula])
        for name in ("correlation", "slope")
    }
    return Measured(quantities=_quantities(arrays, predicted, prediction), arrays=arrays, predicted=predicted)


def word_moments(hidden: np.ndarray, words: np.ndarray, n_words: int) -> GroupMoments:
    """Return the moments of each word in float64, by two passes; places that hold no word are left out."""
    is_word = words < n_words
    vectors = hidden[:, -words.shape[1] :][is_word].astype(np.float64)
    labels = words[is_word]
    count = np.bincount(labels, minlength=n_words)
    mean, spread = np.zeros((2, n_words, vectors.shape[1]))
    np.add.at(mean, labels, vectors)
    mean /= np.maximum(count, 1)[:, None]
    np.add.at(spread, labels, (vectors - mean[labels]) ** 2)
    return GroupMoments(count, mean, spread)


def _measure_layer(moments: GroupMoments, dim: int) -> dict[str, np.ndarray | float]:
    shares, found = variance_shares(moments), trade_off(moments, LEAST_COUNT)
    is_frequent = moments.count >= LEAST_COUNT
    return {
        "mean_share": shares.mean_share,
        "within_share": shares.within_share,
        "between_share": shares.between_share,
        "square": float(moments.take(moments.count > 0).pool().square[0]) / dim,
        "correlation": found.correlation,
        "slope": found.slope,
        "deviation_ratio": found.deviation_ratio,
        "square_correlation": found.square_correlation,
        "token_mean_square": np.where(is_frequent, moments.mean_square, np.nan) / dim,
        "token_variance": np.where(is_frequent, moments.variance, np.nan) / dim,
    }


def _quantities(arrays, predicted, prediction: LayersPrediction) -> dict[str, float]:
    errors = {name: np.abs(arrays[name] - predicted[name]) for name in ("mean_share", "within_share", "square")}
    errors["square"] = errors["square"] / predicted["square"]
    return {
        "formula_error": _largest(np.abs(arrays["correlation"] - predicted["correlation"])),
        "last_correlation": arrays["correlation"][-1],
        **{f"last_{name}": arrays[name][-1] for name in ("mean_share", "within_share", "square")},
        **{f"{name}_error": _largest(error) for name, error in errors.items()},
    }


def _largest(errors: np.ndarray) -> float:
    return float(np.nanmax(errors)) if np.any(np.isfinite(errors)) else float("nan")


def load():
    """Return the comparison; the metrics are those of the objective."""
    from simlab.losses.sentences import SentenceContrastive

    return standard_comparison(
        quantities=QUANTITIES, arrays=ARRAYS, metrics=SentenceContrastive.recorded, measure=measure
    )
