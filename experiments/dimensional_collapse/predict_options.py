"""``simlab predict dimensional-collapse``: its options, and the prediction as a table."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.dimensional_collapse.reference import solve
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class CollapseOptions:
    """The options: Gaussian pairs, a linear encoder and its loss."""

    augmentation_ratios: tuple[float, ...] = option(
        (0.5, 1.0, 1.5, 2.5),
        "q_i/s_i of each direction: augmentation variance over input variance (which is 1)",
        group=TASK,
    )
    views: int | None = option(
        None, "augmented views of a pair, 1 or 2; none: 1 with the distance, otherwise 2", group=TASK
    )
    output_dim: int | None = option(None, "embedding dimension, m; none: the number of ratios", group=NETWORK)
    similarity: str = option(
        "distance",
        "exp(-|z - z'|^2/(2 tau)): distance; exp(z.z'/tau): dot; the spectral loss: spectral",
        group=TRAINING,
    )
    temperature: float = option(1.0, "temperature, tau", group=TRAINING)
    weight_decay: float = option(0.0, "lam; the penalty is lam/2 |W|^2", group=TRAINING)
    batch_size: int | None = option(None, "batch size, for the first-order correction; none: infinite", group=TRAINING)


def _predict(options: CollapseOptions):
    from theory import dimensional_collapse

    return dimensional_collapse.predict(**vars(options))


def _format(prediction) -> str:
    """Return a prediction as a table of names and values, and one row per direction."""
    rows = [
        ("rank", f"{prediction.rank} of {len(prediction.eigenvalues)}"),
        ("basis", prediction.basis),
        ("loss", f"{prediction.loss:.10g}"),
    ]
    if prediction.note:
        rows.append(("note", prediction.note))
    level = "t (collapses from t=2)" if prediction.similarity == "distance" else "r (collapses up to r=0)"
    columns = {
        level: [f"{value:.6g}" for value in prediction.levels],
        "eigenvalue": [f"{value:.6g}" for value in prediction.eigenvalues],
    }
    if prediction.finite_batch is not None:
        columns["with the finite batch"] = [f"{value:.6g}" for value in prediction.finite_batch]
    columns["collapsed"] = ["yes" if value else "no" for value in prediction.collapsed]
    numbers = map(str, range(1, len(prediction.eigenvalues) + 1))
    table = [("direction", *columns), *zip(numbers, *columns.values(), strict=True)]
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


PREDICTOR = Predictor(
    options=CollapseOptions,
    predict=_predict,
    format=_format,
    of_configuration=solve,
    columns=("eigenvalues", "rank", "basis"),
)
