"""Comparison of a trained member with its prediction: the variables of the dataset, with both on the same axes."""

import numpy as np

from experiments.core.phenomenon import Comparison, Variable
from experiments.core.training_record import END_VARIABLES, history, record_variables
from experiments.feature_collapse.members import WordMember
from experiments.feature_collapse.optimality import certify_member, find_minimum
from experiments.feature_collapse.quantities import (
    CERTIFICATE,
    QUANTITIES,
    THRESHOLDS,
    ZERO_NOTE,
    Arrays,
    align,
    exact_quantities,
    learned_quantities,
    predicted_quantities,
    sampling_errors,
)
from experiments.feature_collapse.scaled import CLOSED_FORM
from experiments.feature_collapse.training_spec import WordSpec
from simlab.losses.classification import classifier_metrics
from simlab.metrics import geometry
from simlab.metrics.vectors import VectorMetrics
from simlab.networks.specs import TwoLayer
from simlab.sweeps.members import MemberRun
from simlab.tasks.batch import Batch
from simlab.tasks.word_law import word_frequencies
from theory.feature_collapse import Prediction

MEMBER_VARIABLES = {
    "latents": Variable(("class", "position"), "concept at each position of a class"),
    "embeddings": Variable(("word", "dimension"), "learned word vectors at the input of the classifier"),
    "embeddings_predicted": Variable(("word", "dimension"), "predicted word vectors"),
    "classifier": Variable(("class", "position", "dimension"), "learned classifier weights"),
    "classifier_predicted": Variable(("class", "position", "dimension"), "predicted classifier weights"),
    **{
        name: Variable(("component",), name.replace("_", " "))
        for name in (
            "embedding_singular_values",
            "embedding_singular_values_predicted",
            "classifier_singular_values",
            "classifier_singular_values_predicted",
        )
    },
    "training_risk": Variable((), "risk on the whole training set", "nats"),
    "risk_lower_bound": Variable((), "certified lower bound on the risk of every network", "nats"),
    "duality_gap": Variable((), "training risk minus its lower bound", "nats"),
    **record_variables(classifier_metrics(VectorMetrics._fields)),
    "learned": Variable(("quantity",), "learned value"),
    "exact_minimum": Variable(("quantity",), "value at the numerical minimiser for the latents of the member"),
    "sampling_error": Variable(("quantity",), "standard error due to the finite evaluation set"),
    **END_VARIABLES,
    "embeddings_trajectory": Variable(("record", "word", "dimension"), "learned word vectors at each record"),
    "classifier_trajectory": Variable(
        ("record", "class", "position", "dimension"), "learned classifier weights at each record"
    ),
}

CELL_VARIABLES = {
    "word_probability": Variable(("word",), "probability of a word in its concept"),
    "embedding_norm_predicted": Variable(("word",), "predicted |w|"),
    "classifier_norm_predicted": Variable((), "predicted |u|"),
    "cross_entropy_predicted": Variable((), "predicted cross-entropy", "nats"),
    "risk_predicted": Variable((), "predicted risk", "nats"),
    "predicted": Variable(("quantity",), "predicted value"),
    "kind": Variable((), "what is predicted"),
    "basis": Variable((), "basis of the prediction"),
    "note": Variable((), "remark on the prediction"),
    "collapse_type": Variable((), "type of collapse, that is, the theorem that predicts it"),
    "is_theorem": Variable((), "1 if the prediction is a theorem for this task"),
    "zero_threshold": Variable((), "weight decay at and above which the minimiser is the zero network", "nats"),
}

CELL_COORDINATES = {
    "word_concept": Variable(("word",), "concept of a word"),
    "word_rank": Variable(("word",), "rank of a word in its concept, from 1"),
    "step": Variable(("record",), "training steps done", "steps"),
}


AXIS_LABELS = {
    "weight_decay": "weight decay (nats)",
    "embedding_weight_decay": "weight decay of embeddings (nats)",
    "classifier_weight_decay": "weight decay of classifier (nats)",
    "layer_norm": "LayerNorm",
    "word_frequency": "word frequencies",
    "sentence_length": "sentence length (words)",
    "batch_size": "batch size (sentences)",
    "per_class": "sentences per class",
    "n_steps": "training steps",
}


def member_variables(
    member: WordMember, run: MemberRun, sample: Batch | None, prediction: Prediction
) -> dict[str, np.ndarray]:
    """Return the variables of one member, by the names of :data:`MEMBER_VARIABLES`.

    Predicted arrays are aligned with the learned ones by one orthogonal transformation of embeddings and classifier
    together (Procrustes).

    Args:
        member: the trained member.
        run: its result.
        sample: its training set, or None if sentences were fresh.
        prediction: the prediction for its configuration.
    """
    task = member.spec.task
    latents = member.data.latents
    aligned = align(Arrays(run.final["embeddings"], run.final["classifier"]), latents, prediction)
    certificate = certify_member(member, run, sample)
    bounds = {"training_risk": "risk", "risk_lower_bound": "lower_bound", "duality_gap": "gap"}
    variables = {
        "latents": latents,
        "embeddings": run.final["embeddings"],
        "embeddings_predicted": aligned.embeddings.astype(np.float32),
        "classifier": run.final["classifier"],
        "classifier_predicted": aligned.classifier.astype(np.float32),
        "embedding_singular_values": _singular_values(run.final["embeddings"]),
        "embedding_singular_values_predicted": _singular_values(aligned.embeddings),
        "classifier_singular_values": _singular_values(run.final["classifier"]),
        "classifier_singular_values_predicted": _singular_values(aligned.classifier),
        **{
            name: np.nan if certificate is None else float(getattr(certificate, attribute))
            for name, attribute in bounds.items()
        },
        **history(run),
        "learned": learned_quantities(task, run, latents, aligned),
        "exact_minimum": exact_quantities(task, find_minimum(member), latents, prediction),
        "sampling_error": sampling_errors(run),
        "status": np.array(run.status),
        "first_bad_step": run.first_bad_step,
        "steps_taken": run.n_segments * member.spec.steps_per_record,
    }
    if run.trajectory is not None:
        variables |= {f"{name}_trajectory": array for name, array in run.trajectory.items()}
    return {name: np.asarray(value) for name, value in variables.items()}


def cell_variables(spec: WordSpec, prediction: Prediction) -> dict[str, np.ndarray]:
    """Return the variables that all seeds of a configuration share, by the names of variables and coordinates."""
    task = spec.task
    words = np.arange(task.n_words)
    ranks = words % task.words_per_concept
    threshold = prediction.zero_threshold
    variables = {
        "word_probability": word_frequencies(task.word_frequency, task.words_per_concept)[ranks],
        "embedding_norm_predicted": prediction.embedding_norms[ranks],
        "classifier_norm_predicted": prediction.classifier_norm,
        "cross_entropy_predicted": prediction.cross_entropy,
        "risk_predicted": prediction.risk,
        "predicted": predicted_quantities(prediction),
        "kind": "" if np.isnan(prediction.risk) else f"Type {prediction.collapse_type}",
        "basis": _basis(prediction) if theory_is_of(spec) else "theory of two layers",
        "note": _note(spec, prediction),
        "collapse_type": prediction.collapse_type,
        "is_theorem": int(prediction.is_theorem and theory_is_of(spec)),
        "zero_threshold": np.nan if threshold is None else threshold,
        "word_concept": words // task.words_per_concept,
        "word_rank": ranks + 1,
        "step": spec.record_steps,
    }
    return {name: np.asarray(value) for name, value in variables.items()}


def caveats(prediction: Prediction) -> list[str]:
    """Return the assumptions of the theorem that are not met, one line each."""
    return [
        f"assumption not met: {assumption.name}: {assumption.reason}"
        for assumption in prediction.assumptions
        if not assumption.holds
    ]


def theory_is_of(spec: WordSpec) -> bool:
    """Return whether theory covers the trained network, and not only another network on the same task."""
    return type(spec.network) is TwoLayer


def _note(spec: WordSpec, prediction: Prediction) -> str:
    if not theory_is_of(spec):
        return f"{type(spec.network).__name__}: the prediction is for the two-layer network, not a theorem here"
    return ZERO_NOTE if prediction.classifier_norm == 0 else ""


def _basis(prediction: Prediction) -> str:
    if prediction.is_theorem:
        return "theorem"
    if np.isnan(prediction.risk):
        return "no theory of a trainable scale"
    if not prediction.classifier_weight_decay:
        return "limit, not attained"
    return "closed form" if CLOSED_FORM in prediction.assumptions else "approximation for random latents"


def _singular_values(vectors: np.ndarray) -> np.ndarray:
    """Return ``d`` singular values, padded with zeros beyond the number of vectors; NaN for a diverged run."""
    dim = vectors.shape[-1]
    if not np.all(np.isfinite(vectors)):
        return np.full(dim, np.nan)
    values = geometry.singular_values(vectors)
    return np.pad(values, (0, dim - len(values)))


COMPARISON = Comparison(
    quantities=QUANTITIES,
    member_variables=MEMBER_VARIABLES,
    cell_variables=CELL_VARIABLES,
    cell_coordinates=CELL_COORDINATES,
    numbered=("word", "record"),
    describe_member=member_variables,
    describe_cell=cell_variables,
    caveats=caveats,
    thresholds=THRESHOLDS,
    certificate=CERTIFICATE,
    axis_labels=AXIS_LABELS,
)
