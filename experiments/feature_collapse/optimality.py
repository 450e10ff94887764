"""How far a trained member is from a global minimum, and where the exact minimum for its latents lies."""

from functools import lru_cache

import numpy as np

from experiments.feature_collapse.members import WordMember
from simlab.exact.reduced import CLASS_LIMIT, ReducedMinimum, minimise_reduced
from simlab.sweeps.members import MemberRun
from simlab.tasks.batch import Batch
from theory.optimality.certificates import Certificate, certify, certify_layer_norm


def find_minimum(member: WordMember) -> ReducedMinimum | None:
    """Return the exact minimiser of the population risk for the latents of a member, or None where it is not known.

    It is known where words of a concept collapse exactly: for equally frequent words, and under LayerNorm without a
    penalty on the words. There is none without any weight decay. A solver that did not converge counts as not known.
    """
    spec, rates = member.spec, member.hyperparameters
    decays = (float(rates.embedding_weight_decay), float(rates.classifier_weight_decay))
    collapses = decays[0] == 0 if spec.network.layer_norm else spec.task.has_equal_words
    covered = spec.network.normalisation in ("none", "layer") and not spec.task.is_noisy
    exists = spec.network.layer_norm or min(decays) > 0
    if not (collapses and covered and exists) or spec.task.n_classes > CLASS_LIMIT:
        return None
    sizes = (spec.task.n_concepts, spec.task.words_per_concept, spec.network.embedding_dim)
    return _minimise(member.data.latents.tobytes(), member.data.latents.shape, sizes, decays, spec.network.layer_norm)


@lru_cache(maxsize=64)
def _minimise(
    latents: bytes, shape: tuple[int, ...], sizes: tuple[int, int, int], decays: tuple[float, float], layer_norm: bool
) -> ReducedMinimum | None:
    """Minimise once for all members that share latents and weight decays: those of a saturated task do."""
    classes = np.frombuffer(latents, np.int32).reshape(shape)
    minimum = minimise_reduced(classes, *sizes, decays, layer_norm)
    return minimum if minimum.status == "converged" else None


def certify_member(member: WordMember, run: MemberRun, sample: Batch | None) -> Certificate | None:
    """Return the certificate of a member on its own training set, or None where there is none.

    There is none for fresh sentences (no fixed risk is minimised), for a run that diverged, and where no minimiser
    exists: for a penalty on words under LayerNorm, and without LayerNorm for no weight decay.
    """
    spec, rates = member.spec, member.hyperparameters
    words, classifier = float(rates.embedding_weight_decay), float(rates.classifier_weight_decay)
    is_covered = spec.network.normalisation in ("none", "layer")
    exists = words == 0 if spec.network.layer_norm else min(words, classifier) > 0
    if sample is None or run.status == "diverged" or not (exists and is_covered):
        return None
    network = run.final["embeddings"], run.final["classifier"]
    if spec.network.layer_norm:
        return certify_layer_norm(*sample, *network, classifier_weight_decay=classifier)
    return certify(*sample, *network, embedding_weight_decay=words, classifier_weight_decay=classifier)
