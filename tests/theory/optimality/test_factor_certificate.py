"""Certificates for several heads: bounds that nothing falls below, tight at minimisers, with structure or without."""

import itertools

import numpy as np
import pytest
from scipy.special import entr, softmax

from theory import neural_collapse
from theory.neural_collapse import factors as factor_collapse
from theory.optimality.certificates import certify
from theory.optimality.factor_certificate import certify_factors

# Sums over fewer than 1000 samples and heads of terms below 10: rounding stays below this.
ROUNDING = 1e-13
DECAYS = {"feature_weight_decay": 0.01, "classifier_weight_decay": 0.04}


def full_factorial(sizes, copies):
    return np.repeat(np.array(list(itertools.product(*map(range, sizes)))), copies, axis=0)


def scaled(scale):
    return {name: scale * value for name, value in DECAYS.items()}


def random_task(seed, n_samples=14, heads=(2, 4, 3), dim=4):
    """Labels of unequal frequency in factors that depend on each other, and features and heads without structure."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, heads, (n_samples, len(heads)))
    labels[: n_samples // 2, 1] = 0
    labels[:, 2] = np.where(rng.random(n_samples) < 0.5, labels[:, 0], labels[:, 2])
    return labels, heads, rng.normal(size=(n_samples, dim)), rng.normal(size=(sum(heads), dim))


def dual_point(labels, heads, features, classifier, theta, label_noise):
    """The dual point by its definition: its entropy, and the largest singular value of its stacked gradient."""
    entropy, gradients = 0.0, []
    for column, size, end in zip(labels.T, heads, np.cumsum(heads), strict=True):
        target = (1 - label_noise) * np.eye(size)[column] + label_noise / size
        mixed = target + theta * (softmax(features @ classifier[end - size : end].T, axis=1) - target)
        assert mixed.min() > -1e-15
        entropy += entr(np.maximum(mixed, 0)).sum() / len(labels)
        gradients.append((mixed - target).T / len(labels))
    return entropy, np.linalg.norm(np.vstack(gradients), 2)


# sqrt(lam_W lam_H) = 0.02 vanishes a factor iff N K_f >= 2500; `scale` multiplies both decays. Here vanish: nothing,
# the factor of three values, everything, nothing, nothing.
PREDICTED = [((2, 3), 2, 1.0), ((2, 3), 2, 9.0), ((2, 2, 2), 1, 13.0), ((3, 4, 5), 2, 0.1), ((4,), 3, 2.0)]


@pytest.mark.parametrize(("sizes", "copies", "scale"), PREDICTED)
def test_predictions_are_certified(sizes, copies, scale):
    labels, decays = full_factorial(sizes, copies), scaled(scale)
    prediction = factor_collapse.predict(factor_sizes=sizes, n_samples=len(labels), **decays)
    certificate = certify_factors(
        labels, sizes, prediction.features(labels), np.vstack(prediction.classifiers), **decays
    )
    assert certificate.proven
    assert certificate.risk == pytest.approx(prediction.risk, abs=ROUNDING)
    assert certificate.lower_bound == pytest.approx(prediction.risk, abs=ROUNDING)
    assert certificate.gap <= ROUNDING
    # The bound is flat in theta at 1: rounding of the value leaves its square root.
    assert certificate.theta == pytest.approx(1, abs=1e-7)
    # The gradient of a factor that has vanished keeps the singular value of its threshold, and others that of lam.
    singular_values = np.where(prediction.vanished, prediction.thresholds, 0.02 * scale)
    assert certificate.sigma_max == pytest.approx(singular_values.max(), rel=1e-12)


def test_thousands_of_samples_are_certified():
    labels, decays = full_factorial((30, 40), 3), scaled(0.01)
    prediction = factor_collapse.predict(factor_sizes=(30, 40), n_samples=3600, **decays)
    certificate = certify_factors(
        labels, (30, 40), prediction.features(labels), np.vstack(prediction.classifiers), **decays
    )
    # 70 x 3600 entries are too many for all singular values; their errors of eps are divided by lam = 2e-4.
    assert (certificate.method, certificate.proven) == ("gram", True)
    assert certificate.gap <= 1e-11
    assert certificate.risk > 0.1


@pytest.mark.parametrize(("sizes", "copies", "scale"), PREDICTED[:2])
def test_the_gap_covers_the_excess_risk(sizes, copies, scale):
    labels, decays = full_factorial(sizes, copies), scaled(scale)
    prediction = factor_collapse.predict(factor_sizes=sizes, n_samples=len(labels), **decays)
    optimum, rng = (prediction.features(labels), np.vstack(prediction.classifiers)), np.random.default_rng(0)
    gaps = []
    for size in np.geomspace(1e-6, 30, 40):
        near = [array + size * rng.normal(size=array.shape) for array in optimum]
        far = [size * rng.normal(size=array.shape) for array in optimum]
        for features, classifier in (near, far):
            certificate = certify_factors(labels, sizes, features, classifier, **decays)
            assert certificate.lower_bound <= prediction.risk + ROUNDING
            assert certificate.gap >= certificate.risk - prediction.risk - ROUNDING
        gaps.append(certify_factors(labels, sizes, *near, **decays).gap)
    # Moving by s moves sigma_max / lam by order s, and the bound with it.
    assert gaps[0] < 1e-4 < gaps[-1]


@pytest.mark.parametrize("label_noise", [0.0, 0.2])
def test_the_bound_is_the_best_dual_point_of_its_ray(label_noise):
    for seed, scale in itertools.product(range(5), (0.3, 3.0, 30.0)):
        task = random_task(seed)
        certificate = certify_factors(*task, **scaled(scale), label_noise=label_noise)
        entropy, sigma = dual_point(*task, certificate.theta, label_noise)
        assert sigma <= 0.02 * scale * (1 + 1e-12)
        assert certificate.lower_bound == pytest.approx(entropy, abs=ROUNDING)
        assert certificate.sigma_max == pytest.approx(dual_point(*task, 1.0, label_noise)[1], rel=1e-12)
        # Feasible neighbours, the smaller always, are no better.
        assert dual_point(*task, 0.999 * certificate.theta, label_noise)[0] <= entropy + ROUNDING
        if 1.001 * sigma <= 0.02 * scale and certificate.theta < 1:
            assert dual_point(*task, 1.001 * certificate.theta, label_noise)[0] <= entropy + ROUNDING


@pytest.mark.parametrize("label_noise", [0.0, 0.3])
def test_nothing_falls_below_the_bound_of_another(label_noise):
    for seed in range(20):
        labels, heads, features, classifier = random_task(seed)
        rng = np.random.default_rng(seed)
        sizes = np.exp(rng.normal(size=(6, 2))) * rng.choice([0, 1, 1], size=(6, 2))
        results = [
            certify_factors(labels, heads, s * features, t * classifier, **scaled(1.0), label_noise=label_noise)
            for s, t in sizes
        ]
        assert max(result.lower_bound for result in results) <= min(result.risk for result in results) + ROUNDING


@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_minimisers_without_structure_are_certified(unconstrained_features, scale):
    labels, heads, *_ = random_task(1)
    decays = scaled(scale)
    risk, classifier, features, error = unconstrained_features(labels, heads, *decays.values()).minimise(7, 0)
    certificate = certify_factors(labels, heads, features, classifier, **decays)
    assert certificate.risk == pytest.approx(risk, rel=1e-13)
    # Logits are right to `error`, the softmax to half of it, and G to the N-th part of that. What sigma_max exceeds lam
    # by costs at most that share of lam |M|_*, which is below the risk; twice that for what is of second order.
    slack = error / (2 * len(labels) * 0.02 * scale)
    assert slack < 1e-9
    assert abs(certificate.excess) <= slack + 1e-12
    assert certificate.gap <= 2 * (slack + 1e-12) * risk


def test_a_factor_given_twice_is_one_with_less_decay():
    # Both heads are then equal, and 2 CE + lam_W |W|^2 + lam_H/2 |h|^2 is twice the risk of one head at lam_H / 2.
    column = np.repeat(np.arange(3), 4)
    prediction = neural_collapse.predict(
        n_classes=3, samples_per_class=4, feature_weight_decay=0.005, classifier_weight_decay=0.04
    )
    heads = np.vstack([prediction.classifier, prediction.classifier])
    twice = np.column_stack([column, column])
    certificate = certify_factors(twice, (3, 3), prediction.class_means[column], heads, **DECAYS)
    assert certificate.lower_bound == pytest.approx(2 * prediction.risk, abs=ROUNDING)
    assert certificate.gap <= ROUNDING
    # The gradient of one head alone has norm lam / sqrt(2), so that the sum of two separate bounds would be none.
    alone = certify_factors(column[:, None], (3,), prediction.class_means[column], prediction.classifier, **DECAYS)
    assert certificate.sigma_max == pytest.approx(0.02, rel=1e-12)
    assert alone.sigma_max == pytest.approx(0.02 / np.sqrt(2), rel=1e-12)
    assert 2 * alone.lower_bound > certificate.risk + 0.1


@pytest.mark.parametrize("label_noise", [0.0, 0.2])
def test_one_head_is_the_certificate_of_a_network_of_one_word(label_noise):
    for seed in range(3):
        _, _, features, classifier = random_task(seed)
        column = np.random.default_rng(seed).integers(0, 9, len(features))
        certificate = certify_factors(column[:, None], (9,), features, classifier, **DECAYS, label_noise=label_noise)
        words = np.arange(len(features))[:, None]
        decays = {"embedding_weight_decay": 0.01, "classifier_weight_decay": 0.04}
        other = certify(words, column, None, features, classifier[:, None], **decays, label_noise=label_noise)
        for name in ("risk", "cross_entropy", "lower_bound", "gap", "sigma_max", "theta"):
            assert getattr(certificate, name) == pytest.approx(getattr(other, name), rel=1e-12)


def test_a_factor_left_out_is_refused():
    labels = full_factorial((2, 3), 2)
    prediction = factor_collapse.predict(factor_sizes=(2, 3), n_samples=12, **DECAYS)
    features, heads = prediction.value_means[0][labels[:, 0]], np.vstack(prediction.classifiers)
    heads[2:] = 0
    certificate = certify_factors(labels, (2, 3), features, heads, **DECAYS)
    # A critical point: the head of three values is at its saddle.
    assert certificate.excess == pytest.approx(prediction.thresholds[1] / 0.02 - 1, rel=1e-12)
    assert certificate.gap > certificate.risk - prediction.risk > 0.1


def test_heads_sure_of_wrong_values_get_a_finite_bound():
    labels, heads, features, classifier = random_task(3)
    certificate = certify_factors(labels, heads, features, 1000 * classifier, **DECAYS)
    assert np.isfinite([certificate.lower_bound, certificate.gap, certificate.theta]).all()
    assert -10 < certificate.lower_bound <= np.log(2 * 4 * 3) < certificate.gap


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": ()}, r"^heads: expected at least one, got none$"),
        ({"heads": (2, 4, 1)}, r"^heads: expected at least 2, got 1$"),
        ({"heads": (2, 4)}, r"^labels: expected shape \(14, 2\), got \(14, 3\)$"),
        ({"heads": (2, 4, 4)}, r"^classifier: expected shape \(10, 4\), for heads of \[2, 4, 4\], got \(9, 4\)$"),
        ({"labels": np.zeros((14, 3))}, r"^labels: expected integers, got float64$"),
        ({"labels": np.full((14, 3), 2)}, r"^labels: expected values from 0 to 1 of factor 0, got 2 to 2$"),
        ({"labels": np.zeros(14, int)}, r"^labels: expected shape \(14, 3\), got \(14,\)$"),
        ({"features": np.full((14, 4), np.inf)}, r"^features: expected finite numbers, got 56 that are not$"),
        ({"features": np.zeros(14)}, r"^features: expected an array with 2 axes, none empty, got shape \(14,\)$"),
        ({"feature_weight_decay": 0}, r"^feature_weight_decay: expected a positive finite number, got 0$"),
        ({"label_noise": 1}, r"^label_noise: expected a number in \[0, 1\), got 1$"),
    ],
)
def test_wrong_input_is_named(changes, message):
    fields = dict(zip(("labels", "heads", "features", "classifier"), random_task(0), strict=True))
    with pytest.raises(ValueError, match=message):
        certify_factors(**{**fields, **DECAYS, **changes})
