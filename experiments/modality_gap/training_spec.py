"""The training specification of two encoders, built from a configuration."""

from experiments.core.training_choices import make_hyperparameters as checked
from experiments.core.training_choices import training_fields
from experiments.modality_gap.configuration import ModalityConfiguration
from simlab.data.sources import Population
from simlab.losses.symmetric_contrastive import NO_CLIP, Hyperparameters, SymmetricContrastive
from simlab.networks.specs.modalities import FreeModalities, TwoTowers
from simlab.tasks.paired.modality_pairs import ModalityPairs
from simlab.training.spec import TrainingSpec

ModalitySpec = TrainingSpec[ModalityPairs, FreeModalities | TwoTowers]


def make_training_spec(configuration: ModalityConfiguration) -> ModalitySpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    configuration.check()
    has_towers = configuration.encoder == "towers"
    inputs = ("latent_dim", "image_dim", "text_dim")
    task = ModalityPairs(
        n_pairs=configuration.n_pairs,
        mismatch=configuration.mismatch,
        **({name: getattr(configuration, name) for name in inputs} if has_towers else {}),
    )
    return TrainingSpec(
        task=task,
        source=Population(),
        network=_make_network(configuration),
        objective=SymmetricContrastive(),
        n_evaluation=configuration.n_pairs,
        **training_fields(configuration, configuration.n_steps),
    )


def make_hyperparameters(configuration: ModalityConfiguration) -> Hyperparameters:
    """Return the traced part of the run, checked."""
    rate = configuration.embedding_rate
    return checked(
        configuration.replace(learning_rate=rate),
        SymmetricContrastive(),
        temperature_learning_rate=configuration.temperature_rate * rate / configuration.n_pairs,
        inverse_temperature=configuration.beta,
        clip=NO_CLIP if configuration.largest_beta is None else configuration.largest_beta,
        initial_gap=configuration.initial_gap,
        cone_spread=configuration.cone_spread if configuration.start == "cones" else 0.0,
    )


def _make_network(configuration: ModalityConfiguration) -> FreeModalities | TwoTowers:
    if configuration.encoder == "free":
        return FreeModalities(output_dim=configuration.dimension)
    return TwoTowers(
        hidden_width=configuration.hidden_width, depth=configuration.depth, output_dim=configuration.dimension
    )
