"""Claims of contextual embeddings: the oracles that they rest on, and that wrong predictions fail."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.contextual_embeddings.claims import class_gram, identities, isotropy, minimum, random_encoders
from experiments.contextual_embeddings.claims.free_sentences import FreeSentences
from experiments.verification.claim import FAIL, PASS
from theory import contextual_embeddings as theory


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_the_gradient_over_free_tokens_is_the_slope(similarity):
    free = FreeSentences(
        n_classes=3, n_sentences=1, batch_size=3, temperature=0.5, n_tokens=2, dim=3, similarity=similarity
    )
    tokens, batches = np.random.default_rng(0).normal(size=(3, 2, 3)), free.batches()
    gradient = free._value(tokens, batches)[1].reshape(tokens.shape)
    for place in ((0, 0, 0), (2, 1, 2)):
        shift = np.zeros_like(tokens)
        shift[place] = 1e-6
        ahead, behind = (free._value(tokens + sign * shift, batches)[0] for sign in (1, -1))
        assert (ahead - behind) / 2e-6 == pytest.approx(gradient[place], abs=1e-8)


def test_wrong_statistics_fail(monkeypatch):
    law = theory.collapsed_statistics
    monkeypatch.setattr(theory, "collapsed_statistics", lambda joint: law(joint, 1.1 * theory.simplex_gram(12)))
    statuses = [claim.status for claim in identities._check_law()]
    assert statuses[0] == FAIL
    assert FAIL in statuses[2:]


def test_a_wrong_loss_fails(monkeypatch):
    setting = minimum.SETTINGS[0]
    end, least = setting.descend(0), theory.minimum_loss
    assert {claim.status for claim in minimum._check_setting(setting, end)} == {PASS}
    monkeypatch.setattr(theory, "minimum_loss", lambda *numbers, **draws: least(*numbers, **draws) + 1e-5)
    assert next(minimum._check_setting(setting, end)).status == FAIL


def test_a_gram_matrix_off_its_minimum_has_a_residual():
    priors = np.array(class_gram.UNEVEN)
    solution = theory.solve_class_gram(priors, 0.5)
    moved = (solution.gram + 1e-5 * theory.simplex_gram(len(priors))) / (1 + 1e-5)
    assert class_gram.kkt_residual(solution) < 1e-12
    assert class_gram.kkt_residual(theory.certify(priors, 0.5, moved)) > class_gram.KKT


def test_a_wrong_velocity_and_a_wrong_time_fail(monkeypatch):
    velocity, time = theory.angle_velocity, theory.time_to_cosine
    monkeypatch.setattr(theory, "angle_velocity", lambda *numbers: 1.001 * velocity(*numbers))
    assert [claim.status for claim in isotropy._check_velocity(0.4)] == [FAIL, FAIL]
    monkeypatch.undo()
    monkeypatch.setattr(theory, "time_to_cosine", lambda *numbers: 1.001 * time(*numbers))
    assert [claim.status for claim in isotropy._check_time(0.4)] == [FAIL, FAIL]


def test_a_kernel_of_another_activation_fails(monkeypatch):
    monkeypatch.setattr(random_encoders, "WIDTH", 256)
    words = np.random.default_rng(0).integers(random_encoders.N_WORDS, size=(8, random_encoders.LENGTH))
    sentences = random_encoders.Sentences(words, np.ones_like(words, bool))
    kernels = theory.kernels
    encoder = theory.Encoder(depth=2, norm="pre", embedding_variance=0.25, position_variance=0.25)
    assert [claim.status for claim in random_encoders._check_encoder(encoder, sentences, 0)] == [PASS, PASS]
    other = replace(encoder, activation="gelu")
    monkeypatch.setattr(theory, "kernels", lambda encoder, *given: kernels(other, *given))
    assert next(random_encoders._check_encoder(encoder, sentences, 0)).status == FAIL
