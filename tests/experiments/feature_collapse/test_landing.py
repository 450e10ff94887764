"""Tiny runs on the population risk must land on their predictions, as closely as their own gradient allows."""

import itertools

import numpy as np
import pytest

from experiments.core.experiment import make_plan
from experiments.core.sweep import run_plan
from experiments.feature_collapse.configuration import WordConfiguration
from experiments.feature_collapse.phenomenon import FEATURE_COLLAPSE

TINY = WordConfiguration(
    n_concepts=3, n_words=6, sentence_length=2, n_classes="all", embedding_dim=4, source="population", n_steps=20_000,
    n_records=1, n_evaluation=10, learning_rate=1.0, initial_scale=0.3, embedding_weight_decay=0.01,
    classifier_weight_decay=0.01,
)  # fmt: skip


def train(configuration):
    return run_plan(make_plan("tiny", FEATURE_COLLAPSE, {"tiny": configuration}, [0])).isel(regime=0, seed=0)


def risk_gradient(flat, latents, mu, decay_w, decay_u):
    """The gradient of the population risk with respect to (W, U), by hand and in float64."""
    n_words, dim = 3 * len(mu), 4
    embeddings, classifier = flat[: n_words * dim].reshape(n_words, dim), flat[n_words * dim :].reshape(-1, 2, dim)
    grad_w, grad_u = decay_w * embeddings, decay_u * classifier
    for label, latent in enumerate(latents):
        for ranks in itertools.product(range(len(mu)), repeat=2):
            words = [concept * len(mu) + rank for concept, rank in zip(latent, ranks, strict=True)]
            logits = np.einsum("kld,ld->k", classifier, embeddings[words])
            residual = np.exp(logits - logits.max())
            residual = residual / residual.sum() - np.eye(len(classifier))[label]
            residual *= np.prod([mu[rank] for rank in ranks]) / len(latents)
            for position, word in enumerate(words):
                grad_w[word] += residual @ classifier[:, position]
                grad_u[:, position] += np.outer(residual, embeddings[word])
    return np.concatenate([grad_w.ravel(), grad_u.ravel()])


@pytest.mark.parametrize("law", ["uniform", "zipf"])
@pytest.mark.parametrize("decay_u", [0.01, 0.02])
def test_training_lands_on_types_one_and_three(law, decay_u):
    run = train(TINY.replace(word_frequency=law, classifier_weight_decay=decay_u))
    assert run.collapse_type.item() == ("I" if law == "uniform" else "III")
    assert run.is_theorem.item() == 1
    mu = np.array([1.0, 1.0]) / 2 if law == "uniform" else np.array([2.0, 1.0]) / 3
    latents = run.latents.values.astype(int)
    learned = np.concatenate([run.embeddings.values.ravel(), run.classifier.values.ravel()]).astype(float)
    predicted = np.concatenate([run.embeddings_predicted.values.ravel(), run.classifier_predicted.values.ravel()])

    def gradient(flat):
        return risk_gradient(flat, latents, mu, 0.01, decay_u)

    # Near a minimiser the distance to it, orthogonal to the gauge orbit, is at most |gradient| / h with h the smallest
    # Hessian eigenvalue beyond the gauge; a factor 2 allows for the Hessian's variation in between.
    eye = np.eye(len(learned)) * 1e-5
    hessian = np.stack([(gradient(learned + e) - gradient(learned - e)) / 2e-5 for e in eye])
    eigenvalues = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    # Rotations that move a configuration of rank 2 in 4 dimensions: 6 less the 1 that turns its complement.
    smallest = eigenvalues[5]
    assert abs(eigenvalues[4]) < 1e-2 * smallest
    bound = 2 * np.linalg.norm(gradient(learned)) / smallest
    assert bound < 1e-3
    assert np.linalg.norm(learned - predicted) < bound


@pytest.mark.quick
def test_training_lands_on_type_two():
    run = train(TINY.replace(layer_norm=True, word_frequency="zipf", embedding_weight_decay=0.0, n_steps=10_000))
    errors = np.abs(run.learned - run.predicted)
    # Float32 tells risks apart to 2^-24 R. A risk excess of that size lies within sqrt(2 * 2^-24 R / h) of the minimum,
    # h the smallest curvature, here the weight decay; relative to the norm of the whole array.
    place = np.sqrt(2 * 2**-24 * float(run.risk_predicted) / 0.01)
    for kind, array in (("embedding", run.embeddings_predicted), ("classifier", run.classifier_predicted)):
        assert float(errors.sel(quantity=f"{kind}_distance")) < place / np.linalg.norm(array)
        assert float(errors.sel(quantity=f"{kind}_simplex_deviation")) < place
    assert float(errors.sel(quantity="classifier_norm")) < place


@pytest.mark.quick
def test_a_wrong_prediction_is_seen():
    """Training at another weight decay than predicted for must not pass for agreement."""
    right, wrong = TINY, TINY.replace(embedding_weight_decay=0.011, classifier_weight_decay=0.011)
    learned = train(right).learned.sel(quantity="embedding_norm").item()
    predicted = train(wrong.replace(n_steps=1)).predicted.sel(quantity="embedding_norm").item()
    assert abs(learned / predicted - 1) > 1e-2


def test_above_the_zero_threshold_training_shrinks_to_zero():
    run = train(TINY.replace(embedding_weight_decay=0.5, classifier_weight_decay=0.5, n_steps=500))
    assert float(run.predicted.sel(quantity="embedding_norm")) == 0.0
    assert float(run.learned.sel(quantity="embedding_norm")) < 1e-6
    assert float(run.risk_predicted) == pytest.approx(np.log(9), rel=1e-12)
    assert float(run.learned.sel(quantity="test_risk")) == pytest.approx(np.log(9), rel=1e-6)
