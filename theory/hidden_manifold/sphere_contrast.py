"""InfoNCE on the sphere: with von Mises-Fisher positives and matching temperature the encoder is a rotation.

Points z are uniform on the unit sphere, and partners have the density ``r(z, z+) = kappa exp(kappa z.z+)/sinh kappa``
relative to the uniform one. InfoNCE is the cross-entropy of classifying which of several candidates is the partner of
z. Its least value over all scores is that of Bayes' rule, attained iff the scores are ``log r`` plus a function of z
alone, for any number of candidates (van den Oord et al., 2018). Unit embeddings at temperature ``1/kappa`` have the
scores ``kappa f(z).f(z+)``, so a rotation f attains it.

No other encoder does. Let ``kappa f(z).f(z') = kappa z.z' + c(z)``. The left side and ``z.z'`` are symmetric, so c is
constant; at ``z' = z`` both products are 1, so c = 0. Then f preserves all inner products: it is a rotation, possibly
with a reflection (Zimmermann et al., 2021). As the number of negatives grows, the least loss minus the logarithm of
that number tends to minus the mutual information of a pair,

    -I = -kappa (coth kappa - 1/kappa) + log(sinh kappa/kappa).

With M negatives it is larger by ``(E_+ r - (E r^2 - 1)/2)/M`` to first order, and ``E_+ r = E r^2 = kappa coth kappa``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from theory.checks import require_integer, require_positive
from theory.hidden_manifold.spectra import SUPPORTS

ROTATION = "the encoder is a rotation, possibly with a reflection"
RESTRICTED = "nothing is predicted for partners of restricted support"
MISMATCHED = "nothing is predicted for a temperature other than 1/kappa"


@dataclass(frozen=True, kw_only=True, eq=False)
class SphereContrast:
    """The minimiser of InfoNCE on the sphere at temperature 1/kappa.

    Args:
        loss: the least loss for infinitely many negatives minus the log of their number, nats; NaN if not predicted.
        batch_loss: the same for a batch, to first order in 1/M; None for infinitely many negatives.
        r_squared: of a linear map from the embedding to the sphere: 1; NaN if not predicted.
        basis: "theorem", or "none" if an assumption is violated.
        note: the form of the encoder, or the violated assumption.
        task: the arguments of the prediction.
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
        return {name: None if value != value else value for name, value in values.items()}


def predict_contrast(
    *,
    concentration: float = 8.0,
    temperature: float | None = None,
    support: str = "full",
    batch_size: int | None = None,
) -> SphereContrast:
    """Return the minimiser of InfoNCE on the sphere.

    Args:
        concentration: kappa.
        temperature: tau; None for 1/kappa. For other values nothing is predicted.
        support: of the partners, "full"; for "folded" nothing is predicted.
        batch_size: number of pairs in a batch, all others serving as negatives; None for infinitely many.

    Raises: ValueError, one line that names the field.
    """
    kappa = require_positive("concentration", concentration)
    tau = 1 / kappa if temperature is None else require_positive("temperature", temperature)
    if support not in SUPPORTS:
        raise ValueError(f"support: expected one of {', '.join(SUPPORTS)}, got {support!r}")
    task: dict[str, object] = {"manifold": "sphere", "concentration": kappa, "temperature": tau, "support": support}
    correction = None
    if batch_size is not None:
        correction = batch_correction(kappa, require_integer("batch_size", batch_size, minimum=2) - 1)
        task["batch_size"] = batch_size
    if support != "full" or abs(tau * kappa - 1) > 1e-12:
        note = RESTRICTED if support != "full" else MISMATCHED
        return SphereContrast(loss=np.nan, batch_loss=None, r_squared=np.nan, basis="none", note=note, task=task)
    loss = least_loss(kappa)
    return SphereContrast(loss=loss, batch_loss=None if correction is None else loss + correction, task=task)


def least_loss(concentration: float) -> float:
    """Return ``-kappa (coth kappa - 1/kappa) + log(sinh kappa/kappa)`` in nats, without overflow or cancellation."""
    kappa = float(concentration)
    if kappa < 0.05:  # the series, whose next term is below 1e-12 of the first; the closed form would cancel
        return -(kappa**2) / 6 + kappa**4 / 60 - kappa**6 / 567
    decay = np.exp(-2 * kappa)
    coth = (1 + decay) / -np.expm1(-2 * kappa)
    return float(1 - kappa * coth + kappa + np.log(-np.expm1(-2 * kappa) / (2 * kappa)))


def batch_correction(concentration: float, n_negatives: int) -> float:
    """Return ``(kappa coth kappa + 1)/(2 M)``, the increase of the least loss for M negatives, to first order, nats."""
    return float((concentration / np.tanh(concentration) + 1) / (2 * n_negatives))
