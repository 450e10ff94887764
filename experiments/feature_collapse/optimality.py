"""The certified distance of a trained member from a global minimum, and the exact minimum for its latents."""

from functools import lru_cache

import numpy as np

from experiments.feature_collapse.members import WordMember
from experiments.feature_collapse.training_spec import WordSpec
from simlab.exact.reduced import CLASS_LIMIT, ReducedMinimum, minimise_reduced
from simlab.networks.specs import TwoLayer
from simlab.sweeps.members import MemberRun
from simlab.tasks.batch import Batch
from theory.optimality.certificates import Certificate, certify, certify_layer_norm


def covered_network(spec: WordSpec) -> TwoLayer | None:
    """Return the network of a run if theory covers it: two layers, without normalisation or with LayerNorm.

    A user-defined network is not covered, whatever its fields.
    """
    network = spec.network
    return network if type(network) is TwoLayer and network.normalisation in ("none", "layer") else None


def find_minimum(member: WordMember) -> ReducedMinimum | None:
    """Return the exact minimiser of the population risk for the latents of a member, or None where it is not known.

    It is known where the words of a concept collapse exactly: for equally frequent words, and under LayerNorm without
    a penalty on the words. Without any weight decay there is none. The result is None if the solver does not converge.
    """
    task, rates, network = member.spec.task, member.hyperparameters, covered_network(member.spec)
    if network is None or task.is_noisy or task.n_classes > CLASS_LIMIT:
        return None
    decays = (float(rates.embedding_weight_decay), float(rates.classifier_weight_decay))
    collapses = decays[0] == 0 if network.layer_norm else task.has_equal_words
    exists = network.layer_norm or min(decays) > 0
    if not (collapses and exists):
        return None
    sizes = (task.n_concepts, task.words_per_concept, network.embedding_dim)
    return _minimise(member.data.latents.tobytes(), member.data.latents.shape, sizes, decays, network.layer_norm)


@lru_cache(maxsize=64)
def _minimise(
    latents: bytes, shape: tuple[int, ...], sizes: tuple[int, int, int], decays: tuple[float, float], layer_norm: bool
) -> ReducedMinimum | None:
    """Minimise once for all members that share latents and weight decays, as those of a saturated task do."""
    classes = np.frombuffer(latents, np.int32).reshape(shape)
    minimum = minimise_reduced(classes, *sizes, decays, layer_norm)
    return minimum if minimum.status == "converged" else None


def certify_member(member: WordMember, run: MemberRun, sample: Batch | None) -> Certificate | None:
    """Return the certificate of a member on its own training set, or None where there is none.

    There is none for a network outside the theory, for fresh sentences (no fixed risk is minimised), for a diverged
    run, and where no minimiser exists: under LayerNorm with a penalty on words, and without LayerNorm if a weight decay
    is zero.
    """
    rates, network = member.hyperparameters, covered_network(member.spec)
    if network is None or sample is None or run.status == "diverged":
        return None
    words, classifier = float(rates.embedding_weight_decay), float(rates.classifier_weight_decay)
    if not (words == 0 if network.layer_norm else min(words, classifier) > 0):
        return None
    weights = run.final["embeddings"], run.final["classifier"]
    if network.layer_norm:
        return certify_layer_norm(*sample, *weights, classifier_weight_decay=classifier)
    return certify(*sample, *weights, embedding_weight_decay=words, classifier_weight_decay=classifier)
