"""``simlab predict superposition``: its options, and the prediction as a table."""

from dataclasses import dataclass

import numpy as np

from experiments.core.configuration import NETWORK, TASK, option
from experiments.core.predictor import Predictor
from experiments.superposition.reference import solve_all
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class SuperpositionOptions:
    """The options: sparse features and the shape of the autoencoder."""

    n_features: int = option(5, "number of features, n", group=TASK)
    active_probability: float = option(
        0.1, "probability p that a feature is active (the sparsity is 1 - p)", group=TASK
    )
    importance: tuple[float, ...] | None = option(
        None, "importances I_i, n positive numbers separated by commas; none: all 1", group=TASK
    )
    n_hidden: int = option(2, "number of hidden dimensions, m; at most n", group=NETWORK)
    nonlinearity: str = option("relu", "output nonlinearity: relu, or linear as a control", group=NETWORK)


def _predict(options: SuperpositionOptions):
    from theory import superposition

    return superposition.predict(**vars(options))


def _format(prediction) -> str:
    """Return a prediction as a table of names and values, one row per kind of feature, and the note."""
    rows = [("geometry", prediction.geometry), ("basis", prediction.basis)]
    if prediction.is_predicted:
        rows += [("loss", f"{prediction.loss:.10g}"), ("represented", f"{int(prediction.represented.sum())}")]
    tables = [rows, *([_feature_table(prediction)] if prediction.is_predicted else [])]
    return "\n\n".join([*map(format_columns, tables), *([prediction.note] if prediction.note else [])])


def _feature_table(prediction) -> list[tuple[str, ...]]:
    """Return a header and one row for each run of consecutive features with equal numbers."""
    numbers = np.stack(
        [prediction.feature_dimensionalities, prediction.norms, prediction.bias, prediction.gains], axis=1
    )
    represented = ["yes" if value else "no" for value in prediction.represented]
    texts = [(flag, *(f"{value:.6g}" for value in row + 0.0)) for flag, row in zip(represented, numbers, strict=True)]
    starts = [index for index, text in enumerate(texts) if index == 0 or text != texts[index - 1]]
    table: list[tuple[str, ...]] = [("features", "represented", "dimensionality", "norm", "bias", "gain")]
    for start, end in zip(starts, [*starts[1:], len(texts)], strict=True):
        label = f"{start + 1}" if end == start + 1 else f"{start + 1} to {end}"
        table.append((label, *texts[start]))
    return table


PREDICTOR = Predictor(
    options=SuperpositionOptions,
    predict=_predict,
    format=_format,
    of_configurations=solve_all,
    columns=("geometry", "basis", "loss", "dimensionalities", "norms", "bias"),
)
