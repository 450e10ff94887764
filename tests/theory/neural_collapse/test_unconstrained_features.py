"""Balanced and unbalanced classes against random starts, certificates that know no symmetry, and thresholds."""

import math

import numpy as np
import pytest

from theory import neural_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.type_one import solve_type_one
from theory.neural_collapse.class_groups import group_classes
from theory.neural_collapse.class_imbalance import collapsed_classes
from theory.neural_collapse.grouped_solver import solve_balanced, solve_imbalanced
from theory.optimality.certificates import certify

EPS = np.finfo(np.float64).eps

# Sizes, and sqrt(lam_W lam_H) as a share of the zero threshold: nothing collapsed, minorities collapsed, near zero.
TASKS = [
    ((3, 3, 3, 3), 0.1),
    ((3, 3, 3, 3), 0.8),
    ((2,) * 5, 0.01),
    ((5, 5, 1, 1), 0.05),
    ((5, 5, 1, 1), 0.6),
    ((6, 3, 2), 0.2),
    ((4, 2, 4, 2, 1), 0.3),
    ((7, 1, 1, 1), 0.9),
]


def predict(sizes, share, ratio=3.0, **more):
    """Return the prediction for sqrt(lam_W lam_H) at a share of the zero threshold, lam_W / lam_H = ratio^2."""
    decay = share * dense_zero_threshold(sizes)
    decays = {"feature_weight_decay": decay / ratio, "classifier_weight_decay": decay * ratio}
    return neural_collapse.predict(n_classes=len(sizes), samples_per_class=sizes, **decays, **more)


def dense_zero_threshold(sizes):
    """The largest singular value of the gradient in Z diag(sqrt n) where all logits are zero."""
    n = np.array(sizes)
    return np.linalg.svd((np.eye(len(n)) - 1 / len(n)) * np.sqrt(n), compute_uv=False)[0] / n.sum()


def all_samples(prediction, unconstrained_features):
    """The full problem, and the predicted feature of each sample."""
    labels = np.repeat(np.arange(len(prediction.class_means)), prediction.samples_per_class)
    task = unconstrained_features(
        labels[:, None],
        (len(prediction.class_means),),
        prediction.feature_weight_decay,
        prediction.classifier_weight_decay,
    )
    return task, prediction.class_means[labels]


@pytest.mark.parametrize(("sizes", "share"), TASKS)
def test_random_starts_end_there(unconstrained_features, sizes, share):
    prediction = predict(sizes, share)
    task, features = all_samples(prediction, unconstrained_features)
    expected = np.vstack([prediction.classifier, features])
    for seed in range(2):
        risk, classifier, learned, error = task.minimise(len(sizes) - 1, seed)
        gram = np.vstack([classifier, learned]) @ np.vstack([classifier, learned]).T
        # The oracle's own error, and 1e-12 of the size for the solver.
        assert error < 1e-6
        np.testing.assert_allclose(expected @ expected.T, gram, rtol=0, atol=error + 1e-12 * np.abs(gram).max())
        # Second order in the error of the point; what remains is rounding of a sum of N terms.
        assert prediction.risk == pytest.approx(risk, rel=1e-13, abs=error**2)


@pytest.mark.parametrize(("sizes", "share"), TASKS)
def test_certificate_that_knows_no_symmetry(unconstrained_features, sizes, share):
    prediction = predict(sizes, share)
    task, features = all_samples(prediction, unconstrained_features)
    certificate = certify(
        np.arange(len(features))[:, None],
        task.labels[:, 0],
        None,
        features,
        prediction.classifier[:, None, :],
        embedding_weight_decay=prediction.feature_weight_decay,
        classifier_weight_decay=prediction.classifier_weight_decay,
    )
    # Sums of N terms of order 1, and a top singular value that is off by the solver's 1e-13.
    assert certificate.gap <= 1e-12
    assert prediction.gap <= 1e-12
    assert prediction.lower_bound == pytest.approx(certificate.lower_bound, abs=1e-12)
    assert prediction.risk == pytest.approx(certificate.risk, rel=100 * EPS)
    assert prediction.cross_entropy == pytest.approx(certificate.cross_entropy, rel=100 * EPS)
    assert prediction.is_proved


@pytest.mark.parametrize(("sizes", "share"), TASKS)
def test_gradient_vanishes_and_fields_agree(unconstrained_features, sizes, share):
    prediction = predict(sizes, share, feature_dim=len(sizes) + 2)
    task, features = all_samples(prediction, unconstrained_features)
    _, classifier_gradient, feature_gradient = task.risk(prediction.classifier, features)
    # Each gradient is a difference of two terms of the size of the penalty's.
    for gradient, weights, decay in (
        (classifier_gradient, prediction.classifier, prediction.classifier_weight_decay),
        (feature_gradient, features, prediction.feature_weight_decay),
    ):
        assert np.abs(gradient).max() <= 1e-12 * decay * np.abs(weights).max()
    size = np.abs(prediction.logits).max()
    np.testing.assert_allclose(prediction.class_means @ prediction.classifier.T, prediction.logits, atol=1e-13 * size)
    weighted = prediction.logits * np.sqrt(prediction.samples_per_class)[:, None]
    assert prediction.nuclear_norm == pytest.approx(np.linalg.svd(weighted, compute_uv=False).sum(), rel=1e-13)
    assert np.linalg.matrix_rank(prediction.logits, tol=1e-8) == prediction.rank
    np.testing.assert_allclose(np.linalg.norm(prediction.class_means, axis=1), prediction.feature_norms, rtol=4 * EPS)
    np.testing.assert_allclose(np.linalg.norm(prediction.classifier, axis=1), prediction.classifier_norms, rtol=4 * EPS)


@pytest.mark.parametrize(("n_classes", "n"), [(2, 1), (3, 5), (10, 100), (200, 7)])
@pytest.mark.parametrize("share", [1e-6, 1e-2, 0.5, 0.999])
def test_balanced_is_the_textbook_simplex_and_type_one(n_classes, n, share):
    c = share / n_classes
    decays = {"feature_weight_decay": c / math.sqrt(n) * 5, "classifier_weight_decay": c / math.sqrt(n) / 5}
    prediction = neural_collapse.predict(n_classes=n_classes, samples_per_class=n, **decays)
    rho = math.log(1 / c - n_classes + 1)
    # log(1/c - K + 1) loses the digits of 1/c - K near the threshold: c K = 0.999 costs a factor 1000.
    tolerance = 1e-12
    simplex = np.eye(n_classes) - 1 / n_classes
    np.testing.assert_allclose(prediction.logits, rho * simplex, atol=tolerance * rho)
    share_of_one = (n_classes - 1) / n_classes
    assert prediction.classifier_norms[0] ** 2 == pytest.approx(5 * rho * math.sqrt(n) * share_of_one, rel=tolerance)
    assert prediction.feature_norms[-1] ** 2 == pytest.approx(rho / math.sqrt(n) * share_of_one / 5, rel=tolerance)
    assert prediction.nuclear_norm == pytest.approx(rho * (n_classes - 1) * math.sqrt(n), rel=tolerance)

    concepts = LatentShare(n_concepts=n_classes, sentence_length=1, n_classes=n_classes)
    network = solve_type_one(concepts, n, c / math.sqrt(n))
    assert prediction.risk == pytest.approx(network.risk, rel=1e-12)
    assert prediction.feature_norms[0] * math.sqrt(5) == pytest.approx(network.embedding_norms[0], rel=1e-12)
    assert prediction.classifier_norms[0] / math.sqrt(5) == pytest.approx(network.classifier_norm, rel=1e-12)
    assert (prediction.status, prediction.is_proved) == ("closed form", True)


def test_solver_meets_the_closed_form_and_is_continuous_there():
    for decay in (1e-4, 3e-2):
        equal = group_classes(np.full(6, 8))
        closed, solved = solve_balanced(equal, decay), solve_imbalanced(equal, decay)
        assert solved.margins[0] == pytest.approx(closed.margins[0], rel=1e-12)
        assert solved.risk == pytest.approx(closed.risk, rel=1e-13)
    # One sample more in one class of 10^6 changes the logits by O(1e-6), through the solver of several sizes.
    decays = {"feature_weight_decay": 1e-6, "classifier_weight_decay": 1e-4}
    balanced = neural_collapse.predict(n_classes=3, samples_per_class=10**6, **decays)
    shifted = neural_collapse.predict(n_classes=3, samples_per_class=[10**6, 10**6, 10**6 + 1], **decays)
    np.testing.assert_allclose(shifted.logits, balanced.logits, atol=1e-5)
    assert not np.allclose(shifted.logits, balanced.logits, atol=1e-9, rtol=0)


@pytest.mark.parametrize("sizes", [(4, 4, 4), (9, 9, 2, 2, 2), (7, 5, 3, 1)])
def test_everything_vanishes_exactly_at_the_zero_threshold(sizes):
    for share, is_zero in ((1 - 1e-7, False), (1 + 1e-12, True), (50.0, True)):
        prediction = predict(sizes, share)
        assert prediction.is_zero == is_zero
        assert np.all(prediction.feature_norms == 0) == is_zero
        # A relative distance of 1e-7 to the threshold changes the risk by O(1e-14).
        assert prediction.risk == pytest.approx(math.log(len(sizes)), rel=1e-13)
        assert prediction.zero_threshold == pytest.approx(dense_zero_threshold(sizes), rel=20 * EPS)
        assert np.all(prediction.collapsed) == is_zero
        assert prediction.is_proved


@pytest.mark.parametrize(("sizes", "small"), [((8, 8, 2, 2), 2), ((9, 5, 5, 2, 2, 2), 2), ((9, 9, 5, 5, 2), 5)])
def test_minority_collapse_from_both_sides(unconstrained_features, sizes, small):
    minority = np.array(sizes) == small
    threshold = math.sqrt(small) / sum(sizes)
    for ratio in (0.8, 1 - 1e-5, 1 + 1e-5, 1.2):
        share = ratio * threshold / dense_zero_threshold(sizes)
        prediction = predict(sizes, share)
        first, second = np.flatnonzero(minority)[:2]
        assert np.all(prediction.collapsed[minority] == (ratio > 1))
        np.testing.assert_allclose(prediction.collapse_thresholds[minority], threshold, rtol=4 * EPS)
        margin = prediction.logits[first, first] - prediction.logits[first, second]
        probabilities = np.exp(prediction.logits[first]) / np.exp(prediction.logits[first]).sum()
        # (sqrt(n) / N) (1 - (e^a - 1) p) = sqrt(lam_W lam_H) while a > 0.
        assert margin == pytest.approx(math.log1p(max(1 - ratio, 0) / probabilities[second]), abs=1e-11)
        flags = collapsed_classes(
            sizes,
            feature_weight_decay=prediction.feature_weight_decay,
            classifier_weight_decay=prediction.classifier_weight_decay,
        )
        shared = np.array([sizes.count(size) > 1 for size in sizes])
        assert np.array_equal(flags[shared], prediction.collapsed[shared])
        assert not flags[~shared].any()
        if abs(ratio - 1) > 0.1:
            task, _ = all_samples(prediction, unconstrained_features)
            _, classifier, _, error = task.minimise(len(sizes) - 1, seed=5)
            distance = np.linalg.norm(classifier[first] - classifier[second])
            # Coinciding rows are told apart by the square root of the oracle's error in the Gram matrix.
            assert (distance > 0.1) == (ratio < 1)
            assert distance > 0.1 or distance < 2 * math.sqrt(error) + 1e-7


def test_classes_alone_at_their_size_collapse_only_to_zero():
    sizes = (60, 60, 60, 60, 3, 2, 1)
    prediction = predict(sizes, 0.5)
    assert np.array_equal(prediction.collapsed, np.array(sizes) < 60)
    assert prediction.rank == 3
    np.testing.assert_allclose(prediction.feature_norms[4:], 0, atol=1e-12)
    # Two thirds of the way further down they are apart, and no two of them alike.
    apart = predict(sizes, 0.1)
    assert not apart.collapsed.any()
    distances = np.linalg.norm(apart.class_means[4:, None] - apart.class_means[None, 4:], axis=2)
    assert distances[np.triu_indices(3, 1)].min() > 0.01


def test_weak_directions_are_kept():
    # Bisect for the decay at which a second direction appears; just below, it is there, and tiny.
    low, high = 0.2, 0.99
    assert (predict((7, 5, 3), low).rank, predict((7, 5, 3), high).rank) == (2, 1)
    while high - low > 1e-7:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if predict((7, 5, 3), middle).rank == 2 else (low, middle)
    prediction = predict((7, 5, 3), low)
    values = np.linalg.svd(prediction.logits, compute_uv=False)
    assert 0 < values[1] < 1e-5 * values[0]
    product = prediction.class_means @ prediction.classifier.T
    np.testing.assert_allclose(product, prediction.logits, atol=1e-13 * values[0])


def test_long_tail_of_many_classes(unconstrained_features):
    sizes = np.round(400 * 0.02 ** (np.arange(60) / 59)).astype(int)
    prediction = predict(sizes, 0.05)
    assert prediction.is_proved
    assert prediction.gap <= 1e-13
    # The gradient in classifier and class means, written out for classes with weights n_k / N.
    n = sizes / sizes.sum()
    probabilities = np.exp(prediction.logits - prediction.logits.max(axis=1, keepdims=True))
    errors = (probabilities / probabilities.sum(axis=1, keepdims=True) - np.eye(60)) * n[:, None]
    in_classifier = errors.T @ prediction.class_means + prediction.classifier_weight_decay * prediction.classifier
    decays = prediction.feature_weight_decay * sizes[:, None]
    in_means = errors @ prediction.classifier + decays * prediction.class_means
    penalty = prediction.classifier_weight_decay * np.abs(prediction.classifier).max()
    assert np.abs(in_classifier).max() <= 1e-12 * penalty
    assert np.abs(in_means).max() <= 1e-12 * np.abs(decays * prediction.class_means).max()
    # Permuted classes are the same prediction, permuted; the weight decays round differently.
    order = np.random.default_rng(0).permutation(60)
    permuted = predict(sizes[order], 0.05)
    np.testing.assert_allclose(permuted.logits, prediction.logits[np.ix_(order, order)], rtol=0, atol=1e-12)
    np.testing.assert_allclose(permuted.feature_norms, prediction.feature_norms[order], rtol=1e-12)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"n_classes": 1}, "n_classes: expected at least 2, got 1"),
        ({"samples_per_class": 0}, "samples_per_class: expected at least 1, got 0"),
        ({"samples_per_class": [3, 4]}, r"samples_per_class: expected 10 integers, got shape \(2,\)"),
        ({"n_classes": 2, "samples_per_class": [3, 4.5]}, "samples_per_class: expected integers, got float64"),
        ({"n_classes": 2, "samples_per_class": [3, 0]}, "samples_per_class: expected at least 1, got 0"),
        ({"feature_weight_decay": 0}, "feature_weight_decay: expected a positive finite number, got 0"),
        ({"classifier_weight_decay": "x"}, "classifier_weight_decay: expected a positive finite number, got 'x'"),
        ({"feature_dim": 0}, "feature_dim: expected at least 1, got 0"),
        (
            {"n_classes": 3, "samples_per_class": [5, 6, 7], "feature_dim": 1},
            "feature_dim: expected at least 2, the rank of the minimiser, got 1",
        ),
    ],
)
def test_wrong_input_is_named(task, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        neural_collapse.predict(**task)
