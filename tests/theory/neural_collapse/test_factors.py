"""Several labels on one feature against random starts, a dual certificate, and the case of one factor."""

import itertools
import math

import numpy as np
import pytest
from scipy.special import xlogy

from theory import neural_collapse
from theory.neural_collapse import factors as factor_collapse

EPS = np.finfo(np.float64).eps
DECAYS = {"feature_weight_decay": 0.01, "classifier_weight_decay": 0.04}


def full_factorial(sizes, copies):
    return np.repeat(np.array(list(itertools.product(*map(range, sizes)))), copies, axis=0)


# sqrt(lam_W lam_H) = 0.02 vanishes a factor iff N K_f >= 2500; `scale` multiplies both decays.
TASKS = [((2, 3), 2, 1.0), ((2, 3), 2, 9.0), ((2, 2, 2), 1, 3.0), ((4,), 3, 2.0)]


def predicted(sizes, copies, scale, unconstrained_features, **more):
    labels = full_factorial(sizes, copies)
    decays = {name: scale * value for name, value in DECAYS.items()}
    prediction = factor_collapse.predict(factor_sizes=sizes, n_samples=len(labels), **decays, **more)
    return prediction, unconstrained_features(labels, sizes, *decays.values())


@pytest.mark.parametrize(("sizes", "copies", "scale"), TASKS)
def test_random_starts_end_there(unconstrained_features, sizes, copies, scale):
    prediction, task = predicted(sizes, copies, scale, unconstrained_features)
    expected = np.vstack([*prediction.classifiers, prediction.features(task.labels)])
    dim = expected.shape[1]
    assert dim == sum(sizes) - len(sizes)
    for seed in range(2):
        risk, classifiers, features, error = task.minimise(dim, seed)
        gram = np.vstack([classifiers, features]) @ np.vstack([classifiers, features]).T
        assert error < 1e-6
        np.testing.assert_allclose(expected @ expected.T, gram, atol=error + 1e-13 * np.abs(gram).max())
        assert prediction.risk == pytest.approx(risk, rel=1e-13, abs=error**2)


@pytest.mark.parametrize(("sizes", "copies", "scale"), [*TASKS, ((3, 4, 5), 2, 0.1), ((5, 2), 40, 0.03)])
def test_dual_certificate_is_tight(unconstrained_features, sizes, copies, scale):
    prediction, task = predicted(sizes, copies, scale, unconstrained_features)
    features = prediction.features(task.labels)
    decay, errors, entropy = 0.02 * scale, [], 0.0
    for classifier, column in zip(prediction.classifiers, task.labels.T, strict=True):
        odds = np.exp(features @ classifier.T)
        probabilities = odds / odds.sum(axis=1, keepdims=True)
        errors.append((probabilities - np.eye(len(classifier))[column]) / len(column))
        entropy -= xlogy(probabilities, probabilities).sum(axis=1).mean()
    sigma = np.linalg.svd(np.hstack(errors), compute_uv=False)[0]
    # The stacked probabilities are dual feasible, so that their entropy bounds the risk of every network from below.
    assert sigma <= decay * (1 + 1e-12)
    assert prediction.risk == pytest.approx(entropy, rel=1e-12)
    assert task.risk(np.vstack(prediction.classifiers), features)[0] == pytest.approx(prediction.risk, rel=1e-13)
    logits = np.hstack([features @ classifier.T for classifier in prediction.classifiers])
    assert prediction.nuclear_norm == pytest.approx(np.linalg.svd(logits, compute_uv=False).sum(), rel=1e-12)


def test_directions_are_orthogonal_and_as_long_as_told(unconstrained_features):
    prediction, task = predicted((3, 4, 5), 2, 0.1, unconstrained_features, feature_dim=11)
    features = prediction.features(task.labels)
    directions = []
    for factor, size in enumerate((3, 4, 5)):
        means = np.stack([features[task.labels[:, factor] == value].mean(axis=0) for value in range(size)])
        # Averages over 120 samples of entries of order 1.
        np.testing.assert_allclose(means, prediction.value_means[factor], atol=200 * EPS)
        rho = math.log(math.sqrt(size / 120) / 0.002 - size + 1)
        # sqrt(lam_W / lam_H) = 2.
        expected = math.sqrt(2 * rho * math.sqrt(size / 120) * 2)
        assert prediction.difference_norms[factor] == pytest.approx(expected, rel=1e-12)
        distances = np.linalg.norm(means[:, None] - means, axis=2)[np.triu_indices(size, 1)]
        np.testing.assert_allclose(distances, expected, rtol=1e-12)
        directions.append(means[1:] - means[0])
    for first, second in itertools.combinations(directions, 2):
        np.testing.assert_allclose(first @ second.T, 0, atol=100 * EPS)


def test_large_factors_vanish_first(unconstrained_features):
    thresholds = factor_collapse.predict(factor_sizes=(2, 5), n_samples=10, **DECAYS).thresholds
    np.testing.assert_allclose(thresholds, [1 / math.sqrt(20), 1 / math.sqrt(50)], rtol=4 * EPS)
    for which, share in itertools.product(range(2), (1 - 1e-9, 1 + 1e-9)):
        scale = share * thresholds[which] / 0.02
        prediction, _ = predicted((2, 5), 1, scale, unconstrained_features)
        assert prediction.vanished[which] == (share > 1)
        assert np.all(prediction.value_means[which] == 0) == (share > 1)
        assert prediction.vanished[1 - which] == (which == 0)
        assert prediction.rank == sum([1, 4][f] for f in range(2) if not prediction.vanished[f])
    # Seen by a minimisation too: the head of five values is zero, that of two values is not.
    prediction, task = predicted((2, 5), 1, 0.18 / 0.02, unconstrained_features)
    _, classifiers, _, error = task.minimise(3, seed=1)
    assert np.abs(classifiers[2:]).max() < 2 * math.sqrt(error) + 1e-7
    norms = np.linalg.norm(classifiers[:2], axis=1)
    np.testing.assert_allclose(norms, prediction.classifier_norms[0], atol=2 * math.sqrt(error) + 1e-7)
    assert prediction.classifier_norms[0] > 0.1


def test_one_factor_is_neural_collapse():
    single = factor_collapse.predict(factor_sizes=(7,), n_samples=35, **DECAYS)
    balanced = neural_collapse.predict(n_classes=7, samples_per_class=5, **DECAYS)
    assert single.risk == pytest.approx(balanced.risk, rel=10 * EPS)
    np.testing.assert_allclose(single.value_means[0], balanced.class_means, atol=100 * EPS)
    np.testing.assert_allclose(single.classifiers[0], balanced.classifier, atol=100 * EPS)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"factor_sizes": ()}, "factor_sizes: expected at least one factor, got none"),
        ({"factor_sizes": (3, 1)}, "factor_sizes: expected at least 2, got 1"),
        ({"n_samples": 7}, "n_samples: expected a multiple of 6, so that pairs of values balance, got 7"),
        ({"feature_dim": 2}, "feature_dim: expected at least 3, the rank of the minimiser, got 2"),
        ({"feature_weight_decay": -1}, "feature_weight_decay: expected a positive finite number, got -1"),
    ],
)
def test_wrong_input_is_named(task, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        factor_collapse.predict(**{"factor_sizes": (2, 3), "n_samples": 12, **DECAYS, **task})


def test_labels_need_one_column_for_each_factor():
    prediction = factor_collapse.predict(factor_sizes=(2, 3), n_samples=12, **DECAYS)
    with pytest.raises(ValueError, match=r"^labels: expected an array of shape \(N, 2\), got \(12, 3\)$"):
        prediction.features(np.zeros((12, 3), int))
