"""How far trained runs are from a global minimum, and where the exact minimum for their latents lies."""

import numpy as np

from simlab.reduced import CLASS_LIMIT, ReducedMinimum, minimise_reduced
from simlab.runs import Runs
from simlab.spec import Hyperparameters, TrainingSpec
from theory.certificates import Certificate, certify, certify_layer_norm


def find_minima(spec: TrainingSpec, hyperparameters: Hyperparameters, runs: Runs) -> list[ReducedMinimum | None]:
    """Return the exact minimiser of the population risk for the latents of each seed, or None where it is not known.

    It is known where words of a concept collapse exactly: for equally frequent words, and under LayerNorm without a
    penalty on the words. A solver that did not converge counts as not known.
    """
    decays = (hyperparameters.embedding_weight_decay, hyperparameters.classifier_weight_decay)
    collapses = decays[0] == 0 if spec.layer_norm else spec.task.has_equal_words
    if not collapses or spec.task.n_classes > CLASS_LIMIT:
        return [None] * len(runs.seeds)
    sizes = (spec.task.n_concepts, spec.task.words_per_concept, spec.embedding_dim)
    minima = [minimise_reduced(latents, *sizes, decays, spec.layer_norm) for latents in runs.latents]
    return [minimum if minimum.status == "converged" else None for minimum in minima]


def certify_runs(spec: TrainingSpec, hyperparameters: Hyperparameters, runs: Runs) -> list[Certificate | None]:
    """Return the certificate of each seed on its own training set, or None where there is none.

    There is none for fresh sentences (no fixed risk is minimised), for a run that diverged, and for a penalty on words
    under LayerNorm (no minimiser exists).
    """
    penalised = hyperparameters.embedding_weight_decay > 0
    if runs.sample is None or (penalised and spec.layer_norm):
        return [None] * len(runs.seeds)
    return [
        _certify(spec, hyperparameters, runs, index) if status == "finished" else None
        for index, status in enumerate(runs.status)
    ]


def _certify(spec: TrainingSpec, hyperparameters: Hyperparameters, runs: Runs, index: int) -> Certificate:
    arrays = (*(part[index] for part in runs.sample), runs.embeddings[index], runs.classifier[index])
    decay = float(hyperparameters.classifier_weight_decay)
    if spec.layer_norm:
        return certify_layer_norm(*arrays, classifier_weight_decay=decay)
    words = float(hyperparameters.embedding_weight_decay)
    return certify(*arrays, embedding_weight_decay=words, classifier_weight_decay=decay)


def certificate_variables(certificates: list[Certificate | None]) -> dict[str, tuple]:
    """Return the certificates as variables over ``seed``; NaN where there is none."""

    def column(name: str) -> np.ndarray:
        return np.array([np.nan if one is None else float(getattr(one, name)) for one in certificates])

    nats = {"units": "nats"}
    return {
        "training_risk": ("seed", column("risk"), {"long_name": "risk on the whole training set", **nats}),
        "risk_lower_bound": ("seed", column("lower_bound"), {"long_name": "no network has a smaller risk", **nats}),
        "duality_gap": ("seed", column("gap"), {"long_name": "training risk less its lower bound", **nats}),
    }
