"""The limit of a step: products counted by hand, the bytes of the state, the program that does just these."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.atlas.entries import ENTRIES
from experiments.benchmarks.limit import (
    MOST_WRITTEN_OUT,
    StepLimit,
    bound_by,
    draw_operands,
    find_products,
    limit_contestants,
    limit_of,
    take_steps,
)
from experiments.benchmarks.settings import BenchSettings
from experiments.benchmarks.training import make_member
from simlab.networks.names import EXPANSION
from simlab.runtime.settings import precision_of

BY_NAME = {entry.name: entry for entry in ENTRIES}


def limit_for(name, preset="quick"):
    member = make_member(BY_NAME[name], BenchSettings(preset=preset))
    with precision_of(member.spec.dtype):
        return member, limit_of(member)


def test_feature_collapse_at_the_size_of_the_paper():
    """Logits, classifier gradient and word gradient: 2 x 100 x 1500 x 1000 operations each."""
    _, limit = limit_for("feature-collapse", "paper")
    assert [product.flops for product in limit.products] == [300_000_000] * 3
    assert {product.kinds for product in limit.products} == {("float32", "float32")}
    assert {str(product.precision[0]) for product in limit.products} == {"HIGHEST"}
    # Classifier and embeddings, in float32, read and written; SGD has no state.
    assert limit.bytes == 2 * 4 * (1000 * 15 * 100 + 1200 * 100)


def test_an_encoder_of_sentences():
    """Three times a forward pass: 2 operations for each weight and token, those of attention, and the scores."""
    member, limit = limit_for("contextual-embeddings")
    spec, network = member.spec, member.spec.network
    batch, length, dim = spec.source.batch_size, spec.task.sentence_length, network.embedding_dim
    n_tokens = 2 * batch * length
    weights = network.depth * (4 + 2 * EXPANSION) * dim**2
    attention = network.depth * 4 * n_tokens * length * dim
    blocks = 3 * (2 * weights * n_tokens + attention)
    # InfoNCE has its own rule, which may compute the scores once more for the gradient.
    scores = 2 * batch**2 * dim
    assert (limit.flops - blocks) % scores == 0
    assert 3 <= (limit.flops - blocks) // scores <= 4


def test_runge_kutta_steps_of_two_linear_layers():
    """Four slopes of three products in a loop, and the map once more for the loss."""
    member, limit = limit_for("deep-linear-networks")
    n_properties, n_items = member.spec.task.shape
    product = 2 * n_properties * member.spec.network.hidden_width * n_items
    assert limit.flops == (4 * 3 + 1) * product
    assert sorted(one.repeats for one in limit.products) == [1, 4, 4, 4]
    assert {one.kinds for one in limit.products} == {("float64", "float64")}


def test_loops_multiply_and_the_larger_branch_counts():
    def computation(matrix, is_large):
        def step(total, _):
            return total @ matrix, None

        total, _ = jax.lax.scan(step, matrix, length=5)
        small, large = (lambda m: m @ m[:, :1] @ jnp.ones((1, 3))), (lambda m: m @ m @ m)
        return jax.lax.cond(is_large, large, small, total)

    jaxpr = jax.make_jaxpr(computation)(jnp.ones((3, 3)), True)
    products = find_products(jaxpr.jaxpr)
    assert [(one.left, one.right, one.repeats) for one in products] == [
        ((3, 3), (3, 3), 5),
        ((3, 3), (3, 3), 1),
        ((3, 3), (3, 3), 1),
    ]
    assert sum(one.flops for one in products) == 7 * 2 * 27


@pytest.mark.parametrize("length", [3, MOST_WRITTEN_OUT + 1])
def test_the_program_does_just_the_products(length):
    """The compiler counts the same operations, of each product in its loops, and a turn runs again and again."""

    def computation(left, right):
        return jax.lax.scan(lambda total, _: (total + left @ right, None), jnp.zeros((8, 16)), length=length)[0]

    jaxpr = jax.make_jaxpr(computation)(jnp.ones((8, 32)), jnp.ones((32, 16)))
    limit = StepLimit(tuple(find_products(jaxpr.jaxpr)), (jax.ShapeDtypeStruct((4, 4), jnp.float32),))
    assert limit.flops == length * 2 * 8 * 32 * 16
    contestants = limit_contestants(limit, 2)
    assert [contestant.name for contestant in contestants] == ["limit", "limit: state alone", "limit: empty loop"]
    for contestant in contestants:
        contestant.turn()
        contestant.turn()
    facts = {fact.quantity: fact.value for fact in contestants[0].facts}
    assert facts == {"operations": limit.flops / 1e3, "state": 2 * 64 / 1e3, "products": length}


@pytest.mark.parametrize("name", ["feature-collapse", "contextual-embeddings"])
def test_equal_products_are_all_done(name):
    """The compiler counts all operations, and hardly any others: the encoder has many products of one shape."""
    _, limit = limit_for(name)
    limit = limit._replace(state=())
    arguments = (jnp.zeros(()), jnp.ones(()), [], draw_operands(limit))
    compiled = jax.jit(partial(take_steps, limit, 2)).lower(*arguments).compile()
    counted = compiled.cost_analysis()["flops"]
    steps = max(1, round(counted / limit.flops))  # the body of a loop counts once, or as often as it is run
    assert counted == pytest.approx(steps * limit.flops, rel=1e-3)
    assert steps in (1, 2)


@pytest.mark.parametrize(
    ("times", "is_small", "largest"),
    [
        ((10.0, 2.0, 1.0), False, "products"),
        ((10.0, 9.0, 1.0), False, "memory traffic"),
        ((10.0, 9.0, 1.0), True, "memory traffic"),
        ((10.0, 2.0, 1.0), True, "overhead of the loop"),
        ((10.0, 9.0, 8.0), False, "overhead of the loop"),
    ],
)
def test_what_bounds_a_step(times, is_small, largest):
    assert bound_by(*times, is_small=is_small) == largest


def test_every_step_has_a_limit():
    for name in BY_NAME:
        _, limit = limit_for(name)
        assert limit.flops > 0, name
        assert limit.bytes > 0, name
        assert all(np.prod(product.left) > 0 for product in limit.products)
