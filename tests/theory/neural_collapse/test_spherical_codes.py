"""Fewer dimensions than a simplex needs: random starts of the full problem, stationarity, and what is refused."""

import math

import numpy as np
import pytest

from theory import neural_collapse
from theory.neural_collapse.spherical_codes import SphericalCode, solve_scales, spherical_code

EPS = np.finfo(np.float64).eps
CODES = [(4, 2), (5, 2), (9, 2), (6, 3), (10, 5), (8, 3), (12, 3)]


def predict(n_classes, dim, share):
    """One sample for each class, lam_W = 4 lam_H, at a share of the zero threshold."""
    return neural_collapse.predict(
        n_classes=n_classes,
        samples_per_class=1,
        feature_weight_decay=share / n_classes / 2,
        classifier_weight_decay=share / n_classes * 2,
        feature_dim=dim,
    )


def full_problem(prediction, unconstrained_features):
    n_classes = len(prediction.class_means)
    return unconstrained_features(
        np.arange(n_classes)[:, None],
        (n_classes,),
        prediction.feature_weight_decay,
        prediction.classifier_weight_decay,
    )


@pytest.mark.parametrize(("n_classes", "dim"), CODES)
@pytest.mark.parametrize("share", [0.03, 0.4])
def test_best_of_random_starts(unconstrained_features, n_classes, dim, share):
    prediction = predict(n_classes, dim, share)
    task = full_problem(prediction, unconstrained_features)
    risk, classifier, _, _ = min((task.minimise(dim, seed, polish=False) for seed in range(4)), key=lambda run: run[0])
    # L-BFGS stops at a gradient of 1e-9, which leaves the risk above by its square over a curvature of 1e-4 or more.
    assert prediction.risk == pytest.approx(risk, abs=1e-11)
    # The code itself, by its sorted inner products: errors of the square root of those in the risk.
    expected, learned = prediction.classifier @ prediction.classifier.T, classifier @ classifier.T
    np.testing.assert_allclose(np.sort(learned, axis=None), np.sort(expected, axis=None), atol=1e-3 * expected.max())


@pytest.mark.parametrize(("n_classes", "dim"), CODES)
@pytest.mark.parametrize("share", [1e-6, 1e-2, 0.9, 1 - 1e-6])
def test_prediction_is_stationary_and_says_what_it_is(unconstrained_features, n_classes, dim, share):
    prediction = predict(n_classes, dim, share)
    task = full_problem(prediction, unconstrained_features)
    risk, *gradients = task.risk(prediction.classifier, prediction.class_means)
    assert prediction.risk == pytest.approx(risk, rel=1e-13)
    for gradient, weights, decay in zip(
        gradients,
        (prediction.classifier, prediction.class_means),
        (prediction.classifier_weight_decay, prediction.feature_weight_decay),
        strict=True,
    ):
        # Softmax minus target rounds by a few eps, and the penalty to hold it against is c = share / K times a weight.
        assert np.abs(gradient).max() <= 4 * EPS * n_classes / share * decay * np.abs(weights).max()
    assert (prediction.status, prediction.is_proved, prediction.rank) == ("ansatz", False, dim)
    assert "not by a theorem" in prediction.note
    simplex = neural_collapse.predict(
        n_classes=n_classes,
        samples_per_class=1,
        feature_weight_decay=prediction.feature_weight_decay,
        classifier_weight_decay=prediction.classifier_weight_decay,
    )
    assert prediction.lower_bound == pytest.approx(simplex.risk, rel=1e-13)
    assert prediction.gap > 0
    assert prediction.feature_norms.min() > 0


def test_samples_enter_through_one_number():
    # Only c = sqrt(lam_W lam_H n) matters to the logits.
    decays = {"feature_weight_decay": 1e-3, "classifier_weight_decay": 4e-3}
    many = neural_collapse.predict(n_classes=8, samples_per_class=16, feature_dim=3, **decays)
    single = {name: 4 * decay for name, decay in decays.items()}
    single_sample = neural_collapse.predict(n_classes=8, samples_per_class=1, feature_dim=3, **single)
    np.testing.assert_allclose(many.logits, single_sample.logits, rtol=1e-12)
    np.testing.assert_allclose(many.class_means @ many.classifier.T, many.logits, rtol=1e-12)
    assert many.risk == pytest.approx(single_sample.risk, rel=1e-13)
    # lam_W |W|^2 = lam_H sum_k n_k |m_k|^2, at any minimum.
    penalties = 4e-3 * np.sum(many.classifier**2), 1e-3 * 16 * np.sum(many.class_means**2)
    assert penalties[0] == pytest.approx(penalties[1], rel=1e-12)


@pytest.mark.parametrize(("n_classes", "dim"), CODES)
def test_codes_are_unit_vectors_on_which_a_group_acts(n_classes, dim):
    code = spherical_code(n_classes, dim)
    assert sum(part.shape[1] for part in code.parts) == dim
    for part in code.parts:
        gram = part @ part.T
        np.testing.assert_allclose(np.diag(gram), 1, atol=8 * EPS)
        np.testing.assert_allclose(part.sum(axis=0), 0, atol=8 * n_classes * EPS)
        # Every corner sees the others at the same inner products.
        np.testing.assert_allclose(np.sort(gram, axis=1), np.sort(gram, axis=1)[[0]].repeat(n_classes, 0), atol=1e-14)


def test_antiprism_is_not_a_cube_and_changes_shape():
    cube = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]) / math.sqrt(3)
    shapes = []
    for share in (1e-6, 1e-2, 0.5):
        prediction = predict(8, 3, share)
        on_cube = solve_scales(SphericalCode("cube", (cube,)), share / 8)
        assert prediction.risk < (on_cube.cross_entropy + share * on_cube.scales[0]) * (1 - 1e-4)
        scales = solve_scales(spherical_code(8, 3), share / 8).scales
        shapes.append(scales[1] / scales.sum())
    # The smallest distance is largest where the squared height of a corner is 1 / (1 + 2 sqrt 2) of its squared norm.
    assert abs(shapes[0] - 1 / (1 + 2 * math.sqrt(2))) < abs(shapes[1] - 1 / (1 + 2 * math.sqrt(2))) < 0.05
    assert shapes[2] > shapes[0] + 0.01


def test_orthogonal_simplices_are_beaten(unconstrained_features):
    # Why (6, 4) is refused: two triangles in orthogonal planes are not the minimum.
    triangle = np.array([[math.cos(t), math.sin(t)] for t in 2 * math.pi * np.arange(3) / 3])
    c = 0.01 / 6
    triangles = solve_scales(SphericalCode("two triangles", (np.kron(np.eye(2), triangle),)), c)
    assert triangles.residual < 1e-13
    task = unconstrained_features(np.arange(6)[:, None], (6,), c, c)
    least = min(task.minimise(4, seed, polish=False)[0] for seed in range(3))
    # By 1.0 % of the risk: far above the 1e-11 that L-BFGS leaves.
    assert least < (triangles.cross_entropy + c * 6 * triangles.scales[0]) * 0.995


def test_any_dimension_will_do_for_zero():
    prediction = predict(9, 4, 1.5)
    assert prediction.is_zero
    assert prediction.is_proved
    assert prediction.risk == pytest.approx(math.log(9), rel=4 * EPS)


@pytest.mark.parametrize(("n_classes", "dim"), [(3, 1), (6, 4), (7, 3), (20, 3), (20, 2)])
def test_other_dimensions_are_refused(n_classes, dim):
    message = f"^feature_dim: expected n_classes - 1 or more, or a known code .*, got {dim} for n_classes={n_classes}$"
    with pytest.raises(ValueError, match=message):
        predict(n_classes, dim, 0.1)
