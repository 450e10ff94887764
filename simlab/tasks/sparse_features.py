"""Sparse features: the inputs of *Toy Models of Superposition* (Elhage et al., 2022).

Each of ``n`` features is zero with probability ``1 - p`` and otherwise uniform on [0, 1], independently of the others.
**p is the probability that a feature is active**; what the paper calls sparsity is ``1 - p``. Feature ``i`` has the
importance ``I_i``, its weight in the loss.

With ``weights_masks`` only the values are drawn: each of the ``2^n`` sets of active features (*masks*) is combined with
every draw and weighted by its probability ``p^k (1 - p)^(n - k)``, so that rare masks add no sampling noise. Otherwise
the active features are drawn as well.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.batch import AnyArray
from simlab.tasks.task import Task
from simlab.validation import check_count, check_real, invalid

if TYPE_CHECKING:
    import jax
    from jaxtyping import Bool, Float

# The most features whose 2^n masks are all weighted.
MOST_WEIGHTED = 10


class FeatureLaw(NamedTuple):
    """The distribution of the features and their weights in the loss; both may vary without a new compilation.

    Attributes:
        active_probability: ``p``, a scalar.
        importance: ``I``, ``Float[n]``.
    """

    active_probability: AnyArray
    importance: AnyArray


class SparseExamples(NamedTuple):
    """Draws of the features.

    Attributes:
        values: ``Float[B, n]``, the values of the features where they are active.
        thresholds: ``Float[B, n]``, uniform; a feature is active if its threshold is below ``p``, so that members which
            differ in ``p`` share their draws. None where every mask is combined with every draw.
    """

    values: AnyArray
    thresholds: AnyArray | None


@dataclass(frozen=True, kw_only=True)
class SparseFeatures(Task):
    """The static part of the task: its number of features, and whether their masks are weighted or drawn.

    Args:
        n_features: ``n``, at least 1.
        active_probability: ``p``, in (0, 1].
        importance: ``I_i``, positive, one for each feature or one number for all.
        weights_masks: whether every mask is weighted by its probability; for at most ``MOST_WEIGHTED`` features.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    n_features: int
    active_probability: float = 1.0
    importance: Any = 1.0  # a number or a sequence is accepted, a tuple is stored
    weights_masks: bool = False
    evaluations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        check_count("n_features", self.n_features)
        check_array("draws", n_features=self.n_features)
        if self.weights_masks:
            check_count("n_features", self.n_features, maximum=MOST_WEIGHTED)
        object.__setattr__(self, "active_probability", check_probability(self.active_probability))
        object.__setattr__(self, "importance", check_importance(self.importance, self.n_features))

    @property
    def example_size(self) -> int:
        """Numbers drawn per example."""
        return self.n_features if self.weights_masks else 2 * self.n_features

    @property
    def columns_per_draw(self) -> int:
        """Inputs per draw: one for every mask, or one."""
        return 2**self.n_features if self.weights_masks else 1

    @property
    def compile_key(self) -> SparseFeatures:
        """The task without its probability and importances, which are data to the compiled code."""
        return replace(self, active_probability=1.0, importance=1.0)

    def sample(self, seed: int) -> FeatureLaw:
        """Return the distribution of the features, which does not depend on the seed."""
        return FeatureLaw(np.array(self.active_probability), np.array(self.importance))

    def draw(self, key: jax.Array, data: FeatureLaw, size: int) -> SparseExamples:
        """Return ``size`` draws."""
        import jax

        shape, dtype = (size, self.n_features), data.importance.dtype
        if self.weights_masks:
            return SparseExamples(jax.random.uniform(key, shape, dtype), None)
        value_key, threshold_key = jax.random.split(key)
        uniform = lambda key: jax.random.uniform(key, shape, dtype)  # noqa: E731
        return SparseExamples(uniform(value_key), uniform(threshold_key))


def check_probability(value: object) -> float:
    """Return ``p`` as a float, or raise ``ValueError`` unless it is a number in (0, 1]."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) <= 1:
        raise invalid("active_probability", "a number in (0, 1]", value)
    return float(value)


def check_importance(value: Any, n_features: int) -> tuple[float, ...]:
    """Return the importance of each feature, or raise ``ValueError`` unless all are positive."""
    given = (value,) * n_features if isinstance(value, Real) else tuple(value)
    if len(given) != n_features:
        raise invalid("importance", f"{n_features} numbers, one for each feature", len(given))
    return tuple(check_real("importance", number, positive=True) for number in given)


def all_masks(n_features: int) -> Bool[np.ndarray, "n K"]:
    """Return every set of active features as a column, ``K = 2^n``."""
    return np.array(list(itertools.product((False, True), repeat=n_features))).T.reshape(n_features, -1)


def mask_probabilities(masks: Bool[np.ndarray, "n K"], active_probability: AnyArray) -> Float[AnyArray, " K"]:
    """Return ``p^k (1 - p)^(n - k)`` for each mask with ``k`` active features. Any backend."""
    n_active = masks.sum(axis=0)
    return active_probability**n_active * (1 - active_probability) ** (len(masks) - n_active)


def weighted_inputs(examples: SparseExamples, data: FeatureLaw) -> tuple[Float[AnyArray, "n B"], Float[AnyArray, " B"]]:
    """Return the inputs of all draws as columns, and their weights, which sum to 1.

    The long axis is last, so that memory access is contiguous even for few features.
    """
    import jax.numpy as jnp

    values = examples.values.T
    n_features, n_draws = values.shape
    if examples.thresholds is not None:
        active = data.active_probability > examples.thresholds.T
        return values * active, jnp.full(n_draws, 1 / n_draws, values.dtype)
    masks = all_masks(n_features)
    inputs = (masks[:, :, None] * values[:, None, :]).reshape(n_features, -1)
    weights = mask_probabilities(masks, data.active_probability).astype(values.dtype)
    return inputs, jnp.repeat(weights / n_draws, n_draws, total_repeat_length=math.prod(inputs.shape[1:]))
