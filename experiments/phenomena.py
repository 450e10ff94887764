"""The phenomena of the experiments, by name; a module is imported only when its phenomenon is used."""

from collections.abc import Mapping
from types import MappingProxyType

from experiments.registry import load_attribute

# The location of each phenomenon, as "module:attribute".
PHENOMENA: Mapping[str, str] = MappingProxyType(
    {
        "feature-collapse": "experiments.feature_collapse.phenomenon:FEATURE_COLLAPSE",
        "neural-collapse": "experiments.neural_collapse.phenomenon:NEURAL_COLLAPSE",
        "layer-collapse": "experiments.layer_collapse.phenomenon:LAYER_COLLAPSE",
        "superposition": "experiments.superposition.phenomenon:SUPERPOSITION",
        "adversarial-gain": "experiments.superposition.adversarial_gain:ADVERSARIAL_GAIN",
        "hierarchical-labels": "experiments.hierarchy.phenomenon:HIERARCHICAL_LABELS",
        "deep-linear-networks": "experiments.hierarchy.phenomenon:DEEP_LINEAR_NETWORKS",
        "feature-contamination": "experiments.feature_contamination.phenomenon:FEATURE_CONTAMINATION",
        "contamination-toy": "experiments.feature_contamination.contamination_toy:CONTAMINATION_TOY",
        "dimensional-collapse": "experiments.dimensional_collapse.phenomenon:DIMENSIONAL_COLLAPSE",
        "platonic-kernels": "experiments.representation_kernels.phenomenon:PLATONIC_KERNELS",
        "hidden-manifold": "experiments.hidden_manifold.phenomenon:HIDDEN_MANIFOLD",
        "contextual-embeddings": "experiments.contextual_embeddings.phenomenon:CONTEXTUAL_EMBEDDINGS",
        "context-at-initialisation": "experiments.contextual_embeddings.initial_context:CONTEXT_AT_INITIALISATION",
        "class-vectors": "experiments.contextual_embeddings.class_vectors.phenomenon:CLASS_VECTORS",
        "isotropy-time": "experiments.contextual_embeddings.class_vectors.isotropy_time:ISOTROPY_TIME",
        "modality-gap": "experiments.modality_gap.phenomenon:MODALITY_GAP",
        "norm-and-variance": "experiments.norm_and_variance.regimes:NORM_AND_VARIANCE",
        "variance-by-layer": "experiments.norm_and_variance.variance_by_layer:VARIANCE_BY_LAYER",
        "moments-precision": "experiments.norm_and_variance.moments_precision:MOMENTS_PRECISION",
        "real-encoder": "experiments.norm_and_variance.real_encoder:REAL_ENCODER",
    }
)

# The location of the :class:`experiments.core.predictor.Predictor` of each phenomenon of ``simlab predict``.
PREDICTORS: Mapping[str, str] = MappingProxyType(
    {
        "feature-collapse": "experiments.feature_collapse.predict_options:PREDICTOR",
        "neural-collapse": "experiments.neural_collapse.predict_options:PREDICTOR",
        "superposition": "experiments.superposition.predict_options:PREDICTOR",
        "hierarchical-labels": "experiments.hierarchy.labels_predict:PREDICTOR",
        "deep-linear-networks": "experiments.hierarchy.linear_predict:PREDICTOR",
        "feature-contamination": "experiments.feature_contamination.predict_options:PREDICTOR",
        "dimensional-collapse": "experiments.dimensional_collapse.predict_options:PREDICTOR",
        "hidden-manifold": "experiments.hidden_manifold.predict_options:PREDICTOR",
        "modality-gap": "experiments.modality_gap.predict_options:PREDICTOR",
        "norm-and-variance": "experiments.norm_and_variance.predict_options:PREDICTOR",
        "platonic-kernels": "experiments.representation_kernels.predict_options:PREDICTOR",
        "contextual-embeddings": "experiments.contextual_embeddings.predict_options:PREDICTOR",
    }
)


def load_configurations() -> dict[str, type]:
    """Return the configuration dataclass of every phenomenon, by name."""
    return {name: load_attribute(place).configuration for name, place in PHENOMENA.items()}


def load_predictor_options() -> dict[str, type]:
    """Return the options dataclass of every predictor, by the name of its phenomenon."""
    return {name: load_attribute(place).options for name, place in PREDICTORS.items()}
