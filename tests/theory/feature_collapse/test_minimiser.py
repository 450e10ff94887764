"""The public entry: types, assumptions, shapes, JSON, messages."""

import itertools
import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest

import theory
from theory import feature_collapse
from theory.feature_collapse.word_frequency import resolve_word_frequency

pytestmark = pytest.mark.quick

EPS = np.finfo(np.float64).eps
SMALL = {"n_words": 9, "sentence_length": 3, "n_classes": "all"}


@pytest.mark.parametrize(
    ("frequency", "layer_norm", "expected"),
    [
        ("uniform", False, "I"),
        ("zipf", False, "III"),
        ("zipf:0", False, "I"),
        ((1 / 3, 1 / 3, 1 / 3), False, "I"),
        ((0.1 + 0.2 + 0.0333333333333333, 1 / 3, 1 / 3), False, "I"),
        ((0.4, 0.3, 0.3), False, "III"),
        ("zipf", True, "II"),
        ("uniform", True, "II"),
    ],
)
def test_collapse_type(frequency, layer_norm, expected):
    prediction = feature_collapse.predict(**SMALL, word_frequency=frequency, layer_norm=layer_norm)
    assert prediction.collapse_type == expected
    assert prediction.is_theorem
    assert (prediction.zero_threshold is None) == layer_norm


def test_json_is_the_contract():
    prediction = feature_collapse.predict(**SMALL, word_frequency="zipf")
    record = prediction.to_json()
    keys = "collapse_type embedding_norms classifier_norm cross_entropy risk zero_threshold exact"
    assert list(record) == keys.split()
    assert json.loads(json.dumps(record)) == record
    assert record["embedding_norms"] == prediction.embedding_norms.tolist()
    assert len(feature_collapse.predict(**SMALL).to_json()["embedding_norms"]) == 1
    assert feature_collapse.predict(**SMALL, weight_decay=9).to_json()["embedding_norms"] == [0.0]
    with_norm = feature_collapse.predict(layer_norm=True).to_json()
    assert with_norm["embedding_norms"] == [10.0]
    assert with_norm["zero_threshold"] is None
    assert with_norm["exact"] is False


def test_arrays_of_the_network():
    prediction = feature_collapse.predict(**SMALL, word_frequency="zipf", embedding_dim=4)
    embeddings = prediction.embeddings()
    assert embeddings.shape == (9, 4)
    # Word (a, b) sits at a * s_c + b. One product of floats each.
    np.testing.assert_allclose(embeddings[5], prediction.embedding_norms[2] * prediction.frame[1], rtol=2 * EPS)
    latents = np.array([[0, 1, 2], [2, 2, 0]])
    classifier = prediction.classifier(latents)
    assert classifier.shape == (2, 3, 4)
    np.testing.assert_allclose(classifier[1, 0], prediction.classifier_norm * prediction.frame[2], rtol=2 * EPS)
    for wrong in (np.zeros((2, 4), int), np.zeros((2, 3)), np.full((2, 3), 3), np.zeros(3, int), np.full((1, 3), -1)):
        with pytest.raises(ValueError, match=r"^latents: expected "):
            prediction.classifier(wrong)


def test_layer_norm_leaves_the_predicted_embeddings_alone():
    vectors = feature_collapse.predict(**SMALL, layer_norm=True, embedding_dim=7).embeddings()
    # A mean and a standard deviation over 7 entries of size up to sqrt(7).
    np.testing.assert_allclose(vectors.mean(axis=1), 0, atol=20 * EPS)
    np.testing.assert_allclose(vectors.std(axis=1), 1, atol=20 * EPS)


def test_symmetric_latents_are_all_latents():
    # Assumption 1 of the paper, tried on every non-empty set of distinct latents of two small tasks.
    for n_concepts, length in ((2, 3), (3, 2)):
        every = np.array(list(itertools.product(range(n_concepts), repeat=length)))
        chosen = range(1, 2 ** len(every))
        sets = [every[[bool(bits >> i & 1) for i in range(len(every))]] for bits in chosen]
        symmetric = [latents for latents in sets if is_symmetric(latents, every, n_concepts)]
        assert len(symmetric) == 1
        assert len(symmetric[0]) == len(every)


def is_symmetric(latents, every, n_concepts):
    """Return whether the shares of Assumption 1 are those of all latents: integers compared after cross-multiplying."""
    for latent in latents:
        for position, concept in itertools.product(range(latents.shape[1]), range(n_concepts)):
            if concept != latent[position]:
                counts = [
                    np.bincount((z[z[:, position] == concept] != latent).sum(axis=1), minlength=latents.shape[1] + 1)
                    for z in (latents, every)
                ]
                if np.any(counts[0][1:] * len(every) != counts[1][1:] * len(latents)):
                    return False
    return True


def test_assumptions_tell_why_a_prediction_is_not_exact():
    def failing(**changes):
        prediction = feature_collapse.predict(**{**SMALL, **changes})
        assert prediction.is_theorem == all(assumption.holds for assumption in prediction.assumptions)
        assert all(assumption.reason for assumption in prediction.assumptions)
        return [assumption.name for assumption in prediction.assumptions if not assumption.holds]

    every = np.array(list(itertools.product(range(3), repeat=3)))
    twice = np.concatenate([every[1:], every[1:2]])
    assert failing() == failing(latents=every) == []
    assert failing(n_classes=26) == ["saturated latents"]
    assert failing(n_classes=27, latents=twice) == ["distinct latents"]
    assert failing(layer_norm=True, weight_decay=0.0, classifier_weight_decay=1e-3) == []
    assert failing(layer_norm=True, classifier_weight_decay=1e-3) == ["no penalty on normalised embeddings"]


def test_layer_norm_depends_on_the_penalty_of_the_classifier_alone():
    first = feature_collapse.predict(**SMALL, layer_norm=True, weight_decay=2e-3)
    second = feature_collapse.predict(**SMALL, layer_norm=True, weight_decay=0.0, classifier_weight_decay=2e-3)
    assert first.to_json() == second.to_json()


@pytest.mark.parametrize(("length", "n_classes"), [(1000, 1000), (1000, 2), (400, 10**40), (1000, "all")])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("frequency", ["uniform", "zipf"])
def test_long_sentences_stay_finite(length, n_classes, layer_norm, frequency):
    prediction = feature_collapse.predict(
        n_words=9, sentence_length=length, n_classes=n_classes, layer_norm=layer_norm, word_frequency=frequency
    )
    numbers = (*prediction.embedding_norms, prediction.classifier_norm, prediction.cross_entropy, prediction.risk)
    assert np.all(np.isfinite(numbers))
    # The zero network of the approximation has log(K + 1 - kappa), formed from logarithms of size |log kappa| <= 1100.
    assert 0 <= prediction.cross_entropy <= math.log(prediction.n_classes + 1) + 1100 * EPS


def test_word_frequencies():
    # Quotients of small integers: correctly rounded up to a few eps.
    np.testing.assert_allclose(resolve_word_frequency("zipf", 3), np.array([6, 3, 2]) / 11, rtol=4 * EPS)
    np.testing.assert_allclose(resolve_word_frequency("zipf:2", 2), [0.8, 0.2], rtol=4 * EPS)
    assert np.array_equal(resolve_word_frequency("uniform", 4), np.full(4, 0.25))
    assert math.fsum(resolve_word_frequency([0.5, 0.5 + 4e-7], 2)) == pytest.approx(1, abs=2 * EPS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_words": 1201}, "n_words: expected a multiple of n_concepts=3, got 1201"),
        ({"n_words": 0}, "n_words: expected at least 1, got 0"),
        ({"n_concepts": 1}, "n_concepts: expected at least 2, got 1"),
        ({"n_concepts": 3.0}, "n_concepts: expected an integer, got 3.0"),
        ({"n_concepts": True}, "n_concepts: expected an integer, got True"),
        ({"sentence_length": 0}, "sentence_length: expected at least 1, got 0"),
        ({"sentence_length": 10**9}, "sentence_length: expected at most 100000, got 1000000000"),
        ({"n_classes": 0}, "n_classes: expected at least 1, got 0"),
        ({"n_classes": 28}, "n_classes: expected at most n_concepts**sentence_length=3**3=27, got 28"),
        (
            {"sentence_length": 100, "n_classes": 3**100 + 1},
            f"n_classes: expected at most n_concepts**sentence_length=3**100, got {3**100 + 1}",
        ),
        ({"n_classes": "some"}, "n_classes: expected an integer or \"all\", got 'some'"),
        ({"n_classes": 4, "latents": np.zeros((5, 3), int)}, "n_classes: expected 5 as in latents, got 4"),
        ({"latents": np.zeros((5, 2), int)}, "latents: expected an array of shape (K, 3), got (5, 2)"),
        ({"latents": np.zeros((27, 3))}, "latents: expected integers, got float64"),
        ({"latents": np.full((27, 3), 3)}, "latents: expected concepts from 0 to 2, got 3 to 3"),
        ({"weight_decay": 0.0}, "weight_decay: expected a positive finite number, got 0.0"),
        ({"weight_decay": -1}, "weight_decay: expected a positive finite number, got -1"),
        ({"weight_decay": math.inf}, "weight_decay: expected a positive finite number, got inf"),
        ({"weight_decay": math.nan}, "weight_decay: expected a positive finite number, got nan"),
        ({"weight_decay": "1"}, "weight_decay: expected a positive finite number, got '1'"),
        ({"layer_norm": True, "weight_decay": 0.0}, "weight_decay: expected a positive finite number, got 0.0"),
        (
            {"layer_norm": True, "weight_decay": -1.0, "classifier_weight_decay": 1.0},
            "weight_decay: expected a non-negative finite number, got -1.0",
        ),
        ({"classifier_weight_decay": 0.0}, "classifier_weight_decay: expected a positive finite number, got 0.0"),
        ({"embedding_dim": 1}, "embedding_dim: expected at least 2 for n_concepts=3, got 1"),
        ({"embedding_dim": 2, "layer_norm": True}, "embedding_dim: expected at least 3 for n_concepts=3, got 2"),
        ({"word_frequency": (0.5, 0.5)}, "word_frequency: expected 3 numbers, got an array of shape (2,)"),
        (
            {"word_frequency": (1.0, 0.0, 0.0)},
            "word_frequency: expected positive finite numbers, got 0.0 among them",
        ),
        ({"word_frequency": (0.5, 0.4, 0.2)}, "word_frequency: expected numbers that sum to 1, got a sum of 1.1"),
        ({"word_frequency": (0.5, "x", 0.2)}, "word_frequency: expected a name or a vector of numbers, got "),
        (
            {"word_frequency": "zipff"},
            'word_frequency: expected "uniform", "zipf", "zipf:EXPONENT" or a vector of numbers, '
            "got 'zipff'; the nearest is \"zipf\"",
        ),
        ({"word_frequency": "zipf:x"}, "word_frequency: expected a finite exponent after \"zipf:\", got 'zipf:x'"),
        (
            {"word_frequency": "zipf:1e4"},
            "word_frequency: expected an exponent that keeps every frequency above 1e-300, got 'zipf:1e4'",
        ),
    ],
)
def test_wrong_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        feature_collapse.predict(**{**SMALL, **changes})


def test_importing_the_package_is_light():
    code = "import sys, theory; sys.exit(any(name in sys.modules for name in ('scipy', 'numpy', 'jax')))"
    root = theory.__path__[0].rsplit("theory", 1)[0]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
