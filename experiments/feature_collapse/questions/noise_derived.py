"""Noise: predicted curves, each network at its best weight decay, and words of unequal reliability.

*Reliability* is a prediction without training (:mod:`theory.feature_collapse.samples.word_reliability`): a word is
replaced with a probability that rises with its rank, is constant, or falls with its rank, with the same mean over words
in all three cases.
"""

import math
from collections.abc import Iterator

import numpy as np
import xarray

from experiments.core.columns import attach_cells
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.feature_collapse.members import WordCell
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE
from experiments.feature_collapse.quantities import predicted_quantities
from theory.feature_collapse.noise import joint_noise
from theory.feature_collapse.samples import word_reliability
from theory.feature_collapse.word_frequency import resolve_word_frequency

NOISES = ("label_noise", "word_noise")
LEVELS = np.linspace(0, 0.9, 31)

# The task of the noisy sample in the quick preset, on its population.
TASK = {"n_concepts": 3, "n_words": 60, "sentence_length": 3, "word_frequency": "zipf"}
MOST_RELIABLE, LEAST_RELIABLE = 0.02, 0.95  # probabilities of replacing the first and the last word, where they rise
DECAYS = np.geomspace(1e-5, 1e-2, 13)
VANISHING = 1e-13  # a weight decay at which margins equal their limit to 1e-10

CELL_VARIABLES = {
    "effective_noise": Variable((), "label noise equivalent to both kinds of noise, with all latents as classes"),
    "label_entropy": Variable((), "entropy of a label given its sentence, the smallest possible cross-entropy", "nats"),
}
CURVES = Variable(("noise_kind", "level", "quantity"), "predicted value with one kind of noise only")
BEST_VARIABLES = {
    "least_cross_entropy": Variable(("seed",), "test cross-entropy at the weight decay with the smallest mean", "nats"),
    "least_cross_entropy_decay": Variable((), "weight decay with the smallest mean test cross-entropy"),
    "most_accuracy": Variable(("seed",), "test accuracy at the weight decay with the largest mean"),
    "most_accuracy_decay": Variable((), "weight decay with the largest mean test accuracy"),
}
# The quantity, and whether its smallest (1) or largest (-1) value is best.
BEST = {"least_cross_entropy": ("test_cross_entropy", 1), "most_accuracy": ("test_accuracy", -1)}
CASES = ("frequent words more reliable", "equally reliable words", "frequent words less reliable")
RELIABILITY_VARIABLES = {
    "reliability_frequency": Variable(("rank",), "probability of a word in its concept"),
    "reliability_replaced": Variable(("reliability", "rank"), "probability that a word is replaced"),
    "reliability_margin": Variable(("reliability", "decay", "rank"), "margin of a word at the minimum", "nats"),
    "reliability_margin_limit": Variable(
        ("reliability", "rank"), "margin of a word without weight decay, set by its reliability", "nats"
    ),
    "reliability_excess": Variable(("reliability", "decay"), "cross-entropy at the minimum above its limit", "nats"),
    "reliability_equal_lengths": Variable(("reliability",), "smallest excess of a network with equal margins", "nats"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add the variables of noise levels, of the best weight decays, and of reliability."""
    return (
        attach_cells(dataset, plan, [_describe(cell) for cell in plan.cells], CELL_VARIABLES)
        .assign(curve_predicted=_curves(dataset.sizes["quantity"], plan))
        .assign(best(dataset))
        .assign(reliability())
        .assign_coords(
            level=LEVELS,
            noise_kind=np.array(NOISES, object),
            reliability=np.array(CASES, object),
            decay=DECAYS,
        )
    )


def _describe(cell: WordCell) -> dict[str, float]:
    """Return effective noise and label entropy of a cell."""
    configuration, task = cell.configuration, cell.spec.task
    noises = configuration.label_noise, configuration.word_noise
    entropy = label_entropy(task.n_concepts, task.sentence_length, *noises) if task.is_saturated else np.nan
    return {"effective_noise": joint_noise(*noises), "label_entropy": entropy}


def label_entropy(n_concepts: int, length: int, label_noise: float, word_noise: float) -> float:
    """Return the entropy (nats) of the label of a sentence when all latents are classes.

    A class whose latent differs from the concepts of the sentence in m positions has probability p_m = (delta/n_c)^m
    (1 - delta + delta/n_c)^(L-m), and there are C(L, m) (n_c - 1)^m such classes. The probability of its label is
    (1 - eps) p_m + eps / n_c^L.
    """
    differing = np.arange(length + 1)
    counts = np.array([math.comb(length, m) * (n_concepts - 1) ** m for m in differing], float)
    other = word_noise / n_concepts
    classes = other**differing * (1 - word_noise + other) ** (length - differing)
    labels = (1 - label_noise) * classes + label_noise / n_concepts**length
    return float(-np.sum(counts * labels * np.log(labels, where=labels > 0, out=np.zeros_like(labels))))


def _curves(n_quantities: int, plan: Plan) -> tuple:
    """Return predicted quantities over levels of either kind of noise alone, on the axes without those of noise."""
    cells, dims = _cell_grid(plan), _grid_dims(plan)
    for axis in reversed([dims.index(name) for name in dims if name in NOISES]):
        cells = cells.take(0, axis)
    values = np.full((*cells.shape, len(NOISES), len(LEVELS), n_quantities), np.nan)
    for index, cell in np.ndenumerate(cells):
        for place, configuration in _over_levels(cell):
            values[(*index, *place)] = predicted_quantities(FEATURE_COLLAPSE.predict(configuration))
    return ((*(name for name in dims if name not in NOISES), *CURVES.dims), values, CURVES.attributes)


def _over_levels(cell: WordCell) -> Iterator[tuple[tuple[int, int], object]]:
    """Yield the indices of each kind and level of noise, and the cell's configuration with that noise alone."""
    for kind, name in enumerate(NOISES):
        for number, level in enumerate(LEVELS):
            noises = dict.fromkeys(NOISES, 0.0) | {name: float(level)}
            yield (kind, number), cell.configuration.replace(**noises)


def best(dataset: xarray.Dataset) -> dict[str, xarray.DataArray]:
    """Return test cross-entropy and accuracy, each at the weight decay where its mean over seeds is best.

    The selection uses the test set itself, equally for every network. If weight decay does not vary, none is made.
    """
    added = {}
    for name, (quantity, sign) in BEST.items():
        values = dataset.learned.sel(quantity=quantity, drop=True)
        if "weight_decay" in values.dims:
            chosen = (sign * values.mean("seed", skipna=False)).fillna(np.inf).argmin("weight_decay")
            added[f"{name}_decay"] = dataset.weight_decay.isel(weight_decay=chosen).drop_vars("weight_decay")
            values = values.isel(weight_decay=chosen).drop_vars("weight_decay")
        added[name] = values
    for name, values in added.items():
        values.attrs = BEST_VARIABLES[name].attributes
    return added


def reliability() -> dict[str, tuple]:
    """Return margins and costs for words of unequal reliability."""
    mu = resolve_word_frequency(TASK["word_frequency"], TASK["n_words"] // TASK["n_concepts"])
    replaced = replacements(mu)
    eta = TASK["n_concepts"] / (TASK["n_concepts"] - 1)
    solve = lambda replacement, decay: word_reliability.predict(**TASK, replacement=replacement, weight_decay=decay)  # noqa: E731
    limits = [solve(replacement, VANISHING) for replacement in replaced]
    predictions = [[solve(replacement, decay) for decay in DECAYS] for replacement in replaced]
    values = {
        "reliability_frequency": mu,
        "reliability_replaced": replaced,
        "reliability_margin": [
            [eta * prediction.classifier_norm * prediction.embedding_norms for prediction in row] for row in predictions
        ],
        "reliability_margin_limit": [limit.largest_margins for limit in limits],
        "reliability_excess": [
            [prediction.cross_entropy - limit.cross_entropy for prediction in row]
            for row, limit in zip(predictions, limits, strict=True)
        ],
        "reliability_equal_lengths": [limit.cost_of_equal_lengths for limit in limits],
    }
    return {
        name: (variable.dims, np.array(values[name]), variable.attributes)
        for name, variable in RELIABILITY_VARIABLES.items()
    }


def replacements(mu: np.ndarray) -> np.ndarray:
    """Return the probability of replacing each word in each case, ``Float[3, s_c]``, of equal mean under ``mu``."""
    rank = np.linspace(0, 1, len(mu))
    rising = MOST_RELIABLE + (LEAST_RELIABLE - MOST_RELIABLE) * rank
    mean = mu @ rising
    falling = MOST_RELIABLE + (mean - MOST_RELIABLE) * (1 - rank) / (mu @ (1 - rank))
    return np.stack([rising, np.full(len(mu), mean), falling])


def _grid_dims(plan: Plan) -> tuple[str, ...]:
    return ("regime", *(axis.name for axis in plan.axes))


def _cell_grid(plan: Plan) -> np.ndarray:
    """Return the cells on ``regime`` and the varied axes."""
    cells = np.empty(len(plan.cells), object)
    cells[:] = plan.cells
    return cells.reshape(len(plan.configurations), *(len(axis.values) for axis in plan.axes))
