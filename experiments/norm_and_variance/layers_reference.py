"""The prediction of norm and variance in the layers of a small transformer, before and after training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.training_spec import make_task
from experiments.core.prediction import Prediction
from simlab.validation import invalid
from theory.short_text import short_repr

COLLAPSED, IDENTITY, NOTHING = "token collapse", "identity", "nothing"
UNPREDICTED = ("correlation", "slope", "deviation_ratio", "square_correlation", "between_share")
# M and V are measured for words with at least this many occurrences in the evaluation sentences.
LEAST_COUNT = 5
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class LayersPrediction(Prediction):
    """A prediction with M/d and V/d of each word, by layer.

    Args:
        token_mean_square: M/d before and after training, ``Float[2, layers, n_words]``; NaN where not predicted.
        token_variance: V/d in the same form.
    """

    token_mean_square: np.ndarray
    token_variance: np.ndarray

    __repr__ = short_repr


def check_theory(configuration: LanguageConfiguration) -> None:
    """Raise ``ValueError`` for options that the measurement does not cover."""
    configuration.check()
    if configuration.network != "encoder":
        raise invalid("network", "encoder, whose layers are measured", configuration.network)
    if configuration.pooling == "cls":
        raise invalid("pooling", "mean or max: the theory has no leading token", configuration.pooling)


def is_pinned(configuration: LanguageConfiguration) -> bool:
    """Return whether each layer ends in a LayerNorm without scale and offset."""
    return configuration.norm == "post" and not configuration.affine


def predict(configuration: LanguageConfiguration) -> LayersPrediction:
    """Return the shares by layer: infinite width before training, and token collapse in the last layer after it."""
    n_layers, n_words = configuration.depth + 1, make_task(configuration).n_words
    rows = {name: np.full((2, n_layers), np.nan) for name in ("mean_share", "within_share", "square")}
    tokens = {name: np.full((2, n_layers, n_words), np.nan) for name in ("mean_square", "variance")}
    notes = []
    if is_pinned(configuration):
        rows["square"][:] = 1
    if configuration.zero_queries and not configuration.affine:
        notes.append("before training: infinite width")
        for index, layer in enumerate(kernel_statistics(configuration.replace(embedding_dim=48, n_heads=1))):
            rows["mean_share"][0, index], rows["within_share"][0, index] = layer.mean_share, layer.within_share
            rows["square"][0, index] = layer.whole_mean_square
            tokens["mean_square"][0, index, layer.words] = layer.square_mean
            tokens["variance"][0, index, layer.words] = layer.variance
    is_collapsed = bool(configuration.n_steps) and configuration.sets_tokens and configuration.norm == "post"
    if is_collapsed:
        notes.append("after training: token collapse, last layer")
        shares = _collapsed(configuration)
        between = np.average(np.nan_to_num(shares.mean_share), weights=shares.counts)
        # With equally many sentences of each class it is zero up to rounding.
        rows["mean_share"][1, -1] = shares.whole_share if abs(shares.whole_share) > ROUNDING else 0.0
        rows["within_share"][1, -1] = (1 - between) / (1 - shares.whole_share)
        tokens["mean_square"][1, -1], tokens["variance"][1, -1] = shares.mean_share, 1 - shares.mean_share
    pinned = -1.0 if is_pinned(configuration) else np.nan
    last = {f"last_{name}": rows[name][1, -1] for name in ("mean_share", "within_share", "square")}
    quantities = {"formula_error": 0.0, "last_correlation": pinned, **last}
    return LayersPrediction(
        basis="theorem" if is_pinned(configuration) else "none",
        kind=COLLAPSED if is_collapsed else IDENTITY if is_pinned(configuration) else NOTHING,
        note="; ".join(notes),
        quantities=quantities | dict.fromkeys(("mean_share_error", "within_share_error", "square_error"), 0.0),
        arrays={
            **rows,
            **dict.fromkeys(UNPREDICTED, np.full((2, n_layers), np.nan)),
            **{f"token_{name}": values for name, values in tokens.items()},
            "token_count": np.full(n_words, np.nan),
        },
        token_mean_square=tokens["mean_square"],
        token_variance=tokens["variance"],
    )


@lru_cache(maxsize=16)
def kernel_statistics(configuration: LanguageConfiguration) -> tuple:
    """Return the statistics of the evaluation sentences by layer in an infinitely wide network."""
    from theory import contextual_embeddings

    task = make_task(configuration)
    words = task.sample(0).evaluation.words
    mask, variance = words < task.n_words, float(configuration.initial_scale) ** 2
    encoder = contextual_embeddings.Encoder(
        depth=configuration.depth,
        norm=configuration.norm,
        activation=configuration.activation,
        embedding_variance=variance,
        position_variance=variance if configuration.positions else 0.0,
    )
    kernels = contextual_embeddings.kernels(encoder, words, mask)
    return tuple(contextual_embeddings.layer_statistics(kernel, words, mask) for kernel in kernels)


def _collapsed(configuration: LanguageConfiguration):
    """Return the statistics of the evaluation sentences if each token equals its sentence's class vector."""
    from theory import contextual_embeddings

    task = make_task(configuration)
    words, classes = task.sample(0).evaluation
    is_word = words < task.n_words
    sentences = np.broadcast_to(np.arange(len(words))[:, None], words.shape)[is_word]
    return contextual_embeddings.sample_statistics(
        words[is_word], classes[sentences], sentences, n_words=task.n_words, n_classes=task.n_classes
    )
