"""Cross-entropy with soft labels, with the penalties of a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simlab.losses.classification import Classifier, CrossEntropy, Hyperparameters
from simlab.losses.objective import EvaluationSet, Metric
from simlab.tasks.batch import Batch
from simlab.tasks.soft_labels import SoftLabels, SoftLabelTask
from simlab.validation import invalid

if TYPE_CHECKING:
    import jax

    from simlab.training.spec import TrainingSpec


@dataclass(frozen=True, kw_only=True)
class SoftCrossEntropy(CrossEntropy):
    """Weighted mean of ``CE(z_i, P_class(i))`` in nats, with ``P`` the targets of the task; penalties are inherited."""

    recorded: ClassVar = {
        "cross_entropy": Metric(label="cross-entropy", unit="nats"),
        "risk": Metric(label="risk", unit="nats"),
    }

    def loss(self, network: Classifier, batch: Batch, data: SoftLabels, hyper: Hyperparameters, key) -> "jax.Array":
        """Return the cross-entropy of a batch, plus the penalty on features if they are penalised."""
        value = soft_cross_entropy(network, batch, data)
        return value + self.feature_penalty(network, batch, data, hyper) if self.penalises_features else value

    def measure(
        self,
        network: Classifier,
        evaluations: Mapping[str, EvaluationSet],
        data: SoftLabels,
        hyper: Hyperparameters,
        *,
        penalty: "jax.Array",
        spec: "TrainingSpec",
    ) -> "Mapping[str, jax.Array]":
        """Return cross-entropy and risk of the training set."""
        batch = evaluations["train"].batch
        loss = self.loss(network, batch, data, hyper, None)
        return {"cross_entropy": soft_cross_entropy(network, batch, data), "risk": loss + penalty}

    def metrics(self, spec: "TrainingSpec") -> Mapping[str, Metric]:
        """Return the metrics of :attr:`recorded`."""
        return self.recorded

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the task has soft labels."""
        if not isinstance(spec.task, SoftLabelTask):
            raise invalid("objective", "one for the labels of the task, which are certain", type(spec.task).__name__)


def soft_cross_entropy(network: Classifier, batch: Batch, data: SoftLabels) -> "jax.Array":
    """Return ``-sum_i w_i sum_k P_class(i),k log softmax(z_i)_k``, nats."""
    import jax
    import jax.numpy as jnp

    from simlab.tasks.batch import weighted

    batch = weighted(batch)
    logarithms = jax.nn.log_softmax(network(batch.inputs), axis=-1)
    # The gradient of a product with one-hot classes needs no scatter, unlike that of a look-up.
    targets = jax.nn.one_hot(batch.classes, len(data.targets), dtype=logarithms.dtype) @ data.targets
    return -jnp.sum(batch.weights[:, None] * targets * logarithms)
