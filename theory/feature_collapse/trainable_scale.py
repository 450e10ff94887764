"""RMSNorm with a trainable scale, penalised like the classifier: the words form a simplex, the scale becomes sparse.

The input of the classifier is `v = gamma * sqrt(d) w/|w|`, coordinate by coordinate, with the penalty
`lam/2 (|gamma|^2 + |U|^2)`. Let `gamma` be `g` on `m` coordinates and 0 on the others, and let the words be supported
on the former: `v_(a,b) = g sqrt(d) f_a` and `u_kl = c f_{z_kl}`, which needs `m >= n_c - 1` for a simplex. With
`r = g sqrt(d)` and all latents as classes the risk is

    L log(1 + (n_c - 1) exp(-eta r c)) + lam/2 (K L c^2 + m r^2 / d),

which grows with `m`: so `m = n_c - 1` for every `d`. At a given product `t = r c` the optimum has equal penalties,
`lam t sqrt(K L m / d)` in total, and the derivative in `t` vanishes where
`(n_c - 1) exp(-eta t) = a / (1 - a)`, `a = lam sqrt(K L m / d) / (L eta)`. Word frequencies drop out. If `a` is at
least `(n_c - 1)/n_c` everything is zero.

It is not proved that no other scale has a smaller risk: minimisation from random starts ends here (or, with four
concepts, sometimes at a higher local minimum with fewer coordinates). With LayerNorm instead of RMSNorm the coordinates
of `w` must also sum to zero, the other coordinates must compensate the sum of these `m`, and the simplex is not
attained. Without a penalty on the scale there is no minimiser: `g` grows and `c` shrinks without bound.
"""

import math
from typing import NamedTuple

from theory.checks import require_integer, require_positive


class ScaledNetwork(NamedTuple):
    """A collapsed network under RMSNorm with a trainable scale.

    Args:
        embedding_norm: r, norm of the scaled words.
        classifier_norm: c.
        scale: g, the value of the nonzero entries of the scale.
        n_active: the number of nonzero entries, n_c - 1; 0 for the zero network.
        cross_entropy, risk: nats.
    """

    embedding_norm: float
    classifier_norm: float
    scale: float
    n_active: int
    cross_entropy: float
    risk: float


def solve_trainable_scale(
    *, n_concepts: int, sentence_length: int, embedding_dim: int, weight_decay: float
) -> ScaledNetwork:
    """Return the collapsed network for all n_c^L latents as classes; see the module's docstring.

    Args:
        n_concepts: n_c >= 2.
        sentence_length: L >= 1.
        embedding_dim: d >= n_c - 1.
        weight_decay: lam, of scale and classifier.

    Raises: ValueError, `field: expected ..., got ...`.
    """
    n_concepts = require_integer("n_concepts", n_concepts, minimum=2)
    length = require_integer("sentence_length", sentence_length, minimum=1)
    dim = require_integer("embedding_dim", embedding_dim, minimum=n_concepts - 1)
    decay = require_positive("weight_decay", weight_decay)
    n_vectors, active = n_concepts**length * length, n_concepts - 1
    eta = n_concepts / active
    marginal_penalty = decay * math.sqrt(n_vectors * active / dim)
    share = marginal_penalty / (length * eta)
    if share >= active / n_concepts:
        uniform = length * math.log(n_concepts)
        return ScaledNetwork(0.0, 0.0, 0.0, 0, uniform, uniform)
    product = math.log(active * (1 - share) / share) / eta
    classifier_norm = math.sqrt(product * math.sqrt(active / (dim * n_vectors)))
    norm = product / classifier_norm
    cross_entropy = length * math.log1p(share / (1 - share))
    risk = cross_entropy + marginal_penalty * product
    return ScaledNetwork(norm, classifier_norm, norm / math.sqrt(dim), active, cross_entropy, risk)
