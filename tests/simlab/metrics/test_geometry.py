import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import ortho_group

from simlab.metrics import geometry

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(3), 4)
TRIANGLE = np.array([[1, 0], [-0.5, np.sqrt(3) / 2], [-0.5, -np.sqrt(3) / 2]])


def collapsed(scales=None):
    """Vectors on three rays at 120 degrees in the plane, of any lengths."""
    return TRIANGLE[GROUPS] * (np.ones(12) if scales is None else scales)[:, None]


def test_collapsed_directions_have_no_spread_whatever_their_norms():
    membership = geometry.membership_matrix(GROUPS, 3, float)
    vectors = collapsed(RNG.uniform(0.1, 10, 12))
    assert geometry.direction_spread(vectors, membership) < 1e-15
    assert geometry.simplex_deviation(vectors, membership) < 1e-15


def test_spread_of_random_directions_is_that_of_a_loop():
    vectors = RNG.normal(size=(12, 5))
    total = 0.0
    for group in range(3):
        units = [v / np.linalg.norm(v) for v in vectors[group == GROUPS]]
        total += sum(np.sum((unit - np.mean(units, axis=0)) ** 2) for unit in units)
    membership = geometry.membership_matrix(GROUPS, 3, float)
    assert geometry.direction_spread(vectors, membership) == pytest.approx(np.sqrt(total / 12), rel=1e-12)


def test_deviation_from_a_simplex_is_that_of_a_loop():
    vectors = RNG.normal(size=(12, 5))
    means = [np.mean([v / np.linalg.norm(v) for v in vectors[g == GROUPS]], axis=0) for g in range(3)]
    means = [m / np.linalg.norm(m) for m in means]
    pairs = [(means[a] @ means[b] + 0.5) ** 2 for a in range(3) for b in range(a)]
    membership = geometry.membership_matrix(GROUPS, 3, float)
    assert geometry.simplex_deviation(vectors, membership) == pytest.approx(np.sqrt(np.mean(pairs)), rel=1e-12)


@pytest.mark.parametrize(
    ("centres", "deviation"),
    [
        # Unit vectors that sum to zero, whose mean cosine is that of a simplex: a square, and two coincident pairs.
        ([[1, 0], [-1, 0], [0, 1], [0, -1]], np.sqrt((2 * (2 / 3) ** 2 + 4 * (1 / 3) ** 2) / 6)),
        ([[1, 0], [-1, 0], [1, 0], [-1, 0]], np.sqrt((4 * (2 / 3) ** 2 + 2 * (4 / 3) ** 2) / 6)),
    ],
)
def test_what_is_no_simplex_is_seen(centres, deviation):
    membership = geometry.membership_matrix(np.arange(4), 4, float)
    assert geometry.simplex_deviation(np.array(centres, float), membership) == pytest.approx(deviation, rel=1e-12)


def test_a_concept_that_never_occurs_is_left_out():
    groups = np.array([0, 0, 1, 1])
    membership = geometry.membership_matrix(groups, 3, float)
    vectors = TRIANGLE[groups]
    assert geometry.direction_spread(vectors, membership) < 1e-15
    assert geometry.simplex_deviation(vectors, membership) < 1e-15


def test_device_and_host_agree():
    vectors = RNG.normal(size=(12, 5)).astype(np.float32)
    host = geometry.membership_matrix(GROUPS, 3, np.float32)
    device = geometry.membership_matrix(jnp.asarray(GROUPS), 3, jnp.float32)
    for measure in (geometry.direction_spread, geometry.simplex_deviation):
        np.testing.assert_allclose(measure(jnp.asarray(vectors), device), measure(vectors, host), rtol=1e-5)


def test_one_rotation_carries_all_arrays():
    rotation = ortho_group.rvs(6, random_state=1)
    first, second = RNG.normal(size=(9, 6)), RNG.normal(size=(4, 3, 6))
    found = geometry.common_rotation([(first @ rotation, first), (second @ rotation, second)])
    np.testing.assert_allclose(found, rotation, atol=1e-12)
    assert geometry.relative_distance(first @ rotation, first @ found) < 1e-12


def test_separate_rotations_do_not_count_as_one():
    # Embeddings and classifier that are each right up to a rotation of their own give different logits: the joint
    # alignment must see that.
    first, second = RNG.normal(size=(9, 4)), RNG.normal(size=(7, 4))
    turned = second @ ortho_group.rvs(4, random_state=2)
    found = geometry.common_rotation([(first, first), (turned, second)])
    distances = [
        geometry.relative_distance(first, first @ found),
        geometry.relative_distance(turned, second @ found),
    ]
    assert max(distances) > 0.1


def test_no_rotation_does_better():
    learned, predicted = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 3))
    best = geometry.relative_distance(learned, predicted @ geometry.common_rotation([(learned, predicted)]))
    others = [geometry.relative_distance(learned, predicted @ r) for r in ortho_group.rvs(3, size=500, random_state=3)]
    assert best <= min(others)


def test_a_predicted_zero_leaves_the_rotation_to_the_others():
    first = RNG.normal(size=(5, 3))
    rotation = ortho_group.rvs(3, random_state=4)
    found = geometry.common_rotation([(first @ rotation, first), (RNG.normal(size=(4, 3)), np.zeros((4, 3)))])
    np.testing.assert_allclose(found, rotation, atol=1e-12)
    assert geometry.relative_distance(np.full(4, 2.0), np.zeros(4)) == 4.0


@pytest.mark.parametrize("n_rows", [5, 200])
def test_singular_values(n_rows):
    # Known by construction, down to 1e-9 of the largest: a Gram matrix would lose it below 1e-8.
    values = np.array([3.0, 1.0, 1e-3, 1e-9])
    left = np.linalg.qr(RNG.normal(size=(n_rows, 4)))[0]
    matrix = left * values @ ortho_group.rvs(4, random_state=5)
    np.testing.assert_allclose(geometry.singular_values(matrix), values, rtol=1e-6)
    assert geometry.singular_values(matrix.astype(np.float32)).dtype == np.float64
