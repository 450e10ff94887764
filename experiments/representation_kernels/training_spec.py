"""The training specification of encoders of events, built from a configuration."""

from experiments.core.training_choices import training_fields
from experiments.representation_kernels.configuration import KernelConfiguration
from simlab.data.sources import Population
from simlab.losses.expected_info_nce import ExpectedInfoNCE
from simlab.networks.specs.symbol_encoder import SymbolEncoder
from simlab.tasks.paired.cooccurrence import RingWorld
from simlab.training.spec import TrainingSpec
from simlab.validation import check_count

KernelSpec = TrainingSpec[RingWorld, SymbolEncoder]


def make_task(configuration: KernelConfiguration) -> RingWorld:
    """Return the task: the ring world of a configuration."""
    block, second_block = configuration.both_blocks
    return RingWorld(
        n_events=configuration.events,
        window=configuration.window,
        width=configuration.width,
        floor=configuration.floor,
        block=block,
        second_block=second_block,
    )


def make_training_spec(configuration: KernelConfiguration) -> KernelSpec:
    """Return the static part of the run.

    Raises:
        ValueError: a field is out of range; the message names it.
    """
    is_mlp = configuration.architecture == "mlp"
    return TrainingSpec(
        task=make_task(configuration),
        source=Population(),
        network=SymbolEncoder(
            output_dim=configuration.output_dim,
            n_encoders=configuration.encoders,
            hidden_width=configuration.hidden_width if is_mlp else None,
            code_dim=configuration.code_dim if is_mlp else None,
        ),
        objective=ExpectedInfoNCE(),
        n_evaluation=1,
        **training_fields(configuration, check_count("n_steps", configuration.n_steps)),
    )
