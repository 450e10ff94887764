"""Comparison of norm and variance in each layer of a small transformer with the formula and the prediction."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.norm_and_variance.layers_reference import LEAST_COUNT, LayersPrediction
from simlab.metrics.contextual.norm_and_variance import GroupMoments, trade_off, variance_shares
from simlab.sweeps.members import MemberRun
from theory import norm_and_variance as theory

QUANTITIES = {
    "formula_error": Quantity(label="largest |corr(M, V) - (r s - 1)/sqrt(1 + s^2 - 2 r s)|", headline="learned"),
    "last_correlation": Quantity(label="corr(M, V), last layer", headline="compared"),
    "last_mean_share": Quantity(label="M/Q, last layer", headline="compared"),
    "last_within_share": Quantity(label="V_within/V over words, last layer", headline="compared"),
    "last_square": Quantity(label="Q/d, last layer"),
    "mean_share_error": Quantity(
        label="largest error of M/Q over layers, before training", panels=(Panel(label="error of\nM/Q", height=0.8),)
    ),
    "within_share_error": Quantity(label="largest error of V_within/V, before training"),
    "square_error": Quantity(label="largest relative error of Q/d, before training"),
}
_BY_LAYER = {
    "mean_share": "learned M/Q over all words",
    "within_share": "learned V_within/V over words",
    "between_share": "learned V_between/Q over words",
    "square": "learned Q/d over all words",
    "correlation": "learned corr(M, V) over words",
    "slope": "learned slope of V on M over words",
    "deviation_ratio": "learned s, sd(Q)/sd(M) over words",
    "square_correlation": "learned r, corr(Q, M) over words",
}
# Before and after training.
STAGES = ("initial", "final")
ARRAYS = {
    **{name: Variable(("stage", "layer"), about) for name, about in _BY_LAYER.items()},
    "token_mean_square": Variable(("stage", "layer", "word"), "learned M/d of each word, NaN for rare words"),
    "token_variance": Variable(("stage", "layer", "word"), "learned V/d of each word, NaN for rare words"),
    "token_count": Variable(("word",), "occurrences of each word in the evaluation sentences"),
}


def measure(member, run: MemberRun, prediction: LayersPrediction) -> Measured:
    """Return shares and trade-off of each layer before and after training, over sufficiently frequent words."""
    task, words = member.spec.task, np.asarray(member.data.evaluation.words)
    names = [name for name in member.spec.network.layers if name != "final"]
    stages = [
        describe_layers([states[name] for name in names], words, task.n_words)
        for states in (run.initial or run.final, run.final)
    ]
    arrays = {name: np.stack([stage[name] for stage in stages]) for name in stages[0]}
    arrays["token_count"] = np.bincount(words[words < task.n_words], minlength=task.n_words).astype(float)
    predicted = dict(prediction.arrays) | formula(arrays)
    return Measured(quantities=_quantities(arrays, predicted), arrays=arrays, predicted=predicted)


def describe_layers(hidden: list[np.ndarray], words: np.ndarray, n_words: int) -> dict[str, np.ndarray]:
    """Return arrays by layer: shares, trade-off, and M/d and V/d of each word.

    Args:
        hidden: the tokens of each layer, ``Float[S, L, d]``.
        words: ``Int[S, L]``; indices from ``n_words`` on are special tokens or padding.
        n_words: size of the vocabulary.
    """
    rows = [_measure_layer(word_moments(tokens, words, n_words), tokens.shape[-1]) for tokens in hidden]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def formula(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the correlation and slope that follow from s and r; where s is zero, r is undefined and taken as zero."""
    ratios, correlations = arrays["deviation_ratio"], np.nan_to_num(arrays["square_correlation"])
    pairs = zip(ratios.ravel(), correlations.ravel(), strict=True)
    trade_offs = [theory.predict_trade_off(s, r) if np.isfinite(s) else None for s, r in pairs]
    return {
        name: np.array([np.nan if line is None else getattr(line, name) for line in trade_offs]).reshape(ratios.shape)
        for name in ("correlation", "slope")
    }


def word_moments(hidden: np.ndarray, words: np.ndarray, n_words: int) -> GroupMoments:
    """Return the moments of each word in float64, by two passes, excluding positions without a word."""
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
    shares, relation = variance_shares(moments), trade_off(moments, LEAST_COUNT)
    is_frequent = moments.count >= LEAST_COUNT
    return {
        "mean_share": shares.mean_share,
        "within_share": shares.within_share,
        "between_share": shares.between_share,
        "square": float(moments.take(moments.count > 0).pool().square[0]) / dim,
        "correlation": relation.correlation,
        "slope": relation.slope,
        "deviation_ratio": relation.deviation_ratio,
        "square_correlation": relation.square_correlation,
        "token_mean_square": np.where(is_frequent, moments.mean_square, np.nan) / dim,
        "token_variance": np.where(is_frequent, moments.variance, np.nan) / dim,
    }


def _quantities(arrays, predicted) -> dict[str, float]:
    errors = {name: np.abs(arrays[name] - predicted[name]) for name in ("mean_share", "within_share", "square")}
    errors["square"] = errors["square"] / predicted["square"]
    return {
        "formula_error": _largest(np.abs(arrays["correlation"] - predicted["correlation"])),
        "last_correlation": arrays["correlation"][1, -1],
        **{f"last_{name}": arrays[name][1, -1] for name in ("mean_share", "within_share", "square")},
        **{f"{name}_error": _largest(error[0]) for name, error in errors.items()},
    }


def _largest(errors: np.ndarray) -> float:
    return float(np.nanmax(errors)) if np.any(np.isfinite(errors)) else float("nan")


def load():
    """Return the comparison, with the recorded metrics of the objective."""
    from simlab.losses.sentences import SentenceContrastive

    return standard_comparison(
        quantities=QUANTITIES, arrays=ARRAYS, metrics=SentenceContrastive.recorded, measure=measure
    )
