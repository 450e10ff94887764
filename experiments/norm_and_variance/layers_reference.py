"""What theory says of norm and variance in the layers of a small transformer, before and after training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.training_spec import make_task
from experiments.core.prediction import Prediction
from simlab.validation import invalid
from theory.short_text import short_repr

UNTRAINED, COLLAPSED, IDENTITY, NOTHING = "infinite width", "token collapse", "identity", "nothing"
# A token that occurs less often among the evaluation sentences has no M and V of its own.
LEAST_COUNT = 5


@dataclass(frozen=True, kw_only=True)
class LayersPrediction(Prediction):
    """The prediction with M, Q and V over d of each word, by layer.

    Args:
        token_mean_square: `Float[layers, n_words]`, NaN where nothing is predicted.
        token_variance: the same of V.
    """

    token_mean_square: np.ndarray
    token_variance: np.ndarray

    __repr__ = short_repr


def check_theory(configuration: LanguageConfiguration) -> None:
    """Raise ``ValueError`` for choices that make no sense here."""
    configuration.check()
    if configuration.network != "encoder":
        raise invalid("network", "encoder, whose layers are measured", configuration.network)
    if configuration.pooling == "cls":
        raise invalid("pooling", "mean or max: theory has no leading token", configuration.pooling)


def layer_names(configuration: LanguageConfiguration) -> tuple[str, ...]:
    """Return the names of the layers that are measured: the residual stream of a pre-norm network, without its end."""
    return ("embedding", *(f"block {number}" for number in range(1, configuration.depth + 1)))


def is_untrained(configuration: LanguageConfiguration) -> bool:
    """Return whether the network is measured as it begins."""
    return not configuration.n_steps and not configuration.masked_steps


def is_pinned(configuration: LanguageConfiguration) -> bool:
    """Return whether LayerNorm without scale and offset ends each layer."""
    return configuration.norm == "post" and not configuration.affine


def predict(configuration: LanguageConfiguration) -> LayersPrediction:
    """Return shares by layer: before training those of infinite width, after it those of token collapse at the end."""
    n_layers, n_words = configuration.depth + 1, make_task(configuration).n_words
    rows = {name: np.full(n_layers, np.nan) for name in ("mean_share", "within_share", "square")}
    tokens = {name: np.full((n_layers, n_words), np.nan) for name in ("mean_square", "variance")}
    basis, kind, note = "none", NOTHING, ""
    if is_pinned(configuration):
        basis, kind = "theorem", IDENTITY
        rows["square"][:] = 1
    if is_untrained(configuration) and configuration.zero_queries:
        basis, kind, note = "approximation", UNTRAINED, "of infinite width and uniform attention"
        for index, layer in enumerate(_kernel_statistics(configuration.replace(embedding_dim=48, n_heads=1))):
            rows["mean_share"][index], rows["within_share"][index] = layer.mean_share, layer.within_share
            rows["square"][index] = layer.whole_mean_square
            tokens["mean_square"][index, layer.words] = layer.square_mean
            tokens["variance"][index, layer.words] = layer.variance
    elif configuration.n_steps and configuration.sets_tokens and configuration.norm == "post":
        kind, note = COLLAPSED, "of the last layer at the minimum of the contrastive loss"
        shares = _collapsed(configuration)
        rows["mean_share"][-1] = shares.whole_share
        rows["within_share"][-1] = (1 - np.average(shares.mean_share, weights=shares.counts)) / (1 - shares.whole_share)
        tokens["mean_square"][-1], tokens["variance"][-1] = shares.mean_share, 1 - shares.mean_share
    arrays = {
        **rows,
        "correlation": np.full(n_layers, -1.0 if is_pinned(configuration) else np.nan),
        "slope": np.full(n_layers, -1.0 if is_pinned(configuration) else np.nan),
        **dict.fromkeys(("deviation_ratio", "square_correlation", "between_share"), np.full(n_layers, np.nan)),
        **{f"token_{name}": values for name, values in tokens.items()},
        "token_count": np.full(n_words, np.nan),
    }
    last = {f"last_{name}": rows[name][-1] for name in ("mean_share", "within_share", "square")}
    return LayersPrediction(
        basis=basis,
        kind=kind,
        note=note,
        quantities={
            "formula_error": 0.0,
            "last_correlation": -1.0 if is_pinned(configuration) else np.nan,
            **last,
            **dict.fromkeys(("mean_share_error", "within_share_error", "square_error"), 0.0),
        },
        arrays=arrays,
        token_mean_square=tokens["mean_square"],
        token_variance=tokens["variance"],
    )


@lru_cache(maxsize=16)
def _kernel_statistics(configuration: LanguageConfiguration) -> tuple:
    """Return the statistics of the evaluation sentences by layer in a network of infinite width."""
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
    """Return the statistics of the evaluation sentences if each token is the class vector of its sentence."""
    from theory import contextual_embeddings

    task = make_task(configuration)
    words, classes = task.sample(0).evaluation
    is_word = words < task.n_words
    sentences = np.broadcast_to(np.arange(len(words))[:, None], words.shape)[is_word]
    return contextual_embeddings.sample_statistics(
        words[is_word], classes[sentences], sentences, n_words=task.n_words, n_classes=task.n_classes
    )
