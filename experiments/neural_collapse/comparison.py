"""Comparison of trained features and classifier with their prediction: the variables of the dataset."""

import numpy as np

from experiments.core.phenomenon import Comparison, Variable
from experiments.core.quantity import Certificate, Panel, Quantity, Threshold
from experiments.core.training_record import END_VARIABLES, history, record_variables
from experiments.neural_collapse.optimality import certify_member
from experiments.neural_collapse.representation import Representation
from experiments.neural_collapse.training_spec import ClassSpec
from simlab.losses.classification import Hyperparameters, classifier_metrics
from simlab.metrics import geometry
from simlab.metrics.matching import match_vectors
from simlab.metrics.neural_collapse import CollapseMeasures, class_means, closest_rows, measure_collapse
from simlab.metrics.vectors import VectorMetrics
from simlab.networks.specs import FeatureMLP, FreeFeatures
from simlab.sweeps.members import Member, MemberRun
from simlab.tasks.batch import Batch
from simlab.validation import invalid

ZERO_NOTE = "weight decay above the zero threshold: the predicted minimiser is the zero network"
BEND = {"zero_threshold": "bend"}
DEVIATION = Panel(label="relative\ndeviation", height=0.6, scale="deviation", changes=BEND)

QUANTITIES = {
    "feature_norm": Quantity(
        label="feature norm, rms",
        headline="compared",
        panels=(Panel(label="feature\nnorm, rms", height=1.1, changes=BEND), DEVIATION),
    ),
    "classifier_norm": Quantity(
        label="classifier norm, rms",
        headline="compared",
        panels=(Panel(label="classifier\nnorm, rms", height=1.1, changes=BEND), DEVIATION),
    ),
    "nc1": Quantity(label="NC1, variability within classes"),
    "nc2": Quantity(label="NC2, deviation of class means from a simplex"),
    "nc3": Quantity(label="NC3, deviation from self-duality"),
    "nc4": Quantity(label="NC4, disagreement with nearest class mean"),
    "rank": Quantity(
        label="rank of the class means",
        panels=(
            Panel(
                label="rank of\nclass means",
                height=0.8,
                scale="whole",
                changes={"collapse_threshold": "jump", "zero_threshold": "jump"},
                undefined_with="classifier_norm",
            ),
        ),
    ),
    "closest_classes": Quantity(
        label="distance of the closest classes",
        panels=(
            Panel(
                label="distance of\nclosest classes\n/ norm, rms",
                height=0.9,
                scale="linear",
                changes={"collapse_threshold": "bend", "zero_threshold": "jump"},
                undefined_with="classifier_norm",
            ),
        ),
    ),
    "factor_overlap": Quantity(label="largest cosine between factors"),
    "interaction": Quantity(label="non-additive variance"),
    "feature_distance": Quantity(label="distance after alignment, features"),
    "classifier_distance": Quantity(label="distance after alignment, classifier"),
    "cross_entropy": Quantity(label="cross-entropy", unit="nats"),
    "risk": Quantity(
        label="risk",
        unit="nats",
        headline="compared",
        panels=(Panel(label="risk\n(nats)", height=1.1, scale="linear", changes=BEND),),
    ),
    "accuracy": Quantity(label="accuracy", headline="learned"),
}
# Quantities computed from the weights at each record, in addition to the recorded metrics.
FOLLOWED = ("nc1", "nc2", "nc3", "nc4")
# Measures of predicted arrays below this value are float64 rounding and set to zero.
ROUNDING = 1e-12

MEMBER_VARIABLES = {
    "features": Variable(("sample", "dimension"), "learned features"),
    "features_predicted": Variable(("sample", "dimension"), "predicted features"),
    "classifier": Variable(("class", "dimension"), "learned classifier, all heads"),
    "classifier_predicted": Variable(("class", "dimension"), "predicted classifier, all heads"),
    "training_risk": Variable((), "risk on the whole training set", "nats"),
    "risk_lower_bound": Variable((), "certified lower bound on the risk of every network", "nats"),
    "duality_gap": Variable((), "training risk minus its lower bound", "nats"),
    **record_variables(classifier_metrics(VectorMetrics._fields)),
    **{f"history_{name}": Variable(("record",), QUANTITIES[name].label) for name in FOLLOWED},
    "learned": Variable(("quantity",), "learned value"),
    "exact_minimum": Variable(("quantity",), "not computed separately from the prediction"),
    "sampling_error": Variable(("quantity",), "none, as all samples are evaluated"),
    **END_VARIABLES,
    "features_trajectory": Variable(("record", "sample", "dimension"), "learned features at each record"),
    "classifier_trajectory": Variable(("record", "class", "dimension"), "learned classifier at each record"),
}

CELL_VARIABLES = {
    "predicted": Variable(("quantity",), "predicted value"),
    "kind": Variable((), "what is predicted"),
    "basis": Variable((), "basis of the prediction"),
    "note": Variable((), "remark on the prediction"),
    "zero_threshold": Variable((), "weight decay at and above which the minimiser is the zero network", "nats"),
    "collapse_threshold": Variable((), "weight decay at and above which the smallest classes coincide", "nats"),
}

CELL_COORDINATES = {
    "sample_label": Variable(("sample", "factor"), "value of each factor"),
    "class_samples": Variable(("class",), "number of samples with this value"),
    "class_factor": Variable(("class",), "factor of this value"),
    "step": Variable(("record",), "training steps done", "steps"),
}


AXIS_LABELS = {
    "weight_decay": "weight decay (nats)",
    "classifier_weight_decay": "weight decay of classifier (nats)",
    "n_steps": "training steps",
}


def member_variables(
    member: Member[ClassSpec, Hyperparameters], run: MemberRun, sample: Batch | None, prediction: Representation
) -> dict[str, np.ndarray | float | str]:
    """Return the variables of one member, by the names of :data:`MEMBER_VARIABLES`.

    Predicted arrays are aligned with the learned ones (orthogonal Procrustes).

    Args:
        member: the trained member.
        run: its result, with its trajectory.
        sample: not read.
        prediction: the prediction for its configuration.
    """
    task, classifier = member.spec.task, run.final["classifier"]
    features, rows = _align(run.final["features"], classifier, _relabel(run.final["features"], task, prediction))
    certificate = certify_member(member, run)
    if run.trajectory is None:
        raise invalid("run", "a run with its trajectory", None)
    path = run.trajectory["features"], run.trajectory["classifier"]
    measures = [measure_collapse(*weights, task.labels, task.factor_sizes) for weights in zip(*path, strict=True)]
    bounds = {"training_risk": "risk", "risk_lower_bound": "lower_bound", "duality_gap": "gap"}
    return {
        "features": run.final["features"],
        "features_predicted": features.astype(np.float32),
        "classifier": classifier,
        "classifier_predicted": rows.astype(np.float32),
        **{
            name: np.nan if certificate is None else float(getattr(certificate, attribute))
            for name, attribute in bounds.items()
        },
        **history(run),
        **{f"history_{name}": np.array([getattr(measured, name) for measured in measures]) for name in FOLLOWED},
        "learned": _learned(task, run, measures[run.n_segments], features, rows),
        "exact_minimum": _column({}),
        "sampling_error": _column({}),
        "status": run.status,
        "first_bad_step": run.first_bad_step,
        "steps_taken": run.n_segments * member.spec.steps_per_record,
        "features_trajectory": path[0],
        "classifier_trajectory": path[1],
    }


def cell_variables(spec: ClassSpec, prediction: Representation) -> dict[str, np.ndarray | float | str]:
    """Return the variables that all seeds of a configuration share, by the names of variables and coordinates."""
    task = spec.task
    arrays = prediction.features, prediction.classifier
    measures = measure_collapse(*arrays, task.labels, task.factor_sizes)
    shape = _shape(*arrays, measures, task)
    values = {name: 0.0 if abs(value) < ROUNDING else value for name, value in shape.items()} | {
        "feature_distance": 0.0,
        "classifier_distance": 0.0,
        "cross_entropy": prediction.cross_entropy,
        "risk": prediction.risk,
        "accuracy": np.nan if prediction.is_zero else _accuracy(task, *arrays),
    }
    return {
        "predicted": _column(values),
        "kind": prediction.kind,
        "basis": prediction.basis if _theory_is_of(spec) else "theory of free features",
        "note": _note(spec, prediction),
        "zero_threshold": prediction.zero_threshold,
        "collapse_threshold": prediction.collapse_threshold,
        "sample_label": task.labels,
        "class_samples": np.concatenate([np.bincount(column) for column in task.labels.T]),
        "class_factor": np.repeat(np.arange(len(task.factor_sizes)), task.factor_sizes),
        "step": spec.record_steps,
    }


def _theory_is_of(spec: ClassSpec) -> bool:
    """Return whether theory covers the trained network: free features, or an MLP that computes them."""
    return type(spec.network) in (FreeFeatures, FeatureMLP)


def _note(spec: ClassSpec, prediction: Representation) -> str:
    if not _theory_is_of(spec):
        return f"{type(spec.network).__name__}: the prediction is for free features, not a theorem here"
    return ZERO_NOTE if prediction.is_zero else ""


def caveats(prediction: Representation) -> list[str]:
    """Return the reasons why a prediction is not a theorem."""
    return [prediction.note] if prediction.note else []


def _relabel(features: np.ndarray, task, prediction: Representation) -> Representation:
    """Return the prediction with the classes of a spherical code permuted to match the learned class means.

    The assignment of classes to the points of a code is arbitrary; a simplex is invariant under permutations.
    """
    if prediction.basis != "ansatz":
        return prediction
    labels = task.labels[:, 0]
    learned, predicted = (
        class_means(np.asarray(vectors, np.float64), labels) for vectors in (features, prediction.features)
    )
    order = match_vectors(learned, predicted)
    if order is None:
        return prediction
    corner = np.argsort(order)
    first = np.searchsorted(labels, corner)
    return prediction._replace(features=prediction.features[first[labels]], classifier=prediction.classifier[corner])


def _align(features: np.ndarray, classifier: np.ndarray, prediction: Representation) -> tuple[np.ndarray, np.ndarray]:
    """Return the predicted arrays after one Procrustes alignment of both together; unaligned for a diverged run."""
    learned, predicted = (features, classifier), (prediction.features, prediction.classifier)
    if not all(np.all(np.isfinite(array)) for array in learned):
        return predicted
    rotation = geometry.common_rotation(list(zip(learned, predicted, strict=True)))
    return prediction.features @ rotation, prediction.classifier @ rotation


def _learned(task, run: MemberRun, measures: CollapseMeasures, features: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the learned values, in the order of :data:`QUANTITIES`."""
    last, classifier = run.last_metrics, run.final["classifier"]
    return _column(
        _shape(run.final["features"].astype(np.float64), classifier.astype(np.float64), measures, task)
        | {
            "feature_distance": geometry.relative_distance(run.final["features"], features),
            "classifier_distance": geometry.relative_distance(classifier, rows),
            "cross_entropy": float(last["train_cross_entropy"]),
            "risk": float(last["risk"]),
            "accuracy": float(last["train_accuracy"]) if measures.rank else np.nan,  # equal logits choose no class
        }
    )


def _shape(features: np.ndarray, classifier: np.ndarray, measures: CollapseMeasures, task) -> dict[str, float]:
    """Return norms, measures of collapse, and the distance of the closest classes."""
    return {
        "feature_norm": float(geometry.root_mean_square(geometry.norms(features))),
        "classifier_norm": float(geometry.root_mean_square(geometry.norms(classifier))),
        "closest_classes": closest_rows(classifier, task.factor_sizes) if measures.rank else np.nan,
        **measures._asdict(),
    }


def _accuracy(task, features: np.ndarray, classifier: np.ndarray) -> float:
    """Return the accuracy of the predicted network; NaN if its largest logits are equal."""
    heads = np.split(classifier, np.cumsum(task.factor_sizes)[:-1])
    hits = []
    for head, labels in zip(heads, task.labels.T, strict=True):
        logits = features @ head.T
        own = logits[np.arange(len(labels)), labels]
        others = np.where(np.arange(len(head)) == labels[:, None], -np.inf, logits).max(axis=1)
        scale = np.abs(logits).max()
        if np.any(np.abs(own - others) <= 1e-9 * scale):
            return np.nan
        hits.append(own > others)
    return float(np.mean(hits))


def _column(values: dict[str, float]) -> np.ndarray:
    return np.array([values.get(name, np.nan) for name in QUANTITIES])


COMPARISON = Comparison(
    quantities=QUANTITIES,
    member_variables=MEMBER_VARIABLES,
    cell_variables=CELL_VARIABLES,
    cell_coordinates=CELL_COORDINATES,
    numbered=("sample", "class", "record"),
    describe_member=member_variables,
    describe_cell=cell_variables,
    caveats=caveats,
    thresholds={
        "zero_threshold": Threshold(label="zero threshold"),
        "collapse_threshold": Threshold(label="minority collapse", line=(6, 1.5, 1, 1.5)),
    },
    certificate=Certificate(value="training_risk", gap="duality_gap", unit="nats"),
    axis_labels=AXIS_LABELS,
    reads_sample=False,
)
