import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.networks.layer_norm import layer_norm
from simlab.networks.names import NORMALISATIONS
from simlab.networks.normalisation import Normalisation

RNG = np.random.default_rng(0)
N, DIM = 8, 5
TABLE = RNG.normal(size=(N, DIM)) + 0.3
TABLE_32 = TABLE.astype(np.float32)
WEIGHTS = RNG.dirichlet(np.ones(N))
SCALE, OFFSET = RNG.uniform(0.5, 2, DIM), RNG.normal(size=DIM)
# Every value below comes from sums of at most N terms of order 1, with a division: some dozen roundings of 2^-24.
ROUNDING = 64 * 2**-24


def naive(kind, table, weights):
    """The definitions, word by word (or coordinate by coordinate), in float64."""
    out = np.array(table, np.float64)
    for row in range(len(out)):
        w = np.array(table[row], np.float64)
        if kind.startswith("layer"):
            out[row] = (w - sum(w) / DIM) / np.sqrt(sum((w - sum(w) / DIM) ** 2) / DIM)
        if kind.startswith("rms"):
            out[row] = w / np.sqrt(sum(w * w) / DIM)
        if kind.endswith("affine"):
            out[row] *= SCALE
        if kind == "layer-affine":
            out[row] += OFFSET
    if kind == "batch":
        for column in range(DIM):
            mean = np.average(table[:, column], weights=weights)
            out[:, column] = (table[:, column] - mean) / np.sqrt(np.cov(table[:, column], aweights=weights, ddof=0))
    return out


def trained(kind, dtype=jnp.float32):
    """The module with parameters other than those at the start."""
    module = Normalisation(kind, DIM, dtype)
    if hasattr(module, "scale"):
        module.scale[...] = jnp.asarray(SCALE, dtype)
    if hasattr(module, "offset"):
        module.offset[...] = jnp.asarray(OFFSET, dtype)
    return module


def apply(module, table, weights=None):
    """The module's image of a table, compiled once for all tests; NumPy in, the dtype of the module out."""
    weights = None if weights is None else jnp.asarray(weights, table.dtype)
    return compiled(*nnx.split(module), jnp.asarray(table), weights)


@partial(jax.jit, static_argnums=0)
def compiled(graph, params, table, weights):
    return nnx.merge(graph, params)(table, weights)


@partial(jax.jit, static_argnums=0)
def compiled_gradient(graph, params, table, weights, pull):
    return jax.grad(lambda table: jnp.sum(nnx.merge(graph, params)(table, weights) * pull))(table)


@pytest.mark.parametrize("kind", NORMALISATIONS)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["equal", "unequal"])
def test_images_are_the_definition(kind, weights):
    expected = naive(kind, TABLE, np.full(N, 1 / N) if weights is None else weights)
    image = apply(trained(kind), TABLE_32, weights)
    np.testing.assert_allclose(image, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())


def test_affine_kinds_start_as_the_plain_ones():
    for plain in ("layer", "rms"):
        start = apply(Normalisation(f"{plain}-affine", DIM), TABLE_32)
        np.testing.assert_array_equal(start, apply(Normalisation(plain, DIM), TABLE_32))
    np.testing.assert_array_equal(apply(Normalisation("layer", DIM), TABLE_32), jax.jit(layer_norm)(TABLE_32))


@pytest.mark.parametrize(
    ("kind", "shapes"),
    [*((kind, {}) for kind in ("none", "layer", "rms", "batch")),
     ("layer-affine", {"scale": (DIM,), "offset": (DIM,)}), ("rms-affine", {"scale": (DIM,)})],
)  # fmt: skip
def test_only_affine_kinds_have_parameters(kind, shapes):
    state = nnx.state(Normalisation(kind, DIM))
    assert {path[0]: leaf[...].shape for path, leaf in nnx.to_flat_state(state)} == shapes
    assert len(jax.tree.leaves(nnx.state(Normalisation(kind, DIM), nnx.Param))) == len(shapes)


@pytest.mark.parametrize("kind", [kind for kind in NORMALISATIONS if kind != "none"])
def test_scale_is_forgotten_to_the_last_bit(kind):
    module = trained(kind)
    # A power of two scales exactly, so the result must not change by a bit. The squares of 2^-100 underflow.
    for power in (-100, -20, 20, 100):
        scaled = apply(module, TABLE_32 * np.float32(2.0**power), WEIGHTS)
        np.testing.assert_array_equal(scaled, apply(module, TABLE_32, WEIGHTS))


@pytest.mark.parametrize("kind", ["rms", "rms-affine", "layer-affine", "batch"])
def test_tiny_vectors_have_a_finite_gradient(kind):
    pull = RNG.normal(size=(N, DIM)).astype(np.float32)
    gradient = partial(compiled_gradient, *nnx.split(trained(kind)), weights=WEIGHTS.astype(np.float32), pull=pull)
    tiny, size = gradient(table=TABLE_32 * np.float32(2.0**-50)), gradient(table=TABLE_32)
    # The gradient of what forgets the scale is inversely proportional to it; powers of two are exact.
    np.testing.assert_array_equal(tiny, size * np.float32(2.0**50))
    assert np.all(np.isfinite(tiny))


@pytest.mark.parametrize("kind", NORMALISATIONS)
def test_images_and_gradients_in_float64(kind):
    """The naive loops, and their central differences, against automatic differentiation."""
    pull = RNG.normal(size=(N, DIM))
    with jax.enable_x64(True):
        module = trained(kind, jnp.float64)
        image = apply(module, TABLE, WEIGHTS)
        gradient = compiled_gradient(*nnx.split(module), TABLE, WEIGHTS, pull)
    assert image.dtype == gradient.dtype == jnp.float64
    np.testing.assert_allclose(image, naive(kind, TABLE, WEIGHTS), rtol=0, atol=64 * 2**-52)
    for index in [(0, 2), (3, 1), (7, 4)]:
        values = []
        for shift in (1e-5, -1e-5):
            moved = TABLE.copy()
            moved[index] += shift
            values.append(np.sum(naive(kind, moved, WEIGHTS) * pull))
        # Central differences err by O(h^2) = 1e-10 times a third derivative and by rounding, 1e-15/h = 1e-10.
        np.testing.assert_allclose(gradient[index], (values[0] - values[1]) / 2e-5, rtol=1e-6, atol=1e-7)


def test_batch_statistics_are_those_of_the_words_that_occur():
    """The weighted table against the same words drawn out: a word of weight 3/8 is three rows of eight."""
    counts = np.array([3, 1, 0, 4])
    table = TABLE[:4]
    drawn = np.repeat(table, counts, axis=0)
    expected = (table - drawn.mean(axis=0)) / drawn.std(axis=0)
    image = apply(Normalisation("batch", DIM), table.astype(np.float32), counts / 8)
    np.testing.assert_allclose(image, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())
    # The weights do count.
    assert np.abs(apply(Normalisation("batch", DIM), table.astype(np.float32)) - expected).max() > 0.1


@pytest.mark.parametrize("kind", ["layer-affine", "rms-affine"])
def test_any_leading_axes(kind):
    module = trained(kind)
    stacked = apply(module, TABLE_32.reshape(2, 4, DIM)).reshape(N, DIM)
    np.testing.assert_allclose(stacked, apply(module, TABLE_32), rtol=0, atol=ROUNDING)


def test_what_has_no_image_is_nan():
    # The mean of four equal numbers is free of rounding in whatever order they are added.
    constant, table = np.ones((N, 4), np.float32), TABLE_32.copy()
    table[:, 2] = 1.5
    assert np.all(np.isnan(apply(Normalisation("layer", 4), constant)))
    assert np.all(np.isnan(apply(Normalisation("rms", DIM), np.zeros((N, DIM), np.float32))))
    image = apply(Normalisation("batch", DIM), table, np.full(N, 2.0**-3))
    np.testing.assert_array_equal(np.isnan(image).any(axis=0), np.arange(DIM) == 2)


@pytest.mark.parametrize("kind", ["layer-affine", "rms-affine", "batch"])
def test_a_vmapped_member_is_the_single_one(kind):
    graph, params = nnx.split(trained(kind))
    tables = RNG.normal(size=(3, N, DIM)).astype(np.float32)
    members = jax.tree.map(lambda leaf: np.stack([leaf, 2 * leaf, 3 * leaf]), params)
    many = jax.jit(jax.vmap(partial(compiled, graph), (0, 0, None)))(members, tables, WEIGHTS.astype(np.float32))
    for row in range(3):
        own = jax.tree.map(lambda leaf, row=row: leaf[row], members)
        alone = compiled(graph, own, tables[row], WEIGHTS.astype(np.float32))
        np.testing.assert_allclose(many[row], alone, rtol=0, atol=ROUNDING * np.abs(alone).max())


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"^kind: expected one of none, .* got 'bacth' \(did you mean 'batch'\?\)$"):
        Normalisation("bacth", DIM)
    with pytest.raises(ValueError, match=r"^dim: expected a whole number of at least 1, got 0$"):
        Normalisation("rms", 0)


def test_the_names_need_no_jax():
    code = "import sys, simlab.networks.names; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
