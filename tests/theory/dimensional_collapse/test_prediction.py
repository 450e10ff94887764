"""The predicted embedding against direct minimisation over encoders, its optimality conditions, and bad input."""

import re

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import dimensional_collapse as theory

pytestmark = pytest.mark.quick

DIM = 5
SETTINGS = [  # similarity, views, temperature, weight decay
    ("distance", 1, 1.0, 0.0),
    ("distance", 2, 0.7, 0.3),
    ("dot", 2, 0.5, 0.4),
    ("spectral", 2, 1.0, 0.6),
]


@pytest.fixture(scope="module")
def matrices():
    """S and Q that do not commute, with ratios on both sides of 2."""
    rng = np.random.default_rng(3)
    mixing, other = rng.normal(size=(2, DIM, DIM))
    covariance = mixing @ mixing.T / DIM + 0.2 * np.eye(DIM)
    rotation = np.linalg.qr(other)[0]
    root = np.linalg.cholesky(covariance)
    augmentation = root @ rotation * [0.3, 0.7, 1.2, 2.5, 4.0] @ rotation.T @ root.T
    return covariance, (augmentation + augmentation.T) / 2


def descend(pairs, similarity, temperature, weight_decay, size):
    """Return G of the best of several descents over W, and its risk; slopes by complex steps, exact to rounding."""

    def risk(point):
        encoder = point.reshape(size, DIM)
        gram = encoder.T @ encoder
        product = pairs.metric @ gram
        if similarity == "spectral":
            loss = -2 * np.sum(pairs.overlap * gram) + np.trace(product @ product)
        elif similarity == "dot":
            loss = -np.sum(pairs.overlap * gram) / temperature + np.trace(product @ product) / (2 * temperature**2)
        else:
            grown = np.eye(DIM) + product / temperature
            loss = np.sum(pairs.spread * gram) / (2 * temperature) - np.log(np.linalg.det(grown)) / 2
            loss += np.trace(np.linalg.inv(grown)) / 2
        return loss + weight_decay / 2 * np.sum(point**2)

    def slope(point):
        return np.array([risk(point + 1e-30j * axis).imag / 1e-30 for axis in np.eye(len(point))])

    rng, ends = np.random.default_rng(0), []
    for _ in range(3):
        start = rng.normal(size=size * DIM) / 2
        ends.append(minimize(lambda x: risk(x).real, start, jac=slope, method="BFGS", options={"gtol": 1e-9}))
    best = min(ends, key=lambda end: end.fun)
    encoder = best.x.reshape(size, DIM)
    return encoder.T @ encoder, best.fun


@pytest.mark.parametrize("size", [6, 2])
@pytest.mark.parametrize(("similarity", "views", "temperature", "weight_decay"), SETTINGS)
def test_descents_end_at_the_prediction(matrices, similarity, views, temperature, weight_decay, size):
    given = {"similarity": similarity, "temperature": temperature, "weight_decay": weight_decay, "output_dim": size}
    prediction = theory.predict(covariance=matrices[0], augmentation=matrices[1], views=views, **given)
    pairs = theory.gaussian_pairs(*matrices, views)
    gram, risk = descend(pairs, similarity, temperature, weight_decay, size)
    # A descent stops at a gradient of about 1e-8; the least curvature in W is above 0.01: 1e-6 in W, doubled in G.
    np.testing.assert_allclose(gram, prediction.gram, atol=3e-6)
    eigenvalues = np.linalg.eigvals(pairs.metric @ gram).real
    np.testing.assert_allclose(np.sort(eigenvalues)[::-1], prediction.eigenvalues, atol=1e-5)
    constant = DIM / 2 if similarity == "distance" else 0.0  # tr((I + P)^{-1})/2 in place of -tr(P (I + P)^{-1})/2
    predicted_risk = prediction.loss + weight_decay / 2 * np.trace(prediction.gram)
    assert risk - constant == pytest.approx(predicted_risk, abs=1e-11)


@pytest.mark.parametrize(("similarity", "views", "temperature", "weight_decay"), SETTINGS)
def test_the_slope_at_the_prediction_meets_the_optimality_conditions(
    matrices, similarity, views, temperature, weight_decay
):
    """Convex in G: at the minimum the slope is positive semidefinite and vanishes on the range of G."""
    pairs = theory.gaussian_pairs(*matrices, views)
    given = {"similarity": similarity, "temperature": temperature, "weight_decay": weight_decay}
    gram = theory.predict(covariance=matrices[0], augmentation=matrices[1], views=views, **given).gram
    step, slope = 1e-5, np.zeros((DIM, DIM))
    for i, j in np.ndindex(DIM, DIM):
        direction = np.zeros((DIM, DIM))
        direction[i, j] += step / 2
        direction[j, i] += step / 2
        ahead, behind = (theory.expected_loss(pairs, gram + sign * direction, similarity, temperature)
                         for sign in (1, -1))  # fmt: skip
        slope[i, j] = (ahead - behind) / (2 * step) + weight_decay / 2 * (i == j)
    # Central differences: the third derivative is at most 4 |M/tau|^3, as that of a direction's loss is at most 4, and
    # rounding is that of a sum of some 2 d^2 terms of order 1.
    truncation = step**2 / 6 * 4 * (np.linalg.norm(pairs.metric, 2) / temperature) ** 3
    error = truncation + 2 * DIM**2 * np.finfo(float).eps / step
    assert error < 1e-5, "the smallest slope of a collapsed direction is above 0.01"
    assert np.linalg.eigvalsh(slope)[0] > -DIM * error
    np.testing.assert_allclose(slope @ gram, 0, atol=DIM * error * np.linalg.norm(gram, 2))


def test_ratios_are_those_of_any_matrices_with_these_ratios(matrices):
    ratios = [2.5, 0.3, 4.0, 0.7, 1.2]
    by_ratios = theory.predict(augmentation_ratios=ratios)
    by_matrices = theory.predict(covariance=matrices[0], augmentation=matrices[1])
    np.testing.assert_allclose(np.sort(by_ratios.eigenvalues)[::-1], by_matrices.eigenvalues, atol=1e-13)
    assert by_ratios.collapsed.tolist() == [True, False, True, False, False]
    np.testing.assert_allclose(by_ratios.levels, ratios, rtol=1e-14)
    np.testing.assert_allclose(np.diag(by_ratios.gram), by_ratios.eigenvalues, rtol=1e-14)
    assert (by_ratios.rank, by_ratios.basis) == (3, "theorem")


def test_closed_forms_of_commuting_matrices():
    s, q, lam, tau = np.array([2.0, 1.0, 0.5]), np.array([1.0, 3.0, 0.2]), 0.3, 0.8
    given = {"covariance": np.diag(s), "augmentation": np.diag(q), "temperature": tau}
    ratio = (2 * q + tau * lam) / (s + q)
    expected = tau * theory.surviving_eigenvalue(ratio)
    learned = theory.predict(**given, views=2, weight_decay=lam).eigenvalues
    np.testing.assert_allclose(learned, np.sort(expected)[::-1], rtol=1e-13)
    dot = theory.predict(**given, similarity="dot").eigenvalues
    np.testing.assert_allclose(dot, np.sort(tau * s / (s + q))[::-1], rtol=1e-13)


def test_two_views_without_weight_decay_never_collapse_and_with_it_from_twice_the_variance():
    def predict(decay):
        return theory.predict(augmentation_ratios=[0.1, 1, 100], views=2, weight_decay=decay)

    assert predict(0.0).rank == 3
    assert predict(1.99).rank == 3
    assert predict(2.0).rank == 0


def test_the_smallest_ratios_survive_with_few_dimensions():
    prediction = theory.predict(augmentation_ratios=[1.5, 0.5, 1.0, 0.7], output_dim=2)
    assert prediction.collapsed.tolist() == [True, False, True, False]
    assert prediction.note == ""
    tied = theory.predict(augmentation_ratios=[1.5, 0.5, 1.0, 1.0], output_dim=2)
    assert tied.rank == 2
    assert "not determined" in tied.note
    assert theory.predict(augmentation_ratios=[3, 3, 0.5], output_dim=2).note == "", "two collapsed ones do not compete"


def test_temperature_scales_the_encoder_alone():
    warm = theory.predict(augmentation_ratios=[0.5, 1.5], temperature=3.0)
    cold = theory.predict(augmentation_ratios=[0.5, 1.5])
    np.testing.assert_allclose(warm.eigenvalues, 3 * cold.eigenvalues, rtol=1e-14)
    assert warm.loss == pytest.approx(cold.loss, rel=1e-13)


def test_pairs_of_a_data_set_that_oppose_each_other_collapse():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(50, 4))
    second = first * [1, 1, -1, -1] + 0.1 * rng.normal(size=(50, 4))
    prediction = theory.predict_pairs(theory.sample_pairs(first, second), similarity="spectral", output_dim=4)
    assert prediction.rank == 2
    with pytest.raises(ValueError, match=r"^views: expected a positive definite matrix, got one of least eigenvalue"):
        theory.sample_pairs(first[:1], second[:1])


def test_json_and_repr():
    prediction = theory.predict(augmentation_ratios=[0.5, 2.5], batch_size=256)
    values = prediction.to_json()
    assert values["eigenvalues"] == [pytest.approx(3**0.5), 0.0]  # y = (sqrt(3) - 1)/2 at t = 1/2
    assert (values["collapsed"], values["rank"], values["basis"]) == ([False, True], 1, "theorem")
    assert values["finite_batch_eigenvalues"][0] < values["eigenvalues"][0]
    assert "rank 1 of 2" in repr(prediction)
    assert prediction.task["batch_size"] == 256


SINGULAR = np.diag([1.0, -0.25])


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"augmentation_ratios": (-1,)}, "augmentation_ratios: expected a non-negative finite number, got -1"),
        ({"augmentation_ratios": ()}, "augmentation_ratios: expected numbers, at least one, got ()"),
        (
            {"augmentation_ratios": (0.0, 1.0)},
            "augmentation: expected a positive definite matrix, as a direction without augmentation grows without "
            "bound, got 0",
        ),
        ({"output_dim": 0}, "output_dim: expected at least 1, got 0"),
        ({"temperature": 0}, "temperature: expected a positive finite number, got 0"),
        ({"temperature": -1, "similarity": "dot"}, "temperature: expected a positive finite number, got -1"),
        ({"weight_decay": -1}, "weight_decay: expected a non-negative finite number, got -1"),
        ({"similarity": "cosine"}, "similarity: expected one of distance, dot, spectral, got 'cosine'"),
        ({"similarity": "spectral", "temperature": 2}, "temperature: expected 1, as the spectral loss has none, got 2"),
        (
            {"similarity": "dot", "views": 1},
            "views: expected 2 with similarity dot, as augmentation of one has no effect, got 1",
        ),
        ({"views": 3}, "views: expected 1 or 2, got 3"),
        ({"batch_size": 1}, "batch_size: expected at least 2, got 1"),
        (
            {"batch_size": 9, "similarity": "dot"},
            "batch_size: expected no value with similarity dot: it has no correction, got one",
        ),
        (
            {"batch_size": 9, "weight_decay": 0.1},
            "batch_size: expected no value with weight decay, got weight_decay=0.1",
        ),
        (
            {"augmentation_ratios": None, "covariance": SINGULAR, "augmentation": np.eye(2)},
            "covariance: expected a positive definite matrix, got one of least eigenvalue -0.25",
        ),
        (
            {"augmentation_ratios": None, "covariance": np.eye(2), "augmentation": SINGULAR},
            "augmentation: expected a positive semidefinite matrix, got one of least eigenvalue -0.25",
        ),
        (
            {"augmentation_ratios": None, "covariance": np.eye(2), "augmentation": np.eye(3)},
            "augmentation: expected a matrix of 2 rows, got 3",
        ),
        (
            {"augmentation_ratios": None, "covariance": np.array([[1, 0.5], [0, 1]]), "augmentation": np.eye(2)},
            "covariance: expected a symmetric matrix, got a difference of 0.5",
        ),
        (
            {"augmentation_ratios": None},
            "covariance: expected both matrices, or augmentation_ratios in their place, got None",
        ),
        ({"covariance": np.eye(2)}, "augmentation_ratios: expected no value if matrices are given, got both"),
    ],
)
def test_bad_input_is_one_line(changes, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        theory.predict(**{"augmentation_ratios": (0.5, 1.0)} | changes)
