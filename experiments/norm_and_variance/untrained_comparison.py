"""Comparison of an untrained encoder with the infinite-width kernel, layer by layer."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from experiments.contextual_embeddings.training_spec import make_training_spec
from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.norm_and_variance.layers_comparison import describe_layers, formula
from experiments.norm_and_variance.layers_reference import kernel_statistics
from experiments.norm_and_variance.untrained_configuration import UntrainedConfiguration

QUANTITIES = {
    "mean_square_error": Quantity(label="largest error of M/d over layers, relative to Q/d", headline="learned"),
    "variance_error": Quantity(label="largest error of V/d over layers, relative to Q/d", headline="learned"),
    "square_error": Quantity(label="largest relative error of Q/d over layers", headline="learned"),
    "last_mean_share": Quantity(label="M/Q, last layer", headline="compared"),
    "last_within_share": Quantity(label="V_within/V over words, last layer", headline="compared"),
    "formula_error": Quantity(label="largest |corr(M, V) - (r s - 1)/sqrt(1 + s^2 - 2 r s)|"),
}
ARRAYS = {
    "mean_share": Variable(("layer",), "learned M/Q over all words"),
    "within_share": Variable(("layer",), "learned V_within/V over words"),
    "between_share": Variable(("layer",), "learned V_between/Q over words"),
    "square": Variable(("layer",), "learned Q/d over all words"),
    "correlation": Variable(("layer",), "learned corr(M, V) over words"),
    "slope": Variable(("layer",), "learned slope of V on M over words"),
}
_PREDICTED = ("mean_share", "within_share", "between_share", "square")


def predict(choices: UntrainedConfiguration) -> Prediction:
    """Return the shares by layer of an infinitely wide network on the same sentences."""
    layers = kernel_statistics(choices.language.replace(embedding_dim=48))
    mean, within = (np.array([getattr(layer, name) for layer in layers]) for name in ("mean_share", "within_share"))
    square = np.array([layer.whole_mean_square for layer in layers])
    nothing = np.full(len(layers), np.nan)
    return Prediction(
        basis="approximation",
        kind="infinite width",
        note="uniform attention",
        quantities={
            **dict.fromkeys(("mean_square_error", "variance_error", "square_error", "formula_error"), 0.0),
            "last_mean_share": mean[-1],
            "last_within_share": within[-1],
        },
        arrays={
            "mean_share": mean,
            "within_share": within,
            "between_share": (1 - within) * (1 - mean),
            "square": square,
            "correlation": nothing,
            "slope": nothing,
        },
    )


def measure(member, run, prediction: Prediction) -> Measured:
    """Return the measured shares of one random network."""
    spec = make_training_spec(member.subject.language)
    words = np.asarray(spec.task.sample(0).evaluation.words)
    names = [name for name in spec.network.layers if name != "final"]
    hidden = _forward(spec, float(member.subject.initial_scale))(member.seed, words)
    layers = describe_layers([np.asarray(hidden[name]) for name in names], words, spec.task.n_words)
    arrays = {name: layers[name] for name in ARRAYS}
    by_formula = formula(layers)
    predicted = {name: prediction.arrays[name] for name in _PREDICTED} | by_formula
    squares = [arrays["square"] * arrays["mean_share"], predicted["square"] * predicted["mean_share"]]
    variances = [arrays["square"] - squares[0], predicted["square"] - squares[1]]
    quantities = {
        "mean_square_error": np.max(np.abs(squares[0] - squares[1]) / predicted["square"]),
        "variance_error": np.max(np.abs(variances[0] - variances[1]) / predicted["square"]),
        "square_error": np.max(np.abs(arrays["square"] / predicted["square"] - 1)),
        "last_mean_share": arrays["mean_share"][-1],
        "last_within_share": arrays["within_share"][-1],
        "formula_error": np.nanmax(np.abs(arrays["correlation"] - by_formula["correlation"])),
    }
    return Measured(quantities=quantities, arrays=arrays, predicted=predicted)


class _Scale(NamedTuple):
    """The hyperparameters that building a network reads."""

    initial_scale: float


@lru_cache(maxsize=8)
def _forward(spec, initial_scale: float):
    """Return a compiled function that maps a seed and sentences to the hidden states of a random network."""
    import jax
    import jax.numpy as jnp
    from flax import nnx

    @jax.jit
    def forward(key, words):
        network = spec.network.build(spec.task, _Scale(initial_scale), dtype=jnp.float32, rngs=nnx.Rngs(params=key))
        return network.hidden(words)

    return lambda seed, words: forward(jax.random.key(seed), jnp.asarray(words))


COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, measure=measure)
