"""The context that a wide encoder has before training, by layer, as the comparison reads it."""

from functools import lru_cache

import numpy as np

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.training_spec import make_task, make_training_spec
from experiments.core.prediction import Prediction
from simlab.validation import invalid

# By layer: the name of the array, and what it is.
STATISTICS = {
    "mean_share": "|mean|^2 of all tokens over their second moment, M/Q",
    "within_share": "variance within words over the whole, V_W/V",
    "mean_similarity": "self-similarity, the mean over occurrences of words that have a pair",
    "intra_similarity": "intra-sentence similarity",
    "layer_anisotropy": "anisotropy",
    "second_moment": "second moment of the tokens over d, Q/d",
}
WIDE = "of infinite width and uniform attention"
TRAINED_QUERIES = "queries are random, so that attention is not uniform, as the theory takes it to be"


def check_theory(configuration: LanguageConfiguration) -> None:
    """Raise ``ValueError`` for choices that theory cannot take."""
    configuration.check()
    for name in ("n_steps", "masked_steps"):
        if getattr(configuration, name):
            raise invalid(name, "0, as a network is measured before training", getattr(configuration, name))
    if configuration.network != "encoder":
        raise invalid("network", "encoder, whose layers are predicted", configuration.network)
    if configuration.pooling == "cls":
        raise invalid("pooling", "mean or max: theory has no leading token", configuration.pooling)
    make_training_spec(configuration)


def predict(configuration: LanguageConfiguration) -> Prediction:
    """Return the statistics of each layer in a network of infinite width."""
    layers = _solve(configuration.replace(embedding_dim=48, n_heads=1, affine=False))
    return Prediction(
        basis="approximation",
        kind="infinite width",
        note=WIDE if configuration.zero_queries else TRAINED_QUERIES,
        quantities={
            **{f"{name}_error": 0.0 for name in STATISTICS},
            "last_mean_share": layers["mean_share"][-1],
            "last_within_share": layers["within_share"][-1],
        },
        arrays=dict(layers),
    )


@lru_cache(maxsize=32)
def _solve(configuration: LanguageConfiguration) -> dict[str, np.ndarray]:
    """Return the statistics of each layer by name, whatever the width."""
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
        final_norm=configuration.norm == "pre",
    )
    rows = []
    for kernel in contextual_embeddings.kernels(encoder, words, mask):
        layer = contextual_embeddings.layer_statistics(kernel, words, mask)
        rows.append(
            {
                "mean_share": layer.mean_share,
                "within_share": layer.within_share,
                "mean_similarity": mean_over_words(layer.self_similarity, layer.counts),
                "intra_similarity": layer.intra_sentence,
                "layer_anisotropy": layer.anisotropy,
                "second_moment": layer.whole_mean_square,
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in STATISTICS}


def mean_over_words(values: np.ndarray, counts: np.ndarray) -> float:
    """Return the mean of values of words, weighted by occurrences; words without a value left out."""
    is_there = np.isfinite(values)
    return float(np.average(values[is_there], weights=counts[is_there])) if is_there.any() else np.nan
