"""The error of the kappa approximation, from few latents to nearly all, against exact minima and without training.

    L = 4 positions of n_c = 3 concepts with two words each, K of the 81 latents, lam = 1e-3

Type I has equal words, Type II LayerNorm, Type III words of frequencies 2/3 and 1/3. Types I and II are solved by the
reduced problem (:mod:`simlab.exact.reduced`), with one word per concept. The words of Type III do not collapse exactly
on random latents, so Type III is minimised over all sentences (:mod:`simlab.exact.minimise`). The duality gap of each
minimum bounds its risk above that of every network. At K = 81 the formulas are theorems.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import xarray

from experiments.core.experiment import Plan
from experiments.core.phenomenon import Variable
from experiments.core.training_choices import hyperparameters_by_name
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import predict
from experiments.feature_collapse.training_spec import make_training_spec
from simlab.exact.minimise import minimise
from simlab.exact.reduced import ReducedMinimum, minimise_reduced
from simlab.exact.risk import ExactRisk, enumerate_population
from simlab.metrics.geometry import directions, root_mean_square
from simlab.sweeps.members import Member
from simlab.tasks.word_law import word_frequencies
from theory.optimality.certificates import certify

N_LATENTS = (10, 20, 40, 60, 80)
TASK = WordConfiguration(
    n_concepts=3, n_words=6, sentence_length=4, embedding_dim=10, source="population", n_steps=1
).replace(weight_decay=1e-3)
TASKS = {
    "I": TASK.replace(word_frequency="uniform"),
    "II": TASK.replace(word_frequency="zipf", layer_norm=True, embedding_weight_decay=0.0),
    "III": TASK.replace(word_frequency="zipf"),
}
# Minima with a larger duality gap (nats) are discarded; the measured errors are above 1e-4 nats.
LARGEST_GAP = 1e-8

GRID, BY_SEED = ("type", "n_latents"), ("type", "n_latents", "seed")
VARIABLES = {
    "reach_share": Variable(("n_latents",), "share K / n_c^L of the latents that are classes"),
    "reach_embedding_norm_predicted": Variable(GRID, "|w|, rms, of the kappa approximation"),
    "reach_classifier_norm_predicted": Variable(GRID, "|u|, rms, of the kappa approximation"),
    "reach_risk_predicted": Variable(GRID, "risk of the kappa approximation", "nats"),
    "reach_embedding_norm": Variable(BY_SEED, "|w|, rms, at the exact minimiser for the latents of a seed"),
    "reach_classifier_norm": Variable(BY_SEED, "|u|, rms, at the exact minimiser for the latents of a seed"),
    "reach_risk": Variable(BY_SEED, "minimal risk for the latents of a seed", "nats"),
    "reach_gap": Variable(BY_SEED, "duality gap of that risk", "nats"),
    "reach_spread": Variable(BY_SEED, "largest 1 - cos of the angle between two words of a concept"),
}


def derive(dataset: xarray.Dataset, plan: Plan) -> xarray.Dataset:
    """Add predicted and exact norms and risks on the axes ``type``, ``n_latents`` and ``seed``."""
    jobs = [(kind, n_latents) for kind in TASKS for n_latents in N_LATENTS]
    # Each shape needs a compilation, which releases the interpreter lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(lambda job: _describe(job[0], job[1], plan.seeds), jobs))
    shape = {"type": len(TASKS), "n_latents": len(N_LATENTS), "seed": len(plan.seeds)}
    coordinates = {"type": np.array(list(TASKS), object), "n_latents": np.array(N_LATENTS)}
    added = {}
    for name, variable in VARIABLES.items():
        if name == "reach_share":
            values = np.array(N_LATENTS) / TASK.n_concepts**TASK.sentence_length
        else:
            values = np.array([row[name] for row in rows]).reshape([shape[dim] for dim in variable.dims])
        added[name] = (variable.dims, values, variable.attributes)
    derived = dataset.assign_coords(coordinates).assign(added)
    derived.attrs["reach"] = f"n_c = {TASK.n_concepts}, L = {TASK.sentence_length}"
    return derived


def _describe(kind: str, n_latents: int, seeds: tuple[int, ...]) -> dict[str, Any]:
    """Return the variables of one type and number of latents; those of each seed are lists."""
    configuration = TASKS[kind].replace(n_classes=n_latents)
    prediction = predict(configuration)
    minima = [solve(configuration, seed) for seed in seeds]
    return {
        "reach_embedding_norm_predicted": float(root_mean_square(prediction.embedding_norms)),
        "reach_classifier_norm_predicted": prediction.classifier_norm,
        "reach_risk_predicted": prediction.risk,
        **{name: [minimum[name] for minimum in minima] for name in minima[0]},
    }


def solve(configuration: WordConfiguration, seed: int) -> Mapping[str, float]:
    """Return norms, risk, gap and spread at the exact minimiser for the latents of a seed; NaN if not certified."""
    spec = make_training_spec(configuration)
    member = Member(spec, hyperparameters_by_name(spec.objective, configuration), seed)
    if member.spec.network.layer_norm or member.spec.task.has_equal_words:
        minimum = _minimise_reduced(configuration, member.data.latents)
        arrays, risk, gap = (minimum.embeddings, minimum.classifier), minimum.risk, minimum.risk_gap
    else:
        arrays, risk, gap = _minimise(configuration, member.data.latents.tobytes())
    is_certified = gap <= LARGEST_GAP
    norms = [float(root_mean_square(np.linalg.norm(array, axis=-1))) for array in arrays]
    values = (*norms, risk, gap, _spread(arrays[0], configuration.n_concepts))
    return {name: value if is_certified else np.nan for name, value in zip(list(VARIABLES)[-5:], values, strict=True)}


def _minimise_reduced(configuration: WordConfiguration, latents: np.ndarray) -> ReducedMinimum:
    """Return the minimum of the reduced problem, padded so that all numbers of latents share one program."""
    return minimise_reduced(
        latents,
        configuration.n_concepts,
        configuration.n_words // configuration.n_concepts,
        configuration.embedding_dim,
        (configuration.embedding_weight_decay, configuration.classifier_weight_decay),
        configuration.layer_norm,
        padded_classes=max(N_LATENTS),
    )


@lru_cache(maxsize=256)
def _minimise(configuration: WordConfiguration, latents: bytes) -> tuple[tuple[np.ndarray, np.ndarray], float, float]:
    """Return weights, risk and duality gap at the minimum over all sentences, computed once for equal latents.

    The minimisation uses ``n_c`` dimensions; the duality gap proves that these are enough for the latents.
    """
    task = make_training_spec(configuration).task
    classes = np.frombuffer(latents, np.int32).reshape(task.n_classes, task.sentence_length)
    population = enumerate_population(
        classes, word_frequencies(task.word_frequency, task.words_per_concept), task.n_concepts
    )
    decays = (configuration.embedding_weight_decay, configuration.classifier_weight_decay)
    minima = minimise(
        ExactRisk(
            population=population,
            n_words=task.n_words,
            n_classes=task.n_classes,
            embedding_dim=task.n_concepts,
            weight_decay=decays,
        ),
        n_restarts=1,
    )
    arrays = minima.embeddings[0], minima.classifier[0]
    certificate = certify(*population, *arrays, embedding_weight_decay=decays[0], classifier_weight_decay=decays[1])
    return arrays, float(minima.risk[0]), certificate.gap


def _spread(embeddings: np.ndarray, n_concepts: int) -> float:
    """Return the largest ``1 - cos`` of the angle between two words of a concept, ``Float[n_w, d]``."""
    units = directions(embeddings).reshape(n_concepts, -1, embeddings.shape[-1])
    return float(np.max(1 - np.einsum("aid,ajd->aij", units, units)))
