"""The reduced solver against full enumeration, closed forms, and its own certificate."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from simlab.exact import reduced, reduced_problem
from simlab.exact.minimise import minimise
from simlab.exact.reduced import minimise_reduced
from simlab.exact.risk import ExactRisk, enumerate_population, float64_on_host

# Ten latents of 27 at random; the law of what follows is not symmetric in concepts, positions or classes.
LATENTS = np.array(list(itertools.product(range(3), repeat=3)))[np.random.default_rng(5).permutation(27)[:10]]
ALL_LATENTS = np.array(list(itertools.product(range(3), repeat=3)))


def enumerated(laws, n_words, **changes):
    fields = {"n_words": n_words, "n_classes": 10, "embedding_dim": 5, "weight_decay": 1e-3, **changes}
    minima = minimise(ExactRisk(population=enumerate_population(LATENTS, laws, 3), **fields))
    assert minima.status[minima.best] == "converged"
    return minima


def check_same_network(minima, found):
    """Risk to rounding; Gram matrices to the enumerated solve's gradient (1e-14) over its curvature, times norms."""
    best = minima.best
    assert found.status == "converged"
    np.testing.assert_allclose(found.risk, minima.risk[best], rtol=1e-12)
    np.testing.assert_allclose(found.cross_entropy, minima.cross_entropy[best], rtol=1e-9)
    # The certificate is proved for the reduced problem, and so bounds the enumerated minimum from below as well.
    assert found.risk_gap < 1e-10
    embeddings, classifier = minima.embeddings[best], minima.classifier[best].reshape(30, 5)
    own = found.classifier.reshape(30, 5)
    for left, right in ((embeddings, found.embeddings), (classifier, own)):
        np.testing.assert_allclose(left @ left.T, right @ right.T, rtol=0, atol=1e-8 * np.abs(left @ left.T).max())


def test_uniform_words_equal_full_enumeration():
    """Vocabularies and decays unequal; words of a concept collapse exactly although the latents are not symmetric."""
    laws = [np.ones(1), np.full(2, 1 / 2), np.full(3, 1 / 3)]
    minima = enumerated(laws, 6, weight_decay=(2e-3, 5e-4))
    found = minimise_reduced(LATENTS, 3, (1, 2, 3), 5, (2e-3, 5e-4))
    check_same_network(minima, found)
    np.testing.assert_allclose(found.embedding_norm, np.sqrt(np.mean(np.sum(found.embeddings**2, axis=1))), rtol=1e-14)
    # The error of a solve to rounding, a gradient of 1e-15 over a curvature of 1e-4.
    words = minima.embeddings[minima.best]
    np.testing.assert_allclose(words[[1, 3, 3]], words[[2, 4, 5]], rtol=0, atol=1e-11)


def test_zipf_words_under_layer_norm_equal_full_enumeration():
    minima = enumerated(np.array([2, 1]) / 3, 6, layer_norm=True)
    check_same_network(minima, minimise_reduced(LATENTS, 3, 2, 5, 1e-3, True))


@pytest.mark.parametrize(("layer_norm", "expected"), [(False, 0.12251047), (True, 0.12999135)])
def test_saturated_tasks_have_the_reference_values(layer_norm, expected):
    found = minimise_reduced(ALL_LATENTS, 3, 3, 5, 1e-3, layer_norm)
    assert abs(found.risk - expected) < 5e-9
    directions = found.concept_vectors / np.linalg.norm(found.concept_vectors, axis=1)[:, None]
    np.testing.assert_allclose(directions @ directions.T, 1.5 * np.eye(3) - 0.5, rtol=0, atol=1e-8)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "layer_norm"])
def paper_scale(request):
    latents = np.random.default_rng(0).integers(3, size=(1000, 15))
    return latents, request.param, minimise_reduced(latents, 3, 400, 100, 1e-3, request.param)


def test_paper_scale_is_certified(paper_scale):
    _, _, found = paper_scale
    assert found.status == "converged"
    assert found.gradient_norm < 1e-11
    assert found.risk_gap < 1e-10 * found.risk


def test_paper_scale_risk_is_the_definition(paper_scale):
    """Recompute the risk from the returned arrays: one sentence per class, since the words of a concept agree."""
    latents, layer_norm, found = paper_scale
    words = found.embeddings[400 * latents]
    logits = words.reshape(1000, -1) @ found.classifier.reshape(1000, -1).T
    top = logits.max(axis=1)
    entropy = np.mean(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)) - np.diagonal(logits))
    np.testing.assert_allclose(found.cross_entropy, entropy, rtol=1e-11)
    cost = np.sum(found.classifier**2) + (0.0 if layer_norm else np.sum(found.embeddings**2))
    np.testing.assert_allclose(found.risk, entropy + 5e-4 * cost, rtol=1e-11)
    np.testing.assert_allclose(found.classifier_norm**2 * 15000, np.sum(found.classifier**2), rtol=1e-12)
    if layer_norm:
        np.testing.assert_allclose(found.embeddings.mean(axis=1), 0, atol=1e-13)
        np.testing.assert_allclose(np.linalg.norm(found.embeddings, axis=1), 10, rtol=1e-13)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_lower_bound_holds_anywhere(layer_norm):
    found = minimise_reduced(LATENTS, 3, 2, 5, 1e-3, layer_norm)
    decays = (0.0 if layer_norm else 1e-3, 1e-3)
    problem = reduced_problem.reduced_problem(LATENTS, np.full(3, 2), 5, decays, layer_norm)
    rng, lower_bound = np.random.default_rng(2), jax.jit(reduced_problem.lower_bound, static_argnums=3)
    with float64_on_host():
        for scale in (0.1, 1.0, 3.0):
            concepts, classifier = rng.normal(size=(3, 3)), scale * rng.normal(size=(10, 3, 3))
            concepts = concepts / np.linalg.norm(concepts, axis=1)[:, None] if layer_norm else concepts
            bound = lower_bound(problem, concepts, classifier, layer_norm)
            assert bound < found.risk


def test_zero_is_found_above_the_threshold_only():
    # lam_th^2 = sum(mu^2) / K lambda_max(sum_l [diag(pi_l) - pi_l pi_l^T]), with pi_l counted position by position.
    spread = sum(np.cov(np.eye(3)[LATENTS[:, place]].T, bias=True) for place in range(3))
    threshold = np.sqrt(0.5 / 10 * np.linalg.eigvalsh(spread)[-1])
    above = minimise_reduced(LATENTS, 3, 2, 5, 1.0001 * threshold)
    below = minimise_reduced(LATENTS, 3, 2, 5, 0.999 * threshold)
    assert (above.status, above.gradient_norm, above.risk_gap) == ("converged", 0.0, 0.0)
    assert not above.embeddings.any()
    assert above.risk == pytest.approx(np.log(10), rel=1e-15)
    assert below.status == "converged"
    assert below.embedding_norm > 1e-3
    assert below.risk_gap < 1e-9


@pytest.mark.parametrize("layer_norm", [False, True])
def test_small_risks_are_minimised_to_the_tolerance_as_well(layer_norm):
    """Risks of 2e-5 to 0.02 are differences of terms of order 1, whose rounding must not count as a rise."""
    for weight_decay, n_classes in itertools.product((1e-6, 1e-5, 1e-4), (9, 15, 18, 27)):
        latents = ALL_LATENTS[np.random.default_rng(n_classes).permutation(27)[:n_classes]]
        found = minimise_reduced(latents, 3, 2, 5, weight_decay, layer_norm, padded_classes=27)
        assert found.status == "converged"


def test_too_few_steps_stall():
    found = minimise_reduced(LATENTS, 3, 2, 5, 1e-3, max_steps=0)
    assert found.status == "stalled"
    assert found.risk_gap > 1e-6


def test_second_call_does_not_compile_and_float64_is_gone():
    minimise_reduced(LATENTS, 3, 2, 5, 1e-3)
    size = reduced._descend._cache_size()
    found = minimise_reduced(LATENTS, 3, (4, 5, 6), 9, (1e-3, 3e-3), tolerance=1e-10)
    assert reduced._descend._cache_size() == size
    assert found.classifier.dtype == np.float64
    assert jnp.zeros(1).dtype == jnp.float32


@pytest.mark.parametrize("layer_norm", [False, True])
def test_classes_that_never_occur_change_nothing_and_spare_a_compilation(layer_norm):
    minimise_reduced(LATENTS, 3, 2, 5, 1e-3, layer_norm, padded_classes=12)
    size = reduced._descend._cache_size()
    padded = minimise_reduced(LATENTS[:7], 3, 2, 5, 1e-3, layer_norm, padded_classes=12)
    assert reduced._descend._cache_size() == size
    plain = minimise_reduced(LATENTS[:7], 3, 2, 5, 1e-3, layer_norm)
    assert padded.status == plain.status == "converged"
    assert padded.classifier.shape == (7, 3, 5)
    # Risks to rounding; weights to the tolerance of the gradient, 1e-11, over a curvature of 1e-4.
    assert padded.risk == pytest.approx(plain.risk, rel=1e-13)
    assert padded.risk_gap < 1e-10
    for ours, theirs in zip(padded[:3], plain[:3], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LATENTS + 1, 3, 2, 5, 1e-3), "latents: expected concepts from 0 to 2, got 3"),
        ((LATENTS[0], 3, 2, 5, 1e-3), "latents: expected whole numbers of shape"),
        ((np.zeros((10_001, 1), int), 3, 2, 5, 1e-3), "latents: expected at most 10000 classes, got 10001"),
        ((LATENTS, 3, (1, 2), 5, 1e-3), "words_per_concept: expected one number, or n_concepts=3 of them, got 2"),
        ((LATENTS, 3, (1, 2, 0), 5, 1e-3), "words_per_concept: expected a whole number of at least 1, got 0"),
        ((LATENTS, 3, 2, 1, 1e-3, True), "embedding_dim: expected a whole number of at least 2, got 1"),
        ((LATENTS, 3, 2, 5, -1.0), "weight_decay: expected a positive finite number, got -1.0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        minimise_reduced(*arguments)
