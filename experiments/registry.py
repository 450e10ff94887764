"""The experiments, by name; a module is imported only when its experiment is used."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from experiments.core.experiment import Experiment
from simlab.validation import check_choice

# The location of each experiment, as "module:attribute".
EXPERIMENTS: Mapping[str, str] = MappingProxyType(
    {
        "feature-collapse": "experiments.feature_collapse.regimes:EXPERIMENT",
        "uniform-small-sample": "experiments.feature_collapse.regimes:UNIFORM_SMALL_SAMPLE",
        "zipf-large-sample": "experiments.feature_collapse.regimes:ZIPF_LARGE_SAMPLE",
        "zipf-small-sample": "experiments.feature_collapse.regimes:ZIPF_SMALL_SAMPLE",
        "zipf-layer-norm": "experiments.feature_collapse.regimes:ZIPF_LAYER_NORM",
        "tail-or-sample": "experiments.feature_collapse.questions.tail_or_sample:EXPERIMENT",
        "escape": "experiments.feature_collapse.questions.escape:EXPERIMENT",
        "no-weight-decay": "experiments.feature_collapse.questions.no_weight_decay:EXPERIMENT",
        "formula-reach": "experiments.feature_collapse.questions.formula_reach:EXPERIMENT",
        "neural-collapse": "experiments.neural_collapse.regimes:EXPERIMENT",
        "collapse-point": "experiments.neural_collapse.collapse_point:EXPERIMENT",
        "minority-collapse": "experiments.neural_collapse.minority_collapse:EXPERIMENT",
        "noise": "experiments.feature_collapse.questions.noise:EXPERIMENT",
        "normalisations": "experiments.feature_collapse.questions.normalisations:EXPERIMENT",
        "deep-networks": "experiments.layer_collapse.deep_networks:EXPERIMENT",
        "certified-descent": "experiments.feature_collapse.questions.certified_descent:EXPERIMENT",
        "superposition": "experiments.superposition.regimes:EXPERIMENT",
        "phase-diagram": "experiments.superposition.phase_diagram:EXPERIMENT",
        "adversarial-gain": "experiments.superposition.adversarial_gain:EXPERIMENT",
        "hierarchical-labels": "experiments.hierarchy.labels_regimes:EXPERIMENT",
        "deep-linear-networks": "experiments.hierarchy.linear_regimes:EXPERIMENT",
        "feature-contamination": "experiments.feature_contamination.regimes:EXPERIMENT",
        "contamination-ratio": "experiments.feature_contamination.contamination_ratio:EXPERIMENT",
        "contamination-toy": "experiments.feature_contamination.contamination_toy:EXPERIMENT",
        "dimensional-collapse": "experiments.dimensional_collapse.regimes:EXPERIMENT",
        "collapse-curve": "experiments.dimensional_collapse.collapse_curve:EXPERIMENT",
        "platonic-kernels": "experiments.representation_kernels.regimes:EXPERIMENT",
        "hidden-manifold": "experiments.hidden_manifold.regimes:EXPERIMENT",
        "token-collapse": "experiments.contextual_embeddings.token_collapse:EXPERIMENT",
        "pooling": "experiments.contextual_embeddings.pooling:EXPERIMENT",
        "spurious-contextualization": "experiments.contextual_embeddings.spurious_contextualization:EXPERIMENT",
        "context-at-initialisation": "experiments.contextual_embeddings.initial_context:EXPERIMENT",
        "contrastive-batch": "experiments.contextual_embeddings.class_vectors.contrastive_batch:EXPERIMENT",
        "contrastive-temperature": "experiments.contextual_embeddings.class_vectors.contrastive_temperature:EXPERIMENT",
        "class-imbalance": "experiments.contextual_embeddings.class_vectors.class_imbalance:EXPERIMENT",
        "modality-gap": "experiments.modality_gap.regimes:EXPERIMENT",
        "gap-threshold": "experiments.modality_gap.gap_threshold:EXPERIMENT",
        "norm-and-variance": "experiments.norm_and_variance.regimes:EXPERIMENT",
        "variance-by-layer": "experiments.norm_and_variance.variance_by_layer:EXPERIMENT",
        "moments-precision": "experiments.norm_and_variance.moments_precision:EXPERIMENT",
        "real-encoder": "experiments.norm_and_variance.real_encoder:EXPERIMENT",
    }
)
NAMES = tuple(EXPERIMENTS)


def load_attribute(place: str):
    """Import the module of ``"module:attribute"``, and return the attribute."""
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


def find_experiment(name: str) -> Experiment:
    """Return the experiment called ``name``, or raise ``ValueError`` with the nearest name."""
    return load_attribute(EXPERIMENTS[check_choice("experiment", name, NAMES)])._replace(registered=True)
