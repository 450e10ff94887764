"""Kernels of wide random layers: ``kappa(c) = E g(u) g(v)`` for standard normal u and v of correlation c.

    ReLU:  kappa(c) = (sqrt(1 - c^2) + (pi - arccos c) c)/(2 pi)              (Cho and Saul, 2009)
    GELU:  kappa(c) = sum_n a_n^2 c^n,   a_n = E g(u) He_n(u)/sqrt(n!)        (Mehler's formula)

GELU is ``u Phi(u)`` with Phi the normal distribution function. Its coefficients are computed by Gauss-Hermite
quadrature. kappa is analytic up to |c| = 2, so a_n^2 falls like 2^-n and the omitted terms are below rounding.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

ACTIVATIONS = ("relu", "gelu")
_NODES = 300
_TERMS = 60


def activation_kernel(correlation: Float[np.ndarray, ...], activation: str) -> Float[np.ndarray, ...]:
    """Return kappa(c) for c in [-1, 1]; values outside by rounding are clipped.

    Args:
        correlation: of the inputs of the activation, which have variance 1.
        activation: "relu" or "gelu".

    Raises: ValueError, one line that names the field.
    """
    check_activation(activation)
    c = np.clip(correlation, -1.0, 1.0)
    if activation == "relu":
        return (np.sqrt(1 - c**2) + (math.pi - np.arccos(c)) * c) / (2 * math.pi)
    return np.polynomial.polynomial.polyval(c, _gelu_coefficients() ** 2)


def check_activation(activation: object) -> None:
    """Raise ValueError unless the activation has a kernel."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation: expected one of {', '.join(ACTIVATIONS)}, got {activation!r}")


@functools.cache
def _gelu_coefficients() -> Float[np.ndarray, " n"]:
    """Return a_0 .. a_59, by the recursion of normalised Hermite polynomials."""
    from scipy.special import ndtr, roots_hermitenorm

    nodes, weights = roots_hermitenorm(_NODES)
    weighted = nodes * ndtr(nodes) * weights / math.sqrt(2 * math.pi)
    previous, current = np.zeros_like(nodes), np.ones_like(nodes)
    coefficients = []
    for degree in range(_TERMS):
        coefficients.append(weighted @ current)
        following = (nodes * current - math.sqrt(degree) * previous) / math.sqrt(degree + 1)
        previous, current = current, following
    return np.array(coefficients)
