"""The training specification of a linear encoder of pairs, built from a configuration."""

from experiments.core.training_choices import training_fields
from experiments.dimensional_collapse.configuration import PairConfiguration
from simlab.data.sources import FreshExamples, Population
from simlab.losses.contrastive import ExpectedContrastive, InfoNCE, SpectralContrastive
from simlab.networks.specs.linear_encoder import LinearEncoder
from simlab.tasks.paired.gaussian_pairs import GaussianPairs
from simlab.training.spec import TrainingSpec
from simlab.validation import check_count

PairSpec = TrainingSpec[GaussianPairs, LinearEncoder]


def make_task(configuration: PairConfiguration) -> GaussianPairs:
    """Return the task: the law of the pairs, or a data set of them."""
    return GaussianPairs(
        variances=configuration.drawn_variances,
        augmentation_ratios=configuration.drawn_ratios,
        is_aligned=configuration.aligned,
        views=configuration.views,
        n_pairs=configuration.n_pairs,
        law_seed=configuration.law_seed,
    )


def make_training_spec(configuration: PairConfiguration) -> PairSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    is_sampled = configuration.negatives == "batch"
    return TrainingSpec(
        task=make_task(configuration),
        source=FreshExamples(batch_size=configuration.batch_size) if is_sampled else Population(),
        network=LinearEncoder(output_dim=configuration.output_dim),
        objective=_make_objective(configuration),
        n_evaluation=check_count("batch_size", configuration.batch_size),
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )


def _make_objective(configuration: PairConfiguration) -> InfoNCE | SpectralContrastive | ExpectedContrastive:
    if configuration.n_pairs is not None:
        return SpectralContrastive()
    if configuration.negatives == "expected":
        return ExpectedContrastive(similarity=configuration.similarity)
    # With one augmented view the negatives are other clean inputs; two views play symmetric roles.
    has_two = configuration.views == 2
    return InfoNCE(
        similarity=configuration.similarity, negatives="second" if has_two else "first", is_two_sided=has_two
    )
