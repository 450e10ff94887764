"""The three-variable ODE of a neuron, while the slope of the loss is the same for all examples.

f(x) = sum_k a_k phi(w_k . x) with a_k = e_k/m frozen, e_k = +-1, phi a ReLU or leaky ReLU of slope alpha. In the time
s = rate * steps / m, gradient descent on E loss(y f) is

    w' = e E[g y phi'(w . x) x],    g = -loss'(y f).

While margins are small g is a constant: 1 for the hinge loss 1 - y f, 1/2 for the logistic loss at f = 0. Let u_j be
the weight on feature j and z_j Gaussian with standard deviation sigma. Given y = +-1 the preactivation is

    h+- = +-sum_core u_j z_j + sum_background u_j z_j ~ N(+-mu_c S_c + mu_b S_b, sigma^2 N^2)

with S_c, S_b the sums of core and background weights and N = |u|. By Stein's lemma, with
kappa+- = (+-mu_c S_c + mu_b S_b)/(sigma N),

    E[1(h > 0) z_j] = mu Phi(kappa) + cov(z_j, h) phi(kappa) / (sigma N).

Summed over the features of each kind, the equations close in S_c, S_b and N^2. With P+- = alpha + (1 - alpha)
Phi(kappa+-) and p+- = (1 - alpha) phi(kappa+-):

    S_c'   = e g/2 [d_c mu_c (P+ + P-) + sigma S_c/N (p+ - p-)]
    S_b'   = e g/2 [d_b mu_b (P+ - P-) + sigma S_b/N (p+ - p-)]
    (N^2)' = e g [mu_c S_c (P+ + P-) + mu_b S_b (P+ - P-) + sigma N (p+ - p-)]

This is exact for Gaussian strengths; for others h is a sum of many terms and nearly Gaussian. P+ - P- is the neuron's
*activation asymmetry*: a neuron that is more active on its own label than on the other one learns the background. In a
linear network, alpha = 1, it is 0: S_b' = 0 and S_c' = e g mu_c d_c, for any strengths.

Source: derived here; the setting is that of Zhang et al. (ICML 2024, arXiv 2406.03345), Section 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import ndtr

from theory.checks import require_positive
from theory.feature_contamination.task import Features, require_slope

if TYPE_CHECKING:
    from jaxtyping import Float

# Tolerances of the solver; its error is far below that of the Gaussian approximation.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12


class Neurons(NamedTuple):
    """The state of each neuron in the ODE; arrays of a common shape.

    Args:
        core_sum: S_c, the sum of its weights on core features.
        background_sum: S_b, the sum of its weights on background features.
        square_norm: N^2, its squared weights on all features.
    """

    core_sum: Float[np.ndarray, " ..."]
    background_sum: Float[np.ndarray, " ..."]
    square_norm: Float[np.ndarray, " ..."]


def summarise(weights: Float[np.ndarray, "... n"], core_features: int) -> Neurons:
    """Return S_c, S_b and N^2 of neurons.

    Args:
        weights: weight on each feature, core features first.
        core_features: d_c.
    """
    return Neurons(
        weights[..., :core_features].sum(axis=-1),
        weights[..., core_features:].sum(axis=-1),
        np.sum(weights**2, axis=-1),
    )


def neuron_drift(
    neurons: Neurons,
    signs: Float[np.ndarray, " ..."],
    features: Features,
    *,
    leaky_slope: float = 0.0,
    loss_slope: float = 1.0,
) -> Neurons:
    """Return the derivatives of S_c, S_b and N^2 in the time s = rate * steps / m.

    Args:
        neurons: of positive norm.
        signs: e, of the output weights.
        features: with the same deviation for core and background, sigma.
        leaky_slope: alpha, in [0, 1].
        loss_slope: g.

    Raises: ValueError if the two deviations differ, as N^2 then does not determine the variance of h.
    Source: derived in the module's docstring.
    """
    _check_deviations(features)
    alpha, half = require_slope(leaky_slope), signs * loss_slope / 2
    core, background, norm = neurons.core_sum, neurons.background_sum, np.sqrt(neurons.square_norm)
    sigma, core_mean, background_mean = features.core_deviation, features.core_mean, features.background_mean
    own = (core_mean * core + background_mean * background) / (sigma * norm)
    other = (-core_mean * core + background_mean * background) / (sigma * norm)
    total = 2 * alpha + (1 - alpha) * (ndtr(own) + ndtr(other))
    asymmetry = (1 - alpha) * (ndtr(own) - ndtr(other))
    edge = sigma * (1 - alpha) * (_density(own) - _density(other))
    return Neurons(
        half * (features.core_features * core_mean * total + edge * core / norm),
        half * (features.background_features * background_mean * asymmetry + edge * background / norm),
        2 * half * (core_mean * core * total + background_mean * background * asymmetry + edge * norm),
    )


def neuron_paths(
    initial: Neurons,
    signs: Float[np.ndarray, " m"],
    times: Float[np.ndarray, " t"],
    features: Features,
    *,
    leaky_slope: float = 0.0,
    loss_slope: float = 1.0,
) -> Neurons:
    """Return S_c, S_b and N^2 of each neuron at several times, arrays (t, m).

    Args:
        initial: at time 0, arrays (m,).
        signs: e, of the output weights.
        times: s = rate * steps / m, non-negative and in ascending order, (t,).
        features: with the same deviation for core and background.
        leaky_slope: alpha.
        loss_slope: g; the paths are valid while g is the same for nearly all examples.

    Raises: ValueError, one line that names the field; ArithmeticError if the solver fails.
    """
    require_positive("loss_slope", loss_slope)
    shape = (3, len(signs))

    def slope(_, point):
        neurons = Neurons(*point.reshape(shape))
        return np.concatenate(neuron_drift(neurons, signs, features, leaky_slope=leaky_slope, loss_slope=loss_slope))

    start = np.concatenate(initial).astype(float)
    end = max(float(times[-1]), np.finfo(float).tiny)
    solution = solve_ivp(
        slope, (0.0, end), start, method="DOP853", t_eval=times, rtol=_RELATIVE, atol=_ABSOLUTE, first_step=None
    )
    if not solution.success:
        raise ArithmeticError(f"the ODE of the neurons was not solved: {solution.message}")
    return Neurons(*np.moveaxis(solution.y.T.reshape(len(times), *shape), 1, 0))


def _check_deviations(features: Features) -> None:
    if features.core_deviation != features.background_deviation:
        raise ValueError(
            f"background_deviation: expected {features.core_deviation:g}, that of the core, for the ODE of a neuron, "
            f"got {features.background_deviation:g}"
        )


def _density(value: np.ndarray) -> np.ndarray:
    return np.exp(-(value**2) / 2) / np.sqrt(2 * np.pi)
