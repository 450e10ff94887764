"""Similarities of tokens in context against cosines of every pair, and at vectors whose values are known."""

import numpy as np
import pytest

from simlab.metrics.contextual.similarities import self_similarity_change
from simlab.metrics.contextualization import Contextualization, contextualization

pytestmark = pytest.mark.quick

# Sums of some hundred cosines in another order: rounding of 1e-16 each, which small counts of pairs do not enlarge.
ROUNDING = 1e-12


def make_text(seed=0, n_sentences=14, length=5, n_tokens=6, dim=4, offset=0.4):
    """Return vectors with a common direction, tokens that repeat within sentences, and a mask with empty sentences."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(n_tokens, size=(n_sentences, length))
    hidden = rng.standard_normal((n_sentences, length, dim)) * np.exp(rng.standard_normal((n_sentences, length, 1)))
    hidden[..., 1] += offset
    mask = rng.random((n_sentences, length)) < 0.8
    mask[3] = False
    return hidden, tokens, mask


def cosine(x, y):
    return x @ y / np.linalg.norm(x) / np.linalg.norm(y)


def every_pair(hidden, tokens, mask):
    """Yield ``(same token?, same sentence?, token, cosine)`` for every ordered pair of different occurrences."""
    places = [(s, i) for s in range(len(tokens)) for i in range(tokens.shape[1]) if mask[s, i]]
    for a in places:
        for b in places:
            if a != b:
                yield tokens[a] == tokens[b], a[0] == b[0], tokens[a], cosine(hidden[a], hidden[b])


@pytest.fixture(scope="module")
def text():
    return make_text()


@pytest.fixture(scope="module")
def pairs(text):
    return list(every_pair(*text))


def test_similarities_are_means_over_all_pairs(text, pairs):
    measured = contextualization(*text)
    expected = {
        "within_sentence": [value for _, same_sentence, _, value in pairs if same_sentence],
        "inter_sentence": [value for _, same_sentence, _, value in pairs if not same_sentence],
        "anisotropy": [value for same, same_sentence, _, value in pairs if not same and not same_sentence],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(measured, name), np.mean(values), atol=ROUNDING)
    for token, value in zip(measured.tokens, measured.self_similarity, strict=True):
        cosines = [v for same, same_sentence, label, v in pairs if same and not same_sentence and label == token]
        np.testing.assert_allclose(value, np.mean(cosines), atol=ROUNDING)


def test_pairs_within_a_sentence_count_only_if_asked(text, pairs):
    measured = contextualization(*text, pairs="all")
    for token, value in zip(measured.tokens, measured.self_similarity, strict=True):
        cosines = [v for same, _, label, v in pairs if same and label == token]
        np.testing.assert_allclose(value, np.mean(cosines), atol=ROUNDING)


def test_first_occurrences_are_those_of_a_text_without_repetitions(text):
    hidden, tokens, mask = text
    is_first = mask.copy()
    for s, sentence in enumerate(tokens):
        seen = set()
        for i, token in enumerate(sentence):
            is_first[s, i] &= token not in seen
            seen |= {token} if mask[s, i] else set()
    first, without = contextualization(*text, pairs="first"), contextualization(hidden, tokens, is_first)
    np.testing.assert_allclose(first.self_similarity, without.self_similarity, atol=ROUNDING)
    assert first.counts.sum() == is_first.sum() < mask.sum()


def test_cosines_with_the_mean_of_the_sentence(text):
    hidden, tokens, mask = text
    measured, by_sentence, by_token = contextualization(*text), [], {}
    means = []
    for s in range(len(tokens)):
        if mask[s].any():
            mean = hidden[s][mask[s]].mean(axis=0)
            means.append(mean)
            cosines = [cosine(hidden[s, i], mean) for i in np.nonzero(mask[s])[0]]
            by_sentence.append(np.mean(cosines))
            for i, value in zip(np.nonzero(mask[s])[0], cosines, strict=True):
                by_token.setdefault(tokens[s, i], []).append(value)
    np.testing.assert_allclose(measured.intra_sentence, np.mean(by_sentence), atol=ROUNDING)
    expected = [np.mean(by_token[token]) for token in measured.tokens]
    np.testing.assert_allclose(measured.intra_by_token, expected, atol=ROUNDING)
    between = [cosine(a, b) for i, a in enumerate(means) for j, b in enumerate(means) if i != j]
    np.testing.assert_allclose(measured.sentence_similarity, np.mean(between), atol=ROUNDING)
    assert measured.n_empty == np.sum(~mask.any(axis=1)) >= 1
    assert measured.n_sentences == len(means)


def test_batches_and_shards_give_the_same(text):
    whole, parts = contextualization(*text), [Contextualization(4) for _ in range(2)]
    for start, part in ((0, 0), (4, 1), (5, 1), (11, 0)):
        end = {0: 4, 4: 5, 5: 11, 11: None}[start]
        parts[part].add(*(array[start:end] for array in text))
    parts[0].merge(parts[1])
    for name, value in parts[0].measure()._asdict().items():
        np.testing.assert_allclose(value, getattr(whole, name), atol=ROUNDING, err_msg=name)


def test_masked_places_and_their_numbers_do_not_matter(text):
    hidden, tokens, mask = text
    other_hidden, other_tokens = np.where(mask[..., None], hidden, np.nan), np.where(mask, tokens, -1)
    one, other = contextualization(*text), contextualization(other_hidden, other_tokens, mask)
    for name, value in one._asdict().items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


def test_half_precision_is_summed_in_double(text):
    hidden, tokens, mask = text
    half = hidden.astype(np.float16)
    np.testing.assert_array_equal(
        contextualization(half, tokens, mask).self_similarity,
        contextualization(half.astype(np.float64), tokens, mask).self_similarity,
    )


def test_random_directions_have_their_baselines():
    """1,200 independent directions in 30 dimensions: five standard errors, of the mean over 300 sentences."""
    rng = np.random.default_rng(1)
    hidden, tokens = rng.standard_normal((300, 4, 30)), rng.integers(50, size=(300, 4))
    measured = contextualization(hidden, tokens)
    assert abs(measured.anisotropy) < 5 * measured.anisotropy_deviation
    np.testing.assert_allclose(measured.anisotropy_deviation, np.sqrt(2 / (30 * 1200 * 1199)), rtol=1e-12)
    np.testing.assert_allclose(measured.intra_baseline, 0.5, atol=0.02)  # sqrt(1/4) within anisotropy and Jensen
    assert abs(measured.intra_sentence - measured.intra_baseline) < 0.02


def test_baseline_of_equal_pairwise_cosines_is_reached():
    """Unit vectors of which any two have the cosine 0.3: every mean cosine is known."""
    gram = 0.3 + 0.7 * np.eye(12)
    hidden = np.linalg.cholesky(gram).reshape(4, 3, 12)
    measured = contextualization(hidden, np.arange(12).reshape(4, 3) % 6)
    for value in (measured.anisotropy, measured.within_sentence, measured.inter_sentence, *measured.self_similarity):
        np.testing.assert_allclose(value, 0.3, atol=1e-14)
    np.testing.assert_allclose(measured.intra_sentence, measured.intra_baseline, rtol=1e-13)
    np.testing.assert_allclose(measured.adjusted_intra_sentence, np.sqrt(1.6 / 3) - 0.3, rtol=1e-12)


def test_a_rogue_dimension_is_found_and_left_out():
    hidden, tokens, mask = make_text(2, dim=6, offset=0.0)
    hidden = hidden / np.linalg.norm(hidden, axis=-1, keepdims=True)
    rogue = hidden + 5 * np.eye(6)[2]
    measured = contextualization(rogue, tokens, mask)
    assert measured.rogue_dimension == 2
    assert 0.9 < measured.rogue_share < 1.1
    without, never = contextualization(rogue, tokens, mask, without_rogue=1), np.delete(hidden, 2, axis=-1)
    expected = contextualization(never, tokens, mask)
    np.testing.assert_allclose(without.anisotropy, expected.anisotropy, atol=ROUNDING)
    np.testing.assert_allclose(without.self_similarity, expected.self_similarity, atol=ROUNDING)


def test_change_of_self_similarity_and_means_by_kind(text):
    hidden, tokens, mask = text
    before, after = contextualization(hidden, tokens, mask), contextualization(hidden + 1, tokens, mask)
    change = self_similarity_change(before, after)
    expected = after.self_similarity - after.anisotropy - before.self_similarity + before.anisotropy
    np.testing.assert_allclose(change, expected, atol=ROUNDING)
    kinds = np.array([0, 0, 1, 1, 1, 3])
    means = after.by_group(change, kinds, 4)
    weights = after.counts[:2]
    np.testing.assert_allclose(means[0], np.average(change[:2], weights=weights), atol=ROUNDING)
    assert np.isnan(means[2])


def test_what_has_no_pair_is_nan_and_what_has_no_direction_is_counted():
    hidden = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 2.0], [1.0, 1.0]]])
    measured = contextualization(hidden, np.array([[0, 1], [2, 2]]))
    assert measured.n_zero == 1
    np.testing.assert_array_equal(measured.tokens, [0, 2])
    assert np.isnan(measured.self_similarity).all()  # token 2 occurs twice in one sentence alone
    empty = contextualization(hidden, np.zeros((2, 2), int), np.zeros((2, 2), bool))
    assert empty.n_empty == 2
    assert np.isnan(empty.anisotropy)
    assert np.isnan(empty.mean_self_similarity())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": np.zeros((2, 3, 4))}, r"hidden: expected vectors of shape \(2, 2, 4\)"),
        ({"tokens": np.zeros((2, 2))}, "tokens: expected whole numbers"),
        ({"tokens": np.full((2, 2), -1)}, "tokens: expected no negative number, got -1"),
        ({"mask": np.ones((2, 2))}, "mask: expected booleans"),
        ({"hidden": np.full((2, 2, 4), np.nan)}, "hidden: expected finite numbers"),
        ({"pairs": "some"}, "pairs: expected one of across, all, first"),
        ({"without_rogue": 4}, "excluded: expected fewer than the 4 coordinates"),
    ],
)
def test_bad_input_is_named(change, message):
    given = {"hidden": np.ones((2, 2, 4)), "tokens": np.zeros((2, 2), int), "mask": None} | change
    with pytest.raises(ValueError, match=message):
        contextualization(**given)


def test_sums_of_other_choices_are_not_merged():
    with pytest.raises(ValueError, match="pairs: expected the same, 'across', got 'all'"):
        Contextualization(3).merge(Contextualization(3, pairs="all"))
