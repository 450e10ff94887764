"""``simlab predict feature-contamination``: its options, and the prediction as a table."""

import math
from dataclasses import dataclass

from experiments.core.configuration import NETWORK, TASK, option
from experiments.core.predictor import Predictor
from experiments.tables.columns import format_columns


@dataclass(frozen=True, kw_only=True)
class ContaminationOptions:
    """The options: signed core features, background features, and the slope of the leaky ReLU."""

    core_features: int = option(32, "core features, d_c: their sign is the label", group=TASK)
    background_features: int = option(32, "background features, d_b, independent of the label", group=TASK)
    core_mean: float = option(0.5, "mean strength of a core feature", group=TASK)
    background_mean: float = option(
        0.5, "mean strength of a background feature; its sign is flipped out of distribution", group=TASK
    )
    strength_deviation: float = option(
        1 / math.sqrt(12),
        "standard deviation of a strength; the default is that of the uniform law on [0, 1]",
        group=TASK,
    )
    background_deviation: float | None = option(
        None, "standard deviation of a background strength; none: the same", group=TASK
    )
    leaky_slope: float = option(0.0, "slope of the leaky ReLU: 0 is a ReLU, 1 a linear network", group=NETWORK)


def _predict(options: ContaminationOptions):
    from theory import feature_contamination

    return feature_contamination.predict(**vars(options))


def _format(prediction) -> str:
    """Return a prediction as a table of names and values."""
    rows = [
        ("ratio", f"{prediction.ratio:.10g}"),
        ("ood_accuracy", f"{prediction.ood_accuracy:.10g}"),
        ("basis", prediction.basis),
        ("note", prediction.note),
    ]
    if not math.isnan(prediction.one_line_law):
        rows.insert(2, ("one_line_law", f"{prediction.one_line_law:.10g}"))
    return format_columns(rows)


PREDICTOR = Predictor(options=ContaminationOptions, predict=_predict, format=_format)
