"""Rows of one seed share draws, training set and products, and each member learns what it learns alone."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from experiments.core.sweep import _with_parts_of
from simlab.data.sources import FixedSample, FreshExamples, Population
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.losses.reconstruction import Hyperparameters as ReconstructionRates
from simlab.losses.reconstruction import Reconstruction
from simlab.networks.specs import TwoLayer
from simlab.networks.specs.autoencoder import Autoencoder
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member
from simlab.sweeps.part_run import PartRun
from simlab.sweeps.program import Program
from simlab.sweeps.same_seed import rounded_rows
from simlab.sweeps.sweep import Sweep, train_members
from simlab.tasks.sentence_task import SentenceTask
from simlab.tasks.sparse_features import SparseFeatures
from simlab.training.spec import TrainingSpec

SEEDS = range(3)
RATES = Hyperparameters(learning_rate=0.5, initial_scale=0.7, embedding_weight_decay=0.02, classifier_weight_decay=0.05)
FIXED, FRESH = FixedSample(n_examples=40, batch_size=8), FreshExamples(batch_size=8)


def sentences(source, law="zipf", **fields):
    fields = {"n_steps": 12, "steps_per_record": 4, "n_evaluation": 30} | fields
    task = SentenceTask(n_words=6, sentence_length=2, n_classes=8, word_frequency=law)
    return TrainingSpec(task=task, source=source, network=TwoLayer(embedding_dim=4), objective=CrossEntropy(), **fields)


def features(p=0.3, n_features=30, batch_size=64, n_steps=8):
    return TrainingSpec(
        task=SparseFeatures(n_features=n_features, active_probability=p),
        source=FreshExamples(batch_size=batch_size),
        network=Autoencoder(n_hidden=3),
        objective=Reconstruction(),
        n_steps=n_steps,
        steps_per_record=4,
        n_evaluation=32,
    )


def grid(specs, rates=(0.5, 0.1)):
    """Return members cell by cell: the specifications, at these learning rates, with all seeds."""
    return [
        Member(spec, RATES._replace(learning_rate=rate), seed) for spec in specs for rate in rates for seed in SEEDS
    ]


def weights(runs):
    return np.stack([np.concatenate([array.ravel() for array in run.final.values()]) for run in runs])


@pytest.mark.quick
@pytest.mark.parametrize(("source", "same_task"), [(FIXED, True), (FRESH, True), (FRESH, False), (Population(), True)])
def test_a_member_learns_beside_others_of_its_seed_what_it_learns_alone(source, same_task):
    specs = [sentences(source)] if same_task else [sentences(source), sentences(source, "uniform")]
    members = grid(specs)
    shared = Layout(len(members), len(members), 1, 1, True, len(members) // 3, same_task)
    sweep = Sweep(members)
    parts = [[sweep.members[i].seed for i in part.members] for part in sweep.parts([shared])]
    assert parts == [sorted(member.seed for member in members)]
    together, alone = (train_members(members, layouts=[layout]) for layout in (shared, Layout(1, 1, 1)))
    # Twelve steps of float32; products of several members may sum in another order.
    np.testing.assert_allclose(weights(together), weights(alone), rtol=0, atol=1e-5)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.metrics["risk"], other.metrics["risk"], rtol=1e-5)


def test_numbers_are_drawn_once_for_the_members_of_a_seed():
    """The draws of a step, one step at a time, have no axis of members; those of members of several seeds have one."""
    members = [Member(features(p), ReconstructionRates(0.01, 1.0), 0) for p in (0.3, 0.2, 0.1, 0.05)]

    def largest_draw(layout):
        piece = Program(members[0].spec.compile_key, layout)._piece("segment")
        return max(_sizes(jax.make_jaxpr(piece.function)(*piece.shapes).jaxpr, "random_bits"))

    assert largest_draw(Layout(4, 4, 1)) == 4 * 64 * 30
    assert largest_draw(Layout(4, 4, 1, 1, True, 4)) == 64 * 30


def _sizes(jaxpr, primitive):
    """Yield the sizes of the results of a primitive in a program and in the programs that it calls."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == primitive:
            yield equation.outvars[0].aval.size
        for value in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "jaxpr")):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from _sizes(inner, primitive)


def test_examples_drawn_a_step_ahead_are_those_of_the_step():
    """Examples are carried from step to step within a segment; each segment of one step begins with a draw."""
    spec = features()
    rates = ReconstructionRates(learning_rate=0.01, initial_scale=1.0)
    whole, steps = (train_members([Member(one, rates, 0)])[0] for one in (spec, replace(spec, steps_per_record=1)))
    # Two programs: float32 rounding over eight steps.
    np.testing.assert_allclose(whole.final["weights"], steps.final["weights"], rtol=0, atol=1e-5)


@pytest.mark.quick
def test_a_diverged_member_does_not_stop_the_others_of_its_seed():
    spec = sentences(FRESH)
    members = grid([spec], rates=(0.5, 1e30, 0.1))
    layout = Layout(9, 9, 1, 1, True, 3, True)
    together = train_members(members, layouts=[layout])
    assert [run.status for run in together] == 3 * ["finished"] + 3 * ["diverged"] + 3 * ["finished"]
    alone = train_members(members, layouts=[Layout(1, 1, 1)])
    finished = [0, 1, 2, 6, 7, 8]
    np.testing.assert_allclose(weights(together)[finished], weights(alone)[finished], rtol=0, atol=1e-5)
    assert [run.first_bad_step for run in together] == [run.first_bad_step for run in alone]


def test_a_part_is_resumed_to_the_bit_with_rows_to_spare_and_a_diverged_member():
    spec = sentences(FRESH)
    members = [Member(spec, RATES._replace(learning_rate=rate), seed) for seed in (4, 7) for rate in (0.5, 1e30)]
    program = Program(spec.compile_key, Layout(6, 4, 1, 1, True, 2, True))
    undisturbed, stopped = PartRun(program, members), PartRun(program, members)
    stopped.advance()
    stopped.advance()
    resumed = PartRun(program, members, saved=stopped.snapshot())
    for run in (undisturbed, resumed):
        while not run.is_done:
            run.advance()
    for index in range(4):
        pair = (jax.tree.leaves(run.result(index)) for run in (undisturbed, resumed))
        for one, other in zip(*pair, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.quick
def test_layouts_keep_members_of_a_seed_together_where_rows_allow_it(monkeypatch):
    monkeypatch.setattr("simlab.sweeps.sweep.local_devices", lambda: [None, None])
    spec = sentences(Population())
    layout = lambda members, **options: Sweep(members).choose_layouts(chunk=len(members), **options)[0]  # noqa: E731
    assert layout(grid([spec], rates=(0.5, 0.4, 0.3, 0.2))) == Layout(12, 12, 2, 1, True, 2, True)
    other = sentences(Population(), "uniform")
    assert layout(grid([spec, other])) == Layout(12, 12, 2, 1, True, 2, False)
    # One cell; seeds with different numbers of cells; a row too many in four.
    assert layout(grid([spec], rates=(0.5,))).same_seed == 1
    assert layout(grid([spec])[:-1]).same_seed == 1
    assert layout([member for member in grid([spec], rates=(0.5, 0.4, 0.3)) if member.seed == 0]).same_seed == 1
    # Members that may stop early leave their rows to others.
    waiting = sentences(Population(), until_gradient_norm=1e-3)
    assert layout(grid([waiting], rates=(0.5, 0.4, 0.3, 0.2))).same_seed == 1
    assert [rounded_rows(9, 4, at_most) for at_most in (12, 11)] == [12, 8]


@pytest.mark.quick
def test_rows_that_memory_does_not_hold_are_not_added_to_complete_a_seed(monkeypatch):
    """129 members on eight devices: 18 rows of three cells each, where memory holds 17."""

    class Compiled:
        def __init__(self, layout):
            self.rows = layout.rows // layout.member_shards

        def start_compiling(self):
            pass

        def bytes_needed(self):
            return 100 * self.rows

    monkeypatch.setattr(Sweep, "program", lambda self, group, layout: Compiled(layout))
    members = [
        Member(sentences(Population()), RATES._replace(learning_rate=rate), seed)
        for rate in (0.1, 0.2, 0.3)
        for seed in range(43)
    ]
    for free, rows in ((1800, 18), (1750, 17)):
        monkeypatch.setattr("simlab.sweeps.sweep.free_memory", lambda free=free: 8 * free)
        (layout,) = Sweep(members).choose_layouts()
        assert (layout.rows, layout.same_seed) == (8 * rows, 3 if rows == 18 else 1)


@pytest.mark.quick
def test_rows_of_a_seed_are_not_reused_for_other_seeds():
    with pytest.raises(ValueError, match=r"^same_seed: expected 1 in a part with more members than rows, got 2"):
        Program(sentences(Population()).compile_key, Layout(2, 4, 1, 1, True, 2))


@pytest.mark.quick
def test_a_layout_for_other_devices_keeps_the_order_of_parts():
    shared, plain = Layout(8, 8, 2, 1, True, 4, True), Layout(8, 8, 2)
    assert _with_parts_of(shared, shared._replace(member_shards=1)) == shared._replace(member_shards=1)
    assert _with_parts_of(plain, shared) == plain
    assert _with_parts_of(shared, plain) == plain._replace(by_seed=True)
    # More members in a part than rows now: rows are reused.
    assert _with_parts_of(shared, shared._replace(rows=4, part=4)) == Layout(4, 8, 2, 1, True)
