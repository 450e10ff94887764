"""The risk of grouped logits in smooth form, with its gradient and Hessian.

    f = sum_k pi_k CE(z_k, k) + mu |Z diag(sqrt pi)|_*,     mu = sqrt(lam_W lam_H N)
      = F(a, B) + mu sum_g (k_g - 1) sqrt(pi_g) |a_g| + mu |B|_*

in the margins a and the averages B of `class_groups`. With B = C P Q^T, C the basis of the averages, |B|_* is the least
value of (|P|^2 + |Q|^2) / 2, which gives the smooth form. As P is square, its local minima are global: at one, P is
singular or -dF/dB is mu times an isometry. Margins are positive in `active` groups and zero in the others (see
`class_imbalance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp, softmax

from theory.neural_collapse.class_groups import ClassGroups, averages_basis

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupedRisk:
    """The risk f for given `groups` and `decay` mu > 0, as a function of the vector of unknowns that `pack` returns."""

    groups: ClassGroups
    decay: float

    @cached_property
    def active(self) -> Bool[np.ndarray, " G"]:
        """The groups whose classes differ, bool (G,): at least two classes, and sqrt(pi_g) > mu."""
        return (self.groups.counts > 1) & (np.sqrt(self.groups.shares) > self.decay)

    @cached_property
    def basis(self) -> Float[np.ndarray, "G G-1"]:
        """The basis C, float64 (G, G - 1)."""
        return averages_basis(self.groups)

    @cached_property
    def weights(self) -> Float[np.ndarray, " G"]:
        """The share k_g pi_g of the samples in each group, float64 (G,)."""
        return self.groups.counts * self.groups.shares

    @cached_property
    def log_multiplicity(self) -> Float[np.ndarray, "G+1 G"]:
        """Log of the number of classes that an entry of `logits` represents, float64 (G + 1, G)."""
        counts = self.groups.counts
        others = np.tile(counts[:, None], (1, counts.size)) - np.eye(counts.size)
        with np.errstate(divide="ignore"):
            return np.log(np.vstack([others, np.ones(counts.size)]))

    def pack(
        self, margins: Float[np.ndarray, " G"], left: Float[np.ndarray, "G-1 G-1"], right: Float[np.ndarray, "G G-1"]
    ) -> Float[np.ndarray, " n"]:
        """Return the unknowns as one vector, from a (G,), P (G - 1, G - 1) and Q (G, G - 1)."""
        return np.concatenate([margins[self.active] / self._unit, left.ravel(), right.ravel()])

    def unpack(
        self, unknowns: Float[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, "G-1 G-1"], Float[np.ndarray, "G G-1"]]:
        """Return a, P and Q."""
        n_groups, n_active = self.groups.counts.size, self._unit.size
        margins = np.zeros(n_groups)
        margins[self.active] = unknowns[:n_active] * self._unit
        factors = unknowns[n_active:].reshape(2 * n_groups - 1, n_groups - 1)
        return margins, factors[: n_groups - 1], factors[n_groups - 1 :]

    def logits(
        self, margins: Float[np.ndarray, " G"], averages: Float[np.ndarray, "G G"]
    ) -> Float[np.ndarray, "G+1 G"]:
        """Return the logits of a class of each group, float64 (G + 1, G): for other classes by group, then for itself.

        The map is jointly linear in a (G,) and B (G, G).
        """
        table = averages * self._scale
        own = table.diagonal() + margins * (1 - 1 / self.groups.counts)
        return np.vstack([table - np.diag(margins / self.groups.counts), own])

    def errors(self, logits: Float[np.ndarray, "G+1 G"]) -> Float[np.ndarray, "G+1 G"]:
        """Return softmax minus target, float64 (G + 1, G); an entry is the sum over the classes that it represents."""
        errors = softmax(logits + self.log_multiplicity, axis=0)
        errors[-1] = -errors[:-1].sum(axis=0)
        return errors

    def cross_entropy(self, logits: Float[np.ndarray, "G+1 G"]) -> float:
        """Return F in nats, accurate to relative rounding even where it is tiny."""
        log_odds = logsumexp((logits + self.log_multiplicity)[:-1], axis=0) - logits[-1]
        return float(self.weights @ np.logaddexp(0.0, log_odds))

    def logits_adjoint(
        self, logit_gradient: Float[np.ndarray, "G+1 G"]
    ) -> tuple[Float[np.ndarray, " G"], Float[np.ndarray, "G G"]]:
        """Return the gradients in a and B of a function with the given gradient in the logits: `logits` transposed."""
        others, own = logit_gradient[:-1], logit_gradient[-1]
        margins = own * (1 - 1 / self.groups.counts) - others.diagonal() / self.groups.counts
        return margins, (others + np.diag(own)) * self._scale

    def value_and_gradient(self, unknowns: Float[np.ndarray, " n"]) -> tuple[float, Float[np.ndarray, " n"]]:
        """Return the smooth form of f (nats) and its gradient."""
        margins, left, right = self.unpack(unknowns)
        logits = self.logits(margins, self.basis @ (left @ right.T))
        margin_gradient, averages_gradient = self.logits_adjoint(self.weights * self.errors(logits))
        reduced = self.basis.T @ averages_gradient
        marginal_penalty = self.decay * self.margin_nuclear_norms
        penalty = marginal_penalty @ margins + 0.5 * self.decay * (np.sum(left**2) + np.sum(right**2))
        gradient = np.concatenate(
            [
                (margin_gradient + marginal_penalty)[self.active] * self._unit,
                (reduced @ right + self.decay * left).ravel(),
                (reduced.T @ left + self.decay * right).ravel(),
            ]
        )
        return self.cross_entropy(logits) + float(penalty), gradient

    def hessian(self, unknowns: Float[np.ndarray, " n"]):
        """Return the function that multiplies a vector by the Hessian at the unknowns."""
        margins, left, right = self.unpack(unknowns)
        errors = self.errors(self.logits(margins, self.basis @ (left @ right.T)))
        reduced = self.basis.T @ self.logits_adjoint(self.weights * errors)[1]
        probabilities = np.vstack([errors[:-1], 1 + errors[-1]])

        def product(vector: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
            d_margins, d_left, d_right = self.unpack(vector)
            d_logits = self.logits(d_margins, self.basis @ (d_left @ right.T + left @ d_right.T))
            d_errors = probabilities * (d_logits - np.sum(probabilities * d_logits, axis=0))
            d_errors[-1] = -d_errors[:-1].sum(axis=0)
            d_gradient, d_averages = self.logits_adjoint(self.weights * d_errors)
            d_reduced = self.basis.T @ d_averages
            rotation = left.T @ d_left + right.T @ d_right
            rotation = 0.5 * self.decay * (rotation - rotation.T)
            return np.concatenate(
                [
                    d_gradient[self.active] * self._unit,
                    (d_reduced @ right + reduced @ d_right + left @ rotation + self.decay * d_left).ravel(),
                    (d_reduced.T @ left + reduced.T @ d_left + right @ rotation + self.decay * d_right).ravel(),
                ]
            )

        return product

    @cached_property
    def _scale(self) -> Float[np.ndarray, "G G"]:
        """The factor t_hg / B_hg, (G, G)."""
        return 1 / np.sqrt(np.outer(self.groups.counts, self.weights))

    @cached_property
    def _unit(self) -> Float[np.ndarray, " n_active"]:
        """The scale of the unknown margins: their second derivative is then about mu, as for P and Q."""
        return 1 / np.sqrt(self.groups.counts * np.sqrt(self.groups.shares))[self.active]

    @cached_property
    def margin_nuclear_norms(self) -> Float[np.ndarray, " G"]:
        """The nuclear norm of each group's simplex at a_g = 1, float64 (G,)."""
        return (self.groups.counts - 1) * np.sqrt(self.groups.shares)
