"""Comparison of a trained autoencoder of sparse features with its prediction."""

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Panel, Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.superposition.reference import limit_loss, mean, root_mean_square
from experiments.superposition.training_spec import FeatureSpec
from simlab.losses.reconstruction import Reconstruction
from simlab.metrics import superposition as metrics
from simlab.metrics.code_alignment import AlignedCode, align_code
from simlab.sweeps.members import MemberRun
from theory.superposition import SuperpositionTask, two_feature_loss

QUANTITIES = {
    "loss": Quantity(
        label="weighted squared error",
        headline="compared",
        reduce="best",
        panels=(Panel(label="loss", height=1.1), Panel(label="relative\ndeviation", height=0.6, scale="deviation")),
    ),
    "excess_loss": Quantity(label="loss / predicted loss - 1", reduce="best"),
    "loss_over_limit": Quantity(label="loss / (p^2 (n - m)/3), its limit as p -> 0", reduce="best"),
    "n_represented": Quantity(
        label="represented features",
        headline="compared",
        reduce="best",
        panels=(Panel(label="represented\nfeatures", height=0.8, scale="whole"),),
    ),
    "dimensionality_error": Quantity(
        label="largest error of sorted dimensionalities", headline="learned", reduce="best"
    ),
    "norm": Quantity(label="rms norm of represented features", reduce="best"),
    "bias": Quantity(label="mean bias of represented features", reduce="best"),
    "gain": Quantity(
        label="mean adversarial gain of represented features",
        headline="compared",
        reduce="best",
        panels=(Panel(label="adversarial\ngain", height=0.9, scale="linear"),),
    ),
    "gram_distance": Quantity(label="relative error of W^T W after permutation", reduce="best"),
}
ARRAYS = {
    "weights": Variable(("dimension", "feature"), "learned columns of W"),
    "bias": Variable(("feature",), "learned bias"),
    "norms": Variable(("feature",), "learned norms of the columns of W"),
    "dimensionalities": Variable(("feature",), "learned feature dimensionalities"),
    "represented": Variable(("feature",), "whether a feature is learned to be represented"),
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the measured quantities of a member, with predicted arrays aligned to its W.

    Predicted arrays are NaN where there is no prediction.
    """
    spec: FeatureSpec = member.spec
    weights, bias = (run.final[name].astype(np.float64) for name in ("weights", "bias"))
    represented = metrics.is_represented(weights)
    dimensionalities = metrics.feature_dimensionalities(weights)
    loss = learned_loss(spec, weights, bias)
    code = _align(spec, weights, prediction)
    predicted = {name: array[..., code.order] for name, array in prediction.arrays.items()}
    error = np.abs(np.sort(dimensionalities) - np.sort(predicted["dimensionalities"])).max()
    norms = metrics.column_norms(weights)
    return Measured(
        quantities={
            "loss": loss.value,
            "excess_loss": loss.value / prediction.quantities["loss"] - 1,
            "loss_over_limit": loss.value / _limit_loss(spec),
            "n_represented": np.sum(represented),
            "dimensionality_error": error,
            "norm": root_mean_square(norms[represented]),
            "bias": mean(bias[represented]),
            "gain": mean(metrics.output_gains(weights)[represented]),
            "gram_distance": code.gram_distance,
        },
        arrays={
            "weights": weights,
            "bias": bias,
            "norms": norms,
            "dimensionalities": dimensionalities,
            "represented": represented.astype(float),
        },
        predicted=predicted | {"weights": code.weights},
        sampling_errors={"loss": loss.standard_error},
    )


def learned_loss(spec: FeatureSpec, weights: np.ndarray, bias: np.ndarray) -> metrics.ExpectedLoss:
    """Return the loss of a network, without sampling error for few features.

    For two features in one dimension it is the closed form that theory minimises.
    """
    law, nonlinearity = spec.task.sample(0), spec.network.nonlinearity
    p, importance = float(law.active_probability), law.importance
    if nonlinearity == "relu" and weights.shape == (1, 2):
        first, second = importance
        return metrics.ExpectedLoss(float(first * two_feature_loss(weights[0], bias, p, second / first)), 0.0)
    return metrics.expected_loss(weights, bias, p, importance, nonlinearity)


def _limit_loss(spec: FeatureSpec) -> float:
    law, network = spec.task.sample(0), spec.network
    features = SuperpositionTask(
        n_features=len(law.importance),
        n_hidden=network.n_hidden,
        active_probability=float(law.active_probability),
        importance=tuple(map(float, law.importance)),
        nonlinearity=network.nonlinearity,
    )
    return limit_loss(features)


def _align(spec: FeatureSpec, weights: np.ndarray, prediction: Prediction) -> AlignedCode:
    """Return the predicted code aligned to the learned one; NaN without a prediction or for a diverged member."""
    predicted = prediction.arrays["weights"]
    if not (np.all(np.isfinite(predicted)) and np.all(np.isfinite(weights))):
        return AlignedCode(np.full_like(weights, np.nan), np.arange(weights.shape[1]), np.nan)
    return align_code(weights, predicted, is_ordered=len(set(spec.task.importance)) > 1)


COMPARISON = standard_comparison(
    quantities=QUANTITIES, arrays=ARRAYS, metrics=Reconstruction.recorded, measure=measure, best_by="loss"
)
