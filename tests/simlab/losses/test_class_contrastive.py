"""Expected InfoNCE over a table against InfoNCE of every batch, and the starts of free class vectors."""

import re
from itertools import permutations, product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import Population
from simlab.losses.class_contrastive import class_gram, expected_info_nce
from simlab.losses.info_nce import info_nce
from simlab.networks.encoders.class_vectors import ClassVectors
from simlab.networks.specs.class_vectors import ClassVectors as Spec
from simlab.tasks.paired.class_batches import ClassBatches

pytestmark = pytest.mark.quick

TAU = 0.4


@pytest.mark.parametrize("repeats", [False, True])
def test_the_expected_loss_is_the_mean_over_all_batches(repeats):
    vectors = jax.random.normal(jax.random.key(1), (4, 3))
    task = ClassBatches(n_classes=4, batch_size=3, repeats_classes=repeats)
    draws = product(range(4), repeat=3) if repeats else permutations(range(4), 3)
    batches = vectors[np.array(list(draws))]
    losses = jax.vmap(lambda batch: info_nce(batch, batch, TAU, similarity="cosine"))(batches)
    found = expected_info_nce(class_gram(vectors), jax.tree.map(jnp.asarray, task.sample(0)), TAU)
    assert float(found) == pytest.approx(float(np.mean(losses)), rel=1e-5)


def test_infinitely_many_negatives_are_the_limit_of_large_batches():
    vectors = jax.random.normal(jax.random.key(2), (3, 3))
    gram, priors = class_gram(vectors), (0.5, 0.3, 0.2)
    limit = expected_info_nce(gram, ClassBatches(n_classes=3, class_priors=priors).sample(0), TAU)
    large = ClassBatches(n_classes=3, class_priors=priors, batch_size=60, repeats_classes=True)
    found = expected_info_nce(gram, large.sample(0), TAU) - np.log(60)
    assert float(found) == pytest.approx(float(limit), abs=0.1)


def cosines(**given):
    network = ClassVectors(n_classes=5, dim=40, rngs=nnx.Rngs(0), **given)
    return np.asarray(class_gram(network.vectors[...])), np.asarray(network.vectors[...])


def test_a_cone_has_one_cosine():
    gram, vectors = cosines(initial_angle=0.3, initial_scale=2.0)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 2, rtol=1e-5)
    np.testing.assert_allclose(gram[~np.eye(5, dtype=bool)], 1 - np.sin(0.3) ** 2 * 5 / 4, atol=1e-5)


def test_random_directions_stand_at_the_angle():
    _, vectors = cosines(initial_angle=0.3, has_random_directions=True)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    axis = np.linalg.lstsq(vectors, np.full(5, np.cos(0.3)), rcond=None)[0]  # all have the same product with the axis
    np.testing.assert_allclose(vectors @ axis, np.cos(0.3), rtol=1e-5)
    assert np.std(cosines(initial_angle=0.3, has_random_directions=True)[0][0, 1:]) > 1e-4


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dim": 0}, "dim: expected a whole number of at least 1, got 0"),
        ({"dim": 3, "initial_angle": 1.6}, "initial_angle: expected less than pi/2, got 1.6"),
        ({"dim": 3, "initial_angle": 0.1}, "dim: expected at least n_classes=4, for a simplex about an axis, got 3"),
    ],
)
def test_bad_networks_are_one_line(fields, message):
    with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
        Spec(**fields).check(ClassBatches(n_classes=4), Population())
