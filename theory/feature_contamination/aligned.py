"""The two-variable ODE of aligned networks: whole curves, in and out of distribution.

From a small initialisation the neurons of positive output weight are w = (c, b) and the others (-c, b), in the plane of
the two mean directions. By the symmetry of the labels the margin of an example is the same for both labels,

    y f = [phi(U) - phi(T)]/2,    U = c C + b B,    T = b B - c C,

and in the time s = rate * steps / m

    c' = E[g C (phi'(U) + phi'(T))]/2,    b' = E[g B (phi'(U) - phi'(T))]/2,    g = -loss'(y f).

Out of distribution B changes its sign. For a ReLU the margin is then relu(c C - b B)/2 (C, B > 0): it never changes its
sign, but it is much smaller than in distribution, and the loss is larger accordingly.

**Odd activations do not contaminate.** For an odd phi the margin [phi(c C + b B) + phi(c C - b B)]/2 is even in B: the
network behaves the same in and out of distribution, for every b. Moreover b = 0 is invariant: phi' is even, so
phi'(U) = phi'(T) there. This holds for the whole network, without alignment: if no neuron has background weights, y f
does not depend on y (f is odd in x), nor does phi'(w . x), so the gradient with respect to the background,
E[g y phi'(w . x) z_j], has a factor E y = 0. If phi' decreases with |h| (tanh), C, B > 0 and b > 0 give |U| > |T|,
hence b' < 0: an initial background decays. In a linear network U - T = 2 c C and phi'(U) = phi'(T): b' = 0, and the
margin c C does not depend on the background.

For small h a GELU is h/2 + h^2/sqrt(2 pi): linear at first, without contamination, then contaminated by its even part,
at a rate that grows with c.

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import expit, ndtr

from theory.feature_contamination.quadrature import Projections, project
from theory.feature_contamination.ratio import contamination_ratio, ood_accuracy
from theory.feature_contamination.task import Features, require_slope

if TYPE_CHECKING:
    from jaxtyping import Float

ACTIVATIONS, LOSSES = ("relu", "tanh", "gelu"), ("hinge", "logistic")
# Core weight at the start of the ODE, in units of that at which margins are of order one.
_START = 1e-6
_RELATIVE = 1e-8


class Curves(NamedTuple):
    """The curves of an aligned network over training; arrays (t,).

    Args:
        core_weight: c.
        background_weight: b.
        loss, ood_loss: in and out of distribution.
        margin, ood_margin: mean of y f, in and out of distribution.
        accuracy, ood_accuracy: an output of zero counts as one half; NaN for a GELU, which is not monotone.
    """

    core_weight: Float[np.ndarray, " t"]
    background_weight: Float[np.ndarray, " t"]
    loss: Float[np.ndarray, " t"]
    ood_loss: Float[np.ndarray, " t"]
    margin: Float[np.ndarray, " t"]
    ood_margin: Float[np.ndarray, " t"]
    accuracy: Float[np.ndarray, " t"]
    ood_accuracy: Float[np.ndarray, " t"]


class AlignedNetwork(NamedTuple):
    """Activation and loss of an aligned network.

    Args:
        activation: "relu" (with a leaky slope; 1 is linear), "tanh" or "gelu".
        leaky_slope: alpha of the ReLU.
        loss: "hinge" or "logistic"; "gelu" requires "logistic", as its margin does not reach 1 along a straight line.
    """

    activation: str = "relu"
    leaky_slope: float = 0.0
    loss: str = "logistic"

    def value(self, preactivation: np.ndarray) -> np.ndarray:
        """Return phi(h)."""
        if self.activation == "tanh":
            return np.tanh(preactivation)
        if self.activation == "gelu":
            return preactivation * ndtr(preactivation)
        return np.where(preactivation > 0, preactivation, self.leaky_slope * preactivation)

    def slope(self, preactivation: np.ndarray) -> np.ndarray:
        """Return phi'(h)."""
        if self.activation == "tanh":
            return 1 - np.tanh(preactivation) ** 2
        if self.activation == "gelu":
            density = np.exp(-(preactivation**2) / 2) / np.sqrt(2 * np.pi)
            return ndtr(preactivation) + preactivation * density
        return np.where(preactivation > 0, 1.0, self.leaky_slope)

    def loss_value(self, margin: np.ndarray) -> np.ndarray:
        """Return the loss at a margin; for the logistic loss in nats."""
        return np.maximum(1 - margin, 0) if self.loss == "hinge" else np.logaddexp(0, -margin)

    def loss_slope(self, margin: np.ndarray) -> np.ndarray:
        """Return g, minus the derivative of the loss."""
        return (margin < 1).astype(float) if self.loss == "hinge" else expit(-margin)

    def cuts(self, other: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
        """Return the values of U, given T, at which the integrands have kinks or jumps; infinite for none."""
        if self.activation != "relu":  # smooth activations; for the hinge loss, margins of tanh stay below 1
            return np.zeros((len(other), 0))
        cuts = [np.zeros_like(other)]
        if self.loss == "hinge":
            end = 2 + self.value(other)
            below = end / self.leaky_slope if self.leaky_slope else np.full_like(end, np.inf)
            cuts.append(np.where(end > 0, end, below))
        return np.stack(cuts, axis=-1)


def aligned_drift(
    features: Features, network: AlignedNetwork, core_weight: float, background_weight: float
) -> tuple[float, float]:
    """Return c' and b'.

    Args:
        features: of the task.
        network: its activation and loss.
        core_weight: c.
        background_weight: b; c and b are not both zero.

    Source: derived in the module's docstring.
    """
    nodes = project(features, core_weight, background_weight, network.cuts)
    own, other = network.slope(nodes.own), network.slope(nodes.other)
    pull = nodes.weight * network.loss_slope(_margin(network, nodes)) / 2
    return float(np.sum(pull * nodes.core * (own + other))), float(np.sum(pull * nodes.background * (own - other)))


def aligned_curves(features: Features, network: AlignedNetwork, times: Float[np.ndarray, " t"]) -> Curves:
    """Return the curves of a network that starts near zero along its growing direction.

    Args:
        features: of the task.
        network: its activation and loss.
        times: s = rate * steps / m, non-negative and in ascending order, (t,).

    Raises: ValueError, one line that names the field; ArithmeticError if the solver fails.
    Source: derived in the module's docstring.
    """
    _check_network(network)
    ratio = contamination_ratio(features, network.leaky_slope) if network.activation == "relu" else 0.0
    start = np.array([1.0, ratio]) * _START / features.core_projection
    path = _solve(lambda _, point: aligned_drift(features, network, *point), start, times)
    inside = [_means(features, network, *point) for point in path]
    outside = [_means(features.flipped(), network, *point) for point in path]
    (margin, loss), (ood_margin, ood_loss) = np.transpose(inside), np.transpose(outside)
    inside_accuracy = np.full(len(path), np.nan if network.activation == "gelu" else 1.0)
    outside_accuracy = inside_accuracy
    if network.activation == "relu":
        outside_accuracy = np.array([ood_accuracy(features, b / c, network.leaky_slope) for c, b in path])
    return Curves(
        core_weight=path[:, 0],
        background_weight=path[:, 1],
        loss=loss,
        ood_loss=ood_loss,
        margin=margin,
        ood_margin=ood_margin,
        accuracy=inside_accuracy,
        ood_accuracy=outside_accuracy,
    )


def _check_network(network: AlignedNetwork) -> None:
    if network.activation not in ACTIVATIONS:
        raise ValueError(f"activation: expected one of {', '.join(ACTIVATIONS)}, got {network.activation!r}")
    if network.loss not in LOSSES:
        raise ValueError(f"loss: expected one of {', '.join(LOSSES)}, got {network.loss!r}")
    if network.activation == "gelu" and network.loss == "hinge":
        raise ValueError("loss: expected logistic with activation gelu, got 'hinge'")
    require_slope(network.leaky_slope)


def _solve(slope: Callable, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the path at the times, (t, 2)."""
    end = max(float(times[-1]), np.finfo(float).tiny)
    solution = solve_ivp(slope, (0.0, end), start, t_eval=times, rtol=_RELATIVE, atol=_RELATIVE * start[0])
    if not solution.success:
        raise ArithmeticError(f"the ODE of the aligned network was not solved: {solution.message}")
    return solution.y.T


def _means(features: Features, network: AlignedNetwork, core_weight: float, background_weight: float) -> tuple:
    """Return the mean margin and the mean loss."""
    nodes = project(features, core_weight, background_weight, network.cuts)
    margin = _margin(network, nodes)
    return float(np.sum(nodes.weight * margin)), float(np.sum(nodes.weight * network.loss_value(margin)))


def _margin(network: AlignedNetwork, nodes: Projections) -> np.ndarray:
    return (network.value(nodes.own) - network.value(nodes.other)) / 2
