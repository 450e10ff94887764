"""The level theorem against oracles that know nothing of it: direct descent, the convex solver, linear algebra."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from theory import hierarchy, neural_collapse
from theory.hierarchy.convex_labels import solve_logits
from theory.hierarchy.tree import Tree, tree_entries
from theory.optimality.soft_targets import certify_targets

EIGENVALUES = (0.94, 0.87, 0.68)
THRESHOLDS = np.array(EIGENVALUES) / 8
ROUNDING = np.finfo(float).eps
# Below, between and above all thresholds, 0.5 % on either side of each.
DECAYS = sorted([0.02, *(0.995 * THRESHOLDS), *(1.005 * THRESHOLDS)])


def predict(decay, *, ratio=1.0, **task):
    """Return the prediction at c = sqrt(lam_W lam_H n), lam_H / lam_W the ratio, n = 4."""
    root = ratio**0.5
    task = {"level_eigenvalues": EIGENVALUES} | task
    return hierarchy.predict_labels(
        feature_weight_decay=decay / 2 * root, classifier_weight_decay=decay / 2 / root, samples_per_leaf=4, **task
    )


def projectors(branching, depth):
    """Return Pi_0 .. Pi_D, from averages over blocks."""
    sizes = [branching**level for level in range(depth + 1)]
    means = [np.kron(np.eye(size), np.full((sizes[-1] // size,) * 2, size / sizes[-1])) for size in sizes]
    return [means[0], *(fine - coarse for fine, coarse in zip(means[1:], means, strict=False))]


@pytest.mark.parametrize(("branching", "depth"), [(2, 1), (2, 3), (3, 2), (5, 1)])
def test_matrices_of_the_tree_distance_are_sums_of_projectors(branching, depth):
    tree, projects = Tree(branching, depth), projectors(branching, depth)
    eigenvalues = np.random.default_rng(0).standard_normal(depth + 1)
    matrix = sum(value * project for value, project in zip(eigenvalues, projects, strict=True))
    np.testing.assert_allclose(tree.matrix(eigenvalues), matrix, atol=16 * ROUNDING)
    np.testing.assert_allclose(tree.eigenvalues(tree.entries(eigenvalues)), eigenvalues, atol=64 * ROUNDING)
    np.testing.assert_allclose(tree.level_means(matrix), eigenvalues, atol=64 * ROUNDING)
    for level, project in enumerate(projects):
        basis = tree.contrasts(level)
        assert basis.shape[1] == tree.multiplicities[level]
        np.testing.assert_allclose(basis @ basis.T, project, atol=16 * ROUNDING)
    assert tree_entries(tree, matrix) is not None
    if depth > 1:  # on one level any permutation of the leaves is an automorphism
        shuffled = np.random.default_rng(1).permutation(tree.n_leaves)
        assert tree_entries(tree, matrix[np.ix_(shuffled, shuffled)]) is None


@pytest.mark.parametrize(("branching", "depth"), [(2, 3), (3, 2)])
def test_singular_values_of_path_properties(branching, depth):
    tree = Tree(branching, depth)
    squares = [(branching ** (depth - level + 1) - 1) / (branching - 1) for level in range(depth + 1)]
    expected = np.repeat(squares, tree.multiplicities)
    found = np.linalg.svd(tree.path_properties(), compute_uv=False) ** 2
    np.testing.assert_allclose(found, expected, rtol=64 * ROUNDING)


@pytest.mark.parametrize("decay", DECAYS)
def test_the_closed_form_is_stationary_and_resolves_by_threshold(decay):
    prediction = predict(decay)
    np.testing.assert_array_equal(prediction.resolved, decay < THRESHOLDS)
    np.testing.assert_array_equal(prediction.level_strengths > 0, prediction.resolved)
    assert prediction.rank == np.sum([1, 2, 4] * prediction.resolved)
    # Optimality of the nuclear norm at a positive semidefinite Z, by singular values alone.
    targets = Tree(2, 3).matrix([1, *EIGENVALUES])
    residual = (targets - softmax(prediction.logits, axis=1)) / 8
    assert np.linalg.norm(residual, 2) <= decay * (1 + 1e-13)
    assert np.sum(residual * prediction.logits) == pytest.approx(
        decay * np.linalg.norm(prediction.logits, "nuc"), rel=1e-12, abs=1e-15
    )
    # The risk, evaluated sample by sample.
    cross_entropy = -np.mean(np.sum(targets * log_softmax(prediction.logits, axis=1), axis=1))
    squares = 4 * np.sum(prediction.features**2) + np.sum(prediction.classifier**2)
    assert prediction.risk == pytest.approx(cross_entropy + decay / 4 * squares, rel=1e-14)
    assert prediction.gap <= 4 * ROUNDING * prediction.risk


@pytest.mark.parametrize("decay", [0.02, 0.09, 0.11, 0.12])
def test_the_convex_solver_agrees(decay):
    """The solver is certified to a gap of rounding; J grows quadratically, so logits agree to its root."""
    solution, prediction = solve_logits(Tree(2, 3).matrix([1, *EIGENVALUES]), decay), predict(decay)
    gap = solution.risk - solution.lower_bound
    assert abs(gap) <= 1e-13
    assert solution.risk == pytest.approx(prediction.risk, abs=1e-13)
    # Curvature of J along active levels: at least that of the cross-entropy, s_min / K with s_min the least softmax.
    curvature = softmax(prediction.logits, axis=1).min() / 8
    np.testing.assert_allclose(solution.logits, prediction.logits, atol=np.sqrt(4e-13 / curvature))


def descend_samples(targets, decays, dim, samples_per_leaf=2):
    """Minimise the risk over the feature of every sample by L-BFGS, from a random start; return H and W."""
    n_leaves = len(targets)
    leaves = np.repeat(np.arange(n_leaves), samples_per_leaf)
    shape = (len(leaves) + n_leaves, dim)

    def risk(point):
        features, classifier = np.split(point.reshape(shape), [len(leaves)])
        logarithms = log_softmax(features @ classifier.T, axis=1)
        errors = (np.exp(logarithms) - targets[leaves]) / len(leaves)
        penalty = decays[0] / 2 * np.sum(features**2) + decays[1] / 2 * np.sum(classifier**2)
        gradient = [errors @ classifier + decays[0] * features, errors.T @ features + decays[1] * classifier]
        return -np.sum(targets[leaves] * logarithms) / len(leaves) + penalty, np.vstack(gradient).ravel()

    start = 0.3 * np.random.default_rng(2).standard_normal(shape).ravel()
    end = minimize(risk, start, jac=True, method="L-BFGS-B", options={"maxiter": 3000, "ftol": 0, "gtol": 1e-11})
    return np.split(end.x.reshape(shape), [len(leaves)]), end.fun, np.linalg.norm(end.jac)


def test_descent_of_every_sample_ends_in_the_predicted_gram_matrices():
    """Unequal weight decays, a tree of three branches.

    At a gradient of 1e-8 and a curvature of at least 1e-3 (the smaller weight decay is 1e-2) an entry of the vectors is
    within 1e-5 of the minimum, and vectors have lengths of about 1.
    """
    targets, decays = Tree(3, 2).matrix([1, 0.9, 0.6]), (0.03, 0.01)
    (features, classifier), risk, gradient = descend_samples(targets, decays, dim=9)
    prediction = hierarchy.predict_labels(
        branching=3,
        depth=2,
        level_eigenvalues=(0.9, 0.6),
        samples_per_leaf=2,
        feature_weight_decay=decays[0],
        classifier_weight_decay=decays[1],
    )
    assert gradient <= 1e-8
    assert risk == pytest.approx(prediction.risk, abs=1e-12)
    np.testing.assert_allclose(classifier @ classifier.T, prediction.classifier @ prediction.classifier.T, atol=1e-5)
    np.testing.assert_allclose(features[::2] @ features[::2].T, prediction.features @ prediction.features.T, atol=1e-5)
    np.testing.assert_allclose(features[::2], features[1::2], atol=1e-5)


def test_one_level_of_certain_labels_is_neural_collapse():
    labels = hierarchy.predict_labels(branching=6, depth=1, level_eigenvalues=(1.0,), samples_per_leaf=3)
    collapse = neural_collapse.predict(
        n_classes=6, samples_per_class=3, feature_weight_decay=0.02, classifier_weight_decay=0.02
    )
    np.testing.assert_allclose(labels.logits, collapse.logits, atol=1e-13)
    assert labels.risk == pytest.approx(collapse.risk, rel=1e-14)
    assert labels.thresholds[0] == pytest.approx(collapse.zero_threshold * 3**0.5)


def test_geometry_of_the_predicted_tree():
    """Child less parent is orthogonal to the parent, of the predicted length; siblings are a simplex."""
    prediction, tree = predict(0.02, ratio=4.0), Tree(2, 3)
    scale = (4 * 4.0) ** 0.5
    for level in range(1, 4):
        means = [tree.nodes(depth) @ prediction.classifier / tree.leaves_below[depth] for depth in (level - 1, level)]
        steps = means[1] - np.repeat(means[0], 2, axis=0)
        assert np.abs(np.sum(steps * np.repeat(means[0], 2, axis=0), axis=1)).max() <= 1e-14
        length = scale * prediction.level_strengths[level - 1] / tree.leaves_below[level - 1]
        np.testing.assert_allclose(np.sum(steps**2, axis=1), length, rtol=1e-13)


def test_equal_eigenvalues_are_a_plain_simplex():
    prediction = predict(0.02, level_eigenvalues=(0.8, 0.8, 0.8))
    np.testing.assert_allclose(prediction.level_strengths, prediction.level_strengths[0], rtol=1e-12)


def test_cyclic_confusions_keep_the_first_threshold_alone():
    """Of K = 8 on a circle, Fourier modes 1 to 4 have eigenvalues over K of 0.114, 0.0875, 0.061 and 0.05."""
    targets = hierarchy.cyclic_targets(8, 0.15)
    first, second = (1 - 0.3 + 0.3 * np.cos(2 * np.pi * np.array([1, 2]) / 8)) / 8
    ranks = {1.001 * first: 0, 0.999 * first: 2, 0.99 * second: 2, 0.95 * second: 4, 0.03: 4}
    for decay, rank in ranks.items():
        prediction = predict(decay, level_eigenvalues=None, targets=targets)
        assert prediction.basis == "certified"
        assert "not those of a tree" in prediction.note
        assert prediction.rank == rank  # by the rule of trees 0, 2, 4, 4 and 7
        assert prediction.thresholds[0] == pytest.approx(first)
        assert np.isnan(prediction.thresholds[1:]).all()


def test_targets_that_rise_with_the_distance_are_solved():
    targets = Tree(2, 2).matrix([1.0, 0.2, 0.6])
    assert predict(0.02, depth=2, level_eigenvalues=None, targets=targets).basis == "certified"


def test_the_certificate_bounds_any_network():
    """A network away from the minimum has a gap of at least its excess risk, and the gap is not void."""
    rng, targets = np.random.default_rng(3), Tree(2, 3).matrix([1, *EIGENVALUES])
    best = predict(0.05)
    decays = {"feature_weight_decay": 0.05, "classifier_weight_decay": 0.05}
    factor = best.features * 4**0.25  # of the leaves, at equal scales of both factors
    other = factor + 0.05 * rng.standard_normal(factor.shape)
    certificate = certify_targets(targets, np.full(8, 1 / 8), other, other, **decays)
    excess = certificate.risk - best.risk
    assert 0 < excess <= certificate.gap < certificate.risk


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"branching": 1}, "branching: expected at least 2, got 1"),
        ({"depth": 0, "level_eigenvalues": ()}, "depth: expected at least 1, got 0"),
        ({"depth": 40}, "depth: expected at most 13 with branching=2, got 40"),
        ({"level_eigenvalues": (0.5, 0.6, 0.1)}, r"level_eigenvalues: expected numbers that fall .* got \[0.5, 0.6"),
        ({"level_eigenvalues": (1.5, 0.6, 0.1)}, "level_eigenvalues: expected numbers that fall from 1"),
        ({"level_eigenvalues": (0.5, 0.4, -0.1)}, "level_eigenvalues: expected numbers that fall from 1 at most to 0"),
        ({"level_eigenvalues": (0.5, 0.4)}, "level_eigenvalues: expected 3 numbers, one for each level, got 2"),
        ({"level_eigenvalues": (0.5, 0.4, np.nan)}, "level_eigenvalues: expected finite numbers"),
        ({"level_eigenvalues": None}, "targets: expected either targets or level_eigenvalues, got both or neither"),
        ({"level_eigenvalues": None, "targets": np.eye(4)}, r"targets: expected shape \(8, 8\)"),
        ({"level_eigenvalues": None, "targets": np.eye(8) / 2}, "targets: expected rows that sum to 1, got 0.5"),
        ({"level_eigenvalues": None, "targets": 2 * np.eye(8) - 1 / 8}, "targets: expected probabilities, got -0.125"),
        ({"feature_dim": 6}, "feature_dim: expected at least 7, the rank of the minimiser, got 6"),
    ],
)
def test_bad_input_names_the_field(changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        predict(0.02, **changes)
