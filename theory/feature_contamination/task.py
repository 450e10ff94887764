"""The features of a task: their numbers, means and deviations, checked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from theory.checks import require_integer, require_non_negative, require_positive

# The standard deviation of strengths that are uniform on [0, 1].
UNIFORM_DEVIATION = 1 / math.sqrt(12)


@dataclass(frozen=True, kw_only=True)
class Features:
    """Core features, whose sign is the label, and background features, whose sign is independent of it.

        x = y sum_core z_j m_j + sum_background z_j m_j,   m_j orthonormal, z_j independent

    Args:
        core_features: d_c.
        background_features: d_b.
        core_mean: mean of a core strength, positive.
        background_mean: mean of a background strength; out of distribution its sign is flipped.
        core_deviation: standard deviation of a core strength, positive.
        background_deviation: that of a background strength, positive.
    """

    core_features: int
    background_features: int
    core_mean: float
    background_mean: float
    core_deviation: float
    background_deviation: float

    @property
    def core_projection(self) -> float:
        """E C = mu_c sqrt(d_c), with C the projection of an example onto the mean core direction."""
        return self.core_mean * math.sqrt(self.core_features)

    @property
    def background_projection(self) -> float:
        """E B = mu_b sqrt(d_b), the same for the background."""
        return self.background_mean * math.sqrt(self.background_features)

    @property
    def is_symmetric(self) -> bool:
        """Whether core and background have the same number, mean and deviation."""
        core = (self.core_features, self.core_mean, self.core_deviation)
        return core == (self.background_features, self.background_mean, self.background_deviation)

    def flipped(self) -> Features:
        """Return the features out of distribution: the background's sign is flipped."""
        return replace(self, background_mean=-self.background_mean)


def check_features(
    *,
    core_features: int,
    background_features: int,
    core_mean: float = 0.5,
    background_mean: float = 0.5,
    strength_deviation: float = UNIFORM_DEVIATION,
    background_deviation: float | None = None,
) -> Features:
    """Return the features, checked; the defaults are strengths uniform on [0, 1].

    Args:
        core_features: d_c, at least 1.
        background_features: d_b, at least 1.
        core_mean: mu_c > 0.
        background_mean: mu_b >= 0; a negative mean is equivalent to reversing m_j.
        strength_deviation: sigma > 0 of core strengths, and of background strengths unless `background_deviation` is
            given.
        background_deviation: sigma > 0 of background strengths; None for `strength_deviation`.

    Raises: ValueError, one line that names the field.
    """
    deviation = require_positive("strength_deviation", strength_deviation)
    if background_deviation is None:
        background = deviation
    else:
        background = require_positive("background_deviation", background_deviation)
    return Features(
        core_features=require_integer("core_features", core_features, minimum=1),
        background_features=require_integer("background_features", background_features, minimum=1),
        core_mean=require_positive("core_mean", core_mean),
        background_mean=require_non_negative("background_mean", background_mean),
        core_deviation=deviation,
        background_deviation=background,
    )


def require_slope(value: float) -> float:
    """Return the slope of a leaky ReLU as a float in [0, 1], or raise ValueError."""
    try:
        slope = require_non_negative("leaky_slope", value)
    except ValueError:
        slope = math.inf
    if slope > 1:
        raise ValueError(f"leaky_slope: expected a number in [0, 1], got {value!r}")
    return slope
