"""The result of every solver: the norms of a collapsed network and its risk.

W (n_w, d) holds the embeddings, U (K L, d) the classifier vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from theory.feature_collapse.latent_share import LatentShare

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True, kw_only=True, eq=False)
class CollapsedNetwork:
    """A network w_(a,b) = r_b f_a, u_kl = c f_{z_kl} over an equiangular frame f.

    Args:
        embedding_norms: r, float64 array (s_c,).
        classifier_norm: c.
        cross_entropy: nats.
        penalty: the weight-decay term of the risk, nats.
        residual: relative residual of the stationarity equations (0 where they hold exactly).
    """

    embedding_norms: Float[np.ndarray, " s_c"]
    classifier_norm: float
    cross_entropy: float
    penalty: float
    residual: float

    @property
    def risk(self) -> float:
        """Cross-entropy plus penalty, nats."""
        return self.cross_entropy + self.penalty

    @property
    def is_zero(self) -> bool:
        """Whether every logit is zero."""
        return self.classifier_norm == 0


def zero_network(share: LatentShare, n_words_per_concept: int) -> CollapsedNetwork:
    """Return the zero network: zero norms and penalty, cross-entropy log K (nats) for any latents."""
    return CollapsedNetwork(
        embedding_norms=np.zeros(n_words_per_concept),
        classifier_norm=0.0,
        cross_entropy=share.log_n_classes,
        penalty=0.0,
        residual=0.0,
    )


def balanced_network(
    share: LatentShare, margins: Float[np.ndarray, " s_c"], *, cross_entropy: float, penalty: float, residual: float
) -> CollapsedNetwork:
    """Return the network with margins y_b = eta c r_b and the norms r_b and c of least penalty.

        n_c |r|^2 = K L c^2,   c^2 = |x| sqrt(n_c / (K L)),   r_b = x_b / c,   x = y / eta

    Args:
        share: the numbers n_c, L, K.
        margins: y, nats, float64 (s_c,), not all zero.
        cross_entropy: nats, stored unchanged.
        penalty: nats, stored unchanged.
        residual: stored unchanged.

    Returns: the network. Valid for equal weight decay on W and U. Source: derived here (arithmetic-geometric mean).
    """
    products = margins / share.eta
    log_ratio = math.log(share.n_concepts) - share.log_classifier_rows
    classifier_norm = math.sqrt(float(np.linalg.norm(products))) * math.exp(0.25 * log_ratio)
    return CollapsedNetwork(
        embedding_norms=products / classifier_norm,
        classifier_norm=classifier_norm,
        cross_entropy=float(cross_entropy),
        penalty=float(penalty),
        residual=float(residual),
    )
