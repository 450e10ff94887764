"""``simlab predict contextual-embeddings``: its options, and the prediction as a table."""

from dataclasses import dataclass
from textwrap import fill
from typing import Any

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.tables.columns import format_columns
from simlab.validation import invalid


@dataclass(frozen=True, kw_only=True)
class LanguageOptions:
    """The options: a language of the balanced design, and the contrastive loss on its sentences."""

    n_classes: int = option(24, "number of sentence classes, K", group=TASK)
    exclusive: int = option(3, "positions that hold the class's exclusive concept", group=TASK)
    shared: str = option(
        "3:3,2:8",
        "POSITIONS:CLASSES for each concept shared by several classes, separated by commas, or none",
        group=TASK,
    )
    function_words: int = option(4, "function words, equally frequent in all classes", group=TASK)
    replacement: float = option(0.2, "probability of a function word at a position", group=TASK)
    largest_prior: float | None = option(
        None, "prior of one class, the others equally likely; none: all equally likely", group=TASK
    )
    embedding_dim: int | None = option(
        None, "embedding dimension d, to check that the class vectors fit; none: large enough", group=NETWORK
    )
    temperature: float = option(0.5, "temperature, tau", group=TRAINING)
    batch_size: int | None = option(None, "pairs per batch; none: K", group=TRAINING)
    replacement_draws: bool = option(
        False, "whether the classes of a batch are drawn independently; otherwise they all differ", group=TRAINING
    )


def parse_shared(text: str) -> tuple[tuple[int, int], ...]:
    """Return the pairs of ``POSITIONS:CLASSES,...``; an empty tuple for ``none`` or an empty text.

    Raises:
        ValueError: the text has another form.
    """
    wanted = "POSITIONS:CLASSES separated by commas, such as 3:3,2:8, or none"
    if text.strip() in ("", "none"):
        return ()
    pairs = []
    for part in text.split(","):
        numbers = part.split(":")
        if len(numbers) != 2 or not all(number.strip().isdecimal() for number in numbers):
            raise invalid("shared", wanted, text)
        pairs.append((int(numbers[0]), int(numbers[1])))
    return tuple(pairs)


def _predict(options: LanguageOptions):
    shared = parse_shared(options.shared)

    from theory import contextual_embeddings

    fields: dict[str, Any] = vars(options) | {"shared": shared}
    return contextual_embeddings.predict(**fields)


def _format(prediction) -> str:
    """Return a prediction as a table of names and values, and one of self-similarity by kind of word."""
    rows = [
        ("basis", prediction.basis),
        ("loss", f"{prediction.loss:.10g}"),
        ("anisotropy", f"{prediction.anisotropy:.6g}"),
        ("intra-sentence similarity", f"{prediction.intra_sentence:g}"),
        ("Cramer's V^2", f"{prediction.cramers_v2:.6g}"),
        *((f"variance {name.replace('_', ' ')}", f"{value:.6g}") for name, value in prediction.variance_shares.items()),
    ]
    kinds = [(kind.replace("_", " "), f"{value:.6g}") for kind, value in prediction.self_similarity.items()]
    parts = [format_columns(rows), format_columns([("kind of word", "self-similarity"), *kinds])]
    if prediction.note:
        parts.append(fill(f"note: {prediction.note}", 100, subsequent_indent="      "))
    return "\n\n".join(parts)


PREDICTOR = Predictor(
    options=LanguageOptions,
    predict=_predict,
    format=_format,
    columns=("self_similarity", "cramers_v2", "anisotropy", "loss", "basis"),
)
