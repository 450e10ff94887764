"""``simlab predict platonic-kernels``: its options, and the prediction as a table."""

from dataclasses import dataclass, fields, replace

from experiments.core.configuration import NETWORK, TASK, option
from experiments.core.predictor import Predictor
from experiments.representation_kernels.configuration import KernelConfiguration
from experiments.representation_kernels.reference import predict
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class KernelOptions:
    """The options: a world of events on a ring, and the blocks of the coarser of two modalities."""

    events: int = option(12, "number of events on a ring, n", group=TASK)
    blocks: int = option(3, "events per block, B, that one modality cannot distinguish; a divisor of n", group=TASK)
    window: str = option("exponential", "co-occurrence window: exponential or gaussian", group=TASK)
    width: float = option(2.0, "width of the window", unit="events", group=TASK)
    floor: float = option(0.05, "share of pairs drawn uniformly from all events, in [0, 1)", group=TASK)
    partner_blocks: int | None = option(
        None, "events per block on the other side of a pair; none: the same", group=TASK
    )
    encoders: int = option(2, "encoders: 2, one for each side of a pair, or 1 for both", group=NETWORK)


def _predict(options: KernelOptions):
    from theory import representation_kernels

    return representation_kernels.predict(**vars(options))


def _of_configuration(configuration: KernelConfiguration):
    """Return the prediction for a configuration's world, with caveats for its encoders."""
    from theory import representation_kernels

    world = representation_kernels.predict(
        **{field.name: getattr(configuration, field.name) for field in fields(KernelOptions)}
    )
    reference = predict(configuration)
    return replace(
        world,
        loss=reference.quantities["loss"],
        basis=reference.basis,
        note="; ".join(filter(None, (world.note, *reference.caveats))),
        task=world.task | {"output_dim": configuration.output_dim},
    )


def _format(prediction) -> str:
    """Return a prediction as a table of names and values."""
    rows = [
        ("CKA between modalities", f"{prediction.cka:.10g}"),
        ("mutual information, events", f"{prediction.mutual_information:.10g} nats"),
        ("mutual information, blocks", f"{prediction.block_information:.10g} nats"),
        ("minimum loss, blocks", f"{prediction.loss:.10g} nats, all events as candidates"),
        ("PMI of events positive semidefinite", "yes" if prediction.positive_semidefinite else "no"),
        ("PMI of blocks positive semidefinite", "yes" if prediction.blocks_positive_semidefinite else "no"),
        *_excesses(prediction),
        ("basis", prediction.basis),
    ]
    return format_columns([*rows, *([("note", prediction.note)] if prediction.note else [])])


def _excesses(prediction) -> list[tuple[str, str]]:
    """Return rows with the excess loss of a single encoder, where it is not zero."""
    excesses = (("events", prediction.excess), ("blocks", prediction.block_excess))
    text = "{:.10g} nats above log(n) - mutual information"
    return [(f"excess of one encoder, {name}", text.format(value)) for name, value in excesses if value]


PREDICTOR = Predictor(
    options=KernelOptions,
    predict=_predict,
    format=_format,
    of_configuration=_of_configuration,
    columns=("cka", "mutual_information", "block_information", "loss", "block_excess", "basis"),
)
