import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from simlab.data.sources import FixedSample, Population
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.losses.cross_entropy import cross_entropy, evaluate
from simlab.networks.logits import split_heads
from simlab.networks.specs import FeatureMLP, FreeFeatures
from simlab.sweeps.members import Member
from simlab.sweeps.sweep import train_members
from simlab.tasks.labelled_samples import LabelledTask
from simlab.training.spec import TrainingSpec
from simlab.training.trainer import make_trainer

FACTORS = LabelledTask(factor_sizes=(2, 3), samples_per_cell=2)
COMMON = {
    "source": Population(),
    "network": FreeFeatures(),
    "objective": CrossEntropy(),
    "n_steps": 1,
    "steps_per_record": 1,
}


def test_labels_fill_the_cells_in_order():
    assert FACTORS.labels.tolist() == [[a, b] for a in range(2) for b in range(3) for _ in range(2)]
    assert (FACTORS.n_examples, FACTORS.n_classes, FACTORS.heads) == (12, 5, (2, 3))
    classes = LabelledTask(factor_sizes=3, samples_per_cell=(1, 3, 2))
    assert classes.labels[:, 0].tolist() == [0, 1, 1, 1, 2, 2]
    assert classes.heads is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"factor_sizes": 1}, "factor_sizes: expected a whole number of at least 2, got 1"),
        ({"factor_sizes": ()}, "factor_sizes: expected at least one factor, got ()"),
        (
            {"factor_sizes": 3, "samples_per_cell": (1, 2)},
            "samples_per_class: expected 3 numbers, or one for all, got 2",
        ),
        ({"samples_per_cell": 0}, "samples_per_class: expected a whole number of at least 1, got 0"),
        ({"input_dim": 0}, "input_dim: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_tasks_are_named(fields, message):
    with pytest.raises(ValueError, match="^" + message.replace("(", r"\(").replace(")", r"\)") + "$"):
        LabelledTask(**fields)


@pytest.mark.parametrize(
    ("task", "fields", "message"),
    [
        (FACTORS, {"source": FixedSample(n_examples=4, batch_size=2)}, "source: expected the population"),
        (FACTORS, {"network": FeatureMLP()}, "input_dim: expected the dimension of the inputs that the network reads"),
        (LabelledTask(input_dim=3), {}, "input_dim: expected None, as free features read no inputs, got 3"),
    ],
)
def test_networks_and_sources_that_do_not_fit_are_refused(task, fields, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        TrainingSpec(**({"task": task, **COMMON} | fields))


def test_the_loss_of_several_heads_is_the_sum_of_theirs():
    rng = np.random.default_rng(0)
    logits, batch = rng.normal(size=(12, 5)), FACTORS.sample(0).population()
    network = lambda inputs: split_heads(jnp.asarray(logits)[inputs], FACTORS.heads)  # noqa: E731
    terms, hits = [], []
    for row, (a, b) in zip(logits, FACTORS.labels, strict=True):
        terms.append(np.log(np.exp(row[:2]).sum()) - row[a] + np.log(np.exp(row[2:]).sum()) - row[2 + b])
        hits += [np.argmax(row[:2]) == a, np.argmax(row[2:]) == b]
    with jax.enable_x64(True):
        assert cross_entropy(network, batch) == pytest.approx(np.mean(terms), rel=1e-6)
        measured = evaluate(network, batch, FACTORS.n_classes)
    assert measured.cross_entropy == pytest.approx(np.mean(terms), rel=1e-6)
    assert measured.accuracy == pytest.approx(np.mean(hits), rel=1e-6)


def test_features_are_penalised_in_place_of_the_weights_behind_them():
    task = LabelledTask(factor_sizes=2, samples_per_cell=3, input_dim=4)
    network = FeatureMLP(embedding_dim=3, hidden_width=5, depth=1)
    objective = CrossEntropy(penalises_features=isinstance(network, FeatureMLP))
    spec = TrainingSpec(
        task=task, source=Population(), network=network, objective=objective, n_steps=1, steps_per_record=1
    )
    rates = Hyperparameters(
        learning_rate=1e-3, initial_scale=1.0, embedding_weight_decay=0.3, classifier_weight_decay=0.2
    )
    trainer = make_trainer(spec)
    problem, state = trainer.begin(jax.random.key(0), jax.tree.map(jnp.asarray, task.sample(0)), rates)
    features, classifier = (np.asarray(one, np.float64) for one in trainer.representation(problem, state).values())
    logits = features @ classifier.T
    labels = task.labels[:, 0]
    loss = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(6), labels])
    risk = loss + 0.15 * np.sum(features**2) + 0.1 * np.sum(classifier**2)
    assert trainer.record(problem, state, rates, 0).metrics.risk == pytest.approx(risk, rel=1e-5)
    # One small step of gradient descent lowers this very risk by the square of its gradient, to first order.
    moved, _ = trainer.segment(problem, state, rates, 0)
    change = jax.tree.map(lambda new, old: (new - old) / -1e-3, moved.params, state.params)
    slope = sum(float(jnp.sum(one**2)) for one in jax.tree.leaves(change))
    decrease = risk - float(trainer.record(problem, moved, rates, 1).metrics.risk)
    assert decrease == pytest.approx(1e-3 * slope, rel=0.02)
    assert nnx.to_pure_dict(change)["backbone"].keys() == {0, 1}


def test_a_member_of_a_sweep_is_the_member_alone():
    spec = TrainingSpec(
        task=FACTORS,
        source=Population(),
        network=FreeFeatures(feature_dim=4),
        objective=CrossEntropy(),
        n_steps=6,
        steps_per_record=3,
    )
    members = [Member(spec, Hyperparameters(learning_rate=0.5, initial_scale=1.0), seed) for seed in (0, 1)]
    together, alone = train_members(members), train_members(members[1:])
    np.testing.assert_allclose(together[1].final["features"], alone[0].final["features"], rtol=1e-5, atol=1e-6)
    assert np.abs(together[0].final["features"] - together[1].final["features"]).max() > 0.1
    assert together[0].metrics["embedding_norm"].shape == (3,)
