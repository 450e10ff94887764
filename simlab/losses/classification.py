"""Cross-entropy of a classifier with an L2 penalty: the objective of feature collapse and of neural collapse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, cast

from simlab.losses.objective import NON_NEGATIVE, POSITIVE, Bound, EvaluationSet, Metric, Objective
from simlab.validation import invalid

if TYPE_CHECKING:
    import jax
    from flax import nnx

    from simlab.training.spec import TrainingSpec

# The metrics of every classifier; those of its representation follow.
METRICS = {
    "train_cross_entropy": Metric(label="cross-entropy, train", unit="nats"),
    "train_accuracy": Metric(label="accuracy, train", scale="unit interval"),
    "test_cross_entropy": Metric(label="cross-entropy, test", unit="nats"),
    "test_cross_entropy_error": Metric(label="cross-entropy, test, standard error", unit="nats"),
    "test_accuracy": Metric(label="accuracy, test", scale="unit interval"),
    "test_accuracy_error": Metric(label="accuracy, test, standard error"),
    "risk": Metric(label="risk", unit="nats"),
}


class Hyperparameters(NamedTuple):
    """Hyperparameters, which a sweep may vary without a new compilation; every field may be traced.

    Attributes:
        learning_rate: of the optimiser.
        initial_scale: factor on the initial weights.
        embedding_weight_decay: ``lam_W``, coefficient of ``|W|^2 / 2``, nats; for features, free or computed by a
            network, the coefficient of ``|h_i|^2 / 2`` for each sample.
        classifier_weight_decay: ``lam_U``, coefficient of ``|U|^2 / 2``, nats.
    """

    learning_rate: Any = 0.1
    initial_scale: Any = 1e-3
    embedding_weight_decay: Any = 1e-3
    classifier_weight_decay: Any = 1e-3


class Classifier(Protocol):
    """A function from inputs to logits whose last layer is linear.

    Attributes:
        classifier: the weights of the last layer, ``Float[K, ...]``.
    """

    classifier: "nnx.Param"

    def __call__(self, inputs: "jax.Array") -> "jax.Array":
        """Return the logits, ``Float[B, K]`` or of each head ``Float[B, F, max K_f]``."""
        ...

    def representation(self, data: Any) -> "jax.Array":
        """Return the vectors of words or samples, the input of the classifier: ``Float[n_w, d]`` or ``Float[N, d]``."""
        ...


class FeatureClassifier(Classifier, Protocol):
    """A classifier on features that a network computes from its inputs."""

    def features(self, inputs: "jax.Array") -> "jax.Array":
        """Return the features ``Float[B, d]`` of inputs ``Float[B, p]``."""
        ...


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Objective[Classifier]):
    """Weighted mean cross-entropy in nats; with several label factors, summed over them.

    The network is a :class:`Classifier`. The penalty is ``lam_W/2 |p|^2`` for the parameters ``embeddings`` and
    ``features``, and ``lam_U/2 |p|^2`` for all others.

    Args:
        penalises_features: whether the features of the training set are penalised instead of the weights of the
            ``backbone``: ``lam_W/2 |h_i|^2`` for each sample. The network is then a :class:`FeatureClassifier`.
    """

    penalises_features: bool = False
    Hyperparameters = Hyperparameters  # hides the name of the module: annotations below are quoted
    bounds: ClassVar[Mapping[str, Bound]] = MappingProxyType(
        {
            "learning_rate": POSITIVE,
            "initial_scale": POSITIVE,
            "embedding_weight_decay": NON_NEGATIVE,
            "classifier_weight_decay": NON_NEGATIVE,
        }
    )
    additive: ClassVar[bool] = True

    def check(self, spec: "TrainingSpec") -> None:
        """Raise ``ValueError`` unless the specification of the network defines metrics of its representation."""
        records = spec.objective is self and type(self).measure is CrossEntropy.measure
        missing = [name for name in ("measure", "metric_names") if not hasattr(spec.network, name)]
        if records and missing:
            wanted = f"an Architecture with {' and '.join(missing)}, such as one that inherits VectorMeasures"
            raise invalid("network", wanted, type(spec.network).__name__)

    def loss(self, network: Classifier, batch, data, hyper: "Hyperparameters", key) -> "jax.Array":
        """Return the cross-entropy of a batch, plus the penalty on features if they are penalised."""
        from simlab.losses.cross_entropy import cross_entropy

        value = cross_entropy(network, batch)
        return value + self.feature_penalty(network, batch, data, hyper) if self.penalises_features else value

    def feature_penalty(self, network: Classifier, batch, data, hyper: "Hyperparameters") -> "jax.Array":
        """Return ``lam_W/2 |h_i|^2`` summed over all samples, estimated from the weighted mean over a batch."""
        import jax.numpy as jnp

        from simlab.tasks.batch import weighted

        weights = weighted(batch).weights
        weights = weights.reshape(len(weights), -1).mean(axis=1)
        features = cast(FeatureClassifier, network).features(batch.inputs)
        squares = jnp.sum(features**2, axis=-1)
        return hyper.embedding_weight_decay / 2 * (len(data.labels) * jnp.sum(weights * squares))

    def penalties(self, params: "nnx.State", hyper: "Hyperparameters") -> "nnx.State":
        """Return ``lam_W`` for embeddings and free features, 0 for a backbone, and ``lam_U`` for all others."""
        from flax import nnx

        words = hyper.embedding_weight_decay
        special = {"embeddings": words, "features": words, "backbone": 0.0}

        def decay(path, variable):
            return variable.replace(special.get(path[0], hyper.classifier_weight_decay))

        return nnx.map_state(decay, params)

    def measure(
        self,
        network: Classifier,
        evaluations: Mapping[str, EvaluationSet],
        data,
        hyper: "Hyperparameters",
        *,
        penalty: "jax.Array",
        spec: "TrainingSpec",
    ) -> "Mapping[str, jax.Array]":
        """Return cross-entropies, accuracies and risk, then the metrics of the representation.

        The risk is that of the evaluated training examples. Values with the suffix ``_error`` are standard errors of
        sampling.
        """
        import jax.numpy as jnp

        from simlab.losses.cross_entropy import accuracy_standard_error, evaluate
        from simlab.tasks.batch import batch_size

        n_classes = self.numbers_per_example(spec)
        train = evaluate(network, evaluations["train"].batch, n_classes)
        test = evaluate(network, evaluations["test"].batch, n_classes)
        of_representation = spec.network.measure(network, spec.task, data)
        unpenalised = train.cross_entropy
        if self.penalises_features:
            unpenalised = self.loss(network, evaluations["train"].batch, data, hyper, None)
        size, sampled = batch_size(evaluations["test"].batch), float(evaluations["test"].is_sample)
        return {
            "train_cross_entropy": train.cross_entropy,
            "train_accuracy": train.accuracy,
            "test_cross_entropy": test.cross_entropy,
            "test_cross_entropy_error": sampled * test.deviation / jnp.sqrt(size),
            "test_accuracy": test.accuracy,
            "test_accuracy_error": sampled * accuracy_standard_error(test.accuracy, size),
            "risk": unpenalised + penalty,
            **of_representation._asdict(),
        }

    def metrics(self, spec: "TrainingSpec") -> Mapping[str, Metric]:
        """Return the metrics of :data:`METRICS`, and those of the network's representation."""
        return classifier_metrics(spec.network.metric_names(spec.task))

    def representation(self, network: Classifier, data) -> "dict[str, jax.Array]":
        """Return ``embeddings`` ``Float[n_w, d]`` (or ``features`` ``Float[N, d]``), and the ``classifier``."""
        name = "embeddings" if hasattr(network, "embeddings") else "features"
        return {name: network.representation(data), "classifier": network.classifier[...]}

    def numbers_per_example(self, spec: "TrainingSpec") -> int:
        """Return ``K``, the number of logits per example."""
        return spec.task.n_classes


def classifier_metrics(names: Iterable[str]) -> dict[str, Metric]:
    """Return the metrics of a classifier whose representation has metrics with these names."""
    return METRICS | {name: Metric(label=name.replace("_", " ")) for name in names}
