"""``simlab predict hidden-manifold``: its options, and the prediction as a table."""

from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.hidden_manifold.configuration import OBJECTIVES
from experiments.hidden_manifold.reference import solve
from experiments.tables.columns import format_columns
from simlab.validation import check_choice, invalid

# Eigenfunctions that span the coordinates of the manifold, and on the circle the second wave.
DEFAULT_DIMENSIONS = {"circle": 5, "torus": 5, "sphere": 4}
MOST_LINES = 60


@dataclass(frozen=True, kw_only=True)
class ManifoldOptions:
    """The options: a manifold, the law of pairs of points on it, and an objective."""

    manifold: str = option("circle", "manifold: circle, torus or sphere", group=TASK)
    width: float = option(
        0.5, "circle and torus: standard deviation of the angle between partners", unit="radians", group=TASK
    )
    concentration: float = option(
        8.0, "sphere: kappa, partners have density proportional to exp(kappa z.z')", group=TASK
    )
    support: str = option(
        "full", "sphere: support of partners, full or folded (mirrored back into the hemisphere)", group=TASK
    )
    n_points: int | None = option(None, "points of an even grid; none: the whole manifold", group=TASK)
    output_dim: int | None = option(
        None, "embedding dimension, d; none: 5, on the sphere 4, with folded support 6", group=NETWORK
    )
    objective: str = option(
        "spectral", "objective: spectral or info-nce (unit embeddings, on the sphere)", group=TRAINING
    )
    temperature: float | None = option(None, "temperature tau of InfoNCE; none: 1/kappa", group=TRAINING)
    batch_size: int | None = option(None, "pairs per step of InfoNCE; none: infinitely many", group=TRAINING)


def _predict(options: ManifoldOptions):
    from theory import hidden_manifold

    check_choice("objective", options.objective, OBJECTIVES)
    if options.objective == "spectral":
        for name in ("temperature", "batch_size"):
            if getattr(options, name) is not None:
                raise invalid(name, "none with the spectral loss", getattr(options, name))
        size = 6 if options.support == "folded" else DEFAULT_DIMENSIONS.get(options.manifold, 1)
        return hidden_manifold.predict(
            manifold=options.manifold,
            width=options.width,
            concentration=options.concentration,
            support=options.support,
            n_points=options.n_points,
            output_dim=size if options.output_dim is None else options.output_dim,
        )
    if options.manifold != "sphere":
        raise invalid("manifold", "sphere with objective info-nce", options.manifold)
    for name in ("n_points", "output_dim"):
        if getattr(options, name) is not None:
            raise invalid(name, "none with objective info-nce", getattr(options, name))
    return hidden_manifold.predict_contrast(
        concentration=options.concentration,
        temperature=options.temperature,
        support=options.support,
        batch_size=options.batch_size,
    )


def _format(prediction) -> str:
    """Return a prediction as a table, with one row per eigenfunction for the spectral loss."""
    values = prediction.to_json()
    rows = [("loss", _number(values["loss"])), ("linear R^2", _number(values["r_squared"]))]
    if values.get("batch_loss") is not None:
        rows.append(("loss with the finite batch", _number(values["batch_loss"])))
    rows.append(("basis", prediction.basis))
    if prediction.note:
        rows.append(("note", prediction.note))
    if "eigenvalues" not in values:
        return format_columns(rows)
    rows.insert(1, ("next eigenvalue", _number(values["next_eigenvalue"])))
    shown = prediction.eigenvalues[:MOST_LINES]
    table = [("eigenfunction", "eigenvalue"), *((str(place + 1), f"{value:.10g}") for place, value in enumerate(shown))]
    if len(shown) < len(prediction.eigenvalues):
        table.append(("...", f"{len(prediction.eigenvalues) - len(shown)} more"))
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


def _number(value: float | None) -> str:
    return "not predicted" if value is None else f"{value:.10g}"


PREDICTOR = Predictor(
    options=ManifoldOptions,
    predict=_predict,
    format=_format,
    of_configuration=solve,
    columns=("loss", "r_squared", "basis"),
)
