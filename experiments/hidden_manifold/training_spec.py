"""The training specification of an encoder of a hidden manifold, built from a configuration."""

from experiments.core.training_choices import make_hyperparameters as checked
from experiments.core.training_choices import training_fields
from experiments.hidden_manifold.configuration import ManifoldConfiguration
from simlab.data.sources import FreshExamples, Population
from simlab.losses.contrastive import InfoNCE
from simlab.losses.graph_spectral import GraphSpectral
from simlab.networks.specs.mlp_encoder import MLPEncoder
from simlab.tasks.paired.manifold_pairs import ManifoldGraph, ManifoldTask, SpherePairs
from simlab.training.spec import TrainingSpec
from simlab.validation import check_count

ManifoldSpec = TrainingSpec[ManifoldTask, MLPEncoder]


def make_task(configuration: ManifoldConfiguration) -> ManifoldTask:
    """Return the task: a graph of pairs for the spectral loss, or the law of pairs for InfoNCE."""
    names = ("n_points", "concentration", "support", "observed_dim", "frequency", "law_seed")
    shared = {name: getattr(configuration, name) for name in names}
    if configuration.objective == "info-nce":
        return SpherePairs(**shared)
    return ManifoldGraph(manifold=configuration.manifold, width=configuration.width, **shared)


def make_training_spec(configuration: ManifoldConfiguration) -> ManifoldSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    is_sampled = configuration.objective == "info-nce"
    return TrainingSpec(
        task=make_task(configuration),
        source=FreshExamples(batch_size=configuration.batch_size) if is_sampled else Population(),
        network=MLPEncoder(
            output_dim=configuration.output_dim,
            hidden_width=configuration.hidden_width,
            depth=configuration.depth,
            is_unit=is_sampled,
        ),
        # Embeddings have unit length, so their dot product is the cosine.
        objective=InfoNCE(similarity="dot") if is_sampled else GraphSpectral(),
        n_evaluation=check_count("batch_size", configuration.batch_size),
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )


def make_hyperparameters(configuration: ManifoldConfiguration):
    """Return the traced part of the run, without weight decay and with the given or matched temperature."""
    return checked(
        configuration,
        make_training_spec(configuration).objective,
        initial_scale=configuration.initial_scale,
        weight_decay=0.0,
        temperature=configuration.scale,
    )
