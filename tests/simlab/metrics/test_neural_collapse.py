import numpy as np
import pytest

from simlab.metrics.neural_collapse import closest_rows, measure_collapse

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(3)


def simplex(n_classes, dim):
    """Vertices of a simplex by a route of its own: centred unit vectors, in a random frame."""
    frame = np.linalg.qr(RNG.normal(size=(dim, n_classes)))[0]
    return (np.eye(n_classes) - 1 / n_classes) @ frame.T


def noisy(n_classes=4, per_class=30, dim=6):
    """Features around random means, with a classifier of no shape at all."""
    labels = np.repeat(np.arange(n_classes), per_class)
    features = RNG.normal(size=(n_classes, dim))[labels] + 0.3 * RNG.normal(size=(len(labels), dim))
    return features, RNG.normal(size=(n_classes, dim)), labels[:, None]


def test_all_measures_vanish_on_a_simplex():
    vectors, labels = simplex(5, 7), np.repeat(np.arange(5), [3, 1, 4, 1, 5])
    found = measure_collapse(2 * vectors[labels], 0.7 * vectors, labels[:, None], (5,))
    assert found.nc1 < 1e-30  # rounding, squared
    assert max(found.nc2, found.nc3) < 1e-14
    assert (found.nc4, found.rank) == (0, 4)


def test_they_are_those_of_the_formulas():
    features, classifier, labels = noisy()
    found = measure_collapse(features, classifier, labels, (4,))
    classes = [features[labels[:, 0] == k] for k in range(4)]
    means = np.array([one.mean(axis=0) for one in classes])
    centred = means - means.mean(axis=0)
    within = np.mean([np.cov(one.T, bias=True) for one in classes], axis=0)
    between = centred.T @ centred / 4
    assert found.nc1 == pytest.approx(np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / 4, rel=1e-10)
    gram = centred @ centred.T
    target = (np.eye(4) - 0.25) / np.sqrt(3)
    assert found.nc2 == pytest.approx(np.linalg.norm(gram / np.linalg.norm(gram) - target), rel=1e-12)
    rows = classifier - classifier.mean(axis=0)
    dual = np.linalg.norm(rows / np.linalg.norm(rows) - centred / np.linalg.norm(centred))
    assert found.nc3 == pytest.approx(dual, rel=1e-12)
    nearest = np.argmin(np.linalg.norm(features[:, None] - means, axis=2), axis=1)
    chosen = np.argmax(features @ classifier.T, axis=1)
    assert found.nc4 == pytest.approx(np.mean(nearest != chosen))
    assert 0.1 < found.nc4 < 1


def test_neither_rotation_nor_scale_nor_shift_of_the_features_matters_to_nc1_and_nc2():
    features, classifier, labels = noisy()
    rotation = np.linalg.qr(RNG.normal(size=(6, 6)))[0]
    one = measure_collapse(features, classifier, labels, (4,))
    other = measure_collapse(5 * features @ rotation + 2, classifier @ rotation, labels, (4,))
    assert other[:3] == pytest.approx(one[:3], rel=1e-10)


def test_float32_weights_never_give_a_negative_variability():
    features, classifier, labels = noisy()
    collapsed = features.astype(np.float32)
    collapsed = np.array([collapsed[labels[:, 0] == k].mean(axis=0) for k in range(4)], np.float32)[labels[:, 0]]
    found = measure_collapse(collapsed, classifier, labels, (4,))
    assert 0 <= found.nc1 < 1e-12


def test_they_are_undefined_at_total_collapse_and_say_so():
    features, classifier, labels = noisy()
    for scale in (0.0, 1e-5):  # logits of 1e-9 nats tell no class from another
        found = measure_collapse(scale * features, scale * classifier, labels, (4,))
        assert np.isnan(found[:4]).all()
        assert found.rank == 0
    assert measure_collapse(np.full_like(features, np.nan), classifier, labels, (4,)).rank == 0


def test_classes_that_coincide_lower_the_rank_and_are_no_mistakes():
    vectors = simplex(4, 6)
    vectors[2] = vectors[3] = vectors[2:].mean(axis=0)
    labels = np.repeat(np.arange(4), 5)
    features = vectors[labels] + 1e-6 * RNG.normal(size=(20, 6))
    found = measure_collapse(features, vectors + 1e-7 * RNG.normal(size=vectors.shape), labels[:, None], (4,))
    assert found.rank == 2
    assert found.nc1 < 1e-10
    assert found.nc4 == 0
    assert closest_rows(vectors, (4,)) == 0


def test_factors_in_orthogonal_subspaces_add_up_and_do_not_overlap():
    frame = np.linalg.qr(RNG.normal(size=(9, 9)))[0]
    parts = simplex(3, 4) @ frame[:4], simplex(4, 5) @ frame[4:]
    labels = np.array([(a, b) for a in range(3) for b in range(4)]).repeat(2, axis=0)
    features = parts[0][labels[:, 0]] + parts[1][labels[:, 1]]
    found = measure_collapse(features, np.concatenate(parts), labels, (3, 4))
    assert max(found.nc2, found.nc3, found.factor_overlap) < 1e-13
    assert max(found.nc1, found.interaction) < 1e-25
    assert (found.nc4, found.rank) == (0, 5)
    # A part that is no sum of the factors' parts: 1 at one cell, centred, beside the additive variance.
    bump = np.where((labels == 0).all(axis=1), 1.0, 0.0)[:, None] * RNG.normal(size=9)
    disturbed = measure_collapse(features + bump, np.concatenate(parts), labels, (3, 4))
    assert disturbed.interaction > 0.05
    tilted = parts[1] + np.pad(parts[0], ((0, 1), (0, 0)))
    overlapping = measure_collapse(parts[0][labels[:, 0]] + tilted[labels[:, 1]], np.concatenate(parts), labels, (3, 4))
    assert overlapping.factor_overlap > 0.3


def test_the_closest_rows_are_those_of_one_head():
    classifier = np.array([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    assert closest_rows(classifier, (4,)) == 0
    assert closest_rows(classifier, (2, 2)) == pytest.approx(np.sqrt(2))
    assert closest_rows(np.zeros((4, 2)), (4,)) == 0
