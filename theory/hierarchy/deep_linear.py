"""Deep linear networks on a tree: when each level of the tree is learned, and its strength in each layer.

Items are one-hot, so that W_N .. W_1 is fitted to the item-by-property matrix Y = U S V^T. Modes of equal singular
values form a *level*. From a balanced start, and from any small start up to an error of the order of its size, the Gram
matrix of the items after layer l converges to V S^(2l/N) V^T: the strengths of two levels have the ratio
(s_c/s_f)^(2l/N), which grows geometrically with l. This is the *law of layers*. For an aligned start it holds during
training, with a in place of s.

`modes` covers aligned starts for every N, `riccati` two layers from other starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from theory.checks import require_integer, require_positive
from theory.hierarchy import modes
from theory.hierarchy.riccati import decoupled_starts, solve_two_layers
from theory.hierarchy.tree import Tree

if TYPE_CHECKING:
    from jaxtyping import Float, Int

STARTS = ("aligned", "balanced", "random")
# Singular values whose difference is below this share of the largest form one level; values below it are zero.
_EQUAL = 1e-9


class Levels(NamedTuple):
    """The levels of an item-by-property matrix, strongest first.

    Args:
        left, right: singular vectors of the positive singular values, float64 (P, r) and (K, r).
        singular_values: float64 (r,), descending.
        level_of: the level of each mode, integers (r,), starting at 0.
    """

    left: Float[np.ndarray, "P r"]
    right: Float[np.ndarray, "K r"]
    singular_values: Float[np.ndarray, " r"]
    level_of: Int[np.ndarray, " r"]

    @property
    def values(self) -> Float[np.ndarray, " levels"]:
        """The singular value of each level."""
        return self.mean(self.singular_values)

    @property
    def multiplicities(self) -> Int[np.ndarray, " levels"]:
        """The number of modes of each level."""
        return np.bincount(self.level_of)

    def mean(self, modes: Float[np.ndarray, "*batch r"]) -> Float[np.ndarray, "*batch levels"]:
        """Return the mean over the modes of each level, which does not depend on the choice of basis."""
        members = np.eye(len(self.multiplicities))[self.level_of]
        return modes @ (members / self.multiplicities)

    def strengths(self, maps: Float[np.ndarray, "*batch P K"]) -> Float[np.ndarray, "*batch levels"]:
        """Return the mean of u^T W v over each level."""
        return self.mean(np.einsum("pr,...pk,kr->...r", self.left, maps, self.right))

    def gram_strengths(self, grams: Float[np.ndarray, "*batch K K"]) -> Float[np.ndarray, "*batch levels"]:
        """Return the mean of v^T G v over each level."""
        return self.mean(np.einsum("kr,...kj,jr->...r", self.right, grams, self.right))


def find_levels(target: Float[np.ndarray, "P K"]) -> Levels:
    """Return the levels of an item-by-property matrix."""
    left, values, right = np.linalg.svd(np.asarray(target, float), full_matrices=False)
    positive = values > _EQUAL * values[0]
    values = values[positive]
    level_of = np.concatenate([[0], np.cumsum(-np.diff(values) > _EQUAL * values[0])])
    return Levels(left[:, positive], right[positive].T, values, level_of)


def layer_exponents(n_layers: int) -> Float[np.ndarray, " N"]:
    """Return 2l/N for layers l = 1 to N, the powers of s in their Gram matrices: the law of layers."""
    return 2 * np.arange(1, n_layers + 1) / n_layers


class ModePath(NamedTuple):
    """The levels of a network over training, predicted from its start; NaN where nothing is predicted.

    Args:
        strengths: u^T W v, float64 (t, levels).
        layer_strengths: strengths in the Gram matrix of the items after each layer, float64 (t, N, levels).
        decoupled: strengths of two layers if the modes did not interact, float64 (t, levels).
        item_grams: Gram matrix of the items after the first layer, float64 (t, K, K).
    """

    strengths: Float[np.ndarray, "t levels"]
    layer_strengths: Float[np.ndarray, "t N levels"]
    decoupled: Float[np.ndarray, "t levels"]
    item_grams: Float[np.ndarray, "t K K"]


def predict_path(
    target: Float[np.ndarray, "P K"],
    start: str,
    gram: Float[np.ndarray, "P+K P+K"],
    steps: Int[np.ndarray, " t"],
    learning_rate: float,
    *,
    n_layers: int,
    initial_strength: float = 0.0,
    width: int | None = None,
    discrete: bool = False,
) -> ModePath:
    """Return the predicted levels of a deep linear network over training, from a given start.

    Args:
        target: Y, (P, K).
        start: "aligned" (with `initial_strength`; any N, also if hidden layers are narrower than the rank of Y),
            "balanced" or "random" (two layers). N = 1 allows any start.
        gram: Gram matrix of the start, items first: [[W_1^T W_1, W^T], [W, W_N W_N^T]] with W the product W_N .. W_1.
        steps: numbers of steps, in ascending order from 0.
        learning_rate: eta.
        n_layers: N.
        initial_strength: a_0 of an aligned start.
        width: of the hidden layer of a two-layer network, if it is narrower than the rank of Y.
        discrete: whether to predict gradient descent; otherwise gradient flow.

    Returns: the path; NaN for N > 2 and a start that is not aligned.
    Source: Saxe et al.; Fukumizu; Braun et al.; the projected form is derived in `riccati`.
    """
    levels, n_items = find_levels(target), target.shape[1]
    missing = np.full((len(steps), len(levels.values)), np.nan)
    if n_layers == 1:
        decay = (1 - learning_rate) ** steps if discrete else np.exp(-learning_rate * steps)
        maps = target + decay[:, None, None] * (gram[n_items:, :n_items] - target)
        grams = np.einsum("tpk,tpj->tkj", maps, maps)
        return ModePath(levels.strengths(maps), levels.gram_strengths(grams)[:, None], missing, grams)
    if start == "aligned":
        # Hidden layers narrower than the rank of Y represent only some of the modes.
        share = levels.strengths(gram[n_items:, :n_items]) / initial_strength
        strengths = _aligned(levels, steps, learning_rate, n_layers, initial_strength, discrete=discrete)
        by_layer = share * strengths[:, None] ** layer_exponents(n_layers)[:, None]
        # The first Gram matrix keeps its directions: each represented mode starts at a_0^(2/N).
        growth = (strengths / initial_strength) ** (2 / n_layers)
        grams = _rescale_levels(levels, gram[:n_items, :n_items], growth)
        return ModePath(share * strengths, by_layer, share * strengths if n_layers == 2 else missing, grams)
    if n_layers > 2:
        no_grams = np.full((len(steps), n_items, n_items), np.nan)
        return ModePath(missing, np.repeat(missing[:, None], n_layers, axis=1), missing, no_grams)
    options = {"width": width, "projected": start == "random", "discrete": discrete}
    path = solve_two_layers(target, gram, steps, learning_rate, **options)
    last = np.einsum("tpk,tpj->tkj", path.maps, path.maps)
    by_layer = np.stack([levels.gram_strengths(grams) for grams in (path.item_grams, last)], axis=1)
    starts = decoupled_starts(levels.left, levels.right, gram)
    s, times = levels.singular_values, learning_rate * np.asarray(steps, float)[:, None]
    alone = s / (1 + (s / starts - 1) * np.exp(-2 * s * times))
    return ModePath(levels.strengths(path.maps), by_layer, levels.mean(alone), path.item_grams)


def _rescale_levels(
    levels: Levels, gram: Float[np.ndarray, "K K"], factors: Float[np.ndarray, "t levels"]
) -> Float[np.ndarray, "t K K"]:
    """Return a Gram matrix with each level multiplied by its factor."""
    roots = np.sqrt(factors)[:, levels.level_of]
    inner = levels.right.T @ gram @ levels.right
    return np.einsum("kr,tr,rs,ts,js->tkj", levels.right, roots, inner, roots, levels.right, optimize=True)


def _aligned(levels: Levels, steps, learning_rate, n_layers, initial_strength, *, discrete: bool) -> np.ndarray:
    """Return the strengths of an aligned start."""
    if discrete:
        return modes.descend_strengths(levels.values, initial_strength, steps, learning_rate, n_layers)
    times = learning_rate * np.asarray(steps, float)
    return modes.aligned_strengths(levels.values, initial_strength, times, n_layers)


class LinearPrediction(NamedTuple):
    """Modes of a deep linear network on a tree under gradient flow, from an aligned balanced start.

    Args:
        singular_values: of the item-by-property matrix, float64 (r,), descending.
        strengths: a of each mode after each number of steps, float64 (t, r).
        half_times: steps until a mode reaches s/2, float64 (r,).
        layer_exponents: powers of s in the final Gram matrix after each layer, float64 (N,).
        steps: integers (t,).
        learning_rate: eta; the time of gradient flow is eta times the steps.
        initial_strength: a_0.
        largest_learning_rate: gradient descent diverges for larger eta.
    """

    singular_values: Float[np.ndarray, " r"]
    strengths: Float[np.ndarray, "t r"]
    half_times: Float[np.ndarray, " r"]
    layer_exponents: Float[np.ndarray, " N"]
    steps: Int[np.ndarray, " t"]
    learning_rate: float
    initial_strength: float
    largest_learning_rate: float

    def to_json(self) -> dict[str, object]:
        """Return the prediction as plain JSON values; a row of strengths for each number of steps."""
        values = {name: np.asarray(value).tolist() for name, value in self._asdict().items()}
        return {**values, "basis": "theorem"}


def predict_deep_linear(
    *,
    branching: int = 2,
    depth: int = 3,
    layers: int = 2,
    steps: Sequence[int] = (0,),
    learning_rate: float = 1e-3,
    initial_strength: float = 1e-3,
) -> LinearPrediction:
    """Return the predicted modes of a deep linear network that learns the nodes on the path to each leaf of a tree.

    Args:
        branching: b, at least 2.
        depth: D, at least 1.
        layers: N, at least 1.
        steps: numbers of steps at which strengths are returned, at least 0, in any order.
        learning_rate: eta, for the loss |Y - W|^2 / 2 summed over items and properties.
        initial_strength: a_0 of every mode.

    Returns: the prediction. Gradient descent differs from the flow by a relative error of order eta s.
    Raises: ValueError, `field: expected ..., got ...`; also for a learning rate at which gradient descent diverges.
    Source: `modes`.
    """
    tree = Tree(branching, depth)
    n_layers = require_integer("layers", layers, minimum=1)
    counts = np.array([require_integer("steps", step, minimum=0) for step in steps], dtype=int)
    squares = [(tree.branching ** (tree.depth - level + 1) - 1) / (tree.branching - 1) for level in range(depth + 1)]
    values = np.sqrt(np.repeat(squares, tree.multiplicities))
    rate = require_learning_rate(learning_rate, float(values[0]), n_layers)
    modes.require_initial_strength(initial_strength, values)
    return LinearPrediction(
        singular_values=values,
        strengths=modes.aligned_strengths(values, initial_strength, rate * counts, n_layers),
        half_times=modes.half_times(values, initial_strength, n_layers) / rate,
        layer_exponents=layer_exponents(n_layers),
        steps=counts,
        learning_rate=rate,
        initial_strength=float(initial_strength),
        largest_learning_rate=modes.largest_learning_rate(float(values[0]), n_layers),
    )


def require_learning_rate(value: float, largest_value: float, n_layers: int, method: str = "descent") -> float:
    """Return the learning rate, or raise ValueError above the largest stable one."""
    rate, largest = (
        require_positive("learning_rate", value),
        modes.largest_learning_rate(largest_value, n_layers, method),
    )
    if rate >= largest:
        raise ValueError(f"learning_rate: expected less than {largest:.6g}, the largest stable step, got {value!r}")
    return rate
