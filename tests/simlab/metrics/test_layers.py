"""The deep classifier as the trainer sees it, and the measures of its layers, against loops and counts."""

import itertools
from contextlib import contextmanager
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FreshExamples, Population
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.metrics import layers as layer_metrics
from simlab.networks.names import DEEP_NETWORKS
from simlab.networks.specs import DeepClassifier
from simlab.tasks.batch import weighted
from simlab.tasks.labelled_samples import LabelledTask
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.record import named_values
from simlab.training.spec import TrainingSpec
from simlab.training.trainer import count_weights, make_train, make_trainer

TASK = SentenceTask(n_concepts=3, n_words=6, sentence_length=2, n_classes="all", word_frequency="zipf")
EACH = pytest.mark.parametrize("kind", DEEP_NETWORKS)


def network_of(kind, **fields):
    return DeepClassifier(**{"kind": kind, "embedding_dim": 6, "depth": 2, "hidden_width": 5, "n_heads": 3, **fields})


@EACH
@pytest.mark.parametrize("depth", [1, 3])
def test_weights_are_counted(kind, depth):
    network = network_of(kind, depth=depth)
    build = lambda: network.build(TASK, Hyperparameters(initial_scale=1.0), dtype=jnp.float32, rngs=nnx.Rngs(0))  # noqa: E731
    weights = jax.eval_shape(lambda: nnx.state(build(), nnx.Param))
    spec = replace(spec_of(kind, Population(), "sgd"), network=network)
    assert count_weights(spec) == sum(leaf.size for leaf in jax.tree.leaves(weights))
    hidden = jax.eval_shape(lambda: build().hidden(jnp.zeros((1, 2), jnp.int32)))
    assert network.n_layers == len(hidden)
    assert network.width(TASK) >= max(layer.size for layer in hidden)


def averages(vectors, labels, weights):
    """The mean of each label's vectors, in the place of each of them."""
    return np.array([np.average(vectors[labels == one], axis=0, weights=weights[labels == one]) for one in labels])


def variance(vectors, weights):
    return weights @ np.sum(vectors**2, axis=1)


@pytest.mark.parametrize("kind", ["two-layer", "mlp", "mixer"])
def test_measures_are_their_definition(kind):
    """Every sentence by hand, with its probability, and the variances with loops in float64."""
    network = network_of(kind)
    built = network.build(TASK, Hyperparameters(initial_scale=1.0), dtype=jnp.float32, rngs=nnx.Rngs(0))
    distribution = TASK.sample(0)
    graph, params = nnx.split(built)
    measure = lambda params: network.measure(nnx.merge(graph, params), TASK, distribution)  # noqa: E731
    found = jax.jit(measure)(params)
    sentences = np.array(list(itertools.product(range(6), repeat=2)))
    mu = distribution.word_frequencies
    weights = np.prod(mu[sentences % 2], axis=1) / 9
    for layer, tokens in enumerate(built.hidden(jnp.asarray(sentences))):
        tokens = np.asarray(tokens, np.float64)
        within = between = of_words = classes_within = classes_between = 0.0
        for position in range(tokens.shape[1]):
            x = tokens[:, position] - np.average(tokens[:, position], axis=0, weights=weights)
            concepts, words = sentences[:, position] // 2, sentences[:, position]
            mean, word_mean = averages(x, concepts, weights), averages(x, words, weights)
            class_mean = averages(x, sentences // 2 @ [3, 1], weights)
            between += variance(mean, weights)
            within += variance(x - mean, weights)
            of_words += variance(word_mean - mean, weights)
            classes_between += variance(class_mean, weights)
            classes_within += variance(x - class_mean, weights)
        parts = {"concept_ratio": within, "word_ratio": of_words, "context_ratio": within - of_words}
        expected = {name: part / between if tokens.shape[1] == 2 else np.nan for name, part in parts.items()}
        expected["class_ratio"] = classes_within / classes_between
        measured = {name: getattr(found, layer_metrics.field(layer, name)) for name in layer_metrics.MEASURES}
        # Sums of 36 sentences of 6 coordinates in float32: some 200 roundings of 6e-8 in terms of order 1.
        for name, value in expected.items():
            np.testing.assert_allclose(measured[name], value, rtol=2e-5, atol=2e-5, err_msg=name)
    assert (
        np.isnan(found.layer_1_concept_ratio) if kind == "mlp" else kind != "mixer" or found.layer_1_context_ratio > 0
    )


def test_many_sentences_are_sampled_and_few_are_all(monkeypatch):
    everything = layer_metrics.measured_sentences(TASK, TASK.sample(0), 10)
    assert len(everything.inputs) == 36
    assert np.ptp(everything.weights) > 0
    monkeypatch.setattr(layer_metrics, "SENTENCES", 20)
    sampled = layer_metrics.measured_sentences(TASK, TASK.sample(0), 10)
    assert sampled.inputs.shape == (20, 2)
    monkeypatch.setattr(layer_metrics, "ENTRIES", 50)
    assert layer_metrics.measured_sentences(TASK, TASK.sample(0), 10).inputs.shape == (5, 2)
    np.testing.assert_array_equal(sampled.inputs // 2 @ np.array([3, 1]), sampled.classes)


def spec_of(kind, source, optimizer):
    return TrainingSpec(
        task=TASK, source=source, network=network_of(kind, depth=1), optimizer=optimizer, objective=CrossEntropy(),
        n_steps=100, steps_per_record=100, n_evaluation=100,
    )  # fmt: skip


def test_a_run_learns_and_records_each_layer():
    spec, rates = spec_of("mlp", FreshExamples(batch_size=32), "adam"), Hyperparameters(1e-2, 0.3, 1e-3, 1e-3)
    _, _, records = jax.jit(make_train(spec))(jax.random.key(0), TASK.sample(0), rates)
    values = named_values(records)
    assert values["test_accuracy"][-1] == 1
    # The last layer sees classes, and hardly words.
    assert values["layer_1_class_ratio"][-1] < 0.1 * values["layer_1_class_ratio"][0]


@EACH
def test_each_can_be_descended_by_lbfgs(kind):
    """L-BFGS finds the value of its line search by that name: no weight may be called so. Tracing alone tells."""
    trainer = make_trainer(spec_of(kind, Population(), "lbfgs"))
    arguments = jax.random.key(0), TASK.sample(0), Hyperparameters()
    problem, state = jax.eval_shape(trainer.begin, *arguments)
    after, _ = jax.eval_shape(trainer.segment, problem, state, arguments[2], 0)
    assert jax.tree.structure(after) == jax.tree.structure(state)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "mixr"}, r"^network: expected one of two-layer, .* got 'mixr' \(did you mean 'mixer'\?\)$"),
        ({"kind": "mixer", "embedding_dim": 2}, r"^embedding_dim: expected a whole number of at least 3, got 2$"),
        ({"kind": "transformer-pre", "n_heads": 4}, r"^n_heads: expected a divisor of embedding_dim=6, got 4$"),
        ({"kind": "mlp", "depth": 0}, r"^depth: expected a whole number of at least 1, got 0$"),
        ({"kind": "mlp", "hidden_width": 2.5}, r"^hidden_width: expected a whole number of at least 1, got 2.5$"),
    ],
)
def test_bad_sizes_are_named(fields, message):
    with pytest.raises(ValueError, match=message):
        network_of(**fields)


def test_it_reads_sentences():
    task = LabelledTask(factor_sizes=(3,), samples_per_cell=2)
    with pytest.raises(
        ValueError,
        match=r"^network: expected one that reads the examples of the task, not sentences, got 'LabelledTask'",
    ):
        network_of("mlp").check(task, Population())


@contextmanager
def seed_offset(offset):
    jax.config.update("jax_random_seed_offset", offset)
    try:
        yield
    finally:
        jax.config.update("jax_random_seed_offset", 0)


@pytest.mark.parametrize(
    "setting",
    [
        lambda: jax.default_prng_impl("rbg"),
        lambda: jax.threefry_partitionable(False),
        lambda: seed_offset(1),
    ],
    ids=["another generator", "another order of counters", "an offset of the seeds"],
)
def test_the_sentences_drawn_depend_on_no_setting(setting):
    """A task of 36^2 sentences, of which 100 are drawn."""
    task = SentenceTask(n_concepts=3, n_words=36, sentence_length=2, n_classes="all", word_frequency="zipf")
    draw = lambda: layer_metrics.measured_sentences(task, task.sample(0), width=layer_metrics.ENTRIES // 100)  # noqa: E731
    expected = weighted(task.draw(jax.random.key(layer_metrics.SEED), task.sample(0), 100))
    with setting():
        drawn = draw()
    for ours, reference in zip(jax.tree.leaves(drawn), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(ours, reference)
