"""Comparison of a trained deep linear network's modes, over time and by layer, with those predicted from its start."""

from typing import cast

import numpy as np

from experiments.core.phenomenon import Variable
from experiments.core.prediction import Prediction
from experiments.core.quantity import Quantity
from experiments.core.standard_comparison import Measured, standard_comparison
from experiments.hierarchy.linear_reference import has_path
from experiments.hierarchy.linear_training_spec import LinearSpec
from simlab.losses.squared_error import SquaredError
from simlab.sweeps.members import MemberRun
from theory import hierarchy

# Number of times at which similarities of items are kept.
N_SNAPSHOTS = 4
# Levels count as distinct if the ratio of their singular values is larger, and as learned in turn if that of their half
# times is.
DISTINCT, LATER = 1.2, 1.02

QUANTITIES = {
    "strength_error": Quantity(label="largest error of strengths over time / largest s", headline="compared"),
    "layer_error": Quantity(label="largest error of strengths by layer / largest s^(2l/N)"),
    "decoupled_error": Quantity(label="error of the decoupled sigmoid / largest s", headline="learned"),
    "exponent_error": Quantity(label="largest error of the exponents 2l/N by layer", headline="compared"),
    "order": Quantity(label="share of level pairs learned in order of strength", headline="compared"),
    "loss": Quantity(label="loss (half the squared error)"),
}
ARRAYS = {
    "singular_values": Variable(("mode",), "learned final strength of each level; predicted: its singular value"),
    "strengths": Variable(("record", "mode"), "learned strength of each level, u^T W v"),
    "decoupled": Variable(("record", "mode"), "predicted strength of each level for decoupled modes, same start"),
    "layer_strengths": Variable(("layer", "mode"), "learned strength of each level in the Gram matrix of each layer"),
    "exponents": Variable(("layer",), "learned exponent of the singular values in the Gram matrix of each layer"),
    "half_times": Variable(("mode",), "learned step at which a level reaches half its strength", "steps"),
    "similarity": Variable(("snapshot", "item", "other_item"), "learned Gram matrix of the items, first layer"),
    "snapshot_step": Variable(("snapshot",), "steps of the similarities", "steps"),
}


def measure(member, run: MemberRun, prediction: Prediction) -> Measured:
    """Return the measured quantities of a member, and the path predicted from its initial weights."""
    spec: LinearSpec = member.spec
    levels = hierarchy.find_levels(spec.task.matrix())
    records = {name: array.astype(np.float64) for name, array in (run.trajectory or {}).items()}
    steps = spec.record_steps
    strengths, by_layer = levels.strengths(records["map"]), levels.gram_strengths(records["grams"])
    path = predict_course(member, records, steps, known=prediction.basis != "none")
    largest = levels.values[0]
    scales = largest ** prediction.arrays["exponents"]
    exponents = layer_slopes(levels.values, strengths[-1], by_layer[-1])
    halves = half_steps(steps, strengths, levels.values)
    snapshots = choose_snapshots(halves, steps)
    return Measured(
        quantities={
            "strength_error": np.abs(strengths - path.strengths).max() / largest,
            "layer_error": np.max(np.abs(by_layer - path.layer_strengths) / scales[:, None]),
            "decoupled_error": np.abs(strengths - path.decoupled).max() / largest,
            "exponent_error": np.abs(exponents - prediction.arrays["exponents"]).max(),
            "order": share_in_order(levels.values, halves),
            "loss": run.last_metrics["loss"],
        },
        arrays={
            "singular_values": strengths[-1],
            "strengths": strengths,
            "decoupled": path.decoupled,
            "layer_strengths": by_layer[-1],
            "exponents": exponents,
            "half_times": halves,
            "similarity": records["grams"][snapshots, 0],
            "snapshot_step": steps[snapshots].astype(float),
        },
        predicted={
            **{name: prediction.arrays[name] for name in ("singular_values", "exponents")},
            "strengths": path.strengths,
            "layer_strengths": levels.values ** prediction.arrays["exponents"][:, None],
            "half_times": half_steps(steps, path.strengths, levels.values),
            "similarity": path.item_grams[snapshots],
        },
    )


def predict_course(member, records: dict[str, np.ndarray], steps: np.ndarray, *, known: bool) -> hierarchy.ModePath:
    """Return the path of modes predicted from a member's first record, NaN where there is no prediction."""
    spec: LinearSpec = member.spec
    start, n_layers = spec.network.start, spec.network.n_layers
    first = {name: array[0] for name, array in records.items()}
    gram = np.block([[first["grams"][0], first["map"].T], [first["map"], first["output_gram"]]])
    path = hierarchy.predict_path(
        spec.task.matrix(),
        start,
        gram,
        steps,
        float(member.hyperparameters.learning_rate),
        n_layers=n_layers,
        initial_strength=float(member.hyperparameters.initial_strength),
        width=spec.network.hidden_width,
        discrete=cast(SquaredError, spec.objective).integrator == "descent",
    )
    if known and has_path(n_layers, start):
        return path
    return hierarchy.ModePath(*(np.full_like(array, np.nan) for array in path))


def layer_slopes(values: np.ndarray, strengths: np.ndarray, by_layer: np.ndarray) -> np.ndarray:
    """Return the slope of log strength against log singular value in each layer, over learned levels; ``Float[N]``."""
    learned = strengths > values / 2
    if learned.sum() < 2 or not np.all(by_layer[:, learned] > 0):
        return np.full(len(by_layer), np.nan)
    return np.polyfit(np.log(values[learned]), np.log(by_layer[:, learned]).T, 1)[0]


def half_steps(steps: np.ndarray, strengths: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the step at which each level reaches half its singular value, interpolated linearly; NaN if never."""
    crossings = []
    for course, value in zip(strengths.T, values, strict=True):
        after = np.flatnonzero(course >= value / 2)
        if not len(after) or after[0] == 0:
            crossings.append(0.0 if len(after) else np.nan)
            continue
        right = after[0]
        low, high = course[right - 1 : right + 1]
        share = (value / 2 - low) / (high - low)
        crossings.append(steps[right - 1] + share * (steps[right] - steps[right - 1]))
    return np.array(crossings)


def share_in_order(values: np.ndarray, halves: np.ndarray) -> float:
    """Return the share of pairs of distinct levels whose stronger level is learned first."""
    pairs = [
        halves[weak] > LATER * halves[strong]
        for strong in range(len(values))
        for weak in range(strong + 1, len(values))
        if values[strong] > DISTINCT * values[weak] and np.isfinite(halves[[strong, weak]]).all()
    ]
    return float(np.mean(pairs)) if pairs else np.nan


def choose_snapshots(halves: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the indices of records between the times at which groups of levels are learned, and of the last."""
    known = np.sort(halves[np.isfinite(halves)])
    if len(known) < 2:
        return np.linspace(0, len(steps) - 1, N_SNAPSHOTS).round().astype(int)
    picks = np.linspace(0, len(known) - 1, N_SNAPSHOTS)
    between = np.interp(picks[:-1] + 0.5, np.arange(len(known)), known)
    return np.append(np.searchsorted(steps, between).clip(max=len(steps) - 1), len(steps) - 1)


COMPARISON = standard_comparison(quantities=QUANTITIES, arrays=ARRAYS, metrics=SquaredError.recorded, measure=measure)
