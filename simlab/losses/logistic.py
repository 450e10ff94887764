"""The logistic loss for two labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from simlab.losses.objective import EvaluationSet, Metric, Objective
from simlab.tasks.batch import Batch
from simlab.tasks.orthogonal_clusters import Clusters, OrthogonalClusters
from simlab.validation import invalid

if TYPE_CHECKING:
    import jax

    from simlab.networks.signed_relu import SignedReLU
    from simlab.training.spec import TrainingSpec


class Hyperparameters(NamedTuple):
    """Hyperparameters, which may vary without a new compilation.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: root-mean-square norm of the initial weights of a unit.
    """

    learning_rate: Any
    initial_scale: Any


@dataclass(frozen=True, kw_only=True)
class Logistic(Objective["SignedReLU"]):
    """``E log(1 + exp(-y f(x)))``, ``y = 1`` in class 1 and -1 in class 0; nats."""

    Hyperparameters: ClassVar[type] = Hyperparameters
    divergence_metric: ClassVar[str] = "loss"
    recorded: ClassVar = {"loss": Metric(label="logistic loss", unit="nats", scale="log")}

    def loss(self, network: "SignedReLU", batch: Batch, data: Clusters, hyper, key) -> "jax.Array":
        """Return the mean loss of a batch, nats."""
        import jax

        return jax.nn.softplus((1 - 2 * batch.classes) * network(batch.inputs)).mean()

    def measure(
        self, network: "SignedReLU", evaluations: Mapping[str, EvaluationSet], data: Clusters, hyper, *, penalty, spec
    ) -> "Mapping[str, jax.Array]":
        """Return the loss on fresh examples."""
        return {"loss": self.loss(network, evaluations["train"].batch, data, hyper, None)}

    def representation(self, network: "SignedReLU", data: Clusters) -> "dict[str, jax.Array]":
        """Return ``weights``, a row for each hidden unit."""
        return {"weights": network.weights[...]}

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the task has orthogonal clusters."""
        if not isinstance(spec.task, OrthogonalClusters):
            raise invalid("objective", "one for the examples of the task, not clusters", type(spec.task).__name__)
