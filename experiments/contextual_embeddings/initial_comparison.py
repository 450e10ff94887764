"""Comparison of untrained encoders with the infinite-width prediction, layer by layer."""

from functools import lru_cache
from typing import Any, cast

import numpy as np

from experiments.contextual_embeddings.comparison import Tokens
from experiments.contextual_embeddings.configuration import LanguageConfiguration
from experiments.contextual_embeddings.initial_reference import STATISTICS, mean_over_words
from experiments.contextual_embeddings.training_spec import make_training_spec
from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from simlab.metrics.contextual.variance_shares import variance_shares
from simlab.networks.specs.sentence_encoder import SentenceEncoder
from simlab.sweeps.measurements import Measurement

QUANTITIES = {
    **{
        f"{name}_error": Quantity(
            label=f"{about}: largest error over layers",
            headline="learned" if name in ("mean_share", "within_share") else "",
            panels=(Panel(label=f"error of\n{name.replace('_', ' ')}", height=0.8),) if name == "mean_share" else (),
        )
        for name, about in STATISTICS.items()
    },
    "last_mean_share": Quantity(label="M/Q of the last layer", headline="compared"),
    "last_within_share": Quantity(label="V_W/V of the last layer", headline="compared"),
}
ARRAYS = {name: Variable(("layer",), f"learned {about}") for name, about in STATISTICS.items()}


def measure(member: Measurement, run: None, prediction: Prediction) -> Measured:
    """Return the statistics of each layer of an untrained network."""
    spec = make_training_spec(member.subject)
    evaluation = spec.task.sample(member.seed).evaluation
    tokens = Tokens(spec.task, np.asarray(evaluation.words), np.asarray(evaluation.classes))
    hidden = _untrained(member.subject)(member.seed)
    rows = [_measure_layer(tokens, np.asarray(hidden[name])) for name in spec.network.layers]
    arrays = {name: np.array([row[name] for row in rows]) for name in STATISTICS}
    errors = {f"{name}_error": np.max(np.abs(arrays[name] - prediction.arrays[name])) for name in STATISTICS}
    last = {f"last_{name}": arrays[name][-1] for name in ("mean_share", "within_share")}
    return Measured(quantities={**errors, **last}, arrays=arrays, predicted=prediction.arrays)


@lru_cache(maxsize=8)
def _untrained(configuration: LanguageConfiguration):
    """Return a function that maps a seed to the tokens of every layer of a network initialised with it."""
    import jax
    import jax.numpy as jnp
    from flax import nnx

    from experiments.core.training_choices import hyperparameters_by_name

    spec = make_training_spec(configuration)
    hyper, task = hyperparameters_by_name(spec.objective, configuration), spec.task
    words = jnp.asarray(task.sample(0).evaluation.words)

    @jax.jit
    def layers(seed):
        rngs = nnx.Rngs(params=jax.random.key(seed))
        with jax.default_matmul_precision(spec.precision):
            network: Any = cast(SentenceEncoder, spec.network).build(task, hyper, dtype=jnp.float32, rngs=rngs)
            return network.hidden(words)

    return layers


def _measure_layer(tokens: Tokens, hidden: np.ndarray) -> dict[str, float]:
    similarities = tokens.similarities(hidden)
    states, words = tokens.layer(hidden), np.arange(tokens.task.n_words)
    shares = variance_shares(states, tokens.words, words, tokens.is_word, corrects_bias=False)
    return {
        "mean_share": shares.mean,
        "within_share": shares.context / (1 - shares.mean),
        "mean_similarity": mean_over_words(similarities.self_similarity, similarities.counts),
        "intra_similarity": similarities.intra_sentence,
        "layer_anisotropy": similarities.anisotropy,
        "second_moment": shares.second_moment / states.shape[-1],
    }


COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, measure=measure)
