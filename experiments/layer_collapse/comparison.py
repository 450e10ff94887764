"""Comparison of the layers of a trained network with the theory of two layers: the variables of the dataset."""

import numpy as np

from experiments.core.phenomenon import Comparison, Variable
from experiments.core.quantity import Panel, Quantity
from experiments.core.training_record import END_VARIABLES, history, record_variables
from experiments.feature_collapse.quantities import BEND, CERTIFICATE, TEST_ACCURACY, THRESHOLDS, ZERO_NOTE
from experiments.layer_collapse.reference import TWO_LAYERS, Reference, caveats
from experiments.layer_collapse.training_spec import LayerSpec
from simlab.losses.classification import Hyperparameters, classifier_metrics
from simlab.metrics import geometry
from simlab.metrics.layers import MEASURES, field, layer_metrics
from simlab.sweeps.members import Member, MemberRun
from simlab.tasks.batch import Batch
from simlab.tasks.sentence_task import SentenceTask
from simlab.tasks.word_law import word_frequencies
from theory.optimality.certificates import certify

QUANTITIES = {
    "embedding_norm": Quantity(
        label="embedding norm, rms",
        headline="compared",
        panels=(Panel(label="embedding\nnorm, rms", height=1.1, changes=BEND),),
    ),
    "norm_ratio": Quantity(
        label="norm, most frequent over rarest word",
        headline="compared",
        panels=(
            Panel(
                label="norm, frequent\nover rare word",
                height=1.1,
                changes=BEND,
                undefined_with="classifier_norm",
            ),
        ),
    ),
    "embedding_offset": Quantity(label="mean of all embeddings / norm, rms"),
    "embedding_spread": Quantity(label="spread within concepts, embeddings"),
    "embedding_simplex_deviation": Quantity(
        label="deviation from a simplex, embeddings",
        headline="compared",
        panels=(
            Panel(
                label="deviation from\na simplex",
                height=0.9,
                scale="linear",
                changes=BEND,
                undefined_with="classifier_norm",
            ),
        ),
    ),
    "concept_ratio": Quantity(label="within / between concepts, embeddings"),
    "last_class_ratio": Quantity(
        label="within / between classes, last layer",
        panels=(
            Panel(
                label="within/between\nclasses, last",
                height=1.1,
                changes=BEND,
                undefined_with="classifier_norm",
            ),
        ),
    ),
    "classifier_norm": Quantity(label="classifier norm, rms"),
    "cross_entropy": Quantity(label="cross-entropy, test", unit="nats"),
    "risk": Quantity(label="risk", unit="nats"),
    "accuracy": TEST_ACCURACY,
}

MEMBER_VARIABLES = {
    "embeddings": Variable(("word", "dimension"), "learned word vectors"),
    "rank_norm": Variable(("rank",), "norm of the words of a rank, root mean square over concepts"),
    "training_risk": Variable((), "risk on the whole training set", "nats"),
    "risk_lower_bound": Variable((), "certified lower bound on the risk of every two-layer network", "nats"),
    "duality_gap": Variable((), "training risk minus its lower bound, for the two-layer network", "nats"),
    **record_variables(classifier_metrics(layer_metrics(0)._fields)),
    **{f"history_{name}": Variable(("record", "layer"), name.replace("_", " ")) for name in MEASURES},
    "learned": Variable(("quantity",), "learned value"),
    "exact_minimum": Variable(("quantity",), "not computed separately from the prediction"),
    "sampling_error": Variable(("quantity",), "standard error due to the finite evaluation set"),
    **END_VARIABLES,
    "embeddings_trajectory": Variable(("record", "word", "dimension"), "learned word vectors at each record"),
}

CELL_VARIABLES = {
    "predicted": Variable(("quantity",), "value predicted by the theory of two layers"),
    "rank_norm_predicted": Variable(("rank",), "norm of the words of a rank, predicted by the theory of two layers"),
    "word_probability": Variable(("rank",), "probability of a word of this rank in its concept"),
    "kind": Variable((), "what is predicted"),
    "basis": Variable((), "basis of the prediction"),
    "note": Variable((), "remark on the prediction"),
    "is_theorem": Variable((), "1 if the prediction is a theorem for this network and task"),
    "zero_threshold": Variable((), "weight decay at and above which the two-layer minimiser is zero", "nats"),
}

CELL_COORDINATES = {"step": Variable(("record",), "training steps done", "steps")}


AXIS_LABELS = {
    "weight_decay": "weight decay (nats)",
    "embedding_weight_decay": "weight decay of embeddings (nats)",
    "classifier_weight_decay": "weight decay of classifier (nats)",
    "word_frequency": "word frequencies",
    "sentence_length": "sentence length (words)",
    "batch_size": "batch size (sentences)",
    "per_class": "sentences per class",
    "n_steps": "training steps",
}

LayerMember = Member[LayerSpec, Hyperparameters]


def member_variables(
    member: LayerMember, run: MemberRun, sample: Batch | None, reference: Reference
) -> dict[str, np.ndarray | float | str]:
    """Return the variables of one member, by the names of :data:`MEMBER_VARIABLES`.

    Args:
        member: the trained member.
        run: its result.
        sample: its training set, or None if sentences were fresh.
        reference: the prediction for two layers.
    """
    spec = member.spec
    values = run.metrics
    recorded = {name: array for name, array in history(run).items() if name in MEMBER_VARIABLES}
    layers = range(spec.network.n_layers)
    by_layer = {f"history_{name}": np.stack([values[field(i, name)] for i in layers], axis=1) for name in MEASURES}
    vectors = run.final["embeddings"].astype(np.float64)
    variables = {
        "embeddings": run.final["embeddings"],
        "rank_norm": rank_norms(vectors, spec.task),
        **_certificate(member, run, sample, reference),
        **recorded,
        **by_layer,
        "learned": _learned(spec, run, vectors),
        "exact_minimum": _column({}),
        "sampling_error": _sampling_errors(run),
        "status": run.status,
        "first_bad_step": run.first_bad_step,
        "steps_taken": run.n_segments * spec.steps_per_record,
    }
    if run.trajectory is not None:
        variables["embeddings_trajectory"] = run.trajectory["embeddings"]
    return variables


def cell_variables(spec: LayerSpec, reference: Reference) -> dict[str, np.ndarray | float | str]:
    """Return the variables that all seeds of a configuration share, by the names of variables and coordinates."""
    task, theory = spec.task, reference.theory
    mu = word_frequencies(task.word_frequency, task.words_per_concept)
    threshold = None if theory is None else theory.zero_threshold
    return {
        "predicted": _predicted(reference),
        "rank_norm_predicted": np.full(len(mu), np.nan) if theory is None else theory.embedding_norms,
        "word_probability": mu,
        "kind": "" if theory is None else f"Type {theory.collapse_type}",
        "basis": reference.basis,
        "note": ZERO_NOTE if theory is not None and theory.is_zero and reference.network == TWO_LAYERS else "",
        "is_theorem": int(reference.is_theorem),
        "zero_threshold": np.nan if threshold is None else threshold,
        "step": spec.record_steps,
    }


def rank_norms(vectors: np.ndarray, task: SentenceTask) -> np.ndarray:
    """Return the root mean square over concepts of the norms of the words of each rank, ``Float[s_c]``."""
    norms = geometry.norms(vectors).reshape(task.n_concepts, task.words_per_concept)
    return np.sqrt(np.mean(norms**2, axis=0))


def _predicted(reference: Reference) -> np.ndarray:
    """Return the predicted values of the embeddings and, for the two-layer network only, of the classifier."""
    theory = reference.theory
    if theory is None:
        return _column({})
    norms = theory.embedding_norms
    shape = np.nan if theory.is_zero else 0.0
    values = {
        "embedding_norm": float(geometry.root_mean_square(norms)),
        "norm_ratio": np.nan if theory.is_zero else float(norms[0] / norms[-1]),
        "embedding_offset": shape,
        "embedding_spread": shape,
        "embedding_simplex_deviation": shape,
        "concept_ratio": reference.concept_ratio,
    }
    if reference.network == TWO_LAYERS:
        values |= {
            "last_class_ratio": reference.concept_ratio,
            "classifier_norm": theory.classifier_norm,
            "cross_entropy": theory.cross_entropy,
            "risk": theory.risk,
            "accuracy": np.nan if theory.is_zero else 1.0,
        }
    return _column(values)


def _learned(spec: LayerSpec, run: MemberRun, vectors: np.ndarray) -> np.ndarray:
    """Return the learned values, in the order of :data:`QUANTITIES`.

    Spread and deviation are those of centred vectors, because biases of the next layer can absorb the mean.
    """
    task, last = spec.task, run.last_metrics
    membership = geometry.membership_matrix(np.arange(task.n_words) // task.words_per_concept, task.n_concepts, float)
    mean = vectors.mean(axis=0)
    norm = float(geometry.root_mean_square(geometry.norms(vectors)))
    ranked = rank_norms(vectors, task)
    return _column(
        {
            "embedding_norm": norm,
            "norm_ratio": _ratio(ranked[0], ranked[-1]),
            "embedding_offset": _ratio(float(np.linalg.norm(mean)), norm),
            "embedding_spread": float(geometry.direction_spread(vectors - mean, membership)),
            "embedding_simplex_deviation": float(geometry.simplex_deviation(vectors - mean, membership)),
            "concept_ratio": float(last[field(0, "concept_ratio")]),
            "last_class_ratio": float(last[field(spec.network.n_layers - 1, "class_ratio")]),
            "classifier_norm": float(last["classifier_norm"]),
            "cross_entropy": float(last["test_cross_entropy"]),
            "risk": float(last["risk"]),
            "accuracy": float(last["test_accuracy"]) if last["classifier_norm"] else np.nan,
        }
    )


def _ratio(numerator: float, denominator: float) -> float:
    """Return a ratio, NaN if the denominator is zero."""
    return float(numerator / denominator) if denominator else np.nan


def _sampling_errors(run: MemberRun) -> np.ndarray:
    last = run.last_metrics
    errors = {"cross_entropy": last["test_cross_entropy_error"], "accuracy": last["test_accuracy_error"]}
    return _column({name: float(value) for name, value in errors.items()})


def _certificate(member: LayerMember, run: MemberRun, sample: Batch | None, reference: Reference) -> dict[str, float]:
    """Return training risk, lower bound and gap; NaN except for two layers, weight decay and a fixed training set."""
    names = {"training_risk": "risk", "risk_lower_bound": "lower_bound", "duality_gap": "gap"}
    has_minimum = reference.network == TWO_LAYERS and reference.theory is not None
    if sample is None or not has_minimum or run.status == "diverged":
        return dict.fromkeys(names, np.nan)
    rates = member.hyperparameters
    certificate = certify(
        *sample,
        run.final["embeddings"],
        run.final["classifier"],
        embedding_weight_decay=float(rates.embedding_weight_decay),
        classifier_weight_decay=float(rates.classifier_weight_decay),
    )
    return {name: float(getattr(certificate, attribute)) for name, attribute in names.items()}


def _column(values: dict[str, float]) -> np.ndarray:
    return np.array([values.get(name, np.nan) for name in QUANTITIES])


COMPARISON = Comparison(
    quantities=QUANTITIES,
    member_variables=MEMBER_VARIABLES,
    cell_variables=CELL_VARIABLES,
    cell_coordinates=CELL_COORDINATES,
    numbered=("layer", "record"),
    describe_member=member_variables,
    describe_cell=cell_variables,
    caveats=caveats,
    thresholds=THRESHOLDS,
    certificate=CERTIFICATE,
    axis_labels=AXIS_LABELS,
)
