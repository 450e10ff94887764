"""Sweeps of runs with two stages: rows in different stages, refilled rows, snapshots, float64 beside float32."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.sweeps.part_run import PartRun
from simlab.sweeps.program import compile_program
from simlab.sweeps.sweep import Sweep, train_members
from simlab.training.spec import Stage

PRETRAINING_STEPS, STEPS, STEPS_PER_RECORD = 4, 6, 2
PRETRAINING_SEGMENTS, SEGMENTS = PRETRAINING_STEPS // STEPS_PER_RECORD, (PRETRAINING_STEPS + STEPS) // STEPS_PER_RECORD
# Some members diverge: in the first stage, at its first record or at the second, or early or late in the second stage.
RATES = [(0.2, 0.05), (0.1, 1e60), (1e30, 0.05), (0.05, 0.1), (0.2, 1e12), (0.15, 0.07), (300.0, 0.02)]


@pytest.fixture(scope="module")
def spec(lab):
    """SGD on batches of a fixed sample, on targets of the opposite sign, then SGD on the population."""
    stage = Stage(
        objective=lab.LeastSquares(target_scale=-0.5),
        source=lab.FIXED,
        n_steps=PRETRAINING_STEPS,
        learning_rate="pretraining_rate",
    )
    return lab.make_spec(pretraining=(stage,), n_steps=STEPS, steps_per_record=STEPS_PER_RECORD)


@pytest.fixture(scope="module")
def members(lab, spec):
    rates = [lab.Hyper(learning_rate=rate, pretraining_rate=early) for rate, early in RATES]
    return [Member(spec, hyper, seed) for seed, hyper in enumerate(rates)]


@pytest.fixture(scope="module")
def alone(members):
    """Each member by itself, in a program of one row."""
    return [
        train_members([member], layouts=[Layout(1, 1, 1)], initials=True, trajectories=True)[0] for member in members
    ]


@pytest.fixture(scope="module")
def program(spec):
    """A program of three rows for all members of the part, which are refilled."""
    with jax.enable_x64(True):
        return compile_program(spec, Layout(3, len(RATES), 1))


def drive(run, until=10**9):
    """Advance a run to its end, or so many times."""
    advances = 0
    while not run.is_done and advances < until:
        run.advance()
        advances += 1
    return advances


@pytest.fixture(scope="module")
def undisturbed(program, members):
    """All members in rows that are refilled, and the number of advances that took."""
    with jax.enable_x64(True):
        run = PartRun(program, members, initials=True, trajectories=True)
        return run, drive(run)


def test_members_stop_in_every_stage(alone):
    """The sweep is as hard as it is meant to be: two diverge in the first stage, two in the second."""
    stops = [run.n_segments for run in alone if run.status == "diverged"]
    assert any(stop <= PRETRAINING_SEGMENTS for stop in stops)
    assert any(PRETRAINING_SEGMENTS < stop < SEGMENTS for stop in stops)
    assert [run.n_segments for run in alone if run.status == "finished"] == [SEGMENTS] * (len(alone) - len(stops))


def test_rows_in_different_stages_learn_what_each_member_learns_alone(alone, undisturbed):
    """Seven members in three rows, which are never all in one stage once a diverged one has made room.

    Float64 in two programs that may sum in another order: ten steps of some twenty roundings of 1.1e-16 on numbers of
    order 1. What has diverged is held against its status alone.
    """
    run, _ = undisturbed
    for index, own in enumerate(alone):
        member = run.result(index)
        assert (member.status, member.n_segments, member.first_bad_step) == (
            own.status,
            own.n_segments,
            own.first_bad_step,
        )
        if own.status == "finished":
            for name, array in own.final.items():
                np.testing.assert_allclose(member.final[name], array, rtol=0, atol=1e-12)
            for name, values in own.metrics.items():
                np.testing.assert_allclose(member.metrics[name], values, rtol=1e-12, atol=1e-14)


def test_rows_are_in_different_stages_and_results_are_the_same_while_the_host_lags(lab, program, members, undisturbed):
    """Without trajectories the host reads each report one segment late."""
    with jax.enable_x64(True):
        run, stages = PartRun(program, members, initials=True), []
        while not run.is_done:
            stages.append(tuple(run._stages()))
            run.advance()
    assert (1, 0) in stages
    for index in range(len(members)):
        lab.assert_same_bits(run.result(index), undisturbed[0].result(index)._replace(trajectory=None))


def test_no_segment_is_dispatched_in_vain(program, members):
    """The host counts segments whose report it has not read: members in step take each segment once."""
    with jax.enable_x64(True):
        run, stages = PartRun(program, [members[3], members[5]]), []
        while not run.is_done:
            if run._may_run_on():
                stages.append(run._stages())
            run.advance()
    assert stages == [[0]] * PRETRAINING_SEGMENTS + [[1]] * (SEGMENTS - PRETRAINING_SEGMENTS)


def test_the_first_stage_of_a_sweep_is_by_hand(lab, spec, members, undisturbed):
    """A member that waited for a row, from its own initial arrays: SGD by hand on the sample's batches, both stages."""
    index = 5
    run = undisturbed[0].result(index)
    early, late = numpy_batches(spec, members[index])
    by_hand = lab.NumpyRun(run.initial)
    for pairs in early:
        by_hand.sgd(by_hand.gradients(pairs, 0.01, target_scale=-0.5), RATES[index][1])
    lab.assert_weights({name: path[PRETRAINING_SEGMENTS] for name, path in run.trajectory.items()}, by_hand)
    for pairs in late:
        by_hand.sgd(by_hand.gradients(pairs, 0.01), RATES[index][0])
    lab.assert_weights(run.final, by_hand)


def numpy_batches(spec, member):
    """The examples of each step of both stages, by the plan of the source: the population in the second."""
    from simlab.training.trainer import make_trainer

    with jax.enable_x64(True):
        data = jax.tree.map(np.asarray, member.data)
        problem, _ = jax.jit(make_trainer(spec).begin)(jax.random.key(member.seed), data, member.hyperparameters)
        (sample,), source = problem.pretraining_samples, spec.pretraining[0].source
        plan = source.plan(spec.task, sample, data, problem.batch_key, np.int32(0), PRETRAINING_STEPS)
        early = [jax.tree.map(np.asarray, source.batch(sample, rows)) for rows in plan]
        return early, [jax.tree.map(np.asarray, problem.sample)] * STEPS


def test_initial_arrays_are_those_before_the_first_step_also_in_refilled_rows(alone, undisturbed):
    """The first of the trajectory, and the same for a member alone; a row's next member has others."""
    run, _ = undisturbed
    initials = [run.result(index).initial for index in range(len(alone))]
    for index, own in enumerate(alone):
        for name, array in initials[index].items():
            np.testing.assert_array_equal(array, run.result(index).trajectory[name][0])
            np.testing.assert_allclose(array, own.initial[name], rtol=0, atol=1e-15)
            assert np.abs(array - initials[index - 1][name]).min() > 0


@pytest.mark.parametrize("trajectories", [False, True])
@pytest.mark.parametrize("after", range(10))
def test_a_run_taken_up_again_in_any_stage_ends_bit_by_bit_where_an_undisturbed_one_ends(
    lab, program, members, undisturbed, after, trajectories
):
    whole, n_advances = undisturbed
    assert after <= n_advances
    with jax.enable_x64(True):
        stopped = PartRun(program, members, initials=True, trajectories=trajectories)
        drive(stopped, after)
        saved = {name: np.array(array) for name, array in stopped.snapshot().items()}
        resumed = PartRun(program, members, initials=True, trajectories=trajectories, saved=saved)
        drive(resumed)
    for index in range(len(members)):
        wanted = whole.result(index) if trajectories else whole.result(index)._replace(trajectory=None)
        lab.assert_same_bits(wanted, resumed.result(index))


def test_one_program_serves_all_rates_and_seeds(members):
    assert Sweep(members).groups == (tuple(range(len(members))),)


def test_float64_is_trained_without_the_callers_help_and_leaves_float32_its_bits(lab):
    """Groups of both kinds in one sweep; the caller has not enabled float64."""
    assert not jax.config.jax_enable_x64
    double, single = (lab.make_spec(dtype=dtype) for dtype in ("float64", "float32"))
    kinds = (single, double, single, double)
    runs = train_members([Member(each, lab.Hyper(), seed) for seed, each in enumerate(kinds)], initials=True)
    assert not jax.config.jax_enable_x64
    for run, each in zip(runs, kinds, strict=True):
        arrays = [*run.final.values(), *run.initial.values(), *run.metrics.values()]
        assert {array.dtype for array in arrays} == {np.dtype(each.dtype)}
    # Float64 is more than float32 in a wide type: no weight is a float32 number.
    weights = runs[1].final["first"]
    assert np.all(weights != weights.astype(np.float32))
    alone = train_members([Member(single, lab.Hyper(), seed) for seed in (0, 2)], initials=True)
    for beside, own in zip((runs[0], runs[2]), alone, strict=True):
        lab.assert_same_bits(beside, own)


def test_a_program_in_float64_outside_its_context_is_refused(spec):
    with pytest.raises(ValueError, match=r"^dtype: expected float32, or a call within jax.enable_x64[^\n]*$"):
        compile_program(replace(spec, precision="high"), Layout(1, 1, 1))


def test_an_untrained_network_is_measured_in_refilled_rows(lab):
    """No steps: one record, and the initial arrays are the final ones."""
    spec = lab.make_spec(n_steps=0)
    members = [Member(spec, lab.Hyper(initial_scale=scale), seed) for seed, scale in enumerate((1.0, 0.5, -2.0))]
    runs = train_members(members, layouts=[Layout(2, 3, 1)], initials=True, trajectories=True)
    for run, member in zip(runs, members, strict=True):
        assert (run.status, run.n_segments, run.first_bad_step) == ("finished", 0, 0)
        assert {len(values) for values in run.metrics.values()} == {1}
        for name, array in run.final.items():
            np.testing.assert_array_equal(array, run.initial[name])
            np.testing.assert_array_equal(array[None], run.trajectory[name])
        loss = lab.NumpyRun(run.final).loss(lab.population_of(member.seed))
        assert run.metrics["train_loss"][0] == pytest.approx(loss, rel=1e-13)
