"""Samples of sentences: the dimensions that a network uses, the onset of collapse, and limits from known words."""

from collections.abc import Callable

import numpy as np
import xarray

from experiments.core.columns import attach, attach_cells, each_member
from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.feature_collapse.members import WordCell, WordMember
from simlab.runtime.random_keys import random_key
from simlab.training.trainer import make_trainer
from theory.feature_collapse.prediction import Prediction
from theory.feature_collapse.samples.known_words import (
    LIMIT,
    known_words_accuracy,
    missing_words,
    spread_of_missing_words,
)
from theory.feature_collapse.samples.sampling_noise import critical_sample, noise_ratio

# A direction is in use if its singular value is at least this share of the largest.
IN_USE = 0.01

CELL_VARIABLES = {
    "dimensions_predicted": Variable((), "dimensions of the predicted classifier"),
    "critical_per_class": Variable((), "sentences per class at and above which a collapsed network minimises the risk"),
    "critical_per_class_error": Variable((), "standard error of critical_per_class over random samples"),
    "known_words_accuracy": Variable((), "accuracy of a network that knows all words of its sample, and no others"),
    "known_words_spread": Variable((), "spread of directions if all words of a sample are collapsed, and no others"),
}
MEMBER_VARIABLES = {
    "classifier_dimensions": Variable((), "directions of the classifier with 1% of its largest singular value or more"),
    "noise_ratio": Variable((), "sampling noise of the gradient at the prediction, relative to the weight decay"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add :data:`CELL_VARIABLES` and :data:`MEMBER_VARIABLES`; NaN where they are not defined."""
    criticals = _once_for_each(plan, lambda cell: _critical(cell, plan.seeds[0]))
    cells = []
    for cell, (critical, error) in zip(plan.cells, criticals, strict=True):
        accuracy, spread = _known_words(cell, plan.seeds)
        values = (_predicted_dimensions(cell), critical, error, accuracy, spread)
        cells.append(dict(zip(CELL_VARIABLES, values, strict=True)))
    spectra = dataset.classifier_singular_values.values
    members = [
        {"classifier_dimensions": _dimensions(spectra[index]), "noise_ratio": _noise_ratio(cell, member)}
        for index, cell, member in each_member(dataset, plan)
    ]
    return attach(attach_cells(dataset, plan, cells, CELL_VARIABLES), plan, members, MEMBER_VARIABLES)


def _once_for_each(plan: Plan, function: Callable) -> list:
    """Return the value of a function for each cell, computed once for all cells that share a prediction."""
    results = {}
    for cell in plan.cells:
        if id(cell.prediction) not in results:
            results[id(cell.prediction)] = function(cell)
    return [results[id(cell.prediction)] for cell in plan.cells]


def _predicted_dimensions(cell: WordCell) -> float:
    """Return the number of dimensions of the predicted classifier."""
    return 0 if cell.prediction.is_zero else cell.configuration.n_concepts - 1


def _dimensions(singular_values: np.ndarray) -> float:
    """Return the number of dimensions that a classifier uses; NaN for a diverged run."""
    if np.isnan(singular_values).any():
        return np.nan
    return int(np.sum(singular_values >= IN_USE * singular_values.max())) if singular_values.max() > 0 else 0


def _is_covered(prediction: Prediction) -> bool:
    """Return whether the formula for the sampling noise of the gradient applies to a prediction."""
    return prediction.is_theorem and not prediction.is_zero and not prediction.label_noise and not prediction.word_noise


def _critical(cell: WordCell, seed: int) -> tuple[float, float]:
    """Return the critical sample size of collapse and its standard error; NaN where the formula does not apply."""
    if not _is_covered(cell.prediction):
        return np.nan, np.nan
    return critical_sample(cell.prediction, cell.spec.task.sample(seed).latents)


def _noise_ratio(cell: WordCell, member: WordMember) -> float:
    """Return the noise ratio of a member's training set at its prediction; NaN where the formula does not apply."""
    if cell.configuration.source != "fixed" or not _is_covered(cell.prediction):
        return np.nan
    sample = make_trainer(member.spec).sample(random_key(member.seed), member.data)
    return noise_ratio(cell.prediction, member.data.latents, np.asarray(sample.inputs), np.asarray(sample.classes))


def _known_words(cell: WordCell, seeds: tuple[int, ...]) -> tuple[float, float]:
    """Return accuracy and spread allowed by known words, means over latents; NaN if there are too many latents."""
    task, measures = cell.spec.task, []
    if task.n_classes * 2**task.sentence_length > LIMIT or cell.configuration.source != "fixed":
        return np.nan, np.nan
    for seed in seeds[:1] if task.is_saturated else seeds:
        latents, mu = task.sample(seed)[:2]
        missing = missing_words(latents, mu, cell.configuration.per_class)
        measures.append((known_words_accuracy(latents, missing @ mu), spread_of_missing_words(missing)))
    return tuple(np.mean(measures, axis=0))
