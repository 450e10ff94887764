"""Exact minimisation against closed forms, loops over sentences, and the equations of the theory."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simlab.exact import minimise as exact
from simlab.exact.curvature import curvature, gauge_dimension, gauge_tangents
from simlab.exact.minimise import minimise, sample_restarts
from simlab.exact.risk import ExactRisk, WeightedSentences, enumerate_population, float64_on_host, risk
from simlab.tasks.sentences import SentenceDistribution, enumerate_sentences

LATENTS = np.array(list(itertools.product(range(3), repeat=3)))
ZIPF = np.array([6, 3, 2]) / 11
# A tiny task for what does not need the reference sizes: 2 concepts of 2 words, 2 positions, all 4 latents.
TINY_LATENTS = np.array(list(itertools.product(range(2), repeat=2)))
TINY_ZIPF = np.array([2, 1]) / 3


def reference_risk(mu, **changes):
    population = enumerate_population(LATENTS, mu, 3)
    fields = {"n_words": 9, "n_classes": 27, "embedding_dim": 5, "weight_decay": 1e-3, **changes}
    return ExactRisk(population=population, **fields)


def tiny_risk(**changes):
    population = enumerate_population(TINY_LATENTS, TINY_ZIPF, 2)
    fields = {"n_words": 4, "n_classes": 4, "embedding_dim": 2, "weight_decay": 1e-2, **changes}
    return ExactRisk(**{"population": population, **fields})


def two_heads(**changes):
    """The same sentences with a head of 2 classes, the first concept, and one of 3 that has nothing to do with it."""
    sentences, classes, probabilities = enumerate_population(TINY_LATENTS, TINY_ZIPF, 2)
    labels = np.column_stack([TINY_LATENTS[classes, 0], np.arange(16) % 3])
    population = WeightedSentences(sentences, labels, probabilities)
    return tiny_risk(**{"population": population, "n_classes": 5, "heads": (2, 3), **changes})


def two_signs(**changes):
    """Four samples, all pairs of two signs, each with a free feature, under one head of two classes for each sign."""
    population = WeightedSentences(np.arange(4)[:, None], TINY_LATENTS, np.full(4, 1 / 4))
    fields = {"embedding_dim": 3, "weight_decay": (3e-2, 1e-2), "heads": (2, 2)}
    return tiny_risk(**{"population": population, **fields, **changes})


@pytest.fixture(scope="module")
def type_three():
    return minimise(reference_risk(ZIPF))


@pytest.fixture(scope="module")
def type_two():
    return minimise(reference_risk(ZIPF, layer_norm=True))


def naive_risk_and_gradients(problem, embeddings, classifier):
    """The definition, with loops over sentences, classes and positions."""
    lam_u = problem.weight_decay
    lam_w = 0.0 if problem.layer_norm else lam_u
    spread = embeddings.std(axis=1)
    words = (embeddings - embeddings.mean(axis=1)[:, None]) / spread[:, None] if problem.layer_norm else embeddings
    word_gradient, classifier_gradient = np.zeros_like(embeddings), lam_u * classifier
    value = lam_w / 2 * np.sum(embeddings**2) + lam_u / 2 * np.sum(classifier**2)
    sizes, eps = problem.heads or (problem.n_classes,), problem.label_noise
    firsts = [sum(sizes[:head]) for head in range(len(sizes))]
    for sentence, label, probability in zip(*problem.population, strict=True):
        logits = np.array([sum(row[place] @ words[word] for place, word in enumerate(sentence)) for row in classifier])
        for first, size, own in zip(firsts, sizes, np.atleast_1d(label), strict=True):
            log_sum = np.log(sum(np.exp(logits[first + k]) for k in range(size)))
            for k in range(first, first + size):
                target = (1 - eps) * (k == first + own) + eps / size
                value += probability * target * (log_sum - logits[k])
                error = probability * (np.exp(logits[k] - log_sum) - target)
                for place, word in enumerate(sentence):
                    word_gradient[word] += error * classifier[k, place]
                    classifier_gradient[k, place] += error * words[word]
    if problem.layer_norm:
        centred = word_gradient - word_gradient.mean(axis=1)[:, None]
        word_gradient = (centred - np.mean(word_gradient * words, axis=1)[:, None] * words) / spread[:, None]
    return value, word_gradient + lam_w * embeddings, classifier_gradient


@pytest.mark.parametrize("make", [tiny_risk, two_heads])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("label_noise", [0.0, 0.2])
def test_risk_and_gradient_are_the_definition(make, layer_norm, label_noise):
    problem = make(embedding_dim=3, layer_norm=layer_norm, label_noise=label_noise)
    point = np.random.default_rng(0).normal(size=problem.shape.n_parameters)
    with float64_on_host():
        found = jax.jit(jax.value_and_grad(lambda x: risk(problem.shape, problem.data(), x)))(point)
        value, gradient = (np.asarray(part) for part in found)
    expected, *gradients = naive_risk_and_gradients(problem, point[:12].reshape(4, 3), point[12:].reshape(-1, 2, 3))
    # 16 sentences of 4 or 5 logits of 6 products of order 1: some hundred roundings of 2^-53.
    assert abs(value - expected) < 1e-14
    np.testing.assert_allclose(gradient, np.concatenate([part.ravel() for part in gradients]), rtol=0, atol=1e-14)


def test_one_head_is_no_head():
    plain = tiny_risk(label_noise=0.1)
    sentences, classes, probabilities = plain.population
    population = WeightedSentences(sentences, classes[:, None], probabilities)
    one = tiny_risk(population=population, heads=(4,), label_noise=0.1)
    assert one.shape == plain.shape
    assert all(np.array_equal(left, right) for left, right in zip(one.data(), plain.data(), strict=True))


@pytest.mark.parametrize("label_noise", [0.0, 0.1])
def test_two_heads_solve_their_equations(label_noise):
    minima = minimise(two_signs(label_noise=label_noise))
    best = minima.best
    assert minima.status.tolist() == ["converged"] * 4
    # Features (s a, s' a) for signs s and s', and rows (b, 0), (-b, 0), (0, b), (0, -b): the logits of a head are b a
    # and -b a, the risk is 2 [log(1 + e^(-2ab)) + eps a b] + 3e-2/2 (8 a^2) + 1e-2/2 (4 b^2).
    a = np.linalg.norm(minima.embeddings[best], axis=1) / np.sqrt(2)
    b = np.linalg.norm(minima.classifier[best][:, 0], axis=1)
    pull = 2 / (1 + np.exp(2 * a * b)) - label_noise
    # Entries are right to the gradient (1e-15) over the curvature (1e-2).
    np.testing.assert_allclose(pull * b, 4 * 3e-2 * a, rtol=1e-12)
    np.testing.assert_allclose(pull * a, 2 * 1e-2 * b, rtol=1e-12)
    value = 2 * (np.log1p(np.exp(-2 * a * b)) + label_noise * a * b) + 12e-2 * a**2 + 2e-2 * b**2
    np.testing.assert_allclose(minima.risk[best], value, rtol=1e-13)
    # The two heads are orthogonal, and fill two of three dimensions: all three rotations are the gauge.
    heads = minima.classifier[best][:, 0]
    np.testing.assert_allclose(heads[:2] @ heads[2:].T, 0, atol=1e-12)
    assert minima.gauge_directions[best] == minima.flat_directions[best] == 3
    assert minima.smallest_curvature[best] > 1e-3


def test_population_is_the_enumerated_task():
    sentences, classes, probabilities = enumerate_sentences(SentenceDistribution(LATENTS, ZIPF))
    population = enumerate_population(LATENTS, ZIPF, 3)
    assert np.array_equal(population.sentences, sentences)
    assert np.array_equal(population.classes, classes)
    np.testing.assert_allclose(population.probabilities, probabilities, rtol=1e-6)


def test_population_of_unequal_vocabularies():
    population = enumerate_population(np.array([[0, 1], [1, 1]]), [np.ones(1), np.array([0.25, 0.75])], 2)
    assert population.sentences.tolist() == [[0, 1], [0, 2], [1, 1], [1, 2], [2, 1], [2, 2]]
    assert population.classes.tolist() == [0, 0, 1, 1, 1, 1]
    assert population.probabilities.tolist() == [0.125, 0.375, 0.03125, 0.09375, 0.09375, 0.28125]


def test_type_three_reference_values(type_three):
    best = type_three.best
    assert type_three.status.tolist() == ["converged"] * 4
    # The risk was computed with 40 digits; Newton's method ends a rounding away from it.
    assert abs(type_three.risk[best] - 0.120892098097782731) < 1e-15
    # L-BFGS: an excess of at most |g|^2 / (2 curvature) = 5e-14.
    assert np.all(np.abs(type_three.risk - 0.120892098097782731) < 6e-14)
    assert type_three.gradient_norm[best] < 1e-15
    norms = np.linalg.norm(type_three.embeddings[best], axis=1)
    # The reference norms are given to 9 and 10 digits.
    np.testing.assert_allclose(norms, np.tile([3.67596491, 3.32361258, 3.11949245], 3), rtol=0, atol=5e-9)
    classifier_norms = np.linalg.norm(type_three.classifier[best], axis=2)
    np.testing.assert_allclose(classifier_norms, 1.1269485472, rtol=0, atol=5e-11)


def test_type_three_solves_its_equations(type_three):
    r = np.linalg.norm(type_three.embeddings[type_three.best][:3], axis=1)
    c = np.linalg.norm(type_three.classifier[type_three.best][0, 0])
    # Errors of norms are the gradient (1e-15) over the curvature (1e-3); the equations multiply them by at most 10.
    np.testing.assert_allclose(1e-3 * r / (3 * ZIPF), c / (2 + np.exp(1.5 * c * r)), rtol=1e-11)
    np.testing.assert_allclose(np.sum((r / c) ** 2), 27, rtol=1e-11)


def test_type_three_is_a_strict_minimum_beyond_the_gauge(type_three):
    best = type_three.best
    # Rank 2 in 5 dimensions: 10 rotations less the 3 that move nothing.
    assert type_three.gauge_directions[best] == type_three.flat_directions[best] == 7
    assert type_three.smallest_curvature[best] > 1e-4
    assert np.isnan(type_three.smallest_curvature[~type_three.polished]).all()


def test_type_one_reference_value():
    minima = minimise(reference_risk(np.full(3, 1 / 3)))
    assert abs(minima.risk[minima.best] - 0.12251047) < 5e-9
    norms = np.linalg.norm(minima.embeddings[minima.best], axis=1)
    np.testing.assert_allclose(norms, norms[0], rtol=1e-12)


def test_type_two_reference_value_and_frame(type_two):
    best = type_two.best
    assert abs(type_two.risk[best] - 0.12999135) < 5e-9
    assert type_two.gradient_norm[best] < 1e-14
    frame = np.kron(5 * (1.5 * np.eye(3) - 0.5), np.ones((3, 3)))
    # Angles err by the gradient over the curvature in a word's direction, 1e-15 / 1e-3, times 5 for the squared norm.
    np.testing.assert_allclose(type_two.embeddings[best] @ type_two.embeddings[best].T, frame, rtol=0, atol=1e-11)


def test_type_two_gauge(type_two):
    best = type_two.best
    # Rank 2 in the 4 dimensions orthogonal to the ones: 6 - 1 rotations; a length and a mean for each of 9 words.
    assert type_two.gauge_directions[best] == type_two.flat_directions[best] == 5 + 18
    assert type_two.smallest_curvature[best] > 1e-4


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("rank", [0, 1, 3, 4])
def test_gauge_dimension_is_the_rank_of_its_tangents(layer_norm, rank):
    rng = np.random.default_rng(rank)
    axes = np.linalg.svd(np.ones((1, 6)))[2][1 : rank + 1]
    embeddings, classifier = rng.normal(size=(7, rank)) @ axes, rng.normal(size=(5, 2, rank)) @ axes
    used = np.array([True] * 6 + [False])
    if not layer_norm:
        embeddings[6] = 0
    tangents = gauge_tangents(embeddings, classifier, used, layer_norm)
    # Words that vanish have no image under LayerNorm, and no length of their own; the formula counts one for each.
    lengths = 6 if layer_norm and rank == 0 else 0
    assert np.linalg.matrix_rank(tangents) == gauge_dimension(embeddings, classifier, used, layer_norm) - lengths


def test_too_few_steps_stall():
    minima = minimise(reference_risk(ZIPF), max_steps=2)
    assert set(minima.status) == {"stalled"}
    assert minima.gradient_norm.min() > 1e-3


def test_zero_network_above_the_threshold_only():
    # Saturated: lam_th = sqrt(L sum mu^2 / n_c^(L+1)) = sqrt(2 * 5/9 / 8).
    threshold = np.sqrt(2 * 5 / 9 / 8)
    above = minimise(tiny_risk(weight_decay=1.01 * threshold))
    below = minimise(tiny_risk(weight_decay=0.99 * threshold))
    # The smallest curvature at zero, lam - lam_th = 0.004, bounds a parameter by the tolerance over it.
    assert np.abs(above.classifier).max() < 1e-8 / 0.003
    np.testing.assert_allclose(above.smallest_curvature[above.best], 0.01 * threshold, rtol=1e-6)
    assert (above.gauge_directions[above.best], above.flat_directions[above.best]) == (0, 0)
    assert above.risk[above.best] == pytest.approx(np.log(4), abs=1e-14)
    assert below.risk[below.best] < np.log(4) - 1e-6
    # Notes: 2 lam (1 - lam/lam_th) to first order in the distance of 1 %.
    curvature_below = below.smallest_curvature[below.best]
    np.testing.assert_allclose(curvature_below, 2 * 0.99 * threshold * 0.01, rtol=0.05)


def test_start_too_small_is_called_a_saddle():
    minima = minimise(tiny_risk(), initial_scale=1e-12)
    assert minima.status[minima.best] == "saddle"
    # At zero the Hessian's smallest eigenvalue is lam - lam_th.
    np.testing.assert_allclose(minima.smallest_curvature[minima.best], 1e-2 - np.sqrt(2 * 5 / 9 / 8), rtol=1e-9)


def test_label_noise_solves_its_equation():
    minima = minimise(tiny_risk(weight_decay=1e-3, label_noise=0.1))
    r = np.linalg.norm(minima.embeddings[minima.best][:2], axis=1)
    c = np.linalg.norm(minima.classifier[minima.best][0, 0])
    pull = c * (1 / (1 + np.exp(2 * c * r)) - 0.1 / 2)
    np.testing.assert_allclose(1e-3 * r / (2 * TINY_ZIPF), pull, rtol=1e-10)


def test_unequal_decays_only_rescale():
    plain = minimise(tiny_risk(weight_decay=1e-2))
    unequal = minimise(tiny_risk(weight_decay=(4e-2, 2.5e-3)))
    assert unequal.risk[unequal.best] == pytest.approx(plain.risk[plain.best], abs=1e-14)
    norms = [np.linalg.norm(minima.embeddings[minima.best]) for minima in (plain, unequal)]
    np.testing.assert_allclose(norms[1], norms[0] / 2, rtol=1e-11)


def test_a_training_set_may_leave_a_word_out():
    sentences, classes = np.array([[0, 1], [0, 0], [1, 1], [1, 0]]), np.arange(4)
    sample = WeightedSentences(np.tile(sentences, (4, 1)), np.tile(classes, 4), np.full(16, 1 / 16))
    minima = minimise(tiny_risk(population=sample))
    assert np.abs(minima.embeddings[minima.best][2:]).max() < 1e-12
    assert np.linalg.norm(minima.embeddings[minima.best][:2], axis=1).min() > 1e-3
    assert minima.status[minima.best] == "converged"


def test_a_restart_ends_in_the_same_place_whatever_their_number():
    problem = tiny_risk()
    best = minimise(problem)
    few, many = (sample_restarts(problem, n_restarts=number) for number in (4, 6))
    assert len(many.risk) == 6
    assert set(many.status) == {"converged"}
    # Both stop at a gradient of 1e-7, above a minimum of curvature 1e-3 or more: 1e-14 / 1e-3.
    np.testing.assert_allclose(many.risk[:4], few.risk, rtol=0, atol=1e-11)
    assert np.all(many.risk > best.risk[best.best] - 1e-14)


def test_second_call_does_not_compile():
    minimise(tiny_risk())
    functions = (exact._lbfgs, exact._newton)
    sizes = [function._cache_size() for function in functions]
    minimise(tiny_risk(weight_decay=3e-2, label_noise=0.05), seed=3, initial_scale=1.0, tolerance=1e-7)
    assert [function._cache_size() for function in functions] == sizes
    # Heads are a part of the shape; which labels they have is not.
    minimise(two_signs())
    sizes = [function._cache_size() for function in functions]
    sentences, labels, probabilities = two_signs().population
    swapped = WeightedSentences(sentences, 1 - labels, probabilities)
    minimise(two_signs(population=swapped, weight_decay=2e-2, label_noise=0.05))
    assert [function._cache_size() for function in functions] == sizes


def test_results_are_float64_and_nothing_is_left_behind(type_three):
    assert {type_three.embeddings.dtype, type_three.risk.dtype} == {np.dtype(np.float64)}
    assert jnp.zeros(1).dtype == jnp.float32


def test_divergence_is_a_status_and_has_no_curvature():
    minima = minimise(tiny_risk(), initial_scale=1e200)
    assert set(minima.status) == {"diverged"}
    assert minima.gauge_directions.tolist() == [-1] * 4


def test_large_hessians_are_left_out(monkeypatch):
    monkeypatch.setattr("simlab.exact.curvature.PARAMETER_LIMIT", 10)
    problem = tiny_risk()
    assert np.isnan(curvature(problem.shape, problem.data(), np.zeros(24), 0.0).smallest)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_decay": 0.0}, "weight_decay: expected a positive finite number, got 0.0"),
        ({"weight_decay": (1.0, 1.0), "layer_norm": True}, "weight_decay: expected no penalty on the embeddings"),
        ({"weight_decay": (1.0, 1.0, 1.0)}, "weight_decay: expected a number or a pair"),
        ({"embedding_dim": 1, "layer_norm": True}, "embedding_dim: expected a whole number of at least 2"),
        ({"label_noise": 1.5}, "label_noise: expected a number in"),
        ({"n_words": 3}, "sentences: expected whole numbers from 0 to 2, got '0 to 3'"),
        ({"n_classes": 3}, "classes: expected whole numbers from 0 to 2, got '0 to 3'"),
        ({"population": WeightedSentences(np.zeros((2, 1), int), np.zeros(2, int), np.ones(2))}, "probabilities: exp"),
        ({"population": WeightedSentences(np.zeros((2, 1), int), np.zeros(3, int), np.ones(2))}, "population: expect"),
        ({"heads": [2, 2]}, r"^heads: expected a tuple of sizes, got \[2, 2\]$"),
        ({"heads": (2, 3)}, r"^heads: expected sizes that sum to n_classes=4, got \(2, 3\)$"),
        ({"heads": ()}, r"^heads: expected sizes that sum to n_classes=4, got \(\)$"),
        ({"heads": (3, 1)}, r"^heads: expected a whole number of at least 2, got 1$"),
        ({"heads": (2, 2)}, r"^population: expected shapes \(N, L\), \(N, 2\) and \(N,\), got \(\(16, 2\), \(16,\), "),
    ],
)
def test_bad_risks_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny_risk(**changes)


def test_a_class_of_another_head_is_refused():
    with pytest.raises(ValueError, match=r"^classes\[:, 0\]: expected whole numbers from 0 to 1, got '0 to 2'$"):
        two_heads(population=two_heads().population._replace(classes=np.arange(32).reshape(16, 2) % 3))


def test_large_populations_are_refused_with_the_way_out():
    latents = np.zeros((100, 5), int)
    with pytest.raises(
        ValueError, match=r"population: expected at most 200000 .*simlab\.exact\.reduced.* got 10000000"
    ):
        enumerate_population(latents, np.full(10, 0.1), 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: enumerate_population(TINY_LATENTS, np.array([0.5, 0.6]), 2), "word_frequencies: expected positive"),
        (lambda: enumerate_population(TINY_LATENTS, [np.ones(1)] * 3, 2), "word_frequencies: expected one law"),
        (lambda: enumerate_population(TINY_LATENTS + 1, TINY_ZIPF, 2), "latents: expected concepts from 0 to 1, got 2"),
        (lambda: minimise(tiny_risk(), n_restarts=1, n_polished=2), "n_polished: expected at most n_restarts=1, got 2"),
        (lambda: minimise(tiny_risk(), initial_scale=0.0), "initial_scale: expected a positive"),
        (lambda: sample_restarts(tiny_risk(), n_restarts=0), "n_restarts: expected a whole number of at least 1"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
