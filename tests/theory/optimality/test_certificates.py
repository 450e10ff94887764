"""Certificates: lower bounds that no network may fall below, tight at the predicted minimisers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from theory import feature_collapse
from theory.feature_collapse.latent_share import LatentShare
from theory.feature_collapse.margins.type_one import solve_type_one
from theory.feature_collapse.margins.type_two import solve_type_two
from theory.feature_collapse.zero_threshold import zero_threshold
from theory.optimality.certificates import certify, certify_layer_norm, normalise
from theory.optimality.logit_gradient import logit_gradient

# Sums over fewer than 1000 weighted sentences of terms below 10: rounding stays below this.
ROUNDING = 1e-13


def population(enumerated_task, n_concepts, length, frequencies, label_noise=0.0):
    task = enumerated_task.saturated(n_concepts, length, frequencies, label_noise)
    sentences, weights, classes = task.sentences
    return task, {"sentences": sentences, "classes": classes, "weights": weights}


def perturbed(rng, array, scale):
    return array + scale * rng.normal(size=array.shape)


TASKS = [("uniform", False), ("zipf", False), ("zipf", True)]


def known_task(enumerated_task, zipf, frequency, layer_norm, decays=(3e-3, 3e-3)):
    frequencies = zipf(2) if frequency == "zipf" else np.full(2, 0.5)
    task, sentences = population(enumerated_task, 3, 2, frequencies)
    prediction = feature_collapse.predict(
        n_words=6,
        sentence_length=2,
        n_classes="all",
        word_frequency=frequency,
        weight_decay=0.0 if layer_norm else decays[0],
        classifier_weight_decay=decays[1],
        layer_norm=layer_norm,
        embedding_dim=5,
    )
    assert prediction.is_theorem

    def certificate(embeddings, classifier, **changes):
        arguments = sentences | {"embeddings": embeddings, "classifier": classifier}
        if layer_norm:
            return certify_layer_norm(**arguments, **({"classifier_weight_decay": decays[1]} | changes))
        names = {"embedding_weight_decay": decays[0], "classifier_weight_decay": decays[1]}
        return certify(**arguments, **(names | changes))

    return prediction, (prediction.embeddings(), prediction.classifier(task.latents)), certificate


@pytest.mark.parametrize("decays", [(3e-3, 3e-3), (3e-2, 3e-4), (1e-4, 2e-2), (0.3, 0.4)])
@pytest.mark.parametrize(("frequency", "layer_norm"), TASKS)
def test_predictions_are_certified(enumerated_task, zipf, frequency, layer_norm, decays):
    prediction, network, certificate = known_task(enumerated_task, zipf, frequency, layer_norm, decays)
    result = certificate(*network)
    assert result.risk == pytest.approx(prediction.risk, abs=ROUNDING)
    assert result.lower_bound == pytest.approx(prediction.risk, abs=ROUNDING)
    assert result.gap <= ROUNDING
    if prediction.is_zero:
        assert result.excess <= 0
        assert result.sigma_max == pytest.approx(prediction.zero_threshold, rel=1e-12)
    else:
        assert abs(result.excess) < 1e-10
        assert result.theta == pytest.approx(1, abs=1e-7)
        product = decays[1] if layer_norm else decays[0] * decays[1]
        assert result.sigma_max == pytest.approx(np.sqrt(product), rel=1e-10)
    assert result.proven


@pytest.mark.parametrize(("frequency", "layer_norm"), TASKS)
def test_the_gap_covers_the_excess_risk_of_any_network(enumerated_task, zipf, frequency, layer_norm):
    prediction, network, certificate = known_task(enumerated_task, zipf, frequency, layer_norm)
    rng = np.random.default_rng(8)
    for scale in np.geomspace(1e-6, 30, 60):
        near = [perturbed(rng, array, scale) for array in network]
        rescaled = [array * np.exp(min(scale, 1) * rng.normal()) for array in network]
        far = [scale * rng.normal(size=array.shape) for array in network]
        for embeddings, classifier in (near, rescaled, far):
            result = certificate(embeddings, classifier)
            assert result.lower_bound <= prediction.risk + ROUNDING
            assert result.gap >= result.risk - prediction.risk - ROUNDING


@given(seed=st.integers(0, 2**32 - 1), log_decay=st.floats(-4, 0), log_ratio=st.floats(-2, 2), noise=st.floats(0, 0.9))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_network_falls_below_the_bound_of_another(random_problem, seed, log_decay, log_ratio, noise):
    problem, rng = random_problem(seed % 1000), np.random.default_rng(seed)
    decays = 10 ** (log_decay + log_ratio / 2), 10 ** (log_decay - log_ratio / 2)
    keywords = {"embedding_weight_decay": decays[0], "classifier_weight_decay": decays[1], "label_noise": noise}
    networks = [
        problem | {name: size * problem[name] * rng.choice([0, 1, 1]) for name in ("embeddings", "classifier")}
        for size in np.exp(rng.normal(size=4))
    ]
    results = [certify(**network, **keywords) for network in networks]
    assert max(result.lower_bound for result in results) <= min(result.risk for result in results) + ROUNDING
    with_norm = [
        certify_layer_norm(
            **(network | {"embeddings": problem["embeddings"]}), classifier_weight_decay=decays[1], label_noise=noise
        )
        for network in networks
    ]
    assert max(result.lower_bound for result in with_norm) <= min(result.risk for result in with_norm) + ROUNDING


def test_the_scaled_dual_point_beats_every_bound_by_a_radius(enumerated_task, zipf):
    prediction, network, certificate = known_task(enumerated_task, zipf, "zipf", False)
    _, sentences = population(enumerated_task, 3, 2, zipf(2))
    rng, decay = np.random.default_rng(9), 3e-3
    for scale in np.geomspace(1e-4, 3, 30):
        embeddings, classifier = (perturbed(rng, array, scale) for array in network)
        result = certificate(embeddings, classifier)
        problem = sentences | {"embeddings": embeddings, "classifier": classifier}
        tangent = result.cross_entropy - float(
            (logit_gradient(**problem) * (classifier.reshape(-1, 5) @ embeddings.T)).sum()
        )
        # lam |M*| <= min R; all that is known without solving the problem is min R <= min(R, log K).
        for radius in (np.log(9), result.risk, prediction.risk):
            by_radius = tangent - max(result.sigma_max - decay, 0) * radius / decay
            assert by_radius <= prediction.risk + ROUNDING
            assert result.lower_bound >= by_radius - ROUNDING


def test_methods_agree_in_a_certificate(random_problem):
    problem = random_problem(6)
    decays = {"embedding_weight_decay": 1e-2, "classifier_weight_decay": 3e-2}
    by_svd, *others = (
        certify(**problem, **decays, method=method, memory_limit=limit)
        for method, limit in [("svd", 2**29), ("gram", 2**29), ("lanczos", 2**29), ("lanczos", 0), ("auto", 0)]
    )
    for other in others:
        assert other.lower_bound == pytest.approx(by_svd.lower_bound, abs=1e-12)
        assert other.sigma_max == pytest.approx(by_svd.sigma_max, rel=1e-12)
    assert [by_svd.method, *(other.method for other in others)] == ["svd", "gram", "lanczos", "lanczos", "lanczos"]


@pytest.mark.parametrize(("frequency", "layer_norm"), TASKS)
def test_wrong_networks_are_refused(enumerated_task, zipf, frequency, layer_norm):
    _, (embeddings, classifier), certificate = known_task(enumerated_task, zipf, frequency, layer_norm)
    rng = np.random.default_rng(10)
    moved = certificate(perturbed(rng, embeddings, 1e-3), perturbed(rng, classifier, 1e-3))
    assert moved.gap > 1e-6
    for factor in (0.5, 0.99, 1.01, 2.0):
        assert certificate(embeddings, classifier, classifier_weight_decay=3e-3 * factor).gap > 1e-6
    assert certificate(embeddings[::-1], classifier).gap > 0.1
    assert certificate(embeddings, classifier, label_noise=0.01).gap > 1e-6


def test_saddles_are_refused(enumerated_task, zipf):
    # Zero is a critical point for every weight decay, and a minimiser from the threshold on only.
    frequencies = zipf(2)
    task, sentences = population(enumerated_task, 3, 2, frequencies)
    network = {"embeddings": np.zeros((6, 4)), "classifier": np.zeros((9, 2, 4))}
    threshold = zero_threshold(task.latents, frequencies, 3)
    for factor in (0.5, 0.999, 1.001, 2.0):
        decays = {"embedding_weight_decay": threshold * factor, "classifier_weight_decay": threshold * factor}
        result = certify(**sentences, **network, **decays)
        assert result.excess == pytest.approx(1 / factor - 1, abs=1e-12)
        assert (result.gap < ROUNDING) == (factor > 1)
    # One direction of the two that a network of three concepts needs: a minimum in d = 1, a saddle in d = 2.
    decay = 3e-3
    line = np.array([1.0, -1.0, 0.0])

    def risk(parameters):
        embeddings = parameters[:6].reshape(6, 1)
        value, *gradients = task.risk(embeddings, parameters[6:].reshape(9, 2, 1), decay, decay)
        return value, np.concatenate([gradient.ravel() for gradient in gradients])

    start = np.concatenate([np.repeat(line, 2), line[task.latents].ravel()])
    options = {"maxiter": 5000, "ftol": 0, "gtol": 1e-10}
    saddle = minimize(risk, start, jac=True, method="L-BFGS-B", options=options)
    assert np.linalg.norm(saddle.jac) < 1e-7
    embeddings, classifier = saddle.x[:6].reshape(6, 1), saddle.x[6:].reshape(9, 2, 1)
    decays = {"embedding_weight_decay": decay, "classifier_weight_decay": decay}
    result = certify(**sentences, embeddings=embeddings, classifier=classifier, **decays)
    assert result.excess > 0.1
    prediction = feature_collapse.predict(
        n_words=6, sentence_length=2, n_classes="all", word_frequency="zipf", weight_decay=decay
    )
    assert result.gap > result.risk - prediction.risk > 0.1


@pytest.mark.parametrize("label_noise", [0.05, 0.4])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_label_noise(enumerated_task, label_noise, layer_norm):
    decay, dim = 2e-3, 4
    task, sentences = population(enumerated_task, 3, 2, np.full(2, 0.5), label_noise)
    share = LatentShare(n_concepts=3, sentence_length=2, n_classes=9)
    collapse = feature_collapse.predict(
        n_words=6, sentence_length=2, n_classes="all", layer_norm=layer_norm, embedding_dim=dim
    )
    if layer_norm:
        solved = solve_type_two(share, 2, dim, decay, label_noise=label_noise)
        bound, decays = certify_layer_norm, {"classifier_weight_decay": decay}
    else:
        solved = solve_type_one(share, 2, decay, label_noise=label_noise)
        bound, decays = certify, {"embedding_weight_decay": decay, "classifier_weight_decay": decay}
    embeddings = np.repeat(collapse.frame, 2, axis=0) * solved.embedding_norms[0]
    classifier = solved.classifier_norm * collapse.frame[task.latents]
    result = bound(**sentences, embeddings=embeddings, classifier=classifier, label_noise=label_noise, **decays)
    assert result.risk == pytest.approx(solved.risk, abs=ROUNDING)
    assert abs(result.excess) < 1e-10
    assert result.gap < ROUNDING
    assert bound(**sentences, embeddings=embeddings, classifier=classifier, **decays).gap > 1e-4


@pytest.mark.parametrize(("frequency", "layer_norm"), TASKS)
def test_words_and_sentences_that_never_occur_play_no_part(enumerated_task, zipf, frequency, layer_norm):
    decay = 3e-3
    _, (embeddings, classifier), certificate = known_task(enumerated_task, zipf, frequency, layer_norm)
    _, sentences = population(enumerated_task, 3, 2, zipf(2) if frequency == "zipf" else np.full(2, 0.5))
    # Words 6 and 7 never occur; a sentence of weight 0 does not count. Unused words cost nothing under LayerNorm.
    unused = np.random.default_rng(11).normal(size=(2, 5)) if layer_norm else np.zeros((2, 5))
    more = {
        "sentences": np.vstack([sentences["sentences"], [[0, 3]]]),
        "classes": np.append(sentences["classes"], 7),
        "weights": np.append(sentences["weights"], 0.0),
        "embeddings": np.vstack([embeddings, unused]),
        "classifier": classifier,
        "classifier_weight_decay": decay,
    }
    result = certify_layer_norm(**more) if layer_norm else certify(**more, embedding_weight_decay=decay)
    assert result.gap <= ROUNDING
    assert result.lower_bound == pytest.approx(certificate(embeddings, classifier).lower_bound, abs=ROUNDING)


@pytest.mark.parametrize(("frequency", "layer_norm"), TASKS)
def test_single_precision_costs_its_rounding_only(enumerated_task, zipf, frequency, layer_norm):
    prediction, network, certificate = known_task(enumerated_task, zipf, frequency, layer_norm)
    result = certificate(*(array.astype(np.float32) for array in network))
    # Entries of size 1 to 5 rounded by 6e-8 move G by as much, relative to lam; the gap is that share of the risk.
    assert result.gap < 1e-6 * prediction.risk


def test_more_refinements_never_loosen_a_layer_norm_bound(random_problem):
    problem = random_problem(12)
    bounds = [
        certify_layer_norm(**problem, classifier_weight_decay=1e-2, refinements=count).lower_bound
        for count in (0, 5, 10, 100)
    ]
    assert all(later >= bounds[0] - ROUNDING for later in bounds)
    # The scale of the embeddings does not exist for a network with LayerNorm, and normalising twice changes nothing.
    for embeddings in (7.5 * problem["embeddings"], normalise(problem["embeddings"])):
        again = certify_layer_norm(**(problem | {"embeddings": embeddings}), classifier_weight_decay=1e-2)
        assert again.lower_bound == pytest.approx(bounds[2], abs=1e-11)


@pytest.mark.parametrize("label_noise", [0.0, 0.1])
def test_networks_sure_of_wrong_classes_get_a_finite_bound(random_problem, label_noise):
    # Logits of several thousand: the probability of the right class underflows, and theta cannot pass 1.
    problem = random_problem(18)
    problem["classifier"] = 1000 * problem["classifier"]
    decays = {"embedding_weight_decay": 1e-2, "classifier_weight_decay": 1e-2}
    for result in (
        certify(**problem, **decays, label_noise=label_noise),
        certify_layer_norm(**problem, classifier_weight_decay=1e-2, label_noise=label_noise),
    ):
        assert np.isfinite([result.lower_bound, result.gap, result.theta]).all()
        assert -10 < result.lower_bound <= np.log(5) < result.gap


def test_one_class_has_nothing_to_learn(random_problem):
    problem = random_problem(13, n_classes=1)
    zero = problem | {"embeddings": 0 * problem["embeddings"], "classifier": 0 * problem["classifier"]}
    decays = {"embedding_weight_decay": 1e-2, "classifier_weight_decay": 1e-2}
    result = certify(**zero, **decays)
    assert (result.risk, result.lower_bound, result.gap, result.relative_gap, result.sigma_max) == (0, 0, 0, 0, 0)
    assert certify(**problem, **decays).lower_bound == 0
    assert certify_layer_norm(**problem, classifier_weight_decay=1e-2).lower_bound == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentences": np.zeros((40, 3))}, r"^sentences: expected integers, got float64$"),
        ({"sentences": np.zeros((40, 2), int)}, r"^sentences: expected 3 words as in classifier, got 2$"),
        ({"sentences": np.full((40, 3), 7)}, r"^sentences: expected numbers from 0 to 6, got 7 to 7$"),
        ({"classes": np.full(40, -1)}, r"^classes: expected numbers from 0 to 4, got -1 to -1$"),
        ({"classes": np.zeros(39, int)}, r"^classes: expected 40 as in sentences, got 39$"),
        ({"weights": np.full(40, 0.05)}, r"^weights: expected non-negative numbers that sum to 1, got a sum of 2$"),
        ({"weights": np.full(39, 1 / 39)}, r"^weights: expected 40 as in sentences, got 39$"),
        ({"embeddings": np.full((7, 4), np.nan)}, r"^embeddings: expected finite numbers, got 28 that are not$"),
        ({"embeddings": np.zeros((7, 5))}, r"^classifier: expected vectors of 5 entries as in embeddings, got 4$"),
        ({"classifier": np.zeros((5, 12))}, r"^classifier: expected an array with 3 axes, none empty, got shape"),
        ({"embedding_weight_decay": 0.0}, r"^embedding_weight_decay: expected a positive finite number, got 0.0$"),
        ({"classifier_weight_decay": -1}, r"^classifier_weight_decay: expected a positive finite number, got -1$"),
        ({"label_noise": 1.0}, r"^label_noise: expected a number in \[0, 1\), got 1.0$"),
        ({"method": "qr"}, r"^method: expected one of auto, svd, gram, lanczos, got 'qr'$"),
    ],
)
def test_wrong_arguments_are_refused(random_problem, changes, message):
    arguments = random_problem(14) | {"embedding_weight_decay": 1e-3, "classifier_weight_decay": 1e-3}
    with pytest.raises(ValueError, match=message):
        certify(**(arguments | changes))


def test_other_errors(random_problem):
    problem = random_problem(15)
    rows = problem["embeddings"].copy()
    rows[2] = 0.1
    with pytest.raises(ValueError, match=r"^embeddings: expected rows with unequal entries, got row 2$"):
        certify_layer_norm(**(problem | {"embeddings": rows}), classifier_weight_decay=1e-3)
    with pytest.raises(ValueError, match=r"^embeddings: expected an array with 2 axes, got shape \(4,\)$"):
        certify_layer_norm(**(problem | {"embeddings": np.ones(4)}), classifier_weight_decay=1e-3)
