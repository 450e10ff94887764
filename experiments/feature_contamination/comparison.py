"""Comparison of a network trained on signed features with its prediction."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.feature_contamination.reference import CURVES, ContaminationPrediction
from simlab.losses.margin import MarginLoss
from simlab.sweeps.members import MemberRun

QUANTITIES = {
    "ratio": Quantity(
        label="contamination ratio b/c",
        headline="compared",
        panels=(Panel(label="contamination\nratio $b/c$", height=1.1, scale="linear"),),
    ),
    "core_weight": Quantity(label="mean weight along the core, c"),
    "background_weight": Quantity(label="mean weight along the background, b"),
    "loss": Quantity(label="loss", headline="learned"),
    "ood_loss": Quantity(
        label="loss out of distribution",
        headline="learned",
        panels=(Panel(label="loss out of\ndistribution", height=0.9, scale="linear"),),
    ),
    "margin": Quantity(label="mean margin"),
    "ood_margin": Quantity(label="mean margin out of distribution"),
    "accuracy": Quantity(label="accuracy"),
    "ood_accuracy": Quantity(label="accuracy out of distribution", headline="learned"),
    "core_r2": Quantity(label="R^2 over neurons, growth of the core sum"),
    "background_r2": Quantity(label="R^2 over neurons, growth of the background sum"),
}
ARRAYS = {
    "core_sums": Variable(("neuron",), "learned sum of the core weights of a neuron"),
    "background_sums": Variable(("neuron",), "learned sum of the background weights of a neuron"),
}


def measure(member, run: MemberRun, prediction: ContaminationPrediction) -> Measured:
    """Return the measured quantities of a member; neurons are predicted from their initial weights where possible."""
    n_core = member.spec.task.core_features
    learned = _sums(run.final["weights"], n_core)
    predicted, r2 = dict(prediction.arrays), {"core_r2": np.nan, "background_r2": np.nan}
    if prediction.follow is not None and run.initial is not None:
        start = _sums(run.initial["weights"], n_core)
        predicted = prediction.follow(run.initial["weights"])
        r2 = {
            name.replace("sums", "r2"): explained_share(learned[name] - start[name], predicted[name] - start[name])
            for name in ARRAYS
        }
    return Measured(
        quantities={name: float(run.last_metrics[name]) for name in CURVES}
        | {"ratio": float(run.last_metrics["background_weight"] / run.last_metrics["core_weight"])}
        | r2,
        arrays=learned,
        predicted=predicted,
    )


def _sums(weights: np.ndarray, n_core: int) -> dict[str, np.ndarray]:
    """Return the sums of each neuron's core and background weights, ``Float[m]``, in float64."""
    weights = weights.astype(np.float64)
    return {"core_sums": weights[:, :n_core].sum(axis=1), "background_sums": weights[:, n_core:].sum(axis=1)}


def explained_share(learned: np.ndarray, predicted: np.ndarray) -> float:
    """Return ``R^2 = 1 - sum (learned - predicted)^2 / sum (learned - mean)^2``; NaN for equal learned values."""
    spread = np.sum((learned - learned.mean()) ** 2)
    return float(1 - np.sum((learned - predicted) ** 2) / spread) if spread > 0 else np.nan


COMPARISON = standard_comparison(
    quantities=QUANTITIES, arrays=ARRAYS, metrics=MarginLoss.recorded, measure=measure, curves=CURVES
)
