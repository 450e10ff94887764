"""The gap at initialisation: two random ReLU towers map their inputs into two narrow cones (Liang et al., 2022).

A tower of depth L has L hidden layers of ReLUs with variance 2/fan_in (He et al.) and a random linear readout. For wide
layers the cosine of two inputs becomes, layer by layer (Cho and Saul, 2009),

    rho -> (sqrt(1 - rho^2) + rho (pi - arccos(rho)))/pi,

which rises towards 1; the readout preserves it. The mean of N unit vectors at cosine rho has the squared norm
``1/N + (1 - 1/N) rho``, and the means of independent towers are orthogonal. So

    gap = sqrt(2 (1/N + (1 - 1/N) E rho_L)),

from sqrt(2/N) for a linear map to sqrt(2) for deep towers, where the modalities are two orthogonal points. E is the
mean over the cosines of inputs; for isotropic inputs of dimension n their density is ``(1 - t^2)^{(n-3)/2}``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from theory.checks import require_integer

if TYPE_CHECKING:
    from jaxtyping import Float

_NODES = 64
# For deeper towers the cosine is 1 to within 1 part in 10^5.
_DEEPEST = 10_000


def tower_cosine(cosine: Float[np.ndarray, ...] | float, depth: int) -> Float[np.ndarray, ...]:
    """Return the cosine of two embeddings after ``depth`` ReLU layers of infinite width.

    Args:
        cosine: of the inputs, in [-1, 1].
        depth: L, the number of hidden layers.
    """
    cosine = np.clip(np.asarray(cosine, float), -1, 1)
    for _ in range(depth):
        cosine = (np.sqrt(np.maximum(1 - cosine**2, 0)) + cosine * (np.pi - np.arccos(cosine))) / np.pi
        cosine = np.minimum(cosine, 1)
    return cosine


def initial_gap(n_pairs: int, depth: int, input_dim: int | None = None) -> float:
    """Return the gap of two independent random towers of infinite width, to leading order in its fluctuations.

    Args:
        n_pairs: N.
        depth: L >= 0.
        input_dim: n, the dimension of isotropic inputs; None for infinitely many, where all inputs are orthogonal.

    Raises: ValueError, one line that names the field.
    """
    n_pairs = require_integer("n_pairs", n_pairs, minimum=2)
    depth = require_integer("depth", depth, minimum=0)
    if depth > _DEEPEST:
        raise ValueError(f"depth: expected at most {_DEEPEST}, got {depth}")
    mean = float(tower_cosine(0.0, depth)) if input_dim is None else _mean_cosine(depth, input_dim)
    return math.sqrt(2 * (1 / n_pairs + (1 - 1 / n_pairs) * mean))


def _mean_cosine(depth: int, input_dim: int) -> float:
    """Return the mean of ``rho_L`` over independent isotropic inputs."""
    if require_integer("input_dim", input_dim, minimum=1) == 1:
        return float(tower_cosine(np.array([-1.0, 1.0]), depth).mean())
    from scipy.special import roots_gegenbauer

    # The weight of index alpha is (1 - t^2)^{alpha - 1/2}; input_dim = 2 is the limit alpha -> 0, Gauss-Chebyshev.
    if input_dim == 2:
        nodes, weights = np.cos((np.arange(_NODES) + 0.5) * np.pi / _NODES), np.ones(_NODES)
    else:
        nodes, weights = roots_gegenbauer(_NODES, (input_dim - 2) / 2)
    return float(tower_cosine(nodes, depth) @ weights / weights.sum())
