"""Networks trained here, on data with and without structure, are certified as global minimisers."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from theory.optimality.certificates import certify, certify_layer_norm, normalise
from theory.optimality.logit_gradient import logit_gradient
from theory.optimality.sentence_logits import score_sentences


def train(problem, decays, label_noise, layer_norm, steps):
    """Minimise the risk by L-BFGS from the problem's own embeddings and classifier, with G from its definition."""
    shapes = problem["embeddings"].shape, problem["classifier"].shape
    split = int(np.prod(shapes[0]))

    def risk(parameters):
        embeddings, classifier = parameters[:split].reshape(shapes[0]), parameters[split:].reshape(shapes[1])
        vectors = normalise(embeddings) if layer_norm else embeddings
        current = problem | {"embeddings": vectors, "classifier": classifier}
        gradient = logit_gradient(**current, label_noise=label_noise)
        value = score_sentences(**current, label_noise=label_noise).cross_entropy
        by_vectors = gradient.T @ classifier.reshape(-1, shapes[0][1])
        by_classifier = (gradient @ vectors).reshape(shapes[1]) + decays[1] * classifier
        if layer_norm:
            spread = embeddings.std(axis=1, keepdims=True)
            along = (by_vectors * vectors).mean(axis=1, keepdims=True)
            by_vectors = (by_vectors - by_vectors.mean(axis=1, keepdims=True) - along * vectors) / spread
        penalty = 0.5 * (decays[0] * (embeddings**2).sum() + decays[1] * (classifier**2).sum())
        by_embeddings = by_vectors + decays[0] * embeddings
        return value + penalty, np.concatenate([by_embeddings.ravel(), by_classifier.ravel()])

    start = np.concatenate([problem["embeddings"].ravel(), problem["classifier"].ravel()])
    options = {"maxiter": steps, "maxfun": 3 * steps, "ftol": 0, "gtol": 1e-11, "maxcor": 40}
    minimiser = minimize(risk, start, jac=True, method="L-BFGS-B", options=options).x
    return {"embeddings": minimiser[:split].reshape(shapes[0]), "classifier": minimiser[split:].reshape(shapes[1])}


@pytest.mark.parametrize("label_noise", [0.0, 0.2])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_training_on_unstructured_data_is_certified(random_problem, label_noise, layer_norm):
    problem = random_problem(16, dim=9)
    decays = (0.0, 2e-2) if layer_norm else (1e-2, 4e-2)
    keywords = {"classifier_weight_decay": decays[1], "label_noise": label_noise}
    if not layer_norm:
        keywords["embedding_weight_decay"] = decays[0]
    bound = certify_layer_norm if layer_norm else certify
    early, late = (problem | train(problem, decays, label_noise, layer_norm, steps) for steps in (15, 3000))
    rough, polished = bound(**early, **keywords), bound(**late, **keywords)
    # L-BFGS leaves a gradient of about 1e-9 and, where the minimiser has full rank, an error of G of the same order.
    assert polished.gap < 1e-7
    assert abs(polished.excess) < 1e-5
    # The bound of the polished network is one for every other: it tells the true excess risk of the rough one.
    assert polished.gap < rough.risk - polished.lower_bound < rough.gap
    rounded = {name: late[name].astype(np.float32) for name in ("embeddings", "classifier")}
    assert bound(**(late | rounded), **keywords).gap < 1e-4 * polished.risk


@pytest.mark.parametrize("layer_norm", [False, True])
def test_words_of_a_concept_collapse_for_any_latents(enumerated_task, zipf, layer_norm):
    # The reduced problem has one word per concept. Without LayerNorm and with equal words, s_c of them pay s_c |w|^2.
    rng, n_words, decays = np.random.default_rng(17), 2, (2e-3, 8e-3)
    latents = np.array(list(itertools.product(range(3), repeat=3)))[rng.choice(27, 7, replace=False)]
    frequencies = zipf(n_words) if layer_norm else np.full(n_words, 1 / n_words)
    reduced = {
        "sentences": latents,
        "classes": np.arange(7),
        "weights": None,
        "embeddings": rng.normal(size=(3, 5)),
        "classifier": rng.normal(size=(7, 3, 5)),
    }
    minimiser = train(reduced, (0.0 if layer_norm else n_words * decays[0], decays[1]), 0.0, layer_norm, 3000)
    sentences, weights, classes = enumerated_task(latents, frequencies, 3).sentences
    lifted = {
        "sentences": sentences,
        "weights": weights,
        "classes": classes,
        "embeddings": np.repeat(minimiser["embeddings"], n_words, axis=0),
        "classifier": minimiser["classifier"],
        "classifier_weight_decay": decays[1],
    }
    full = certify_layer_norm(**lifted) if layer_norm else certify(**lifted, embedding_weight_decay=decays[0])
    # As above: what L-BFGS leaves.
    assert full.gap < 1e-7
    assert abs(full.excess) < 1e-5
