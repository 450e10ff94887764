"""What one encoder learns of any table, against direct descents over embeddings, optimality conditions and duality."""

import re

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import representation_kernels as theory

N = 6


def random_table(seed, n=N, m=None, spread=1.0, symmetric=True):
    normal = np.random.default_rng(seed).normal(size=(n, m or n))
    table = np.exp(spread * (normal + normal.T if symmetric else normal))
    return table / table.sum()


def gram_table(seed, n=N, rank=3):
    """A table whose PMI is a Gram matrix plus a constant: the sums are fitted to the kernel by scaling."""
    vectors = np.random.default_rng(seed).normal(size=(n, rank))
    table = np.exp(vectors @ vectors.T / 2)
    factor = np.ones(n)
    for _ in range(2000):
        factor = np.sqrt(factor / n / (table @ factor))
    return table * np.outer(factor, factor)


def ring_table(window="gaussian", n=N, width=2.0, floor=0.05):
    row = theory.ring_row(n, window, width, floor)
    return np.array([np.roll(row, place) for place in range(n)]) / n**2


def infonce(table, first, second, bias=0.0):
    """InfoNCE by its definition, less the log-count, and the softmax of each row."""
    anchors = table.sum(axis=1)
    exponents = first @ second.T + bias + np.log(table.sum(axis=0))
    softmax = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    log_softmax = np.log(softmax) - np.log(table.sum(axis=0))
    return -np.sum(table * log_softmax), anchors[:, None] * softmax


def descend_one_encoder(table, seed=0, with_bias=False):
    """Minimise over the embeddings of one encoder, and a bias of each candidate if it has one."""
    n = len(table)

    def risk(point):
        vectors, bias = point[: n * n].reshape(n, n), point[n * n :] if with_bias else np.zeros(n)
        value, softmax = infonce(table, vectors, vectors, bias)
        error = softmax - table
        gradient = ((error + error.T) @ vectors).ravel()
        return value, np.concatenate([gradient, error.sum(axis=0)]) if with_bias else gradient

    start = np.random.default_rng(seed).normal(size=n * n + n * with_bias)
    options = {"ftol": 0, "gtol": 1e-11, "maxiter": 20000, "maxfun": 40000, "maxcor": 30}
    end = minimize(risk, start, jac=True, method="L-BFGS-B", options=options)
    vectors = end.x[: n * n].reshape(n, n)
    return end.fun, vectors @ vectors.T


@pytest.mark.quick
@pytest.mark.parametrize(
    "table", [ring_table(), ring_table(n=8, floor=0.2), ring_table("exponential"), gram_table(0, rank=N)]
)
def test_one_encoder_learns_the_solution_of_the_program(table):
    learned = theory.learn_table(table, 1)
    value, kernel = descend_one_encoder(table)
    # A value within 1e-9 of the least leaves differences of sqrt(2e-9 n)/min Q(b|a) < 0.02 in logarithms at worst; what
    # is found is far better, as the descent stops at a slope of 1e-9 and a curvature of 1e-3.
    assert value == pytest.approx(learned.excess - learned.information, abs=1e-9)
    np.testing.assert_allclose(theory.centre(kernel), theory.centre(learned.kernel), atol=2e-4)
    assert (learned.basis == "theorem") == (abs(learned.excess) < 1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_of_any_symmetric_table_the_least_loss_is_approached_and_with_biases_reached(seed):
    table = random_table(seed, spread=0.5)
    learned = theory.learn_table(table, 1)
    least = learned.excess - learned.information
    assert not learned.is_attained
    assert descend_one_encoder(table)[0] > least - learned.gap
    # A bias b(a) + b(b) of both sides is free, so that the value is reached.
    assert descend_one_encoder(table, with_bias=True)[0] == pytest.approx(least, abs=1e-8)


@pytest.mark.quick
@pytest.mark.parametrize("table", [ring_table(), random_table(1), random_table(2, spread=0.3)])
def test_solutions_satisfy_the_optimality_conditions(table):
    """The table of the solution has the sums of p, exceeds p on vectors that sum to zero, and is tight on S."""
    solution = theory.solve_table(table)
    kernel = theory.centre(solution.scores)
    assert np.linalg.eigvalsh(kernel)[0] > -1e-12
    _, softmax = infonce(table, solution.scores, np.eye(len(table)))
    np.testing.assert_allclose(softmax.sum(axis=0), table.sum(axis=0), atol=1e-9)
    difference = theory.centre((softmax + softmax.T) / 2 - table)
    assert np.linalg.eigvalsh(difference)[0] > -1e-9
    assert abs(np.sum(difference * kernel)) < 1e-9
    assert solution.gap < 1e-12


def test_every_feasible_table_is_a_lower_bound_and_every_gram_matrix_an_upper_one():
    table, rng = ring_table(), np.random.default_rng(0)
    solution, anchors = theory.solve_table(table), table.sum(axis=1)
    for _ in range(20):
        vectors = rng.normal(size=(N, N))
        assert infonce(table, vectors, vectors)[0] > solution.value - solution.gap
        share = rng.uniform()
        feasible = (1 - share) * table + share * np.diag(anchors)  # more autocorrelated, equal sums
        bound = -np.sum(feasible * np.log(feasible / np.outer(anchors, anchors)))
        assert bound < solution.value + solution.gap


@pytest.mark.quick
def test_a_ring_is_solved_by_its_row():
    row = theory.ring_row(18, "gaussian", 2.0, 0.05)
    ring, table = theory.learn_ring(row, 1), theory.learn_table(ring_table(n=18), 1)
    assert ring.excess == pytest.approx(table.excess, abs=1e-13)
    circulant = np.array([np.roll(ring.kernel, place) for place in range(18)])
    np.testing.assert_allclose(theory.centre(circulant), theory.centre(table.kernel), atol=1e-10)
    assert ring.basis == table.basis == "certified"
    assert table.is_attained
    assert 0 < table.rank < 17
    assert theory.learn_ring(theory.ring_row(2000, "gaussian", 50.0, 0.1), 1).excess > 1e-4


def test_the_stated_error_covers_the_distance_of_a_rough_solution(monkeypatch):
    from theory.representation_kernels import semidefinite

    exact = theory.solve_table(ring_table())
    monkeypatch.setattr(semidefinite, "ENOUGH", 1e-7)
    monkeypatch.setattr(semidefinite, "STEPS_PER_CHECK", 2)
    monkeypatch.setattr(semidefinite, "LARGEST_GAP", 1e-5)
    rough = theory.solve_table(ring_table())
    assert exact.value <= rough.value <= exact.value + rough.gap
    distance = np.abs(theory.centre(rough.scores) - theory.centre(exact.scores)).max()
    assert 1e-8 < distance < rough.kernel_error


def test_a_program_that_does_not_converge_is_an_arithmetic_error(monkeypatch):
    from theory.representation_kernels import semidefinite

    monkeypatch.setattr(semidefinite, "MOST_STEPS", 3)
    with pytest.raises(ArithmeticError, match="semidefinite program: the gap is still"):
        theory.solve_table(random_table(0))


@pytest.mark.quick
def test_two_encoders_learn_any_table_in_as_many_dimensions_as_its_rank():
    table = random_table(0, 5, 4, symmetric=False)
    learned = theory.learn_table(table)
    kernel = np.log(table / np.outer(table.sum(axis=1), table.sum(axis=0)))
    np.testing.assert_allclose(learned.kernel, kernel, atol=1e-14)
    assert learned.rank == 3
    left, sizes, right = np.linalg.svd(kernel - kernel.mean(axis=1, keepdims=True))
    first, second = left[:, :3] * sizes[:3], right[:3].T
    assert infonce(table, first, second)[0] == pytest.approx(-learned.information, abs=1e-13)
    assert infonce(table, first[:, :2], second[:, :2])[0] > -learned.information + 1e-3


def test_the_least_constant_makes_a_gram_matrix_and_no_less_does():
    kernel = theory.pmi_kernel(gram_table(1, rank=N))
    constant = theory.gram_constant(kernel)
    assert np.linalg.eigvalsh(kernel + constant)[0] == pytest.approx(0, abs=1e-9)
    assert np.linalg.eigvalsh(kernel + constant - 1e-3)[0] < -1e-6
    assert theory.gram_constant(theory.pmi_kernel(ring_table())) == np.inf
    # Semidefinite on vectors that sum to zero, but with a null vector that 1 meets: no constant is enough.
    shifted = np.diag([1.0, 1.0, 0.0]) - np.diag([1.0, 1.0, 0.0]).mean()
    null = theory.centre(np.outer([1.0, -1.0, 0.0], [1.0, -1.0, 0.0]))
    meets = null + np.add.outer([0.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    assert np.isfinite(theory.gram_constant(shifted))
    assert np.linalg.eigvalsh(theory.centre(meets))[0] > -1e-14
    assert theory.gram_constant(meets) == np.inf


def test_blocks_of_any_table():
    table = random_table(3, 6, 4, symmetric=False)
    coarse = theory.coarsen(table, 3, 2)
    assert coarse[1, 0] == pytest.approx(table[3:, :2].sum(), rel=1e-14)
    assert theory.on_events(coarse, 6, 4).tolist() == np.kron(coarse, np.ones((3, 2))).tolist()
    assert theory.table_information(coarse) < theory.table_information(table)
    assert np.isnan(theory.alignment(np.ones((3, 3)), np.eye(3)))


@pytest.mark.quick
@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: theory.pmi_kernel(np.ones((2, 2))), "table: expected probabilities that sum to 1, got a sum of 4"),
        (lambda: theory.pmi_kernel([0.5]), "table: expected at least two rows and columns, got an array of shape (1,)"),
        (
            lambda: theory.pmi_kernel([[0.5, 0.5], [0, 0]]),
            "table: expected a partner for each event, got none for row 1",
        ),
        (lambda: theory.pmi_kernel([[0.5, 0.0], [0, 0.5]]), "table: expected positive probabilities, got 0 for (0, 1)"),
        (lambda: theory.coarsen(random_table(0), 4, 1), "blocks: expected a divisor of events=6 below it, got 4"),
        (
            lambda: theory.learn_table(random_table(0, symmetric=False), 1),
            "table: expected a symmetric one with one encoder, got one that is not",
        ),
        (lambda: theory.learn_table(random_table(0), 3), "encoders: expected 1 or 2, got 3"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(call, line):
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        call()
