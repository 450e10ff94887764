"""``simlab predict norm-and-variance``: shares of norm and variance by layer before training, as a table."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, option
from experiments.core.predictor import Predictor
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class ShareOptions:
    """The options: a transformer encoder with random weights."""

    depth: int = option(6, "transformer blocks", group=NETWORK)
    norm: str = option("post", "LayerNorm after each residual branch (post) or before it (pre)", group=NETWORK)
    activation: str = option("relu", "activation of the feed-forward networks: relu or gelu", group=NETWORK)
    sentence_length: int = option(8, "tokens per sentence, L", group=TASK)


def _predict(options: ShareOptions):
    from theory import norm_and_variance

    return norm_and_variance.predict(**vars(options))


def _format(prediction) -> str:
    """Return a prediction as a table of names and values, and one row per layer."""
    rows = [("basis", prediction.basis), ("assumes", prediction.note)]
    columns = {
        "M/Q": prediction.mean_share,
        "V_within/V": prediction.within_share,
        "V_between/Q": prediction.between_share,
        "Q/d": prediction.square,
        "cosine within a sentence": prediction.same_sentence,
    }
    numbers = [str(layer) for layer in range(len(prediction.mean_share))]
    values = ([f"{value:.6g}" for value in column] for column in columns.values())
    table = [("layer", *columns), *zip(numbers, *values, strict=True)]
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


PREDICTOR = Predictor(
    options=ShareOptions,
    predict=_predict,
    format=_format,
    columns=("mean_share", "within_share", "basis"),
)
