"""``simlab predict modality-gap``: what may be chosen, and the prediction as a table."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.modality_gap.reference import solve_run
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class GapOptions:
    """Pairs of two modalities, and what is trained on them."""

    n_pairs: int = option(16, "pairs of an image and a text, N", group=TASK)
    mismatch: float = option(0.1, "share of texts that belong to another image, eps", group=TASK)
    inverse_temperature: float = option(6.0, "beta; of the start, where it is learnable", group=TRAINING)
    learnable: bool = option(False, "the inverse temperature is trained, from the symmetric start", group=TRAINING)
    initial_gap: float | None = option(
        None, "gap of the symmetric start, in [0, 2); needed with --learnable", group=TRAINING
    )
    temperature_rate: float = option(
        1.0, "with --learnable: learning rate of log(beta) times N over that of the embeddings", group=TRAINING
    )
    clip: float | None = option(
        None, "with --learnable: largest beta that training allows; none if not given", group=TRAINING
    )
    depth: int | None = option(
        None, "hidden ReLU layers of two random towers, whose gap before training is wanted", group=NETWORK
    )
    input_dim: int | None = option(
        None, "with --depth: dimensions of their inputs, isotropic; infinitely many if not given", group=NETWORK
    )


def _predict(options: GapOptions):
    from theory import modality_gap

    return modality_gap.predict(**vars(options))


def _format(prediction) -> str:
    """Return a prediction as lines of name and value, and a table of cosines before and after centring."""
    rows = [
        ("threshold", f"{prediction.threshold:.10g}"),
        ("mixed retrieval fails from", f"{prediction.mixed_threshold:.10g}"),
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
