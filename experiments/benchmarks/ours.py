"""simlab's own training step, and the matrix products that bound it, as contestants."""

import time
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks.arithmetic import StepCost
from experiments.benchmarks.measurement import Contestant, Fact
from experiments.feature_collapse.training_spec import WordSpec
from simlab.losses.classification import Hyperparameters
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member, stack_inputs
from simlab.sweeps.program import Program


def even_layout(n_members: int) -> Layout:
    """Return the layout of a sweep on all devices, each with as many of the members; those left over are dropped."""
    shards = min(len(jax.local_devices()), n_members)
    rows = n_members - n_members % shards
    return Layout(rows, rows, shards)


def training(name: str, spec: WordSpec, hyperparameters: Hyperparameters, layout: Layout) -> Contestant:
    """Return the training of as many members as the layout has rows; a turn is one segment."""
    return sweep(name, [Member(spec, hyperparameters, seed) for seed in range(layout.rows)], layout)


def sweep(name: str, members: Sequence[Member], layout: Layout, *, restarts: bool = False) -> Contestant:
    """Return the training of members that share a program, one for each row of the layout; a turn is one segment.

    Args:
        name: as printed.
        members: of equal specification.
        layout: as many rows as members.
        restarts: whether each turn is the first segment, from the same start.
    """
    spec = members[0].spec
    started = time.perf_counter()
    program = Program(spec, layout)
    segment = program.segment
    compiled = time.perf_counter() - started
    inputs, occupied = program.put(stack_inputs(members), np.ones(layout.rows, bool))
    problem, rows = program.begin(inputs, occupied)
    # Rows are donated.
    copy = jax.jit(lambda rows: jax.tree.map(jnp.copy, rows))

    def turn() -> None:
        nonlocal rows
        if restarts:
            jax.block_until_ready(segment(problem, copy(rows), inputs))
        else:
            rows = jax.block_until_ready(segment(problem, rows, inputs))

    facts = (
        Fact("compile time", "s", compiled),
        Fact("memory", "MB", program.bytes_needed("segment") * layout.n_devices / 1e6),
    )
    return Contestant(name, turn, layout.rows * spec.steps_per_record, facts)


def matrix_products(name: str, cost: StepCost, n_steps: int, precision: str) -> Contestant:
    """Return the three matrix products of a step alone, compiled by XLA: what the machine gives these shapes."""
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = ((cost.batch, cost.width), (cost.classes, cost.width), (cost.batch, cost.classes))
    operands = tuple(jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=True))

    def step(carry, _):
        # Nothing may be taken out of the loop, and no product may be left out or cut down to what is used of it.
        total, (words, classifier, gradient) = jax.lax.optimization_barrier((carry, operands))
        logits = jnp.einsum("bi,ki->bk", words, classifier)
        products = logits, jnp.einsum("bk,bi->ki", gradient, words), gradient @ classifier
        products = jax.lax.optimization_barrier(products)
        return total + sum(product[0, 0] for product in products), None

    with jax.default_matmul_precision(precision):
        run = jax.jit(lambda total: jax.lax.scan(step, total, length=n_steps)[0]).lower(jnp.zeros(())).compile()
    return Contestant(name, lambda: jax.block_until_ready(run(jnp.zeros(()))), n_steps)
