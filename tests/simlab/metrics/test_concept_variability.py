import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy.stats import ortho_group

from simlab.metrics.concept_variability import ConceptVariability, concept_variability
from simlab.networks.mixer import SentenceMixer

RNG = np.random.default_rng(0)
B, L, DIM, N_CONCEPTS, N_WORDS = 40, 3, 4, 3, 6
SENTENCES = RNG.integers(0, N_WORDS, (B, L))
CONCEPTS = SENTENCES // 2
WEIGHTS = RNG.dirichlet(np.ones(B))
HIDDEN = RNG.normal(size=(B, L, DIM)) + np.arange(L)[:, None] + CONCEPTS[..., None] + 0.3 * SENTENCES[..., None]
SIZES = {"n_groups": N_CONCEPTS, "n_words": N_WORDS}
# Sums of some hundred float64 terms of order 1, in another order: a few hundred roundings of 1e-16.
ROUNDING = 1e-13


def naive(hidden, groups, words, weights):
    """The definitions, with loops over positions, groups and words."""
    within = between = word_part = context = 0.0
    n_positions = hidden.shape[1]
    for position in range(n_positions):
        tokens = hidden[:, position]
        whole_mean = np.average(tokens, axis=0, weights=weights)
        for group in set(groups[:, position]):
            inside = groups[:, position] == group
            mean = np.average(tokens[inside], axis=0, weights=weights[inside])
            between += weights[inside].sum() * np.sum((mean - whole_mean) ** 2) / n_positions
            within += weights[inside] @ np.sum((tokens[inside] - mean) ** 2, axis=1) / n_positions
            for word in set(words[inside, position]):
                same = words[:, position] == word
                word_mean = np.average(tokens[same], axis=0, weights=weights[same])
                word_part += weights[same].sum() * np.sum((word_mean - mean) ** 2) / n_positions
                context += weights[same] @ np.sum((tokens[same] - word_mean) ** 2, axis=1) / n_positions
    return ConceptVariability(within, between, word_part, context)


def measure(hidden):
    return concept_variability(hidden, CONCEPTS, SENTENCES, WEIGHTS, **SIZES)


def test_the_loop_agrees():
    np.testing.assert_allclose(measure(HIDDEN), naive(HIDDEN, CONCEPTS, SENTENCES, WEIGHTS), rtol=ROUNDING)
    equal = concept_variability(HIDDEN, CONCEPTS, SENTENCES, **SIZES)
    np.testing.assert_allclose(equal, naive(HIDDEN, CONCEPTS, SENTENCES, np.full(B, 1 / B)), rtol=ROUNDING)


def test_the_parts_make_the_whole():
    found = measure(HIDDEN)
    means = np.average(HIDDEN, axis=0, weights=WEIGHTS)
    whole = np.mean(WEIGHTS @ np.sum((HIDDEN - means) ** 2, axis=2))
    assert found.within + found.between == pytest.approx(whole, rel=ROUNDING)
    assert found.word + found.context == pytest.approx(found.within, rel=ROUNDING)
    assert found.ratio == pytest.approx(found.within / found.between, rel=ROUNDING)


def all_sentences(length):
    return np.array(list(itertools.product(range(N_WORDS), repeat=length)))


@pytest.mark.parametrize(("concept", "word", "context"), [(2.0, 0.5, 0.25), (1.0, 0.0, 0.5), (3.0, 0.7, 0.0)])
def test_a_constructed_layer_has_the_ratio_that_went_in(concept, word, context):
    """Each source of variance on an axis of its own, with values +-s or a simplex: the variances are known."""
    sentences = all_sentences(2)
    neighbours = sentences[:, ::-1]
    angles = 2 * np.pi * (sentences // 2) / 3
    hidden = np.stack(
        [
            concept * np.cos(angles),
            concept * np.sin(angles),
            word * (-1.0) ** sentences,
            context * (-1.0) ** neighbours,
            np.broadcast_to([5.0, -7.0], sentences.shape),  # an offset of each position
        ],
        axis=2,
    )
    found = concept_variability(hidden, sentences // 2, sentences, **SIZES)
    expected = ConceptVariability(word**2 + context**2, concept**2, word**2, context**2)
    np.testing.assert_allclose(found, expected, rtol=ROUNDING, atol=ROUNDING)
    assert found.ratio == pytest.approx((word**2 + context**2) / concept**2, rel=ROUNDING)


def test_groups_are_those_of_one_position():
    """Concepts whose tokens depend on the position have not strayed: no variance within, at any position."""
    centres = RNG.normal(size=(L, N_CONCEPTS, DIM))
    hidden = centres[np.arange(L), CONCEPTS]
    found = measure(hidden)
    assert found.within < ROUNDING
    # The same tokens with positions forgotten are spread out.
    tokens, concepts = hidden.reshape(-1, 1, DIM), CONCEPTS.reshape(-1, 1)
    flat = concept_variability(tokens, concepts, weights=np.repeat(WEIGHTS / L, L), n_groups=N_CONCEPTS)
    assert flat.ratio > 0.1


def test_rotation_scale_and_shift_do_not_matter():
    reference = measure(HIDDEN)
    moved = measure(3.0 * HIDDEN @ ortho_group.rvs(DIM, random_state=1) + RNG.normal(size=(L, DIM)))
    # A shift of order 1 and a scale of 3 cost a few roundings more.
    np.testing.assert_allclose(np.array(moved) / 9, reference, rtol=10 * ROUNDING)
    assert moved.ratio == pytest.approx(reference.ratio, rel=10 * ROUNDING)


def test_weights_are_occurrences():
    counts = RNG.integers(0, 4, B)
    drawn = [np.repeat(array, counts, axis=0) for array in (HIDDEN, CONCEPTS, SENTENCES)]
    repeated = concept_variability(*drawn, **SIZES)
    weighted = concept_variability(HIDDEN, CONCEPTS, SENTENCES, counts / counts.sum(), **SIZES)
    np.testing.assert_allclose(repeated, weighted, rtol=ROUNDING)


@pytest.mark.parametrize("compiled", [False, True], ids=["host", "device"])
def test_a_far_offset_costs_no_more_than_the_rounding_of_the_tokens(compiled):
    """In float32 the difference of two moments would leave 300^2 * 2^-24 = 5e-3 of noise in each variance."""
    shifted = (HIDDEN + 300).astype(np.float32)
    function = partial(concept_variability, **SIZES)
    found = (jax.jit(function) if compiled else function)(shifted, CONCEPTS, SENTENCES, WEIGHTS.astype(np.float32))
    # Each token is rounded to 300 * 2^-24 = 2e-5 at most. A variance is a mean of |v|^2, and changes by at most
    # 2 sqrt(variance) sqrt(d) 2e-5 (Cauchy-Schwarz); the largest here is below 9.
    error = 2 * 3 * np.sqrt(DIM) * 300 * 2**-24
    assert max(measure(HIDDEN)) < 9
    np.testing.assert_allclose(found, measure(HIDDEN), rtol=0, atol=error)


def test_members_side_by_side_on_the_device():
    members = np.stack([HIDDEN, 2 * HIDDEN + 1, RNG.normal(size=HIDDEN.shape)]).astype(np.float32)
    labels, weights = (jnp.asarray(CONCEPTS), jnp.asarray(SENTENCES)), jnp.asarray(WEIGHTS, jnp.float32)
    traces = []

    @jax.jit
    def many(members):
        traces.append(1)
        return jax.vmap(lambda hidden: concept_variability(hidden, *labels, weights, **SIZES))(members)

    found = many(jnp.asarray(members))
    expected = [measure(hidden.astype(np.float64)) for hidden in members]
    # A sum of B L = 120 positive terms in float32: fewer than 120 roundings of 2^-24.
    np.testing.assert_allclose(np.stack(found, axis=1), expected, rtol=120 * 2**-24)
    np.testing.assert_allclose(found.ratio, [one.ratio for one in expected], rtol=240 * 2**-24)
    many(jnp.asarray(members[::-1]))
    assert len(traces) == 1


def test_layers_of_a_network():
    """Before the first block no token knows its context, and the table tells all; after a block they do."""
    network = SentenceMixer(
        n_words=N_WORDS, sentence_length=2, n_classes=9, embedding_dim=DIM, depth=1, rngs=nnx.Rngs(0)
    )
    sentences = all_sentences(2)
    first, second = (
        concept_variability(np.asarray(hidden, np.float64), sentences // 2, sentences, **SIZES)
        for hidden in jax.jit(network.hidden)(jnp.asarray(sentences))
    )
    table = np.asarray(network.representation(), np.float64).reshape(N_CONCEPTS, 2, DIM)
    means = table.mean(axis=1)
    np.testing.assert_allclose(first.word, np.sum(table.var(axis=1), axis=1).mean(), rtol=ROUNDING)
    np.testing.assert_allclose(first.between, np.sum(means.var(axis=0)), rtol=ROUNDING)
    assert first.context < ROUNDING
    assert second.context > 1e-3 * second.within


def test_layers_that_merge_positions_are_grouped_by_class():
    """Against NumPy's own variances: 4 sentences of each of 9 classes, one token each, as in a layer of an MLP."""
    classes = RNG.permutation(np.repeat(np.arange(9), 4))
    hidden = RNG.normal(size=(36, 1, DIM)) + classes[:, None, None]
    found = concept_variability(hidden, classes[:, None], n_groups=9)
    of_classes = np.stack([hidden[classes == k, 0] for k in range(9)])
    assert found.within == pytest.approx(of_classes.var(axis=1).sum(axis=1).mean(), rel=ROUNDING)
    assert found.between == pytest.approx(of_classes.mean(axis=1).var(axis=0).sum(), rel=ROUNDING)
    assert np.isnan(found.word)
    assert np.isnan(found.context)


def test_without_variance_between_groups():
    one_group = concept_variability(HIDDEN, np.zeros_like(CONCEPTS), n_groups=1)
    # Zero to rounding: each coordinate of a mean is off by B roundings of tokens below 16.
    assert np.abs(HIDDEN).max() < 16
    assert one_group.between < DIM * (B * 16 * 2**-53) ** 2
    flat = ConceptVariability(*map(np.float64, (1.0, 0.0, 0.5, 0.5)))
    assert flat.ratio == np.inf
    assert np.isnan(concept_variability(0 * HIDDEN, CONCEPTS, n_groups=N_CONCEPTS).ratio)


def test_bad_labels_are_named():
    with pytest.raises(ValueError, match=r"^groups: expected labels of shape \(40, 3\), one per token, got \(40,\)$"):
        concept_variability(HIDDEN, CONCEPTS[:, 0], n_groups=N_CONCEPTS)
    with pytest.raises(ValueError, match=r"^n_words: expected a whole number of at least 1, got None$"):
        concept_variability(HIDDEN, CONCEPTS, SENTENCES, n_groups=N_CONCEPTS)
