"""Hidden manifolds: kernels, the law of pairs on the sphere, the folded control, and bad fields."""

import re

import jax
import numpy as np
import pytest
from flax import nnx

from simlab.losses.graph_spectral import GraphSpectral
from simlab.networks.encoders.mlp import MLPEncoder
from simlab.tasks.paired.manifold_pairs import ManifoldGraph, PairGraph, SpherePairs, draw_partners
from simlab.tasks.paired.manifolds import grid_coordinates, random_coordinates

pytestmark = pytest.mark.quick

GRAPHS = (
    ManifoldGraph(manifold="circle", n_points=12),
    ManifoldGraph(manifold="torus", n_points=16),
    ManifoldGraph(manifold="sphere", n_points=20),
    ManifoldGraph(manifold="sphere", n_points=20, support="folded"),
)


@pytest.mark.parametrize("task", GRAPHS, ids=lambda task: f"{task.manifold}-{task.support}")
def test_pairs_of_a_graph_are_a_symmetric_law(task):
    data = task.sample(0)
    assert data.joint.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(data.joint, data.joint.T, atol=1e-17)
    assert data.joint.min() >= 0
    assert isinstance(task.population(data), PairGraph)
    assert data.inputs.shape == (task.n_points, task.observed_dim)


@pytest.mark.parametrize("manifold", ["circle", "torus", "sphere"])
@pytest.mark.parametrize("is_random", [False, True])
def test_coordinates_are_on_the_manifold_and_evenly_spread(manifold, is_random):
    n_points = 4096
    draw = lambda: random_coordinates(manifold, n_points, np.random.default_rng(0))  # noqa: E731
    points = draw() if is_random else grid_coordinates(manifold, n_points)
    circles = points.shape[1] // 2 if manifold != "sphere" else 1
    np.testing.assert_allclose(np.sum(points**2, axis=1), circles, rtol=1e-12)
    # A coordinate has variance at most 1/2, its square less.
    error = 5 * np.sqrt(0.5 / n_points) if is_random else 1e-3
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=error)
    np.testing.assert_allclose(
        points.T @ points / n_points, np.eye(len(points.T)) * circles / len(points.T), atol=error
    )


def test_the_angle_of_a_pair_has_the_asked_deviation():
    """Steps of a fine ring: the variance of a wrapped normal that is far from wrapping is that of the normal."""
    task = ManifoldGraph(manifold="circle", n_points=400, width=0.4)
    row = task.sample(0).joint[0] * 400
    angles = 2 * np.pi * np.arange(400) / 400
    angles = np.where(angles > np.pi, angles - 2 * np.pi, angles)
    assert np.sqrt(row @ angles**2) == pytest.approx(0.4, rel=1e-9)


def test_partners_are_von_mises_fisher():
    """E cos = coth kappa - 1/kappa, E cos^2 = 1 - 2 E cos/kappa; tangents are isotropic."""
    kappa, size = 3.0, 100_000
    points, partners = (np.asarray(one, float) for one in draw_partners(jax.random.key(0), kappa, size, np.float32))
    cosines = np.sum(points * partners, axis=1)
    mean = 1 / np.tanh(kappa) - 1 / kappa
    assert cosines.mean() == pytest.approx(mean, abs=5 * cosines.std() / np.sqrt(size))
    assert np.mean(cosines**2) == pytest.approx(1 - 2 * mean / kappa, abs=5 * np.std(cosines**2) / np.sqrt(size))
    # Of so many normal vectors one is within 0.005 of the point, and its tangent has lost that share of the digits.
    np.testing.assert_allclose(np.sum(partners**2, axis=1), 1, atol=4 * np.finfo(np.float32).eps / 0.005)
    tangents = partners - cosines[:, None] * points
    np.testing.assert_allclose(tangents.mean(axis=0), 0, atol=5 / np.sqrt(size))
    np.testing.assert_allclose(partners.T @ partners / size, np.eye(3) / 3, atol=5 / np.sqrt(size))


def test_folded_partners_stay_in_their_hemisphere():
    task = SpherePairs(support="folded", observed_dim=6, concentration=2.0)
    data = task.sample(0)
    points, _ = draw_partners(jax.random.key(1), 2.0, 500, np.float32)
    identity = data._replace(observe=lambda latents: latents, inputs=data.inputs.astype(np.float32))
    first, second = (np.asarray(view) for view in task.draw(jax.random.key(1), identity, 500)[:2])
    np.testing.assert_allclose(first, points, rtol=1e-6)
    assert np.all(first[:, 2] * second[:, 2] >= 0)
    full = identity._replace(is_folded=0.0)
    assert np.any(np.prod([view[:, 2] for view in task.draw(jax.random.key(1), full, 500)[:2]], axis=0) < 0)


def test_the_map_depends_on_its_own_seed_alone():
    task = SpherePairs(n_points=30)
    assert np.array_equal(task.sample(0).inputs, task.sample(5).inputs)
    assert np.abs(task.sample(0).inputs - SpherePairs(n_points=30, law_seed=1).sample(0).inputs).max() > 0.1


def test_the_loss_of_a_graph_is_the_sum_over_all_pairs():
    task = GRAPHS[3]
    data = task.sample(0)
    network = MLPEncoder(n_inputs=12, hidden_width=5, depth=1, output_dim=3, rngs=nnx.Rngs(0))
    batch = jax.tree.map(lambda array: array.astype(np.float32), task.population(data))
    embeddings = np.asarray(network(batch.inputs), float)
    products, weights = embeddings @ embeddings.T, data.joint.sum(axis=1)
    by_hand = -2 * np.sum(data.joint * products) + np.sum(np.outer(weights, weights) * products**2)
    assert float(GraphSpectral().loss(network, batch, data, None, None)) == pytest.approx(by_hand, abs=1e-5)


def test_unit_embeddings_have_norm_one():
    network = MLPEncoder(n_inputs=4, hidden_width=5, depth=2, output_dim=3, is_unit=True, rngs=nnx.Rngs(0))
    embeddings = network(np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ManifoldGraph(manifold="klein"), "manifold: expected one of circle, torus, sphere, got 'klein'"),
        (
            lambda: ManifoldGraph(manifold="torus", n_points=15),
            "n_points: expected a square number on the torus, got 15",
        ),
        (lambda: ManifoldGraph(n_points=3), "n_points: expected at least 8, got 3"),
        (lambda: ManifoldGraph(width=0.0), "width: expected a positive finite number, got 0.0"),
        (lambda: ManifoldGraph(support="folded"), "support: expected full on the circle, got 'folded'"),
        (lambda: SpherePairs(concentration=-1.0), "concentration: expected a positive finite number, got -1.0"),
        (lambda: SpherePairs(concentration=1e4), "concentration: expected at most 300, got 10000.0"),
        (lambda: SpherePairs(support="half"), "support: expected one of full, folded, got 'half'"),
        (lambda: SpherePairs(observed_dim=0), "observed_dim: expected a whole number of at least 1, got 0"),
        (lambda: ManifoldGraph(n_points=10**7), "n_points: expected at most 4000, got 10000000"),
    ],
)
def test_bad_fields_are_one_line(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}") as error:
        make()
    assert "\n" not in str(error.value)
