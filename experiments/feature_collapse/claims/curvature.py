"""The Hessian at the minimum: flat directions of the gauge, and the smallest curvature in the other directions."""

from collections.abc import Iterator
from dataclasses import replace

from experiments.feature_collapse.claims.setting import Setting
from experiments.verification.claim import Claim, compare

SOURCE = "derived here"
SETTINGS = (
    Setting(n_concepts=2, ranks=2, length=3, weight_decay=1e-3, law="zipf"),
    Setting(n_concepts=3, ranks=2, length=2, weight_decay=1e-2, law="skewed"),
)
# Relative distances of the weight decay below the threshold.
DISTANCES = (0.02, 0.01)


def rotation_directions(dim: int, rank: int) -> int:
    """Return the dimension of the orbit under rotations of a configuration of rank ``r`` in ``d`` dimensions.

    There are ``d(d-1)/2`` rotations, minus those within the ``d - r`` dimensions orthogonal to the configuration.
    """
    unused = dim - rank
    return dim * (dim - 1) // 2 - unused * (unused - 1) // 2


def check_curvature() -> Iterator[Claim]:
    """Check the number of flat directions, and the curvature as the weight decay approaches the zero threshold."""
    for setting in SETTINGS:
        yield _check_flat_directions(setting)
        for distance in DISTANCES:
            yield _check_near_threshold(setting, distance)


def _check_flat_directions(setting: Setting) -> Claim:
    minimum = setting.minimum
    predicted = rotation_directions(setting.embedding_dim, setting.n_concepts - 1)
    name = f"flat directions of the Hessian, {setting} d={setting.embedding_dim}"
    return compare(name, SOURCE, predicted, minimum.flat_directions[minimum.best], 0.0, "a whole number")


def _check_near_threshold(setting: Setting, distance: float) -> Claim:
    """Check the leading order ``2 lam (1 - lam/lam_th)``; the next order is smaller by a factor of the distance."""
    threshold = setting.prediction.zero_threshold
    if threshold is None:
        raise TypeError(f"setting: expected one without LayerNorm, which has no threshold, got {setting}")
    near = replace(setting, weight_decay=(1 - distance) * threshold)
    minimum = near.minimum
    predicted = 2 * near.weight_decay * distance
    relative = minimum.smallest_curvature[minimum.best] / predicted
    name = f"smallest curvature / (2 lam (1 - lam/lam_th)), {_name(near)}, {distance:.0%} below the threshold"
    return compare(name, SOURCE, 1.0, relative, 4 * distance, "leading order: 4 times the distance")


def _name(setting: Setting) -> str:
    return f"n_c={setting.n_concepts} s_c={setting.ranks} L={setting.length} {setting.law}"
