"""The training specification of a deep linear network, built from a configuration."""

from experiments.core.training_choices import training_fields
from experiments.hierarchy.linear_configuration import LinearConfiguration
from simlab.data.sources import Population
from simlab.losses.squared_error import SquaredError
from simlab.networks.specs.deep_linear import DeepLinear
from simlab.tasks.item_properties import KINDS, ItemProperties
from simlab.training.spec import TrainingSpec
from simlab.validation import check_choice, check_count

LinearSpec = TrainingSpec[ItemProperties, DeepLinear]


def make_task(configuration: LinearConfiguration) -> ItemProperties:
    """Return the task: items and their properties."""
    return ItemProperties(  # pyright: ignore[reportAbstractUsage]
        kind=check_choice("items", configuration.items, KINDS),
        branching=configuration.branching,
        depth=configuration.depth,
    )


def make_training_spec(configuration: LinearConfiguration) -> LinearSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    return TrainingSpec(
        task=make_task(configuration),
        source=Population(),
        network=DeepLinear(
            n_layers=configuration.n_layers, hidden_width=configuration.hidden_width, start=configuration.start
        ),
        objective=SquaredError(integrator=configuration.integrator),
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )
