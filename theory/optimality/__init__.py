"""Global optimality: bounds on the distance of any network from the minimum of its risk, by convex duality.

`certify`, `certify_layer_norm` and `certify_factors` bound the risk from below; `theory/global_optimality.md` contains
the proofs. `logit_gradient`, `gradient_form` and `spectral_norm` compute the largest singular value in the bound,
`sentence_logits` and `dual_entropy` the value of the bound.
"""

from typing import TYPE_CHECKING

from theory.lazy import hand_on

if TYPE_CHECKING:
    from theory.optimality.certificates import Certificate, certify, certify_layer_norm, normalise
    from theory.optimality.factor_certificate import certify_factors
    from theory.optimality.sentence_logits import SentenceLogits, score_sentences
    from theory.optimality.spectral_norm import SpectralNorm, sigma_max
    from theory.optimality.weight_decay import joint_decay

__all__ = [
    "Certificate",
    "SentenceLogits",
    "SpectralNorm",
    "certify",
    "certify_factors",
    "certify_layer_norm",
    "joint_decay",
    "normalise",
    "score_sentences",
    "sigma_max",
]

__getattr__, __dir__ = hand_on(
    __name__,
    {
        "certificates": ("Certificate", "certify", "certify_layer_norm", "normalise"),
        "factor_certificate": ("certify_factors",),
        "sentence_logits": ("SentenceLogits", "score_sentences"),
        "spectral_norm": ("SpectralNorm", "sigma_max"),
        "weight_decay": ("joint_decay",),
    },
)
