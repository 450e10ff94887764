"""Expected contrastive losses of any linear encoder ``z = W x`` on Gaussian pairs, with infinitely many negatives.

All depend on W only through ``G = W^T W``. The logarithm of the number of negatives is left out.

* Distance, ``exp(-|z - z'|^2/(2 tau))``: for an anchor z, with ``C = W M W^T/tau`` the covariance of ``z/sqrt(tau)``,
  the mean similarity to a negative is ``det(I + C)^{-1/2} exp(-z^T (I + C)^{-1} z/(2 tau))``. So the loss is
  ``tr(D G)/(2 tau) - logdet(I + C)/2 - tr(C (I + C)^{-1})/2``.
* Dot product, ``exp(z.z'/tau)``: the mean similarity is ``exp(z^T C z/(2 tau))``, the loss
  ``-tr(A G)/tau + tr(C^2)/2``.
* Spectral (HaoChen et al., 2021): ``-2 E z.z+ + E (z.z')^2 = -2 tr(A G) + tr((M G)^2)``, for pairs of any law.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from theory.dimensional_collapse.pairs import PairMoments

SIMILARITIES = ("distance", "dot", "spectral")


def expected_loss(
    pairs: PairMoments, gram: Float[np.ndarray, "d d"], similarity: str, temperature: float = 1.0
) -> float:
    """Return the expected loss, in nats; the spectral loss is dimensionless.

    Args:
        pairs: second moments; for "distance" and "dot" those of Gaussian pairs.
        gram: ``G = W^T W``.
        similarity: "distance", "dot" or "spectral".
        temperature: tau; not used by the spectral loss.
    """
    product = pairs.metric @ gram
    if similarity == "spectral":
        return float(-2 * np.sum(pairs.overlap * gram) + np.sum(product * product.T))
    product = product / temperature
    if similarity == "dot":
        return float(-np.sum(pairs.overlap * gram) / temperature + np.sum(product * product.T) / 2)
    identity = np.eye(len(gram))
    log_determinant = np.linalg.slogdet(identity + product)[1]
    quadratic = len(gram) - np.trace(np.linalg.inv(identity + product))  # tr(C (I + C)^{-1})
    return float(np.sum(pairs.spread * gram) / (2 * temperature) - log_determinant / 2 - quadratic / 2)
