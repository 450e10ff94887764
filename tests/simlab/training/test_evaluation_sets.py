"""The sets on which a network is measured: their keys, their names, and what is a sample."""

from dataclasses import dataclass

import jax
import numpy as np
import pytest

from simlab.data.sources import FixedSample, FreshExamples, Population
from simlab.tasks.task import Task
from simlab.training.trainer import make_trainer

SIZE = 20
SOURCES = (FixedSample(n_examples=12, batch_size=4), FreshExamples(batch_size=4), Population())


def drawn_sets(lab, spec, index):
    """The evaluation sets of a record as the contract says: one key each, split from that of the record."""
    data = jax.tree.map(np.float32, spec.task.sample(0))
    key = jax.random.split(jax.random.key(0), 4)[3]
    keys = jax.random.split(jax.random.fold_in(key, index), 1 + len(spec.task.evaluations))
    return {
        name: spec.task.draw_evaluation(name, key, data, SIZE)
        for name, key in zip(spec.task.evaluations, keys[1:], strict=True)
    }


@pytest.fixture(scope="module", params=SOURCES, ids=lambda source: type(source).__name__)
def measured(lab, request):
    """A specification for each source, and a run with two records."""
    spec = lab.make_spec(source=request.param, dtype="float32", n_steps=2, n_evaluation=SIZE)
    return spec, lab.train(spec)


def test_each_set_is_drawn_with_its_own_key_and_reaches_measure_under_its_name(lab, measured):
    spec, run = measured
    for index in range(2):
        sets = drawn_sets(lab, spec, index)
        # Means of 60 numbers in float32, some of order 10: 60 roundings of 6e-8 at most.
        shifted = np.mean(np.asarray(sets["shifted"].inputs, np.float64))
        assert run.metrics["shifted_mean"][index] == pytest.approx(shifted, rel=4e-6)
        test = lab.population_of() if spec.source.is_population else sets["test"]
        test_mean = np.mean(np.asarray(test.inputs, np.float64))
        assert run.metrics["test_mean"][index] == pytest.approx(test_mean, abs=4e-6)
        assert shifted - 10 != pytest.approx(test_mean, abs=1e-2)
    # Every record has new draws.
    assert run.metrics["shifted_mean"][0] != run.metrics["shifted_mean"][1]


def test_the_shifted_set_is_shifted(measured):
    """Inputs of mean 10: the mean of 60 normal numbers within five standard errors."""
    assert np.abs(measured[1].metrics["shifted_mean"] - 10).max() < 5 / np.sqrt(3 * SIZE)


def test_losses_of_all_sets_are_those_of_the_weights(lab):
    """Fresh draws of an untrained network, each loss by hand."""
    spec = lab.make_spec(source=FreshExamples(batch_size=4), dtype="float32", n_steps=0, n_evaluation=SIZE)
    run = lab.train(spec)
    by_hand = lab.NumpyRun(run.final)
    for name, pairs in drawn_sets(lab, spec, 0).items():
        pairs = lab.Pairs(*(np.asarray(array, np.float64) for array in pairs))
        # Float32: some fifty roundings of 6e-8 of squares.
        assert run.metrics[f"{name}_loss"][0] == pytest.approx(by_hand.loss(pairs), rel=1e-5)


def test_the_population_is_its_own_test_set_but_not_the_shifted_one(measured):
    spec, run = measured
    assert run.metrics["test_is_sample"][0] == (not spec.source.is_population)
    assert run.metrics["shifted_is_sample"][0] == 1
    assert (run.metrics["test_loss"][0] == run.metrics["train_loss"][0]) == spec.source.is_population


@dataclass(frozen=True, kw_only=True)
class Enumerated(Task):
    """A task with a population and nothing to draw from."""

    n_examples: int = 4

    def sample(self, seed):
        return np.ones(4)

    def population(self, data):
        return data


@dataclass(frozen=True, kw_only=True)
class EnumeratedWithShift(Enumerated):
    evaluations = ("test", "shifted")


def test_a_set_that_nothing_draws_is_refused_with_its_name(lab):
    Population().check(Enumerated())
    with pytest.raises(
        ValueError, match=r"^task: expected one with a method draw or .* set 'shifted', got 'Enumer\w+'$"
    ):
        Population().check(EnumeratedWithShift())


def test_no_set_may_take_the_place_of_the_training_set(lab):
    class Confusing(lab.Regression):
        evaluations = ("test", "train")

    with pytest.raises(ValueError, match=r"^evaluations: expected names other than 'train'[^\n]*$"):
        lab.make_spec(task=Confusing())


def test_the_training_set_is_measured_as_it_was_drawn(lab):
    """The fixed sample of the trainer, loss by hand; in float32, with which ``begin`` can be called outright."""
    spec = lab.make_spec(source=lab.FIXED, dtype="float32", n_steps=0)
    run = lab.train(spec)
    sample = make_trainer(spec).sample(jax.random.key(0), jax.tree.map(np.float32, spec.task.sample(0)))
    sample = lab.Pairs(*(np.asarray(array, np.float64) for array in sample))
    assert run.metrics["train_loss"][0] == pytest.approx(lab.NumpyRun(run.final).loss(sample), rel=1e-5)
