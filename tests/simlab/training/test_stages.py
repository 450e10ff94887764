"""Runs of several stages against NumPy, and against their stages run one after the other."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from simlab.data.sources import FixedSample, FreshExamples, Population
from simlab.training.run_state import State
from simlab.training.spec import Stage
from simlab.training.trainer import make_trainer

PRETRAINING_STEPS, STEPS = 6, 4
BATCH_SIZE = 4


@pytest.fixture(scope="module")
def stage(lab):
    """Adam on targets of the opposite sign, with a learning rate of its own."""
    return Stage(
        objective=lab.LeastSquares(target_scale=-0.5),
        source=Population(),
        optimizer="adam",
        n_steps=PRETRAINING_STEPS,
        learning_rate="pretraining_rate",
    )


def run_pieces(trainer, hyper, data):
    """Return the problem, the state before the first step and after each segment, driven one by one."""
    problem, state = jax.jit(trainer.begin)(jax.random.key(0), data, hyper)
    states = [state]
    index = 0
    for segment, n_segments in zip(trainer.segments, (PRETRAINING_STEPS // 2, STEPS // 2), strict=True):
        advance = jax.jit(segment)
        for _ in range(n_segments):
            states.append(advance(problem, states[-1], hyper, index)[0])
            index += 1
    return problem, states


def test_two_stages_are_the_first_alone_then_the_second_from_its_weights_with_fresh_moments(lab, stage):
    """Both stages with Adam, so that moments carried over would show.

    All in float64; another program may sum in another order: ten steps of some twenty roundings of 1.1e-16, which
    Adam's division enlarges by less than 1e3.
    """
    hyper = lab.Hyper(learning_rate=0.03, pretraining_rate=0.1)
    both = lab.make_spec(pretraining=(stage,), optimizer="adam", n_steps=STEPS)
    first = lab.make_spec(objective=stage.objective, optimizer="adam", n_steps=PRETRAINING_STEPS)
    second = lab.make_spec(optimizer="adam", n_steps=STEPS)
    with jax.enable_x64(True):
        data = jax.tree.map(jnp.asarray, both.task.sample(0))
        _, states = run_pieces(make_trainer(both), hyper, data)
        first, second = make_trainer(first), make_trainer(second)
        problem, state = jax.jit(first.begin)(jax.random.key(0), data, hyper)
        hyper_of_first = hyper._replace(learning_rate=hyper.pretraining_rate)
        advance = jax.jit(first.segment)
        for index in range(PRETRAINING_STEPS // 2):
            state = advance(problem, state, hyper_of_first, index)[0]
        advance, carried = jax.jit(second.segment), state
        _, begun = jax.jit(second.begin)(jax.random.key(0), data, hyper)
        state = State(state.params, begun.optimizer_states)
        for index in range(STEPS // 2):
            state, carried = (advance(problem, each, hyper, index)[0] for each in (state, carried))
    for learned, wanted, with_old_moments in zip(
        *(jax.tree.leaves(each.params) for each in (states[-1], state, carried)), strict=True
    ):
        np.testing.assert_allclose(learned, wanted, rtol=0, atol=1e-11)
        assert np.abs(learned - with_old_moments).max() > 1e-3


def test_each_stage_has_its_own_objective_optimiser_schedule_and_rate(lab, stage):
    """Adam with a cosine on one target, then SGD with a warm-up on another, both by hand; steps count in the stage."""
    stage = replace(stage, schedule="cosine")
    spec = lab.make_spec(pretraining=(stage,), n_steps=STEPS, schedule="warmup-cosine", warmup_steps=1)
    run = lab.train(spec, lab.Hyper(learning_rate=0.2, pretraining_rate=0.07), initials=True, trajectories=True)
    by_hand, population = lab.NumpyRun(run.initial), lab.population_of()
    for k in range(PRETRAINING_STEPS):
        rate = 0.07 * (1 + np.cos(np.pi * k / PRETRAINING_STEPS)) / 2
        by_hand.adam(by_hand.gradients(population, 0.01, target_scale=-0.5), rate)
    lab.assert_weights({name: path[PRETRAINING_STEPS // 2] for name, path in run.trajectory.items()}, by_hand)
    for k in range(STEPS):
        rate = 0.2 if k == 0 else 0.2 * (1 + np.cos(np.pi * (k - 1) / (STEPS - 1))) / 2
        by_hand.sgd(by_hand.gradients(population, 0.01), rate)
    lab.assert_weights(run.final, by_hand)
    # Metrics are those of the main objective throughout.
    assert run.metrics["train_loss"][-1] == pytest.approx(by_hand.loss(population), rel=1e-12)
    assert len(run.metrics["risk"]) == 1 + (PRETRAINING_STEPS + STEPS) // 2


def anchored(rate):
    """Descent on the loss plus ``1/2 |w - w_0|^2``, where ``w_0`` are the weights with which the optimiser began."""

    def update(gradient, anchor, params):
        return jax.tree.map(lambda g, p, p_0: -rate * (g + p - p_0), gradient, params, anchor), anchor

    return optax.GradientTransformation(lambda params: params, update)


def test_the_optimiser_of_a_stage_begins_with_the_weights_that_the_stage_begins_with(lab, stage):
    run = lab.train(lab.make_spec(pretraining=(stage,), n_steps=STEPS), initials=True, optimizer=anchored)
    by_hand, population = lab.NumpyRun(run.initial), lab.population_of()
    for n_steps, rate, scale in ((PRETRAINING_STEPS, 0.05, -0.5), (STEPS, 0.1, 1.0)):
        anchor = by_hand.weights
        for _ in range(n_steps):
            gradients = by_hand.gradients(population, 0.01, target_scale=scale)
            pulled = [g + p - p_0 for g, p, p_0 in zip(gradients, by_hand.weights, anchor, strict=True)]
            by_hand.sgd(pulled, rate)
    lab.assert_weights(run.final, by_hand)


@pytest.mark.parametrize(
    "source",
    [FixedSample(n_examples=12, batch_size=BATCH_SIZE), FreshExamples(batch_size=BATCH_SIZE)],
    ids=lambda source: type(source).__name__,
)
def test_each_stage_sees_the_examples_of_its_own_source(lab, stage, source):
    """SGD by hand on the batches of each stage's plan; those of a step follow from its number in the whole run."""
    stage = replace(stage, source=source, optimizer="sgd")
    main = FixedSample(n_examples=10, batch_size=5)
    spec = lab.make_spec(pretraining=(stage,), source=main, n_steps=STEPS)
    hyper = lab.Hyper(learning_rate=0.2, pretraining_rate=0.07)
    with jax.enable_x64(True):
        data = jax.tree.map(jnp.asarray, spec.task.sample(0))
        problem, states = run_pieces(make_trainer(spec), hyper, data)
        early, late = (
            [jax.tree.map(np.asarray, each) for each in batches(spec, *arguments, problem)]
            for arguments in (
                (source, problem.pretraining_samples[0], 0, PRETRAINING_STEPS),
                (main, problem.sample, PRETRAINING_STEPS, STEPS),
            )
        )
    arrays = lambda state: {name: state.params[name][...] for name in ("first", "second")}  # noqa: E731
    by_hand = lab.NumpyRun(arrays(states[0]) | {"mixing": problem.untrained["mixing"][...]})
    for pairs in early:
        by_hand.sgd(by_hand.gradients(pairs, 0.01, target_scale=-0.5), 0.07)
    lab.assert_weights(arrays(states[PRETRAINING_STEPS // 2]), by_hand)
    for pairs in late:
        by_hand.sgd(by_hand.gradients(pairs, 0.01), 0.2)
    lab.assert_weights(arrays(states[-1]), by_hand)


def batches(spec, source, sample, start, n_steps, problem):
    """The examples of some steps by the plan of a source."""
    plan = source.plan(spec.task, sample, problem.data, problem.batch_key, jnp.asarray(start), n_steps)
    return [source.batch(sample, jax.tree.map(lambda leaf, k=k: leaf[k], plan)) for k in range(n_steps)]


def test_the_samples_of_two_stages_are_drawn_apart(lab, stage):
    source = FixedSample(n_examples=12, batch_size=BATCH_SIZE)
    spec = lab.make_spec(pretraining=(replace(stage, source=source),) * 2, source=source, dtype="float32")
    trainer = make_trainer(spec)
    data = jax.tree.map(np.float32, spec.task.sample(0))
    problem, _ = jax.jit(trainer.begin)(jax.random.key(0), data, lab.Hyper())
    samples = [np.asarray(sample.inputs) for sample in (problem.sample, *problem.pretraining_samples)]
    for number, sample in enumerate(samples):
        assert all(np.abs(sample - other).min() > 0 for other in samples[:number])


@dataclass(frozen=True, kw_only=True)
class PlainStage:
    """Something that is no Stage."""


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_steps": 3}, "n_steps: expected a multiple of steps_per_record=2, got 3"),
        ({"n_steps": -4}, "n_steps: expected a whole number of at least 0, got -4"),
        ({"n_steps": 4.0}, "n_steps: expected a whole number of at least 0, got 4.0"),
        ({"optimizer": "adagard"}, "optimizer: expected one of .* [(]did you mean 'adagrad'[?][)]"),
        ({"learning_rate": "pretraining"}, "learning_rate: expected one of learning_rate, pretraining_rate, "),
        ({"source": FixedSample(n_examples=2, batch_size=4)}, "batch_size: expected at most the 2 examples"),
        ({"schedule": "warmup-cosine", "warmup_steps": 6}, "warmup_steps: expected between 1 and n_steps-1=5"),
        ({"objective": 3}, "objective: expected an Objective with Hyperparameters, got 'int'"),
        ({"optimizer": "lbfgs", "source": FreshExamples(batch_size=4)}, "batch_size: expected 'all' with optimizer="),
    ],
)
def test_a_bad_stage_is_named(lab, stage, fields, message):
    with pytest.raises(ValueError, match=f"^{message}[^\n]*$"):
        lab.make_spec(pretraining=(replace(stage, **fields),))


@pytest.mark.parametrize("as_pretraining", [lambda stage: stage, lambda stage: [stage], lambda stage: (PlainStage(),)])
def test_pretraining_is_a_tuple_of_stages(lab, stage, as_pretraining):
    with pytest.raises(ValueError, match=r"^pretraining: expected a tuple of Stage, got [^\n]*$"):
        lab.make_spec(pretraining=as_pretraining(stage))


def test_a_gradient_norm_to_stop_at_needs_a_single_stage(lab, stage):
    with pytest.raises(ValueError, match=r"^until: expected a run without pretraining, got '2 stages'$"):
        lab.make_spec(pretraining=(stage,), until_gradient_norm=0.1)


def test_a_stage_without_steps_changes_nothing(lab, stage):
    """Four steps of some twenty roundings of 1.1e-16, as another program may sum in another order."""
    plain = lab.train(lab.make_spec(n_steps=STEPS))
    staged = lab.train(lab.make_spec(n_steps=STEPS, pretraining=(replace(stage, n_steps=0),)))
    for name, array in plain.final.items():
        np.testing.assert_allclose(staged.final[name], array, rtol=0, atol=1e-14)
    assert staged.n_segments == plain.n_segments == STEPS // 2


def test_pretraining_alone_ends_where_the_main_stage_would_begin(lab, stage):
    """Main stage of no steps: the pretrained network is measured."""
    run = lab.train(lab.make_spec(n_steps=0, pretraining=(stage,)), initials=True)
    by_hand = lab.NumpyRun(run.initial)
    for _ in range(PRETRAINING_STEPS):
        by_hand.adam(by_hand.gradients(lab.population_of(), 0.01, target_scale=-0.5), 0.05)
    lab.assert_weights(run.final, by_hand)
    assert run.n_segments == PRETRAINING_STEPS // 2
