"""``simlab predict dimensional-collapse``: what may be chosen, and the prediction as a table."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.dimensional_collapse.reference import solve
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class CollapseOptions:
    """Gaussian pairs and a linear encoder."""

    augmentation_ratios: tuple[float, ...] = option(
        (0.5, 1.0, 1.5, 2.5),
        "q_i/s_i of each direction, the variance of the augmentation over that of the inputs (which is 1)",
        group=TASK,
    )
    views: int | None = option(
        None, "views of a pair that are augmented, 1 or 2; 1 with the distance and 2 else, if not given", group=TASK
    )
    output_dim: int | None = option(
        None, "dimensions of the embedding, m; as many as there are ratios, if not given", group=NETWORK
    )
    similarity: str = option(
        "distance",
        "exp(-|z - z'|^2/(2 tau)): distance; exp(z.z'/tau): dot; the spectral loss: spectral",
        group=TRAINING,
    )
    temperature: float = option(1.0, "tau", group=TRAINING)
    weight_decay: float = option(0.0, "lam; the penalty is lam/2 |W|^2", group=TRAINING)
    batch_size: int | None = option(
        None, "examples of a batch, for the first-order correction; infinitely many, if not given", group=TRAINING
    )


def _predict(options: CollapseOptions):
    from theory import dimensional_collapse

    return dimensional_collapse.predict(**vars(options))


def _format(prediction) -> str:
    """Return a prediction as lines of name and value, and a line for each direction."""
    rows = [
        ("rank", f"{prediction.rank} of {len(prediction.eigenvalues)}"),
        ("basis", prediction.basis),
        ("loss", f"{prediction.loss:.10g}"),
    ]
    if prediction.note:
        rows.append(("note", prediction.note))
    level = "collapses from t=2, t" if prediction.similarity == "distance" else "collapses up to r=0, r"
    columns = {
        level: [f"{value:.6g}" for value in prediction.levels],
        "eigenvalue": [f"{value:.6g}" for value in prediction.eigenvalues],
    }
    if prediction.finite_batch is not None:
        columns["in such batches"] = [f"{value:.6g}" for value in prediction.finite_batch]
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
