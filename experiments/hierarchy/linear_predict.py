"""``simlab predict deep-linear-networks``: its options, and the prediction as a table."""

from dataclasses import dataclass

import numpy as np

from experiments.core.configuration import NETWORK, TASK, TRAINING, option
from experiments.core.predictor import Predictor
from experiments.tables.columns import format_columns
from simlab.sizes import check_array, check_int32
from simlab.validation import check_count


@dataclass(frozen=True, kw_only=True)
class LinearOptions:
    """The options: a tree, a deep linear network, and the steps at which strengths are predicted."""

    branching: int = option(2, "children per node of the tree, b", group=TASK)
    depth: int = option(3, "levels of the tree below its root, D; its b^D leaves are the items", group=TASK)
    layers: int = option(2, "linear layers, N", group=NETWORK)
    steps: tuple[int, ...] | int = option(
        (0, 500, 1000, 2000, 4000, 8000),
        "steps at which strengths are predicted, separated by commas",
        group=TRAINING,
    )
    learning_rate: float = option(
        1e-3, "learning rate; steps times learning rate is the time of gradient flow", group=TRAINING
    )
    initial_strength: float = option(1e-3, "singular values of the aligned, balanced initial map", group=TRAINING)


def _predict(options: LinearOptions):
    from theory import hierarchy

    steps = (options.steps,) if isinstance(options.steps, int) else options.steps
    for step in steps:
        check_int32("steps", check_count("steps", step, 0), "steps")
    n_items = hierarchy.Tree(options.branching, options.depth).n_leaves
    check_array("strengths", 8, steps=len(steps), items=n_items)
    return hierarchy.predict_deep_linear(
        branching=options.branching,
        depth=options.depth,
        layers=options.layers,
        steps=steps,
        learning_rate=options.learning_rate,
        initial_strength=options.initial_strength,
    )


def _format(prediction) -> str:
    """Return a prediction as a table, with singular value, modes, half time and strengths of each level."""
    values, first, counts = np.unique(-prediction.singular_values.round(12), return_index=True, return_counts=True)
    rows = [
        ("learning rate", f"{prediction.learning_rate:g}"),
        ("largest stable learning rate", f"{prediction.largest_learning_rate:.6g}"),
        ("initial strength", f"{prediction.initial_strength:g}"),
        ("layers", f"{len(prediction.layer_exponents)}"),
        ("exponents by layer", ", ".join(f"{exponent:.4g}" for exponent in prediction.layer_exponents)),
        ("basis", "theorem: gradient flow from an aligned balanced start"),
    ]
    steps = [f"step {step}" for step in prediction.steps]
    table: list[tuple[str, ...]] = [("singular value", "modes", "half time (steps)", *steps)]
    for value, mode, count in zip(-values, first, counts, strict=True):
        strengths = [f"{strength:.6g}" for strength in prediction.strengths[:, mode]]
        table.append((f"{value:.6g}", f"{count}", f"{prediction.half_times[mode]:.6g}", *strengths))
    return f"{format_columns(rows)}\n\n{format_columns(table)}"


PREDICTOR = Predictor(options=LinearOptions, predict=_predict, format=_format)
