"""Words of unequal reliability: word noise that depends on the rank, for saturated latents without LayerNorm.

Word (a, b) is replaced with probability eps_b, independently at each position, by a word of a concept drawn uniformly
from all n_c, with rank drawn from mu. With m = sum_b mu_b eps_b, rank b is observed with probability mu'_b, and is then
a replacement, independent of the class, with probability eps'_b:

    mu'_b = mu_b (1 - eps_b + m),     eps'_b = m / (1 - eps_b + m).

Positions of a sentence stay independent. So the cross-entropy is E log sum_k e^{h_k} - <T, M> with T_{(k,l),(a,b)} =
mu'_b / n_c^L [(1 - eps'_b) [z_kl = a] + eps'_b / n_c], and G keeps the form of Lemma 3 in
`theory/global_optimality.md`:

    -G_{(k,l),(a,b)} = s_b <f_{z_kl}, f_a>,
    s_b = (n_c - 1) mu'_b / n_c^L [1 / (n_c - 1 + e^{eta c r_b}) - eps'_b / n_c]

at w_(a,b) = r_b f_a, u_kl = c f_{z_kl}. Theorem 4 there uses only this form: the solution of

    lam r_b / (L mu'_b) = c [1 / (n_c - 1 + e^{eta c r_b}) - eps'_b / n_c],     sum_b (r_b / c)^2 = L n_c^{L-1}

is the global minimiser, and it is zero iff lam^2 >= L / n_c^{L+1} sum_b (mu_b (1 - eps_b))^2.

Directions still collapse: all words of a concept share f_a, however unreliable they are. Norms should not be equal. The
network's probability of a concept equals the posterior at the margin log(1 + n_c (1 - eps'_b) / eps'_b); as lam -> 0
each word attains it, however rare. Equal norms, as under LayerNorm, give all words the same margin, which is best at
the mean of eps'. With h(eps) the entropy of a concept given a word, they increase the cross-entropy by at least

    L [h(sum_b mu'_b eps'_b) - sum_b mu'_b h(eps'_b)] >= 0   nats,

the information that the rank carries about the reliability: zero iff all words are equally reliable. For equally
reliable words, norms that grow with the frequency are an artefact of weight decay; if frequent words are more reliable,
the tendency is correct. For small lam a rare reliable word is longer than a frequent unreliable one.

Source: derived here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_fraction, require_integer
from theory.feature_collapse.margins.margin_profile import largest_margin
from theory.feature_collapse.margins.type_three import solve_type_three
from theory.feature_collapse.noise import joint_noise
from theory.feature_collapse.task import check_task
from theory.short_text import short_repr

if TYPE_CHECKING:
    from jaxtyping import Float


class WordReliability(NamedTuple):
    """The minimiser w_(a,b) = r_b f_a, u_kl = c f_{z_kl}, f an equiangular frame, up to a rotation.

    Args:
        embedding_norms: r, float64 (s_c,).
        classifier_norm: c.
        cross_entropy, risk: nats, over the noisy population.
        zero_threshold: the zero network is the minimiser for sqrt(lam_W lam_U) at or above this.
        is_zero: whether the minimiser is the zero network.
        residual: relative residual of the stationarity equations.
        seen_frequencies: mu', float64 (s_c,), the probability that a rank is observed.
        posterior_noise: eps', float64 (s_c,), the probability that an observed word carries no information on its
            concept, including the label noise.
        largest_margins: log(1 + n_c (1 - eps') / eps'), float64 (s_c,), nats: the limit of eta c r_b as lam -> 0.
        cost_of_equal_lengths: at lam = 0, the least increase of the cross-entropy if all words share a margin, nats.
    """

    embedding_norms: Float[np.ndarray, " s_c"]
    classifier_norm: float
    cross_entropy: float
    risk: float
    zero_threshold: float
    is_zero: bool
    residual: float
    seen_frequencies: Float[np.ndarray, " s_c"]
    posterior_noise: Float[np.ndarray, " s_c"]
    largest_margins: Float[np.ndarray, " s_c"]
    cost_of_equal_lengths: float

    __repr__ = short_repr


def predict(
    *,
    n_concepts: int,
    n_words: int,
    sentence_length: int,
    word_frequency: str | Sequence[float] | Float[np.ndarray, " s_c"],
    replacement: Sequence[float] | Float[np.ndarray, " s_c"],
    weight_decay: float,
    classifier_weight_decay: float | None = None,
    label_noise: float = 0.0,
) -> WordReliability:
    """Return the minimiser if word (a, b) is replaced with probability eps_b.

    Args:
        n_concepts: n_c, at least 2.
        n_words: n_w, a multiple of n_c.
        sentence_length: L; all n_c^L latents are classes.
        word_frequency: mu, as for `feature_collapse.predict`: the distribution of the rank of a word.
        replacement: eps in [0, 1), (s_c,).
        weight_decay: lam_W > 0, and lam_U too unless that is given.
        classifier_weight_decay: lam_U > 0.
        label_noise: the probability in [0, 1) that a label is replaced by a uniform draw from all classes.

    Returns: the prediction, a theorem.
    Raises: ValueError, `field: expected ..., got ...`.
    Source: the module's docstring.
    """
    task = check_task(
        n_concepts=n_concepts,
        n_words=n_words,
        sentence_length=sentence_length,
        n_classes="all",
        word_frequency=word_frequency,
        weight_decay=weight_decay,
        classifier_weight_decay=classifier_weight_decay,
        layer_norm=False,
        embedding_dim=require_integer("n_concepts", n_concepts, minimum=2),
        latents=None,
        label_noise=label_noise,
    )
    replaced = _check_replacement(replacement, task.word_frequencies.size)
    seen, posterior_noise = posterior(task.word_frequencies, replaced)
    posterior_noise = joint_noise(task.label_noise, posterior_noise)
    network = solve_type_three(task.share, seen, task.joint_weight_decay, noise=posterior_noise)
    rescaling = math.sqrt(math.sqrt(task.classifier_weight_decay) / math.sqrt(task.weight_decay))
    log_scale = 0.5 * (math.log(task.share.sentence_length / task.share.n_concepts) - task.share.log_n_classes)
    entropies = _concept_entropy(task.share.n_concepts, np.append(posterior_noise, seen @ posterior_noise))
    return WordReliability(
        embedding_norms=network.embedding_norms * rescaling,
        classifier_norm=network.classifier_norm / rescaling,
        cross_entropy=network.cross_entropy,
        risk=network.risk,
        zero_threshold=float(np.linalg.norm(seen * (1 - posterior_noise))) * math.exp(log_scale),
        is_zero=network.is_zero,
        residual=network.residual,
        seen_frequencies=seen,
        posterior_noise=posterior_noise,
        largest_margins=largest_margin(task.share.others, posterior_noise),
        cost_of_equal_lengths=task.share.sentence_length * float(entropies[-1] - seen @ entropies[:-1]),
    )


def posterior(
    word_frequencies: Float[np.ndarray, " s_c"], replacement: Float[np.ndarray, " s_c"]
) -> tuple[Float[np.ndarray, " s_c"], Float[np.ndarray, " s_c"]]:
    """Return mu' and eps', float64 (s_c,): the probabilities that a rank is observed and is then a replacement.

    Args:
        word_frequencies: mu (s_c,), summing to 1.
        replacement: eps (s_c,), the probabilities of being replaced.
    """
    unreplaced = 1 - replacement
    mean = float(word_frequencies @ replacement)
    return word_frequencies * (unreplaced + mean), mean / (unreplaced + mean)


def _check_replacement(
    replacement: Sequence[float] | Float[np.ndarray, " s_c"], size: int
) -> Float[np.ndarray, " s_c"]:
    """Return eps as float64 (s_c,), each in [0, 1)."""
    values = np.atleast_1d(np.asarray(replacement, dtype=object))
    if values.shape != (size,):
        raise ValueError(f"replacement: expected {size} numbers, got an array of shape {values.shape}")
    return np.array([require_fraction("replacement", value) for value in values])


def _concept_entropy(n_concepts: int, noise: Float[np.ndarray, ...]) -> Float[np.ndarray, ...]:
    """Return h(eps), nats: the entropy of a concept that is known with probability 1 - eps, otherwise uniform."""
    other = noise / n_concepts
    own = 1 - noise + other
    with np.errstate(divide="ignore", invalid="ignore"):
        others = np.where(other > 0, (n_concepts - 1) * other * np.log(other), 0.0)
    return -own * np.log(own) - others
