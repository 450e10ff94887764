r"""Eigenvalues of the kernels of positive pairs on a circle, a torus and a sphere, in closed form.

The kernel of pairs is ``p(x, x+)/(p(x) p(x+))``, an integral operator whose largest eigenvalue is 1 (the constant).

Circle. The angle between the points of a pair has a wrapped normal distribution with standard deviation sigma:
``cos k a`` and ``sin k a`` have the eigenvalue ``exp(-sigma^2 k^2/2)``. On n equally spaced angles with probabilities
proportional to the wrapped normal density, Poisson summation adds the aliases,

    lambda_k = sum_m exp(-sigma^2 (k + m n)^2/2) / sum_m exp(-sigma^2 (m n)^2/2),     k = 0 .. n/2.

Torus. Both angles move independently: ``lambda_k lambda_l``.

Sphere. Partners are von Mises-Fisher, with density ``kappa exp(kappa z.z+)/sinh kappa`` relative to the uniform one. By
the Funk-Hecke formula all ``2l + 1`` spherical harmonics of degree l have the eigenvalue

    lambda_l = kappa/(2 sinh kappa) \int_{-1}^1 e^{kappa t} P_l(t) dt = i_l(kappa)/i_0(kappa)

with the modified spherical Bessel functions i_l, ``lambda_1 = coth kappa - 1/kappa``. *Folded* partners are mirrored
back if they leave the hemisphere. Their eigenfunctions are the harmonics that are invariant under the mirror,
restricted to either hemisphere: ``2 (l + 1)`` functions of degree l, with the same eigenvalues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

SUPPORTS = ("full", "folded")
# Eigenvalues below this are negligible in an embedding.
SMALLEST = 1e-15
TIE = 1e-9


class Spectrum(NamedTuple):
    """Eigenvalues, largest first.

    Attributes:
        values: float64 (n,).
        modes: wave numbers (k, sine or cosine of each angle) or degrees, one row per eigenvalue; defined by the
            function that returns them.
    """

    values: Float[np.ndarray, " n"]
    modes: Int[np.ndarray, "n c"]


def ring_eigenvalues(n_points: int | None, width: float) -> Float[np.ndarray, " m"]:
    """Return ``lambda_k`` for k = 0, 1, ..., up to n/2 or, without a grid, down to rounding.

    Args:
        n_points: n equally spaced angles, or None for all angles.
        width: sigma, radians.
    """
    if n_points is None:
        highest = int(np.ceil(np.sqrt(-2 * np.log(SMALLEST)) / width))
        return np.exp(-((width * np.arange(highest + 1)) ** 2) / 2)
    reach = int(np.ceil(9 / (width * n_points))) + 1
    wave_numbers = np.arange(n_points // 2 + 1)[:, None] + n_points * np.arange(-reach, reach + 1)
    values = np.exp(-((width * wave_numbers) ** 2) / 2).sum(axis=1)
    return values / values[0]


def ring_modes(n_points: int | None, width: float) -> Spectrum:
    """Return the eigenvalues with multiplicity; modes are (k, 0) for ``cos k a`` and (k, 1) for ``sin k a``."""
    values = ring_eigenvalues(n_points, width)
    numbers = range(len(values))
    is_last = lambda k: n_points is not None and 2 * k == n_points  # noqa: E731
    modes = [(k, part) for k in numbers for part in (0, 1) if not (part and (k == 0 or is_last(k)))]
    return Spectrum(values[[k for k, _ in modes]], np.array(modes))


def torus_modes(side: int | None, width: float, count: int) -> Spectrum:
    """Return the ``count`` largest products; a mode is the pair of modes of both angles, four numbers."""
    ring = ring_modes(side, width)
    products = np.outer(ring.values, ring.values)
    first, second = np.unravel_index(np.arange(products.size), products.shape)
    # Equal products in the order of their wave numbers, so that pairs of sine and cosine stay together.
    waves = ring.modes[first, 0] + ring.modes[second, 0], ring.modes[second, 0]
    order = np.lexsort((first, waves[1], waves[0], -np.round(products.ravel(), 13)))[:count]
    return Spectrum(products.ravel()[order], np.hstack([ring.modes[first[order]], ring.modes[second[order]]]))


def sphere_eigenvalue(degree: int | Int[np.ndarray, " n"], concentration: float) -> Float[np.ndarray, ...]:
    """Return ``lambda_l = i_l(kappa)/i_0(kappa)``, in [0, 1].

    The ratios ``r_l = i_{l+1}/i_l`` follow from ``r_{l-1} = 1/((2l + 1)/kappa + r_l)``, by downward recursion from a
    degree far above kappa, where r_l is set to zero; each step reduces this error.

    Args:
        degree: l, one or several.
        concentration: kappa.
    """
    highest = int(np.max(degree))
    ratios, ratio = np.ones(highest + 1), 0.0
    for order in range(highest + int(2 * concentration) + 50, 0, -1):
        ratio = 1 / ((2 * order + 1) / concentration + ratio)
        if order <= highest:
            ratios[order] = ratio
    return np.cumprod(ratios)[degree]


def sphere_modes(concentration: float, count: int, *, is_folded: bool) -> Spectrum:
    """Return the ``count`` largest eigenvalues with multiplicity; a mode is the degree, one number."""
    sizes, degrees = [], []
    degree = 0
    while sum(sizes) < count:
        sizes.append(2 * (degree + 1) if is_folded else 2 * degree + 1)
        degrees.append(degree)
        degree += 1
    modes = np.repeat(degrees, sizes)[:count]
    return Spectrum(sphere_eigenvalue(modes, concentration), modes[:, None])


def is_cut(values: Float[np.ndarray, " n"], count: int) -> bool:
    """Return whether the ``count`` largest eigenvalues exclude others that equal the least of them.

    A least eigenvalue of zero contributes nothing to the embedding and counts as no cut.
    """
    if count >= len(values) or values[count - 1] == 0:
        return False
    return bool(values[count - 1] - values[count] <= TIE * values[count - 1])
