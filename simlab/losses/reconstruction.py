"""The weighted squared error of a reconstruction of sparse features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import EvaluationSet, Metric, Objective
from simlab.tasks.sparse_features import FeatureLaw, SparseExamples, SparseFeatures, weighted_inputs
from simlab.validation import invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Array, Float

    from simlab.networks.autoencoder import Autoencoder
    from simlab.training.spec import TrainingSpec


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: root-mean-square norm of the initial columns of W.
    """

    learning_rate: Any
    initial_scale: Any


@dataclass(frozen=True, kw_only=True)
class Reconstruction(Objective["Autoencoder"]):
    """``sum_i I_i E (x_i - x'_i)^2``.

    Training minimises this loss divided by ``p min_i I_i``. Adam is invariant to the scale of gradients as long as they
    are far above its epsilon, 1e-8; without the factor, those of the rarest and least important features are not.
    """

    Hyperparameters: ClassVar[type] = Hyperparameters
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = {"loss": Metric(label="weighted squared error", scale="log")}

    def loss(self, network: "Autoencoder", batch: SparseExamples, data: FeatureLaw, hyper, key) -> "jax.Array":
        """Return the loss divided by ``p min_i I_i``."""
        return weighted_error(network, batch, data) / (data.active_probability * data.importance.min())

    def measure(
        self,
        network: "Autoencoder",
        evaluations: Mapping[str, EvaluationSet],
        data: FeatureLaw,
        hyper,
        *,
        penalty,
        spec,
    ) -> "Mapping[str, jax.Array]":
        """Return the loss on fresh examples."""
        return {"loss": weighted_error(network, evaluations["train"].batch, data)}

    def representation(self, network: "Autoencoder", data: FeatureLaw) -> "dict[str, jax.Array]":
        """Return ``weights``, W, and ``bias``, b."""
        return {"weights": network.weights[...], "bias": network.bias[...]}

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the task has sparse features."""
        if not isinstance(spec.task, SparseFeatures):
            raise invalid("objective", "one for the examples of the task, not features", type(spec.task).__name__)

    def numbers_per_example(self, spec: "TrainingSpec") -> int:
        """Return the numbers of all inputs of a draw."""
        return spec.task.columns_per_draw * spec.task.n_features


def weighted_error(network: "Autoencoder", examples: SparseExamples, data: FeatureLaw) -> "Float[Array, '']":
    """Return ``sum_i I_i E (x_i - x'_i)^2`` over the weighted inputs of the draws."""
    inputs, weights = weighted_inputs(examples, data)
    return data.importance @ (inputs - network(inputs)) ** 2 @ weights
