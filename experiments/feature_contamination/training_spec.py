"""The training specification of a training run on signed features, built from a configuration."""

from experiments.core.training_choices import make_hyperparameters, training_fields
from experiments.feature_contamination.configuration import ContaminationConfiguration
from simlab.data.sources import FreshExamples
from simlab.losses.margin import Hyperparameters, MarginLoss
from simlab.networks.specs.signed_units import SignedUnits
from simlab.tasks.signed_features import SignedFeatures
from simlab.training.spec import TrainingSpec
from simlab.validation import check_choice, check_count

ContaminationSpec = TrainingSpec[SignedFeatures, SignedUnits]
LOSSES = ("hinge", "logistic")


def make_training_spec(configuration: ContaminationConfiguration) -> ContaminationSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    configuration.check_network()
    return TrainingSpec(
        task=SignedFeatures(  # pyright: ignore[reportAbstractUsage]
            core_features=configuration.core_features,
            background_features=configuration.n_background,
            input_dim=configuration.input_dim,
            strengths=configuration.strengths,
            core_mean=configuration.core_mean,
            background_mean=configuration.background_mean,
            strength_deviation=configuration.strength_deviation,
        ),
        source=FreshExamples(batch_size=configuration.batch_size),
        network=SignedUnits(n_hidden=configuration.n_hidden, activation=configuration.activation),
        objective=MarginLoss(loss_function=check_choice("loss", configuration.loss, LOSSES)),
        n_evaluation=configuration.n_evaluation,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )


def make_traced(configuration: ContaminationConfiguration) -> Hyperparameters:
    """Return the traced part of the run; the rate of gradient descent is m times the ODE's time step."""
    rate = configuration.replace(learning_rate=configuration.n_hidden * configuration.time_step)
    return make_hyperparameters(
        rate,
        MarginLoss(loss_function=configuration.loss),
        initial_scale=configuration.initial_scale,
        leaky_slope=configuration.leaky_slope,
    )
