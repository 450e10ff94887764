"""Comparison of a real encoder, measured in one pass over a corpus, with what identities require."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.norm_and_variance.encoder_configuration import EncoderConfiguration, Subject, load_subject
from experiments.norm_and_variance.encoder_pass import PassState, begin, run_pass
from experiments.norm_and_variance.encoder_report import (
    context_similarity,
    describe_layers,
    determination,
    from_arrays,
    rank_correlation,
    to_arrays,
)
from experiments.norm_and_variance.sentences import MOST_GROUPS
from simlab.sweeps.measurements import Measurement, MeasurementRun
from theory import norm_and_variance as theory

QUANTITIES = {
    "undone_error": Quantity(label="largest |corr(M, V) + 1| without LayerNorm's scale", headline="compared"),
    "formula_error": Quantity(label="largest |corr(M, V) - (r s - 1)/sqrt(1 + s^2 - 2 r s)|", headline="compared"),
    "farthest_layer": Quantity(label="layer of the largest M/Q (0: embeddings)", headline="learned"),
    "mean_share": Quantity(label="largest M/Q", headline="learned"),
    "within_share": Quantity(label="V_within/V of tokens, last layer"),
    "anisotropy": Quantity(label="anisotropy, last layer", headline="learned"),
    "self_similarity": Quantity(label="self-similarity, last layer"),
    "intra": Quantity(label="intra-sentence similarity, last layer"),
    "context_determination": Quantity(label="R^2 of self-similarity on cosine of sentences"),
    "context_rank": Quantity(label="Spearman, self-similarity and cosine of sentences"),
    "norm_frequency": Quantity(label="Spearman, norm of the mean and frequency, embeddings"),
    "norm_frequency_last": Quantity(label="Spearman, norm of the mean and frequency, last layer"),
    "sentences": Quantity(label="sentences"),
    "sentences_cut": Quantity(label="truncated sentences"),
    "sentences_empty": Quantity(label="skipped sentences (no token)"),
    "tokens": Quantity(label="frequent words, measured individually"),
    "tokens_rare": Quantity(label=f"rare words, or beyond the most frequent {MOST_GROUPS:,}"),
}
_BY_LAYER = {
    "mean_share": "M/Q over all frequent words",
    "within_share": "V_within/V over tokens",
    "between_share": "V_between/Q over tokens",
    "correlation": "corr(M, V) over tokens",
    "slope": "slope of V on M over tokens",
    "deviation_ratio": "s, sd(Q)/sd(M) over tokens",
    "square_correlation": "r, corr(Q, M) over tokens",
    "undone_correlation": "corr(M, V) before the scale and offset of LayerNorm",
    "self_similarity": "mean cosine between occurrences of a token",
    "intra": "mean cosine between a token and the mean of its sentence",
    "adjusted_intra": "intra-sentence similarity minus anisotropy",
    "anisotropy": "mean cosine between different tokens in different sentences",
    "rogue_share": "share of the largest dimension in the squared norm of the mean direction",
    "rogue_dimension": "index of the largest dimension",
}
_WITH_SPECIAL = ("self_similarity", "intra", "adjusted_intra", "anisotropy", "rogue_share", "rogue_dimension")
ARRAYS = {
    **{name: Variable(("layer",), about) for name, about in _BY_LAYER.items()},
    **{f"{name}_all": Variable(("layer",), f"{_BY_LAYER[name]}, with special tokens") for name in _WITH_SPECIAL},
    "token_mean_square": Variable(("layer", "token"), "M of each frequent word"),
    "token_variance": Variable(("layer", "token"), "V of each frequent word"),
    "token_self_similarity": Variable(("layer", "token"), "mean cosine between occurrences of each frequent word"),
    "token_context": Variable(("token",), "mean cosine between the sentences that contain a word, last layer"),
    "token_count": Variable(("token",), "occurrences of each frequent word"),
    "token_id": Variable(("token",), "vocabulary index of each frequent word"),
}


def predict(configuration: EncoderConfiguration) -> Prediction:
    """Return the prediction of the identities: both errors vanish; nothing else is predicted.

    Raises:
        ValueError: a file is invalid; all are checked before anything is written.
    """
    load_subject(configuration)
    return Prediction(
        basis="theorem",
        quantities=dict.fromkeys(QUANTITIES, np.nan) | {"undone_error": 0.0, "formula_error": 0.0},
        arrays=dict.fromkeys(ARRAYS, np.array(np.nan)),
        kind="identities",
    )


def measure(member: Measurement, run: MeasurementRun, prediction: Prediction) -> Measured:
    """Return the quantities measured in one pass over the corpus."""
    subject = load_subject(member.subject)
    state, affine = _pass(subject, member.subject.dtype, run, member.seed)
    groups = subject.corpus.groups
    arrays = describe_layers(state, groups, *affine)
    for suffix in ("", "_all"):
        arrays[f"adjusted_intra{suffix}"] = arrays[f"intra{suffix}"] - arrays[f"anisotropy{suffix}"]
    arrays |= {
        "token_context": context_similarity(state, groups),
        "token_count": groups.counts[groups.words],
        "token_id": groups.tokens[groups.words],
    }
    pairs = zip(arrays["deviation_ratio"], arrays["square_correlation"], strict=True)
    formula = [theory.predict_trade_off(s, r) if np.isfinite(s + r) else None for s, r in pairs]
    predicted = {
        "correlation": np.array([np.nan if line is None else line.correlation for line in formula]),
        "slope": np.array([np.nan if line is None else line.slope for line in formula]),
        "undone_correlation": np.full(len(formula), -1.0),
    }
    return Measured(quantities=_quantities(arrays, predicted, subject, state), arrays=arrays, predicted=predicted)


def _pass(
    subject: Subject, dtype: str, run: MeasurementRun, seed: int = 0
) -> tuple[PassState, tuple[np.ndarray, np.ndarray]]:
    """Run the corpus through the encoder, resuming a saved pass; return the state and each layer's scale and offset."""
    encoder = subject.encoder(dtype, seed)
    corpus = subject.corpus
    fingerprint = f"{corpus.fingerprint} {dtype} {subject.weights_mark(seed)}"
    begun = begin(corpus, subject.spec.n_layers + 1, subject.spec.dim)
    state, n_done = from_arrays(run.saved, begun, fingerprint)

    def on_batch(state: PassState, number: int) -> None:
        run.advance(
            lambda: to_arrays(state, number, fingerprint),
            f"batch {number} of {len(corpus)}, {int(state.n_sentences):,} of {len(corpus.rows):,} sentences",
        )

    state = run_pass(encoder, corpus, state, n_done, on_batch)
    scale, offset = (np.asarray(array, np.float64) for array in encoder.affine())
    return state, (scale, offset)


def _quantities(arrays, predicted, subject: Subject, state: PassState) -> dict[str, float]:
    groups, corpus = subject.corpus.groups, subject.corpus
    farthest = int(np.argmax(arrays["mean_share"]))
    similar, context, count = arrays["token_self_similarity"][-1], arrays["token_context"], arrays["token_count"]
    norms = [rank_correlation(arrays["token_mean_square"][layer], count) for layer in (0, -1)]
    return {
        "undone_error": _largest(arrays["undone_correlation"] + 1),
        "formula_error": _largest(arrays["correlation"] - predicted["correlation"]),
        "farthest_layer": farthest,
        "mean_share": arrays["mean_share"][farthest],
        **{name: arrays[name][-1] for name in ("within_share", "anisotropy", "self_similarity", "intra")},
        "context_determination": determination(similar, context),
        "context_rank": rank_correlation(similar, context),
        "norm_frequency": norms[0],
        "norm_frequency_last": norms[1],
        "sentences": int(state.n_sentences),
        "sentences_cut": corpus.n_cut,
        "sentences_empty": corpus.n_empty,
        "tokens": len(count),
        "tokens_rare": groups.n_rare,
    }


def _largest(errors: np.ndarray) -> float:
    return float(np.max(np.abs(errors))) if np.all(np.isfinite(errors)) else float("nan")


COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, measure=measure)
