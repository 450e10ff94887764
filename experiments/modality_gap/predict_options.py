"""``simlab predict modality-gap``: its options, and the prediction as a table."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.modality_gap.reference import solve_run
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class GapOptions:
    """The options: pairs of two modalities, the temperature, and random towers."""

    n_pairs: int = option(16, "pairs of an image and a text, N", group=TASK)
    mismatch: float = option(0.1, "share of texts that are paired with another image, eps", group=TASK)
    inverse_temperature: float = option(
        6.0, "inverse temperature beta; its initial value if it is learnable", group=TRAINING
    )
    learnable: bool = option(False, "train the inverse temperature, from the symmetric start", group=TRAINING)
    initial_gap: float | None = option(
        None, "gap of the symmetric start, in [0, 2); required with --learnable", group=TRAINING
    )
    temperature_rate: float = option(
        1.0, "with --learnable: learning rate of log(beta) times N over that of the embeddings", group=TRAINING
    )
    clip: float | None = option(None, "with --learnable: upper bound on beta in training", group=TRAINING)
    depth: int | None = option(
        None, "predict the initial gap of two random towers with this number of hidden ReLU layers", group=NETWORK
    )
    input_dim: int | None = option(
        None, "with --depth: dimension of the isotropic inputs; none: infinite", group=NETWORK
    )


def _predict(options: GapOptions):
    from theory import modality_gap

    return modality_gap.predict(**vars(options))


def _format(prediction) -> str:
    """Return a prediction as a table of names and values, and one of cosines before and after centring."""
    rows = [
        ("threshold", f"{prediction.threshold:.10g}"),
        ("mixed retrieval fails above", f"{prediction.mixed_threshold:.10g}"),
        ("inverse temperature", f"{prediction.inverse_temperature:.10g}"),
    ]
    if prediction.final_inverse_temperature is not None:
        rows += [
            ("final inverse temperature", f"{prediction.final_inverse_temperature:.10g}"),
            ("final gap", f"{prediction.gap:.10g}"),
        ]
    else:
        rows += [
            ("gap", f"{prediction.gap:.10g}"),
            ("decay of a small gap, per step and learning rate", f"{prediction.decay_rate:.6g}"),
        ]
    rows += [("loss (nats)", f"{prediction.loss:.10g}")]
    if prediction.initial_tower_gap is not None:
        rows += [("gap of random towers", f"{prediction.initial_tower_gap:.10g}")]
    rows += [("basis", prediction.basis)]
    columns = (prediction.cosines, prediction.centred_cosines)
    cosines = [
        ("cosine", "as trained", "centred"),
        *(
            (label, *(f"{getattr(column, name):.6g}" for column in columns))
            for name, label in (
                ("matched", "image and its text"),
                ("unmatched", "image and another text"),
                ("within", "within a modality"),
                ("mixed_retrieval", "retrieval from both modalities"),
            )
        ),
    ]
    notes = [f"note: {note}" for note in prediction.note.split("; ") if note]
    return "\n\n".join(filter(None, (format_columns(rows), format_columns(cosines), "\n".join(notes))))


PREDICTOR = Predictor(
    options=GapOptions,
    predict=_predict,
    format=_format,
    of_configuration=solve_run,
    columns=("threshold", "gap", "loss", "basis"),
)
