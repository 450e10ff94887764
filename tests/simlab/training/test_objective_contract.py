"""What an objective may be: losses that do not add, random ones, metrics that count, no named arrays."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from simlab.losses.objective import Objective
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.sweeps.part_run import PartRun
from simlab.sweeps.program import compile_program
from simlab.sweeps.sweep import train_members
from simlab.tasks.batch import Batch
from simlab.tasks.task import Task
from simlab.training.trainer import make_trainer

ONE_LINE = "[^\n]*$"


def contrastive_loss(mixing, first, second, inputs, targets):
    """The in-batch contrastive loss by hand: each example against the targets of all."""
    outputs = inputs @ mixing @ first @ second
    total = 0.0
    for output, target in zip(outputs, targets, strict=True):
        total += np.log(sum(np.exp(output @ other) for other in targets)) - output @ target
    return total / len(inputs)


def central_gradient(function, array, step=1e-5):
    """The gradient by central differences, entry by entry."""
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        moved = np.zeros_like(array)
        moved[place] = step
        gradient[place] = (function(array + moved) - function(array - moved)) / (2 * step)
    return gradient


def contrastive_risk(arrays, inputs, targets, decay):
    """The contrastive loss plus penalty, and the norm of its gradient by central differences."""
    mixing, first, second = (arrays[name] for name in ("mixing", "first", "second"))
    of_first = central_gradient(lambda first: contrastive_loss(mixing, first, second, inputs, targets), first)
    of_second = central_gradient(lambda second: contrastive_loss(mixing, first, second, inputs, targets), second)
    gradients = np.concatenate([(of_first + decay * first).ravel(), (of_second + decay * second).ravel()])
    penalty = decay / 2 * (np.sum(first**2) + np.sum(second**2))
    return contrastive_loss(mixing, first, second, inputs, targets) + penalty, np.linalg.norm(gradients)


@dataclass(frozen=True, kw_only=True)
class BatchTask(Task):
    """Random targets as a :class:`Batch`, the kind of examples that an additive loss has cut into chunks."""

    n_examples: int = 8

    def sample(self, seed):
        rng = np.random.default_rng(seed)
        return rng.standard_normal((self.n_examples, 3)), rng.standard_normal((self.n_examples, 2))

    def population(self, data):
        return Batch(jnp.asarray(data[0]), jnp.asarray(data[1]))


@pytest.fixture(scope="module")
def contrastive(lab):
    """The contrastive loss on a :class:`Batch`, which has classes in place of targets."""

    @dataclass(frozen=True, kw_only=True)
    class BatchContrastive(lab.Contrastive):
        def loss(self, network, batch, data, hyper, key):
            return super().loss(network, lab.Pairs(batch.inputs, batch.classes), data, hyper, key)

        def numbers_per_example(self, spec):
            return 3

        def measure(self, network, evaluations, data, hyper, *, penalty, spec):
            return {"risk": penalty + self.loss(network, evaluations["train"].batch, data, hyper, None)}

        def metrics(self, spec):
            return {"risk": super().metrics(spec)["risk"]}

    class SmallTask(BatchTask):
        n_inputs, n_outputs = 3, 2

    return lab.make_spec(
        task=SmallTask(), objective=BatchContrastive(), n_steps=2000, steps_per_record=100, until_gradient_norm=1e-2
    )


def test_a_loss_that_does_not_add_is_never_cut(lab, contrastive, monkeypatch):
    """Its gradient is that of the whole set at once, also where an additive loss would be cut into chunks of two.

    Central differences of step h: curvature terms of order h^2 = 1e-10 and roundings of 1e-15 / h = 1e-10.
    """
    monkeypatch.setattr("simlab.losses.chunks.CHUNK_ENTRIES", 6)
    monkeypatch.setattr("simlab.sweeps.program.CHUNK_ENTRIES", 6)
    decay = 0.05
    run = lab.train(contrastive, lab.Hyper(learning_rate=0.3, weight_decay=decay), initials=True)
    inputs, targets = contrastive.task.sample(0)
    for arrays, index in ((run.initial, 0), (run.final, run.n_segments)):
        risk, norm = contrastive_risk(arrays, inputs, targets, decay)
        assert run.metrics["gradient_norm"][index] == pytest.approx(norm, abs=1e-8)
        assert run.metrics["risk"][index] == pytest.approx(risk, rel=1e-12)
    assert run.status == "converged"
    assert run.metrics["gradient_norm"][run.n_segments] <= 1e-2 < run.metrics["gradient_norm"][run.n_segments - 1]


def test_cut_into_chunks_the_loss_would_be_another(contrastive):
    """The negative of the test above: halves have fewer negatives."""
    inputs, targets = contrastive.task.sample(0)
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal(shape) for shape in ((3, 3), (3, 4), (4, 2))]
    halves = [contrastive_loss(*weights, inputs[part], targets[part]) for part in (slice(4), slice(4, 8))]
    assert abs(np.mean(halves) - contrastive_loss(*weights, inputs, targets)) > 0.1


@pytest.fixture(scope="module")
def noisy_runs(lab):
    """Runs of a random loss cut into segments of 2 and of 6 steps, each for the seeds 0, 1, 0."""
    specs = [
        lab.make_spec(objective=lab.NoisyLeastSquares(), dtype="float32", steps_per_record=steps, n_evaluation=8)
        for steps in (2, 6)
    ]
    return [train_members([Member(spec, lab.Hyper(), seed) for seed in (0, 1, 0)]) for spec in specs]


def test_a_random_loss_follows_from_the_seed_and_not_from_the_segments(lab, noisy_runs):
    for runs in noisy_runs:
        lab.assert_same_bits(runs[0].final, runs[2].final)
        lab.assert_same_bits(runs[0].final, noisy_runs[0][0].final)
        assert np.abs(runs[0].final["first"] - runs[1].final["first"]).max() > 1e-2


def test_each_step_of_a_random_loss_has_a_key_of_its_own(lab):
    """SGD by hand on inputs with the noise of each step; with the noise of the first step throughout it is another."""
    spec = lab.make_spec(objective=lab.NoisyLeastSquares())
    run = lab.train(spec, initials=True)
    by_hand, repeated = lab.NumpyRun(run.initial), lab.NumpyRun(run.initial)
    inputs, targets = lab.population_of()
    with jax.enable_x64(True):
        data = jax.tree.map(jnp.asarray, spec.task.sample(0))
        problem, _ = jax.jit(make_trainer(spec).begin)(jax.random.key(0), data, lab.Hyper())
        keys = [jax.random.fold_in(problem.loss_key, number) for number in range(1, 7)]
        noise = [0.3 * np.asarray(jax.random.normal(key, inputs.shape, jnp.float64)) for key in keys]
    for step in range(6):
        by_hand.sgd(by_hand.gradients(lab.Pairs(inputs + noise[step], targets), 0.01), 0.1)
        repeated.sgd(repeated.gradients(lab.Pairs(inputs + noise[0], targets), 0.01), 0.1)
    lab.assert_weights(run.final, by_hand)
    assert np.abs(run.final["first"] - repeated.weights[0]).max() > 1e-3


def test_a_random_loss_has_no_line_search(lab):
    with pytest.raises(ValueError, match=rf"^optimizer: expected one without a line search, .* stochastic{ONE_LINE}"):
        lab.make_spec(objective=lab.NoisyLeastSquares(), optimizer="lbfgs")


def test_one_trace_serves_all_values_of_a_sweep(lab):
    """The loss is Python code that runs while JAX traces: a second sweep with other values does not run it again."""
    traces = []

    @dataclass(frozen=True, kw_only=True)
    class Traced(lab.LeastSquares):
        def loss(self, network, batch, data, hyper, key):
            traces.append(1)
            return super().loss(network, batch, data, hyper, key)

    spec = lab.make_spec(objective=Traced(), dtype="float32", n_steps=2)
    first = train_members([Member(spec, lab.Hyper(), 0), Member(spec, lab.Hyper(learning_rate=0.2), 1)])
    n_traces = len(traces)
    values = lab.Hyper(0.3, 0.2, -0.7, 0.1, 0.5, 2.0)
    second = train_members([Member(spec, values, 3), Member(spec, values._replace(first_factor=0), 4)])
    assert n_traces > 0
    assert len(traces) == n_traces
    assert len({run.last_metrics["risk"] for run in (*first, *second)}) == 4


def test_counts_and_truth_values_are_recorded_as_real_numbers(lab):
    """A record that was never taken is NaN, also of a count."""

    @dataclass(frozen=True, kw_only=True)
    class Counting(lab.LeastSquares):
        def measure(self, network, evaluations, data, hyper, *, penalty, spec):
            batch = evaluations["train"].batch
            large = jnp.sum(jnp.abs(batch.targets) > 1)
            loss = self.loss(network, batch, data, hyper, None)
            return {"risk": loss, "n_large": large, "is_small": penalty < 0}

        def metrics(self, spec):
            return dict.fromkeys(("risk", "n_large", "is_small"), super().metrics(spec)["risk"])

    run = lab.train(lab.make_spec(objective=Counting()), lab.Hyper(learning_rate=1e60))
    assert run.status == "diverged"
    taken = run.n_segments + 1
    wanted = np.sum(np.abs(lab.population_of().targets) > 1)
    np.testing.assert_array_equal(run.metrics["n_large"], [wanted] * taken + [np.nan] * (4 - taken))
    np.testing.assert_array_equal(run.metrics["is_small"], [0] * taken + [np.nan] * (4 - taken))


def test_an_objective_may_have_no_penalties_rates_or_arrays(lab):
    @dataclass(frozen=True, kw_only=True)
    class Bare(lab.LeastSquares):
        penalties, rates = Objective.penalties, Objective.rates

        def representation(self, network, data):
            return {}

    spec = lab.make_spec(objective=Bare(), n_steps=2, dtype="float32")
    program, members = compile_program(spec, Layout(1, 1, 1)), [Member(spec, lab.Hyper(), 0)]
    run = PartRun(program, members, initials=True)
    while not run.is_done:
        run.advance()
    assert run.result(0).final == run.result(0).initial == {}
    np.testing.assert_array_equal(run.result(0).metrics["risk"], run.result(0).metrics["train_loss"])
    # A snapshot knows that the member is done although there is no array of it.
    assert PartRun(program, members, saved=run.snapshot()).is_done


def test_an_optax_transformation_takes_the_place_of_a_line_search(lab):
    spec = lab.make_spec(optimizer="lbfgs", dtype="float32")
    given, named = lab.train(spec, optimizer=optax.sgd), lab.train(replace(spec, optimizer="sgd"))
    lab.assert_same_bits(given.final, named.final)
