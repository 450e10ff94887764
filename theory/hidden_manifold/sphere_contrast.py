"""InfoNCE on the sphere: with von Mises-Fisher positives and matching temperature the encoder is a rotation.

Points z are uniform on the unit sphere, partners have the density ``r(z, z+) = kappa exp(kappa z.z+)/sinh kappa``
relative to the uniform one. InfoNCE asks which of several candidates is the partner of z. Its least value over all
scores is that of Bayes' rule, attained iff the scores are ``log r`` plus a function of z alone, with any number of
candidates (van den Oord et al., 2018). Unit embeddings at temperature ``1/kappa`` have the scores
``kappa f(z).f(z+)``, so that a rotation f attains it.

No other encoder does. Let ``kappa f(z).f(z') = kappa z.z' + c(z)``. The left side and ``z.z'`` are symmetric, so c is
constant; at ``z' = z`` both products are 1, so c = 0. Then f keeps all inner products: a rotation, perhaps with a
reflection (Zimmermann et al., 2021). The least loss, less the logarithm of the number of negatives, tends with that
number to minus the mutual information of a pair,

    -I = -kappa (coth kappa - 1/kappa) + log(sinh kappa/kappa).

With M negatives it is larger by ``(E_+ r - (E r^2 - 1)/2)/M`` to first order, and ``E_+ r = E r^2 = kappa coth kappa``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from theory.checks import require_integer, require_positive

ROTATION = "the encoder is a rotation, perhaps with a reflection"


@dataclass(frozen=True, kw_only=True, eq=False)
class SphereContrast:
    """What InfoNCE learns on the sphere at temperature 1/kappa.

    Args:
        loss: the least, of infinitely many negatives, nats, less the logarithm of their number.
        batch_loss: the same of a batch, to first order; None for infinitely many.
        r_squared: of a linear map from the embedding to the sphere: 1.
        basis: "theorem".
        note: what the encoder is.
        task: the numbers that it was made from.
    """

    loss: float
    batch_loss: float | None
    r_squared: float = 1.0
    basis: str = "theorem"
    note: str = ROTATION
    task: dict[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values."""
        values = asdict(self)
        del values["task"]
        return values


def predict_contrast(concentration: float, batch_size: int | None = None) -> SphereContrast:
    """Return what InfoNCE learns on the sphere.

    Args:
        concentration: kappa, the inverse of the temperature too.
        batch_size: examples of a batch, all others of which are negatives; None for infinitely many.

    Raises: ValueError, one line that names the field.
    """
    kappa = require_positive("concentration", concentration)
    task: dict[str, object] = {"manifold": "sphere", "objective": "info-nce", "concentration": kappa}
    batch_loss = None
    if batch_size is not None:
        n_negatives = require_integer("batch_size", batch_size, minimum=2) - 1
        batch_loss, task["batch_size"] = least_loss(kappa) + batch_correction(kappa, n_negatives), batch_size
    return SphereContrast(loss=least_loss(kappa), batch_loss=batch_loss, task=task)


def least_loss(concentration: float) -> float:
    """Return ``-kappa (coth kappa - 1/kappa) + log(sinh kappa/kappa)``, nats, without overflow or cancellation."""
    kappa = float(concentration)
    if kappa < 0.05:  # the series, whose next term is below 1e-12 of the first; the closed form would cancel
        return -(kappa**2) / 6 + kappa**4 / 60 - kappa**6 / 567
    decay = np.exp(-2 * kappa)
    coth = (1 + decay) / -np.expm1(-2 * kappa)
    return float(1 - kappa * coth + kappa + np.log(-np.expm1(-2 * kappa) / (2 * kappa)))


def batch_correction(concentration: float, n_negatives: int) -> float:
    """Return ``(kappa coth kappa + 1)/(2 M)``, by how much the least loss of M negatives is larger, to first order."""
    return float((concentration / np.tanh(concentration) + 1) / (2 * n_negatives))
