"""CKA, its null, its angle, alignment of neighbourhoods: known answers, invariances, where they are undefined."""

import numpy as np
import pytest

from simlab.metrics.similarity import cka, cknna, kernel_angle, linear_cka, permuted_null

pytestmark = pytest.mark.quick

N, DIM = 32, 8


def features(seed, n=N, dim=DIM):
    return np.random.default_rng(seed).normal(size=(n, dim))


def gram(vectors):
    return vectors @ vectors.T


def by_hand(first, second):
    """CKA with the centring matrix."""
    centring = np.eye(len(first)) - 1 / len(first)
    first, second = centring @ first @ centring, centring @ second @ centring
    return np.trace(first @ second) / np.sqrt(np.trace(first @ first) * np.trace(second @ second))


def unbiased_by_hand(first, second):
    """The U-statistic as a mean over all quadruples of different examples (Song et al., 2012, equation 4)."""
    n, total, count = len(first), 0.0, 0
    for i in range(n):
        for j in set(range(n)) - {i}:
            for q in set(range(n)) - {i, j}:
                for r in set(range(n)) - {i, j, q}:
                    total += first[i, j] * (second[i, j] + second[q, r] - 2 * second[i, q])
                    count += 1
    return total / count


def test_biased_cka_of_kernels_and_of_features_is_that_of_the_centring_matrix():
    first, second = features(0), features(1) + features(0) @ np.ones((DIM, DIM)) + 3
    expected = by_hand(gram(first), gram(second))
    assert cka(gram(first), gram(second)) == pytest.approx(expected, rel=1e-13)
    assert linear_cka(first, second) == pytest.approx(expected, rel=1e-13)


def test_unbiased_cka_is_the_mean_over_quadruples():
    first, second = gram(features(0, 7, 3)), gram(features(1, 7, 2) + 1)
    squares = unbiased_by_hand(first, first) * unbiased_by_hand(second, second)
    expected = unbiased_by_hand(first, second) / np.sqrt(squares)
    assert cka(first, second, unbiased=True) == pytest.approx(expected, rel=1e-11)


def test_independent_features_read_a_fifth_biased_and_nothing_unbiased():
    """In the mean about d/(n + d) = 0.2 for n = 32 and d = 8; 200 draws of deviation 0.04 and 0.05 have an error of
    0.0035, and ratios of fluctuating products a bias of a few thousandths."""
    pairs = [(gram(features((seed, 0))), gram(features((seed, 1)))) for seed in range(200)]
    assert np.mean([cka(*pair) for pair in pairs]) == pytest.approx(DIM / (N + DIM), abs=0.02)
    assert np.mean([cka(*pair, unbiased=True) for pair in pairs]) == pytest.approx(0, abs=0.02)


def test_the_null_of_random_pairings_knows_independent_features_from_equal_ones():
    first, second = gram(features(0)), gram(features(1))
    independent, same = permuted_null(cka, first, second), permuted_null(cka, first, first)
    assert abs(independent.observed - independent.mean) < 3 * independent.deviation
    assert independent.p_value > 0.01
    assert same.p_value == pytest.approx(1 / 201)
    assert same.mean == pytest.approx(DIM / (N + DIM), abs=0.04)
    assert permuted_null(cka, first, second) == independent


@pytest.mark.parametrize(
    "measure",
    [cka, lambda a, b: cka(a, b, unbiased=True), lambda a, b: cknna(a, b, 5), lambda a, b: 1 - kernel_angle(a, b)],
)  # fmt: skip
def test_equal_kernels_read_one_whatever_rotation_scale_order_or_constant(measure):
    vectors = features(0)
    rotation = np.linalg.qr(features(2, DIM))[0]
    turned = gram(3 * vectors @ rotation) + 5
    # Near equality the angle is a square root of rounding in CKA; computed from the difference it is rounding itself.
    assert measure(gram(vectors), turned) == pytest.approx(1, abs=1e-12)
    other, order = gram(features(1)), np.random.default_rng(0).permutation(N)
    shuffled = measure(gram(vectors)[np.ix_(order, order)], other[np.ix_(order, order)])
    assert shuffled == pytest.approx(measure(gram(vectors), other), abs=1e-12)


def test_the_angle_is_a_distance_and_one_less_cka_is_not():
    """Triangles of kernels with 1 to 4 directions in common; 1 - CKA breaks the rule for kernels along an arc."""
    angles, gaps = [], []
    for seed in range(100):
        shared = features((seed, 9), 6, 2)
        kernels = [gram(shared * np.random.default_rng((seed, k)).uniform(0, 1, 2) + features((seed, k), 6, 2) / 2)
                   for k in range(3)]  # fmt: skip
        sides = [kernel_angle(kernels[i], kernels[j]) for i, j in ((0, 1), (1, 2), (0, 2))]
        angles.append(sides[0] + sides[1] - sides[2])
        assert kernel_angle(kernels[0], kernels[1]) == pytest.approx(np.arccos(cka(kernels[0], kernels[1])), abs=1e-7)
        assert kernel_angle(kernels[0], kernels[1]) == kernel_angle(kernels[1], kernels[0])
    assert min(angles) > -1e-14
    for middle in (0.2, 0.5):
        ends = [np.array([[np.cos(t)], [-np.cos(t)], [np.sin(t)], [-np.sin(t)]]) for t in (0, middle, 2 * middle)]
        kernels = [np.kron(np.diag([end[0, 0], end[2, 0]]), [[1, -1], [-1, 1]]) for end in ends]
        sides = [1 - cka(kernels[i], kernels[j]) for i, j in ((0, 1), (1, 2), (0, 2))]
        gaps.append(sides[0] + sides[1] - sides[2])
        sides = [kernel_angle(kernels[i], kernels[j]) for i, j in ((0, 1), (1, 2), (0, 2))]
        assert sides[0] + sides[1] - sides[2] == pytest.approx(0, abs=1e-14)
    assert max(gaps) < -0.01


def test_alignment_of_neighbours_by_hand():
    first, second, k = gram(features(0, 9, 3)), gram(features(1, 9, 3)), 3
    centring = np.eye(9) - 1 / 9
    centred = [centring @ kernel @ centring for kernel in (first, second)]
    near = [[set(np.argsort(-np.where(np.arange(9) == i, -np.inf, kernel[i]))[:k]) for i in range(9)]
            for kernel in (first, second)]  # fmt: skip

    def product(a, b):
        return sum(centred[a][i, j] * centred[b][i, j] for i in range(9) for j in near[a][i] & near[b][i])

    expected = product(0, 1) / np.sqrt(product(0, 0) * product(1, 1))
    assert cknna(first, second, k) == pytest.approx(expected, rel=1e-12)


def test_neighbours_of_equal_similarity_share_their_rank():
    """On a ring both neighbours are equally near: with k = 1 either is taken, whatever rounding says."""
    ring = np.cos(2 * np.pi * (np.arange(8)[:, None] - np.arange(8)) / 8)
    noisy = ring + 1e-12 * features(0, 8, 8)
    assert cknna(ring, ring, 1) == cknna(ring, ring, 2) == pytest.approx(1, abs=1e-14)
    assert cknna(ring, noisy, 1) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("unbiased", [False, True])
def test_collapsed_features_and_too_few_samples_have_no_alignment(unbiased):
    collapsed = gram(np.ones((N, 3)) * np.array([0.1, 0.2, 0.3]))
    some = gram(features(0))
    assert np.isnan(cka(collapsed, some, unbiased=unbiased))
    assert np.isnan(cknna(collapsed, some, 3))
    assert np.isnan(kernel_angle(collapsed, some))
    assert np.isnan(linear_cka(np.full((N, 3), 0.1), features(0)))
    assert np.isnan(permuted_null(cka, collapsed, some, n_permutations=3)).all()
    least = 4 if unbiased else 3
    small = [gram(features(seed, least - 1)) for seed in (0, 1)]
    assert np.isnan(cka(*small, unbiased=unbiased))
    assert np.isfinite(cka(*(gram(features(seed, least)) for seed in (0, 3)), unbiased=unbiased))
    assert np.isnan(linear_cka(features(0, 2), features(1, 2)))
    assert np.isnan(cknna(np.eye(2), np.eye(2), 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cka(np.ones((2, 3)), np.ones((2, 3))), "kernel: expected square matrices of the same examples"),
        (lambda: cka(np.eye(3), np.eye(4)), "kernel: expected square matrices of the same examples"),
        (
            lambda: linear_cka(np.ones((4, 1)), np.ones((3, 1))),
            "features: expected those of the same 4 examples, got 3",
        ),
        (lambda: cknna(np.eye(4), np.eye(4), 4), "k: expected at most 3, got 4"),
        (lambda: permuted_null(cka, np.eye(4), np.eye(4), n_permutations=0), "n_permutations: expected a whole number"),
    ],
)
def test_bad_input_is_one_line(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
