"""The predicted contextualization of a wide untrained encoder by layer, in the form the comparison reads."""

from functools import lru_cache

import numpy as np

from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.training_spec import make_task, make_training_spec
from experiments.core.prediction import Prediction
from simlab.validation import invalid

# Statistics by layer: name of the array and its description.
STATISTICS = {
    "mean_share": "|mean|^2 of all tokens over their second moment, M/Q",
    "within_share": "variance within words over the total variance, V_W/V",
    "mean_similarity": "self-similarity, averaged over occurrences of words that occur at least twice",
    "intra_similarity": "intra-sentence similarity",
    "layer_anisotropy": "anisotropy",
    "second_moment": "second moment of the tokens over d, Q/d",
}
WIDE = "infinite width, uniform attention"
TRAINED_QUERIES = "theory assumes uniform attention, but random queries make it non-uniform"


def check_theory(configuration: LanguageConfiguration) -> None:
    """Raise ``ValueError`` for options that the theory does not cover."""
    configuration.check()
    for name in ("n_steps", "masked_steps"):
        if getattr(configuration, name):
            raise invalid(name, "0: the network is measured before training", getattr(configuration, name))
    if configuration.network != "encoder":
        raise invalid("network", "encoder, whose layers are predicted", configuration.network)
    if configuration.pooling == "cls":
        raise invalid("pooling", "mean or max: the theory has no leading token", configuration.pooling)
    make_training_spec(configuration)


def predict(configuration: LanguageConfiguration) -> Prediction:
    """Return the predicted statistics of each layer of an infinitely wide network."""
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
    """Return the statistics of each layer by name; they do not depend on the width."""
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
    """Return the mean over words weighted by occurrences, without words whose value is NaN."""
    is_there = np.isfinite(values)
    return float(np.average(values[is_there], weights=counts[is_there])) if is_there.any() else np.nan
