from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from simlab.data.batches import random_order
from simlab.data.sources import FixedSample, FreshExamples, Population
from simlab.exact.reduced import minimise_reduced
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.losses.objective import check_hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.sweeps.program import Program, _cached_program
from simlab.sweeps.sweep import train_members
from simlab.tasks.batch import Batch, weighted
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.optimizers import named_optimizer
from simlab.training.spec import LINE_SEARCH_OPTIMIZERS, OPTIMIZERS, TrainingSpec
from simlab.training.trainer import make_train, make_trainer
from simlab.validation import check_seeds

TASK = SentenceTask(n_concepts=3, n_words=6, sentence_length=2, n_classes=7, word_frequency="zipf")
RATES = Hyperparameters(learning_rate=0.5, initial_scale=0.7, embedding_weight_decay=0.02, classifier_weight_decay=0.05)
SOURCES = (FixedSample(n_examples=35, batch_size=7), FreshExamples(batch_size=8), Population())


def make_spec(source=SOURCES[0], **fields):
    normalisation = "layer" if fields.pop("layer_norm", False) else "none"
    network = TwoLayer(embedding_dim=fields.pop("embedding_dim", 4), normalisation=normalisation)
    fields = {"n_steps": 12, "steps_per_record": 4, "n_evaluation": 50, "network": network, **fields}
    return TrainingSpec(task=TASK, source=source, objective=CrossEntropy(), **fields)


def data(seed=0):
    return jax.tree.map(jnp.asarray, TASK.sample(seed))


def train_seeds(spec, rates, seeds, **options):
    return train_members([Member(spec, rates, seed) for seed in seeds], **options)


def arrays(state):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


def same_bits(one, other):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arrays(one), arrays(other), strict=True))


def naive_step(embeddings, classifier, sentences, classes, weights, rates):
    """One step of SGD on the penalised risk, with loops, in float64; gradients written by hand."""
    grad_w, grad_u = np.zeros_like(embeddings), np.zeros_like(classifier)
    for sentence, label, weight in zip(sentences, classes, weights, strict=True):
        logits = np.array([sum(u @ embeddings[x] for u, x in zip(rows, sentence, strict=True)) for rows in classifier])
        residual = np.exp(logits - logits.max())
        residual = weight * (residual / residual.sum() - np.eye(len(classifier))[label])
        for position, word in enumerate(sentence):
            grad_w[word] += residual @ classifier[:, position]
            grad_u[:, position] += np.outer(residual, embeddings[word])
    embeddings = embeddings - rates.learning_rate * (grad_w + rates.embedding_weight_decay * embeddings)
    classifier = classifier - rates.learning_rate * (grad_u + rates.classifier_weight_decay * classifier)
    return embeddings, classifier


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_training_is_sgd_on_the_penalised_risk(source):
    """The compiled run against a loop in NumPy that is fed the same batches."""
    spec = make_spec(source)
    trainer = make_trainer(spec)
    problem, state = jax.jit(trainer.begin)(jax.random.key(0), data(), RATES)
    trained, _ = jax.jit(trainer.segment)(problem, state, RATES, 0)
    embeddings = np.asarray(state.params["embeddings"][...], np.float64)
    classifier = np.asarray(state.params["classifier"][...], np.float64)
    plan = source.plan(TASK, problem.sample, problem.data, problem.batch_key, jnp.asarray(0), 4)
    leaves, structure = jax.tree.flatten(plan)
    for entry in zip(*leaves, strict=True):
        batch = weighted(source.batch(problem.sample, jax.tree.unflatten(structure, entry)))
        embeddings, classifier = naive_step(embeddings, classifier, *map(np.asarray, batch), RATES)
    # Four steps of float32: some hundred roundings of 6e-8 on numbers of order 1.
    np.testing.assert_allclose(trained.params["embeddings"][...], embeddings, rtol=0, atol=1e-5)
    np.testing.assert_allclose(trained.params["classifier"][...], classifier, rtol=0, atol=1e-5)


def test_every_epoch_sees_each_sentence_once_in_a_new_order():
    source = FixedSample(n_examples=35, batch_size=7)
    assert source.steps_per_epoch(TASK) == 5
    sample = source.prepare(TASK, jax.random.key(0), data())
    rows = np.asarray(source.plan(TASK, sample, None, jax.random.key(1), jnp.asarray(0), 10)).reshape(2, -1)
    assert all(sorted(epoch) == list(range(35)) for epoch in rows.tolist())
    assert not np.array_equal(*rows)
    for start, n_steps in ((3, 1), (3, 4), (4, 6), (9, 1)):
        part = source.plan(TASK, sample, None, jax.random.key(1), jnp.asarray(start), n_steps)
        np.testing.assert_array_equal(part, rows.reshape(10, 7)[start : start + n_steps])


def test_fresh_sentences_are_drawn_for_as_many_steps_as_find_room():
    source = FreshExamples(batch_size=8)
    per_step = 8 * (TASK.sentence_length + 1)
    for buffer_size, n_steps, ahead in ((0, 12, 1), (per_step, 12, 1), (5 * per_step, 12, 4), (99 * per_step, 12, 12)):
        assert source.prefetch_steps(TASK, n_steps, buffer_size) == ahead
    assert source.prefetch_steps(TASK, 13, 12 * per_step) == 1
    assert source.prefetch_steps(TASK, 1000, 10**9) == 125


def test_how_far_ahead_sentences_are_drawn_changes_no_bit(monkeypatch):
    spec = make_spec(FreshExamples(batch_size=8), n_steps=12, steps_per_record=12)

    def train():
        trainer = make_trainer(spec)
        problem, state = jax.jit(trainer.begin)(jax.random.key(0), data(), RATES)
        return jax.tree.leaves(jax.jit(trainer.segment)(problem, state, RATES, 0))

    together = train()
    monkeypatch.setattr("simlab.training.trainer.ALWAYS_DRAWN", 0)
    monkeypatch.setattr("simlab.training.trainer.DRAWN_PER_WEIGHT", 0)
    for one, other in zip(together, train(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", [1, 2, 3, 35, 5000, 2**17])
def test_a_random_order_is_a_permutation(size):
    order = np.asarray(jax.jit(random_order, static_argnums=1)(jax.random.key(size), size))
    np.testing.assert_array_equal(np.sort(order), np.arange(size))


@pytest.mark.parametrize("size", [5000, 2**17])
def test_a_random_order_rises_and_falls_equally_often(size):
    """Rows that keep their order would rise. A uniform permutation rises (n-1)/2 times, with variance (n+1)/12."""
    order = np.asarray(jax.jit(random_order, static_argnums=1)(jax.random.key(1), size))
    rises = np.sum(np.diff(order) > 0)
    assert abs(rises - (size - 1) / 2) < 5 * np.sqrt((size + 1) / 12)


def test_a_random_order_brings_every_row_everywhere():
    orders = jax.vmap(lambda key: random_order(key, 5))(jax.random.split(jax.random.key(2), 5000))
    counts = np.stack([np.bincount(column, minlength=5) for column in np.asarray(orders).T])
    # Binomial(5000, 1/5): five standard errors.
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(5000 * 0.2 * 0.8)


@pytest.mark.parametrize("steps_per_record", [1, 3, 12])
def test_where_a_run_is_cut_does_not_matter(steps_per_record):
    """Segments shorter and longer than an epoch of 5 steps, and across its end: the same weights, bit by bit."""
    (whole,) = train_seeds(make_spec(), RATES, [0])
    (cut,) = train_seeds(make_spec(steps_per_record=steps_per_record), RATES, [0])
    np.testing.assert_array_equal(cut.final["embeddings"], whole.final["embeddings"])


@pytest.mark.parametrize(("n_classes", "per_class", "size"), [(7, 5, 12), (1500, 6, 5000), (10, 2, 50)])
def test_the_evaluation_set_is_spread_evenly_over_the_classes(n_classes, per_class, size):
    task = SentenceTask(n_concepts=3, n_words=6, sentence_length=8, n_classes=n_classes)
    drawn = jax.tree.map(jnp.asarray, task.sample(0))
    source = FixedSample(n_examples=per_class * n_classes, batch_size=1)
    sample = source.prepare(task, jax.random.key(0), drawn)
    batch = source.evaluation(task, sample, drawn, jax.random.key(1), size)
    counts = np.bincount(batch.classes, minlength=n_classes)
    assert counts.sum() == min(size, n_classes * per_class)
    assert counts.max() - counts.min() <= 1


def test_population_batch_has_the_whole_population():
    source = Population()
    sample = source.prepare(TASK, jax.random.key(0), data())
    assert isinstance(sample, Batch)
    assert len(sample.classes) == 7 * 4
    assert float(sample.weights.sum()) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
@pytest.mark.parametrize("layer_norm", [False, True])
def test_a_segmented_run_is_the_whole_run_bit_by_bit(source, layer_norm):
    spec = make_spec(source, layer_norm=layer_norm)
    _, whole, records = jax.jit(make_train(spec))(jax.random.key(3), data(), RATES)
    trainer = make_trainer(spec)
    problem, state = jax.jit(trainer.begin)(jax.random.key(3), data(), RATES)
    segment, record = jax.jit(trainer.segment), jax.jit(trainer.record)
    risks = [record(problem, state, RATES, 0).metrics.risk]
    for index in range(spec.n_segments):
        state, _ = segment(problem, state, RATES, index)
        risks.append(record(problem, state, RATES, index + 1).metrics.risk)
    assert same_bits(whole, state)
    # A record is a sum that the compiler may order differently inside the scan: a few roundings of 2^-24.
    np.testing.assert_allclose(records.metrics.risk, risks, rtol=8 * 2**-24)


def test_the_same_key_gives_the_same_bits_and_another_key_does_not():
    train = jax.jit(make_train(make_spec()))
    one, again, other = (train(jax.random.key(seed), data(), RATES)[1:] for seed in (1, 1, 2))
    assert same_bits(one, again)
    assert not same_bits(one, other)


def test_a_row_of_a_vmapped_run_is_the_single_run():
    train = make_train(make_spec())
    keys = jax.random.split(jax.random.key(0), 3)
    distributions = jax.tree.map(lambda *rows: jnp.stack(rows), *[data(seed) for seed in range(3)])
    rates = Hyperparameters(jnp.array([0.1, 0.5, 0.2]), jnp.array([0.1, 0.7, 0.4]), 0.02, 0.05)
    axes = Hyperparameters(0, 0, None, None)
    _, many, records = jax.jit(jax.vmap(train, (0, 0, axes)))(keys, distributions, rates)
    for row in range(3):
        own = Hyperparameters(rates[0][row], rates[1][row], 0.02, 0.05)
        _, single, own_records = jax.jit(train)(keys[row], data(row), own)
        # Batched products may sum in another order: 12 steps of a few roundings each, on numbers of order 1.
        for stacked, alone in zip(arrays(many), arrays(single), strict=True):
            np.testing.assert_allclose(stacked[row], alone, rtol=0, atol=1e-5)
        np.testing.assert_allclose(records.metrics.risk[row], own_records.metrics.risk, rtol=1e-5)


def test_new_values_do_not_recompile():
    traces = []
    train = make_train(make_spec())

    @jax.jit
    def counted(key, distribution, rates):
        traces.append(1)
        return train(key, distribution, rates)

    counted(jax.random.key(0), data(), Hyperparameters(*map(jnp.float32, RATES)))
    counted(jax.random.key(1), data(1), Hyperparameters(*map(jnp.float32, (0.2, 0.1, 0.0, 0.3))))
    assert len(traces) == 1
    assert counted._cache_size() == 1


def test_each_piece_of_a_driven_run_is_traced_once(monkeypatch):
    """Eager code and a second tracing both would count; three segments and four records must not."""
    traced = Counter()

    def counting_trainer(spec, optimizer=None):
        def count(name, function):
            def counted(*arguments):
                traced[name] += 1
                return function(*arguments)

            return counted

        pieces = make_trainer(spec, optimizer)
        counted = {name: count(name, piece) for name, piece in pieces._asdict().items() if name != "segments"}
        return pieces._replace(**counted, segments=tuple(count("segment", piece) for piece in pieces.segments))

    monkeypatch.setattr("simlab.sweeps.program.make_trainer", counting_trainer)
    _cached_program.cache_clear()
    rates = [Hyperparameters(*(factor * value for value in RATES)) for factor in (0.5, 0.7, 1.0)]
    train_members([Member(make_spec(), one, seed) for one in rates for seed in (0, 1)])
    # ``begin`` is traced once more for the shapes of what it returns.
    assert traced == {"begin": 2, "segment": 1, "record": 1, "representation": 1}


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in LINE_SEARCH_OPTIMIZERS])
def test_every_optimiser_with_a_learning_rate_moves_and_adds_no_penalty(name):
    transformation = named_optimizer(name)(0.1)
    weights = {"a": jnp.array([1.0, -2.0])}
    state = transformation.init(weights)
    # Nothing but a weight decay of the optimiser's own could make the first step depend on the weights.
    steps = [transformation.update({"a": jnp.zeros(2)}, state, {"a": scale * weights["a"]})[0] for scale in (1, 10)]
    np.testing.assert_array_equal(steps[0]["a"], steps[1]["a"])
    moved, _ = transformation.update({"a": jnp.array([0.5, -0.1])}, state, weights)
    assert moved["a"][0] < 0 < moved["a"][1]


def test_float64_training_is_float64():
    with jax.enable_x64(True):
        spec = make_spec(Population(), dtype="float64")
        trainer = make_trainer(spec)
        problem, state = trainer.begin(jax.random.key(0), data(), RATES)
        trained, _ = jax.jit(trainer.segment)(problem, state, RATES, 0)
        weights = [np.asarray(state.params[name][...]) for name in ("embeddings", "classifier")]
        for _ in range(4):
            weights = naive_step(*weights, *map(np.asarray, problem.sample), RATES)
        # Four steps of some hundred roundings of 1e-16.
        np.testing.assert_allclose(trained.params["embeddings"][...], weights[0], rtol=0, atol=1e-14)
        np.testing.assert_allclose(trained.params["classifier"][...], weights[1], rtol=0, atol=1e-14)
    (run,) = train_seeds(spec, RATES, [0])
    assert run.final["embeddings"].dtype == np.float64
    with pytest.raises(ValueError, match=r"^dtype: expected float32, or a call within jax.enable_x64"):
        Program(spec, Layout(1, 1, 1))


def test_the_population_is_measured_without_sampling_error():
    records = train_seeds(make_spec(Population()), RATES, [0])[0].metrics
    np.testing.assert_array_equal(records["test_cross_entropy"], records["train_cross_entropy"])
    np.testing.assert_array_equal(records["test_cross_entropy_error"], 0.0)
    fresh = train_seeds(make_spec(FreshExamples(batch_size=8), n_evaluation=400), RATES, [0])[0].metrics
    # Training and test are two independent samples of the same law: five standard errors of their difference.
    difference = np.abs(fresh["test_cross_entropy"] - fresh["train_cross_entropy"])
    assert np.all(difference < 5 * np.sqrt(2) * fresh["test_cross_entropy_error"])
    assert np.all(fresh["test_cross_entropy_error"] > 0)


@pytest.mark.parametrize("seeds", [[], [0, 0], [2**32]])
def test_bad_seeds_are_named(seeds):
    with pytest.raises(ValueError, match=r"^seeds: expected different whole numbers below 2\^32"):
        check_seeds(seeds)


def test_any_optax_transformation_can_be_given():
    spec = make_spec(Population())
    (momentum_free,) = train_seeds(spec, RATES, [0], optimizer=lambda rate: optax.sgd(rate, momentum=0.0))
    (plain,) = train_seeds(spec, RATES, [0])
    (with_momentum,) = train_seeds(spec, RATES, [0], optimizer=lambda rate: optax.sgd(rate, momentum=0.9))
    np.testing.assert_allclose(momentum_free.final["embeddings"], plain.final["embeddings"], atol=1e-6)
    assert not np.allclose(with_momentum.final["embeddings"], plain.final["embeddings"], atol=1e-3)


def test_a_diverged_seed_says_so():
    (run,) = train_seeds(make_spec(n_steps=400, steps_per_record=100), RATES._replace(learning_rate=1e6), [0])
    assert run.status == "diverged"


def test_seeds_do_not_depend_on_their_company():
    (alone,) = train_seeds(make_spec(), RATES, [4])
    _, together = train_seeds(make_spec(), RATES, [1, 4])
    np.testing.assert_allclose(alone.final["embeddings"], together.final["embeddings"], atol=1e-5)


def test_the_weight_decay_is_the_gradient_of_the_recorded_penalty():
    spec = make_spec(Population())
    trainer = make_trainer(spec)
    problem, state = trainer.begin(jax.random.key(0), data(), RATES)
    record = trainer.record(problem, state, RATES, 0)
    embeddings, classifier = (
        np.asarray(array, np.float64) for array in trainer.representation(problem, state).values()
    )
    expected = 0.02 / 2 * np.sum(embeddings**2) + 0.05 / 2 * np.sum(classifier**2)
    assert float(record.metrics.risk - record.metrics.train_cross_entropy) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_steps": 10}, "n_steps: expected a multiple of steps_per_record=4, got 10"),
        ({"embedding_dim": 0}, "embedding_dim: expected a whole number of at least 1, got 0"),
        ({"embedding_dim": 1, "layer_norm": True}, "embedding_dim: expected a whole number of at least 3, got 1"),
        ({"optimizer": "sdg"}, r"optimizer: expected one of .* got 'sdg' \(did you mean 'sgd'\?\)"),
        ({"precision": "hihg"}, r"precision: expected one of .* got 'hihg' \(did you mean 'high'\?\)"),
    ],
)
def test_bad_specs_are_named(fields, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_spec(**fields)


def test_a_batch_larger_than_the_sample_is_refused():
    with pytest.raises(ValueError, match="batch_size: expected at most the 35 examples of the sample, got 36"):
        make_spec(FixedSample(n_examples=35, batch_size=36))


def test_a_population_too_large_is_refused_before_training():
    task = SentenceTask(n_words=30, sentence_length=8)
    with pytest.raises(ValueError, match="population: expected 100000 sentences at most"):
        TrainingSpec(
            task=task,
            source=Population(),
            network=TwoLayer(),
            objective=CrossEntropy(),
            n_steps=1,
            steps_per_record=1,
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("initial_scale", -1.0),
        ("embedding_weight_decay", -1e-3),
        ("classifier_weight_decay", float("nan")),
    ],
)
def test_bad_hyperparameters_are_named(name, value):
    with pytest.raises(ValueError, match=f"^{name}: expected a .* finite number, got {value}$"):
        check_hyperparameters(CrossEntropy(), Hyperparameters()._replace(**{name: value}))


def test_lbfgs_reaches_the_certified_minimum():
    """On a small saturated task, uniform words: the minimum is that of the theorem, known from the reduced problem."""
    task = SentenceTask(n_words=6, sentence_length=2, n_classes="all")
    spec = TrainingSpec(
        task=task,
        source=Population(),
        network=TwoLayer(embedding_dim=4),
        objective=CrossEntropy(),
        optimizer="lbfgs",
        n_steps=60,
        steps_per_record=30,
    )
    decay = 3e-3
    rates = Hyperparameters(initial_scale=0.1, embedding_weight_decay=decay, classifier_weight_decay=decay)
    [run] = train_members([Member(spec, rates, 0)])
    minimum = minimise_reduced(Member(spec, rates, 0).data.latents, 3, 2, 4, decay)
    # float32 keeps 7 digits of the risk, of order 1; the risk is flat at its minimum.
    assert abs(run.last_metrics["risk"] - minimum.risk) < 1e-6
    assert run.status == "finished"


def test_lbfgs_needs_the_whole_training_set():
    task = SentenceTask(n_words=6, sentence_length=2, n_classes="all")
    network = {"network": TwoLayer(), "objective": CrossEntropy()}
    common = {"task": task, **network, "optimizer": "lbfgs", "n_steps": 1, "steps_per_record": 1}
    with pytest.raises(ValueError, match=r"batch_size: expected 'all' with optimizer=lbfgs.*, got 9"):
        TrainingSpec(source=FixedSample(n_examples=35, batch_size=9), **common)
    with pytest.raises(ValueError, match="batch_size: expected 'all' with optimizer=lbfgs"):
        TrainingSpec(source=FreshExamples(batch_size=9), **common)
    assert TrainingSpec(source=FixedSample(n_examples=35, batch_size="all"), **common).source.is_whole
