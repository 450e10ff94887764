"""Orthogonal clusters: their means, their labels, their noise."""

import jax
import numpy as np
import pytest

from simlab.tasks.orthogonal_clusters import OrthogonalClusters

pytestmark = pytest.mark.quick


def test_means_are_orthogonal_and_half_have_each_label():
    data = OrthogonalClusters(n_clusters=6, input_dim=9, mean_norm=2.0).sample(3)
    np.testing.assert_allclose(data.means @ data.means.T, 4 * np.eye(6), atol=1e-12)
    assert data.classes.tolist() == [1, 1, 1, 0, 0, 0]


def test_examples_lie_around_the_means_of_their_clusters():
    task = OrthogonalClusters(n_clusters=2, input_dim=5, mean_norm=2.0, noise=0.5)
    data = task.sample(0)
    law = data._replace(means=data.means.astype(np.float32), noise=np.float32(data.noise))
    batch = task.draw(jax.random.key(0), law, 20_000)
    inputs, classes = np.asarray(batch.inputs), np.asarray(batch.classes)
    squares = np.sum((inputs - data.means[np.arange(20_000) % 2]) ** 2, axis=1)
    # The squared length of a normal vector has the mean s^2 = 1 and the variance 2 s^4 / d.
    assert abs(squares.mean() - 1) < 5 * np.sqrt(2 / 5 / 20_000)
    assert classes.tolist() == [1, 0] * 10_000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_clusters": 3}, "n_clusters: expected an even number, half of each label, got 3"),
        ({"input_dim": 3}, "input_dim: expected at least n_clusters=4 orthogonal directions, got 3"),
        ({"noise": -1.0}, "noise: expected a non-negative finite number, got -1.0"),
    ],
)
def test_bad_input_is_named(fields, message):
    with pytest.raises(ValueError, match=message):
        OrthogonalClusters(**{"n_clusters": 4, "input_dim": 8} | fields)
