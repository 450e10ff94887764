"""The limit of a training step: its matrix products, and its weights and optimiser state read and written once.

Both are read off the step itself: the products from its jaxpr, the state from its shapes. A program that does just
these is compiled and timed like any contestant. Where a step is small, neither matters: what then takes time is the
loop around the steps, which is timed alone as well.

A step with a line search takes as many gradients as the search needs. Here it counts one trial, and the gradient that
is computed anew where the last search left none; and all that L-BFGS remembers counts as written, of which a step
replaces one part. The limit of such a step is an estimate, not a bound.
"""

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks.measurement import Contestant, Fact
from simlab.runtime.random_keys import random_key
from simlab.sweeps.members import Member, member_inputs
from simlab.training.trainer import make_trainer

LIMIT, STATE, LOOP = "limit", "limit: state alone", "limit: empty loop"
# A product in a loop of at most so many rounds is written out, each round with operands of its own.
MOST_WRITTEN_OUT = 16


class Product(NamedTuple):
    """A ``dot_general`` of a step, and how often the step does it.

    Attributes:
        left: shape of the first operand.
        right: shape of the second one.
        dimensions: ``((contracted left, contracted right), (batched left, batched right))``.
        kinds: dtypes of both operands.
        precision: as the step asks for.
        repeats: product of the lengths of the loops around it.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    dimensions: tuple
    kinds: tuple[str, str]
    precision: Any
    repeats: int = 1

    @property
    def flops(self) -> int:
        """Two for each multiplication, all repeats together."""
        (_, contracted), (_, batched) = self.dimensions
        others = [size for axis, size in enumerate(self.right) if axis not in (*contracted, *batched)]
        return 2 * self.repeats * math.prod(self.left) * math.prod(others)


class StepLimit(NamedTuple):
    """What a step cannot do without.

    Attributes:
        products: its matrix products.
        state: shapes of its weights and of the state of its optimiser.
    """

    products: tuple[Product, ...]
    state: tuple[jax.ShapeDtypeStruct, ...]

    @property
    def flops(self) -> int:
        """Of all products of a step."""
        return sum(product.flops for product in self.products)

    @property
    def bytes(self) -> int:
        """Of the state, read once and written once."""
        return sum(2 * math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in self.state)


def limit_of(member: Member) -> StepLimit:
    """Return the limit of a member whose run has a single step; nothing is computed."""
    trainer = make_trainer(member.spec)
    inputs = member_inputs(member)
    data, hyperparameters = jax.tree.map(jnp.asarray, (inputs.data, inputs.hyperparameters))
    begun = jax.eval_shape(trainer.begin, random_key(inputs.seeds), data, hyperparameters)
    step = jax.make_jaxpr(trainer.segment)(*begun, hyperparameters, 0)
    state = [leaf for leaf in jax.tree.leaves(begun[1]) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    return StepLimit(tuple(find_products(step.jaxpr)), tuple(state))


def find_products(jaxpr: Any, repeats: int = 1) -> list[Product]:
    """Return the matrix products of a jaxpr and of all that it calls.

    A scan does its products as often as it is long; of the branches of a condition the one with more operations counts;
    a loop whose length depends on the data counts once.
    """
    products = []
    for equation in jaxpr.eqns:
        name, parameters = equation.primitive.name, equation.params
        if name == "dot_general":
            products.append(_product_of(equation, repeats))
        elif name == "cond":
            branches = [find_products(branch.jaxpr, repeats) for branch in parameters["branches"]]
            products += max(branches, key=lambda branch: sum(product.flops for product in branch))
        else:
            times = parameters["length"] if name == "scan" else 1
            for inner in _inner_jaxprs(parameters):
                products += find_products(inner, repeats * times)
    return products


def _product_of(equation: Any, repeats: int) -> Product:
    left, right = (variable.aval for variable in equation.invars)
    kinds = str(left.dtype), str(right.dtype)
    return Product(
        left.shape,
        right.shape,
        equation.params["dimension_numbers"],
        kinds,
        equation.params["precision"],
        repeats,
    )


def _inner_jaxprs(parameters: dict) -> Iterator[Any]:
    """Yield the jaxprs among the parameters of an equation."""
    for value in parameters.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            inner = getattr(part, "jaxpr", part)
            if hasattr(inner, "eqns"):
                yield inner


def limit_contestants(limit: StepLimit, n_steps: int) -> list[Contestant]:
    """Return the limit, its state without the products, and the loop without both."""
    facts = (
        Fact("operations", "kFLOP", limit.flops / 1e3),
        Fact("state", "kB", limit.bytes / 1e3),
        Fact("products", "", sum(product.repeats for product in limit.products)),
    )
    empty = StepLimit((), ())
    return [
        Contestant(LIMIT, _compile(limit, n_steps), n_steps, facts),
        Contestant(STATE, _compile(limit._replace(products=()), n_steps), n_steps),
        Contestant(LOOP, _compile(empty, n_steps), n_steps),
    ]


def bound_by(limit: float, state: float, loop: float, *, is_small: bool) -> str:
    """Return what takes most of the limit's time: its products, the traffic of its state, or overhead.

    Overhead is that of the loop and, where products are small, of calling them.

    Args:
        limit: time of a step of the limit.
        state: the same without the products.
        loop: the same without products and state.
        is_small: whether the products are too small to take time themselves.
    """
    shares = {"products": limit - state, "memory traffic": state - loop, "overhead of the loop": loop}
    if is_small:
        shares["overhead of the loop"] += shares.pop("products")
    return max(shares, key=lambda name: shares[name])


def _compile(limit: StepLimit, n_steps: int):
    """Return a turn: so many steps of nothing but the limit, in one program."""
    operands, state = draw_operands(limit), [jnp.ones(leaf.shape, leaf.dtype) for leaf in limit.state]
    zero, one = jnp.zeros(()), jnp.ones(())
    run = jax.jit(partial(take_steps, limit, n_steps), donate_argnums=2)
    compiled = run.lower(zero, one, state, operands).compile()

    def turn() -> None:
        nonlocal state
        state = jax.block_until_ready(compiled(zero, one, state, operands))[1]

    return turn


def take_steps(limit: StepLimit, n_steps: int, total, factor, state: list, operands: list):
    """Return the sum of the first entries of all products, and the state times a factor in each step.

    Args:
        limit: the products.
        n_steps: how often they are done.
        total: to which the sum is added.
        factor: 1, which the compiler does not know.
        state: weights and optimiser state.
        operands: of the products. As arguments: of equal constants the compiler would multiply one pair only.
    """

    def step(carry, _):
        # Nothing may be taken out of the loop, and no product may be left out or cut down to what is used of it.
        total, state, current = jax.lax.optimization_barrier((*carry, operands))
        results = [_multiply(product, pairs) for product, pairs in zip(limit.products, current, strict=True)]
        results = jax.lax.optimization_barrier(results)
        state = [leaf * factor.astype(leaf.dtype) for leaf in state]
        return (total + sum(_first(result) for result in jax.tree.leaves(results)), state), None

    return jax.lax.scan(step, (total, state), length=n_steps)[0]


def draw_operands(limit: StepLimit) -> list[list[tuple[jax.Array, jax.Array]]]:
    """Return random operands of each product: a pair for each repetition that is written out, else one."""
    rng = np.random.default_rng(0)

    def draw(shape: tuple[int, ...], kind: str) -> jax.Array:
        return jnp.asarray(rng.standard_normal(shape), kind)

    def pairs_of(product: Product) -> list[tuple[jax.Array, jax.Array]]:
        n_pairs = product.repeats if product.repeats <= MOST_WRITTEN_OUT else 1
        return [(draw(product.left, product.kinds[0]), draw(product.right, product.kinds[1])) for _ in range(n_pairs)]

    return [pairs_of(product) for product in limit.products]


def _multiply(product: Product, pairs: Sequence[tuple[jax.Array, jax.Array]]) -> list[jax.Array]:
    """Return the product of each pair of operands, or the sum of first entries where one pair stands for many."""

    def multiply(pair: tuple[jax.Array, jax.Array]) -> jax.Array:
        return jax.lax.dot_general(pair[0], pair[1], product.dimensions, precision=product.precision)

    if product.repeats <= MOST_WRITTEN_OUT:
        return [multiply(pair) for pair in pairs]

    def again(total, _):
        total, pair = jax.lax.optimization_barrier((total, pairs[0]))
        return total + _first(jax.lax.optimization_barrier(multiply(pair))), None

    return [jax.lax.scan(again, jnp.zeros(()), length=product.repeats)[0]]


def _first(array: jax.Array) -> jax.Array:
    return array.reshape(-1)[0].astype(jnp.float32)
