"""The conditions under which predictions of feature collapse are theorems.

The paper requires symmetric latents (its Assumption 1): for every class k, distance r >= 1, position l and concept
alpha != z_kl, the share (1/K) |{k': dist(z_k, z_k') = r, z_k'l = alpha}| equals its value for all n_c^L latents. At
r = 1 exactly one latent qualifies, so the number of classes that qualify is K / n_c^L. With distinct latents it is 0 or
1, and it is positive, hence K = n_c^L. So for distinct latents the assumption is equivalent to *saturated* latents, and
this condition is checked here.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from theory.feature_collapse.prediction import Assumption
from theory.feature_collapse.task import CollapseTask


def list_assumptions(task: CollapseTask, zero_threshold: float | None) -> tuple[Assumption, ...]:
    """Return the assumptions of the theorem behind the prediction, and whether each holds for the task.

    A single class, or a weight decay at or above the threshold of given latents, suffices alone: the zero network is
    then the minimiser for any latents.

    Args:
        task: the task.
        zero_threshold: zero threshold of the task; None with LayerNorm.

    Returns: the assumptions; the prediction is exact iff all hold.
    Source: arXiv 2305.16162, Theorems 1 to 3; the reduction of Assumption 1 to saturation and the two cases above are
    derived here.
    """
    if task.share.n_classes == 1:
        return (Assumption(name="one class", holds=True, reason="the cross-entropy is 0 at the zero network"),)
    decay = task.joint_weight_decay
    if task.latents is not None and zero_threshold is not None and decay >= zero_threshold:
        reason = f"sqrt(lam_W lam_U) = {decay:.6g} is at least {zero_threshold:.6g}"
        return (Assumption(name="weight decay above the zero threshold", holds=True, reason=reason),)
    specific = {"I": _uniform_words, "II": _free_embeddings, "III": _unequal_words}[task.collapse_type]
    return (
        _saturated(task),
        _distinct(task),
        _equal_vocabularies(),
        _large_dimension(task),
        _decay(task),
        specific(task),
    )


def _saturated(task: CollapseTask) -> Assumption:
    """Return whether every latent is a class."""
    classes, shown = task.share.n_classes, f"{task.share.n_concepts}**{task.share.sentence_length}"
    if task.share.saturated:
        return Assumption(name="saturated latents", holds=True, reason=f"all {shown} latents are classes")
    reason = f"{classes} of {shown} latents are classes: random latents are approximated by their share"
    return Assumption(name="saturated latents", holds=False, reason=reason)


def _distinct(task: CollapseTask) -> Assumption:
    """Return whether no latent belongs to two classes."""
    if task.latents is None:
        return Assumption(name="distinct latents", holds=True, reason="no latents were given: taken as distinct")
    holds = task.distinct_latents
    reason = "each latent is given once" if holds else "two classes share a latent and cannot be told apart"
    return Assumption(name="distinct latents", holds=holds, reason=reason)


def _equal_vocabularies() -> Assumption:
    """Return that every concept has s_c words with the same frequencies; the checks of the task ensure it."""
    return Assumption(name="equal vocabularies", holds=True, reason="n_words is a multiple of n_concepts")


def _large_dimension(task: CollapseTask) -> Assumption:
    """Return that the frame fits; the checks of the task reject a smaller dimension."""
    smallest = task.share.n_concepts - (0 if task.layer_norm else 1)
    reason = f"embedding_dim = {task.embedding_dim} is at least {smallest}"
    return Assumption(name="large embedding dimension", holds=True, reason=reason)


def _decay(task: CollapseTask) -> Assumption:
    """Return that a minimiser exists; the checks of the task reject a weight decay of zero."""
    reason = f"lam_U = {task.classifier_weight_decay:g}: norms stay finite"
    return Assumption(name="positive weight decay", holds=True, reason=reason)


def _uniform_words(task: CollapseTask) -> Assumption:
    """Return that, for Type I, all words of a concept are equally frequent."""
    reason = f"each of {task.word_frequencies.size} words has the same frequency"
    return Assumption(name="uniform words", holds=True, reason=reason)


def _unequal_words(_: CollapseTask) -> Assumption:
    """Return that, for Type III, all word frequencies are positive."""
    return Assumption(name="positive word frequencies", holds=True, reason="every word occurs")


def _free_embeddings(task: CollapseTask) -> Assumption:
    """Return whether W is not penalised: LayerNorm does not depend on |w|, so with a penalty there is no minimiser."""
    name = "no penalty on normalised embeddings"
    if task.penalises_normalised:
        reason = f"weight_decay = {task.weight_decay:g} shrinks the embeddings indefinitely; the infimum is that of R*"
        return Assumption(name=name, holds=False, reason=reason)
    return Assumption(name=name, holds=True, reason="the risk R* penalises the classifier alone")
