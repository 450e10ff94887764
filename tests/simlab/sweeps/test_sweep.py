"""Sweeps in memory: what a member learns depends on nothing but itself, however the sweep is laid out."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from simlab.data.sources import FixedSample, FreshExamples, Population
from simlab.losses.chunks import CHUNK_ENTRIES
from simlab.losses.classification import CrossEntropy, Hyperparameters
from simlab.networks.specs import TwoLayer
from simlab.runtime.devices import make_mesh
from simlab.storage.store import MemoryStore
from simlab.sweeps.layout import Layout
from simlab.sweeps.members import Member, stack_inputs
from simlab.sweeps.part_run import PartRun
from simlab.sweeps.program import Program, _cached_program, compile_program
from simlab.sweeps.row_blocks import members_side_by_side
from simlab.sweeps.sweep import REFILLS, Sweep, train_members
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec
from simlab.training.trainer import count_weights

RATES = Hyperparameters(learning_rate=0.5, initial_scale=0.7, embedding_weight_decay=0.02, classifier_weight_decay=0.05)
FIXED = FixedSample(n_examples=40, batch_size=8)


def make_spec(source=FIXED, n_classes=8, word_frequency="zipf", **fields):
    task = SentenceTask(n_words=6, sentence_length=2, n_classes=n_classes, word_frequency=word_frequency)
    network = TwoLayer(embedding_dim=fields.pop("embedding_dim", 4))
    fields = {"n_steps": 12, "steps_per_record": 4, "n_evaluation": 30, "network": network, **fields}
    return TrainingSpec(task=task, source=source, objective=CrossEntropy(), **fields)


def members_of(spec, count, **rates):
    return [Member(spec, RATES._replace(**rates), seed) for seed in range(count)]


def weights(runs):
    return np.stack(
        [np.concatenate([run.final["embeddings"].ravel(), run.final["classifier"].ravel()]) for run in runs]
    )


def test_members_that_differ_in_data_alone_share_one_program():
    laws = [make_spec(word_frequency=law) for law in ("uniform", "zipf", "zipf:2")]
    wide = make_spec(embedding_dim=5)
    sweep = Sweep([Member(spec, RATES._replace(learning_rate=rate), 0) for spec in laws for rate in (0.1, 0.2)]
                  + [Member(wide, RATES, 0)])  # fmt: skip
    assert sweep.groups == ((0, 1, 2, 3, 4, 5), (6,))


def test_members_without_noise_run_beside_noisy_ones_and_learn_what_they_learn_alone():
    clean, wide = make_spec(Population()), make_spec(Population(), embedding_dim=5)
    noisy = replace(clean, task=replace(clean.task, word_noise=0.3))
    members = [Member(spec, RATES, seed) for spec in (clean, noisy) for seed in range(2)]
    sweep = Sweep([*members, Member(wide, RATES, 0)])
    assert sweep.groups == ((0, 1, 2, 3), (4,))
    assert sweep.specs == (noisy.compile_key, wide.compile_key)
    beside, alone = train_members(members)[:2], train_members(members[:2])
    np.testing.assert_allclose(weights(beside), weights(alone), rtol=0, atol=1e-5)
    for one, other in zip(beside, alone, strict=True):
        np.testing.assert_allclose(one.metrics["test_cross_entropy"], other.metrics["test_cross_entropy"], rtol=1e-5)


def test_members_that_search_along_lines_take_turns_and_stop_alone():
    spec = make_spec(Population(), optimizer="lbfgs", n_steps=60, until_gradient_norm=1e-4)
    members = members_of(spec, 6)
    together = train_members(members, layouts=[Layout(4, 6, 2)])
    alone = [train_members([member])[0] for member in members]
    assert {run.status for run in together} == {"converged"}
    assert len({run.n_segments for run in together}) > 1
    for one, other in zip(together, alone, strict=True):
        # Two programs round differently, and a search may stop elsewhere; the minimum is the same to its gradient.
        assert one.last_metrics["risk"] == pytest.approx(other.last_metrics["risk"], abs=1e-6)
        assert one.last_metrics["gradient_norm"] <= 1e-4


@pytest.mark.parametrize("source", [FIXED, FreshExamples(batch_size=8), Population()], ids=lambda s: type(s).__name__)
def test_a_sweep_gives_each_member_what_it_learns_alone(source):
    spec = make_spec(source)
    members = members_of(spec, 5) + members_of(make_spec(source, word_frequency="uniform"), 2, learning_rate=0.1)
    together = weights(train_members(members))
    alone = weights([train_members([member])[0] for member in members])
    # Twelve steps of float32; batched products may sum in another order.
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
    assert np.abs(together[0] - together[5]).max() > 1e-2


@pytest.mark.parametrize(
    "layout", [Layout(1, 1, 1), Layout(2, 2, 1), Layout(4, 4, 2), Layout(8, 5, 8), Layout(8, 5, 4)]
)
def test_layouts_agree_to_rounding_and_each_with_itself_to_the_bit(layout):
    members = members_of(make_spec(), 5)
    runs = [weights(train_members(members, layouts=[layout])) for _ in range(2)]
    np.testing.assert_array_equal(*runs)
    reference = weights(train_members(members, layouts=[Layout(5, 5, 1)]))
    np.testing.assert_allclose(runs[0], reference, rtol=0, atol=1e-5)


@pytest.mark.parametrize("layout", [Layout(1, 1, 1, 8), Layout(4, 3, 2, 4), Layout(3, 3, 1, 2)])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_classes_split_over_devices_give_the_numbers_of_one_device(layout, optimizer):
    members = members_of(make_spec(optimizer=optimizer), 3, learning_rate=0.05)
    split, whole = (train_members(members, layouts=[one]) for one in (layout, Layout(3, 3, 1)))
    # Adam divides by the root of a second moment and so enlarges the rounding of the smallest gradients.
    np.testing.assert_allclose(weights(split), weights(whole), rtol=0, atol=1e-5 if optimizer == "sgd" else 1e-3)
    for one, other in zip(split, whole, strict=True):
        np.testing.assert_allclose(one.metrics["risk"], other.metrics["risk"], rtol=1e-5)


@pytest.mark.parametrize("layout", [Layout(4, 4, 2), Layout(4, 3, 2, 4)])
def test_large_members_take_turns_on_a_cpu_and_learn_the_same(layout, monkeypatch):
    members = members_of(make_spec(), 3)
    side_by_side = train_members(members, layouts=[Layout(3, 3, 1)])
    size = count_weights(members[0].spec)
    assert size == side_by_side[0].final["embeddings"].size + side_by_side[0].final["classifier"].size
    monkeypatch.setattr("simlab.sweeps.row_blocks.CACHED_WEIGHTS", size - 1)
    _cached_program.cache_clear()
    in_turn = train_members(members, layouts=[layout])
    _cached_program.cache_clear()
    np.testing.assert_allclose(weights(in_turn), weights(side_by_side), rtol=0, atol=1e-5)


@pytest.mark.parametrize("rows", [4, 5, 7])
def test_blocks_of_members_learn_what_each_learns_alone(rows, monkeypatch):
    """Blocks of two and three; of five and of seven members the last block begins within the one before."""
    monkeypatch.setattr("simlab.sweeps.row_blocks.LARGEST_BLOCK", 3)
    members = [*members_of(make_spec(), rows - 1), Member(make_spec(), RATES._replace(learning_rate=1e30), rows)]
    _cached_program.cache_clear()
    in_blocks = train_members(members, layouts=[Layout(rows, rows, 1)])
    alone = train_members(members, layouts=[Layout(1, 1, 1)])
    _cached_program.cache_clear()
    np.testing.assert_allclose(weights(in_blocks[:-1]), weights(alone[:-1]), rtol=0, atol=1e-5)
    for one, other in zip(in_blocks, alone, strict=True):
        assert (one.status, one.first_bad_step, one.n_segments) == (
            other.status,
            other.first_bad_step,
            other.n_segments,
        )
        np.testing.assert_allclose(one.metrics["test_cross_entropy"], other.metrics["test_cross_entropy"], rtol=1e-4)
    assert [run.status for run in in_blocks] == ["finished"] * (rows - 1) + ["diverged"]


def test_split_classes_are_never_gathered():
    """The classifier and the logits stay where they are: the devices exchange sums over classes alone."""
    program = Program(make_spec(n_classes=8), Layout(2, 2, 2, 4))
    text = program.segment.as_text()
    assert "all-reduce" in text
    assert "all-gather(" not in text
    inputs = program.put(stack_inputs(members_of(make_spec(), 2)), np.ones(2, bool))
    _, rows = program.begin(*inputs)
    shapes = {shard.data.shape for shard in rows.state.params["classifier"][...].addressable_shards}
    assert shapes == {(1, 2, 2, 4)}


def test_classes_that_cannot_be_split_are_refused():
    with pytest.raises(ValueError, match=r"^class_shards: expected a divisor of n_classes=8, got 3$"):
        Program(make_spec(), Layout(1, 1, 1, 3))
    with pytest.raises(ValueError, match=r"^devices: expected at least 4 x 4 \(members x classes\), got 8$"):
        make_mesh(4, 4)


def test_a_member_that_diverges_stops_alone():
    spec = make_spec(n_steps=400, steps_per_record=40)
    members = [*members_of(spec, 2), Member(spec, RATES._replace(learning_rate=1e6), 2), *members_of(spec, 1)]
    runs = train_members(members)
    assert [run.status for run in runs] == ["finished", "finished", "diverged", "finished"]
    diverged = runs[2]
    assert diverged.n_segments < 10
    assert np.isnan(diverged.metrics["embedding_norm"][diverged.n_segments + 1 :]).all()
    np.testing.assert_array_equal(weights([runs[0]]), weights([runs[3]]))
    assert all(run.first_bad_step == 0 and run.n_segments == 10 for run in (runs[0], runs[1], runs[3]))


def test_the_first_bad_step_is_where_a_loop_sees_it():
    """Steps of one record each: the first non-finite loss is at the step after the last finite record's network."""
    spec = make_spec(n_steps=40, steps_per_record=1)
    (stepwise,) = train_members([Member(spec, RATES._replace(learning_rate=1e4), 0)])
    (coarse,) = train_members(
        [Member(make_spec(n_steps=40, steps_per_record=40), RATES._replace(learning_rate=1e4), 0)]
    )
    assert stepwise.status == coarse.status == "diverged"
    finite = np.flatnonzero(np.isfinite(stepwise.metrics["risk"]))
    # The weights after step n made a risk that is not finite; a batch shows it at step n + 1 or soon after.
    assert stepwise.first_bad_step == finite[-1] + 1
    assert finite[-1] + 1 <= coarse.first_bad_step <= finite[-1] + 6


UNTIL = {"n_steps": 6000, "steps_per_record": 50, "until_gradient_norm": 1e-3}


def test_members_stop_when_their_gradient_is_small_and_others_take_their_rows():
    spec = make_spec(Population(), **UNTIL)
    members = [Member(spec, RATES._replace(learning_rate=0.1 * (1 + i)), i) for i in range(7)]
    runs = train_members(members, layouts=[Layout(2, 7, 1)])
    alone = [train_members([member], layouts=[Layout(1, 1, 1)])[0] for member in members]
    assert {run.status for run in runs} == {"converged"}
    assert len({run.n_segments for run in runs}) > 2
    for run, single in zip(runs, alone, strict=True):
        assert run.last_metrics["gradient_norm"] <= 1e-3 < run.metrics["gradient_norm"][run.n_segments - 1]
        # Rounding may push a gradient over the threshold one record earlier or later.
        assert abs(run.n_segments - single.n_segments) <= 1
    np.testing.assert_allclose(weights(runs), weights(alone), rtol=0, atol=1e-3)


def test_the_recorded_gradient_is_that_of_the_training_risk():
    """Against central differences of the recorded risk, in float64 and over a sample larger than one chunk."""
    with jax.enable_x64(True):
        spec = make_spec(FixedSample(n_examples=560, batch_size=8), dtype="float64", until_gradient_norm=1e-9,
                         n_evaluation=560)  # fmt: skip
        trainer = Program(spec, Layout(1, 1, 1))._trainer
        inputs = jax.tree.map(lambda array: array[0], stack_inputs(members_of(spec, 1)))
        problem, state = trainer.begin(jax.random.key(0), inputs.data, inputs.hyperparameters)
        record = jax.jit(lambda state: trainer.record(problem, state, inputs.hyperparameters, 0))
        flat, unravel = jax.flatten_util.ravel_pytree(state.params)
        risk = lambda vector: float(record(state._replace(params=unravel(vector))).metrics.risk)  # noqa: E731
        gradient = np.array([(risk(flat + e) - risk(flat - e)) / 2e-6 for e in 1e-6 * np.eye(len(flat))])
        # Central differences: 1e-12 of curvature and 1e-16 / 1e-6 of rounding in each of a hundred entries.
        assert float(record(state).gradient_norm) == pytest.approx(np.linalg.norm(gradient), rel=1e-7)


def test_fresh_sentences_have_no_gradient_to_wait_for():
    with pytest.raises(ValueError, match=r"^until: expected a fixed sample or the population"):
        make_spec(FreshExamples(batch_size=8), until_gradient_norm=1e-3)


def drive(run, until=10**9):
    advances = 0
    while not run.is_done and advances < until:
        run.advance()
        advances += 1
    return run


SHORT = make_spec(Population(), n_steps=600, steps_per_record=50, until_gradient_norm=0.03)


@pytest.fixture(scope="module")
def part():
    """A program, members that stop at different times in fewer rows, and their undisturbed run."""
    members = [Member(SHORT, RATES._replace(learning_rate=0.1 * (1 + i)), i) for i in range(5)]
    program = compile_program(SHORT, Layout(2, 5, 2))
    return program, members, drive(PartRun(program, members, trajectories=True))


@pytest.mark.parametrize("trajectories", [False, True])
@pytest.mark.parametrize("after", [0, 1, 2, 5, 9, 20])
def test_a_part_taken_up_again_ends_bit_by_bit_where_an_undisturbed_one_ends(part, after, trajectories):
    program, members, undisturbed = part
    stopped = drive(PartRun(program, members, trajectories=trajectories), after)
    saved = {name: array.copy() for name, array in stopped.snapshot().items()}
    resumed = drive(PartRun(program, members, trajectories=trajectories, saved=saved))
    for index in range(5):
        one, other = undisturbed.result(index), resumed.result(index)
        if not trajectories:
            one = one._replace(trajectory=None)
        assert jax.tree.structure(one) == jax.tree.structure(other)
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("fetched", [0, 5_000_000])
def test_trajectories_begin_at_the_start_and_end_at_the_weights(fetched, monkeypatch):
    """Fetched row by row, as large members are, and all at once."""
    monkeypatch.setattr("simlab.sweeps.part_run.FETCHED_WEIGHTS", fetched)
    (run,) = train_members(members_of(make_spec(), 1), trajectories=True)
    embeddings, classifier = run.trajectory["embeddings"], run.trajectory["classifier"]
    assert embeddings.shape == (4, 6, 4)
    assert classifier.shape == (4, 8, 2, 4)
    np.testing.assert_array_equal(embeddings[-1], run.final["embeddings"])
    rms = np.sqrt(np.mean(np.sum(embeddings.astype(np.float64) ** 2, axis=-1), axis=-1))
    np.testing.assert_allclose(rms, run.metrics["embedding_norm"], rtol=1e-5)


def test_a_sweep_larger_than_memory_runs_in_chunks(monkeypatch):
    members = members_of(make_spec(), 11)
    sweep = Sweep(members)
    (whole,) = sweep.choose_layouts()
    assert (whole.rows, whole.part, whole.member_shards) == (16, 11, 8)
    per_device = sweep.program(0, whole).bytes_needed()
    # Room for one member and a half on each of eight devices.
    monkeypatch.setattr("simlab.sweeps.sweep.free_memory", lambda: int(8 * 0.75 * per_device))
    (chunked,) = Sweep(members).choose_layouts()
    assert (chunked.rows, chunked.part, chunked.member_shards) == (8, 8, 8)
    assert [len(part.members) for part in Sweep(members).parts([chunked])] == [8, 3]
    monkeypatch.setattr("simlab.sweeps.sweep.free_memory", lambda: 1000)
    with pytest.raises(MemoryError, match=r"^a single member needs [\d,]+ bytes where 125 are free"):
        Sweep(members).choose_layouts()


def test_memory_is_that_of_the_piece_which_needs_most():
    """A run is measured on 3000 sentences at once, where a step sees 8: what fits the steps alone is not enough."""
    program = Program(make_spec(n_evaluation=3000), Layout(1, 1, 1))
    assert program.bytes_needed() == program.bytes_needed("record") > 10 * program.bytes_needed("segment")
    # Logits, their exponentials and whether each is the label's, 8 classes; with the sentences themselves.
    assert program.bytes_needed("record") < 3000 * 4 * (4 * 8 + 20)


def test_members_measured_side_by_side_share_the_memory_of_one():
    """They take turns where their logits would fill more."""
    spec = make_spec(FreshExamples(batch_size=8), n_evaluation=CHUNK_ENTRIES // 8)
    one, many = (Program(spec, Layout(rows, rows, 1)).bytes_needed("record") for rows in (1, 16))
    assert many == pytest.approx(one, rel=0.01)


def test_members_in_turn_hold_their_weights_once_and_one_step(monkeypatch):
    monkeypatch.setattr("simlab.sweeps.row_blocks.CACHED_WEIGHTS", 0)
    spec = make_spec(FreshExamples(batch_size=8), embedding_dim=500)
    one, two, six = (Program(spec, Layout(rows, rows, 1)).bytes_needed("segment") for rows in (1, 2, 6))
    # Beside the weights, float32, there is little to each: its latents and numbers. The compiler rounds up.
    assert (six - two) / 4 == pytest.approx(4 * count_weights(spec), rel=0.03)
    # Beside the second's weights, those of the member at work as they were.
    assert two - one == pytest.approx(2 * 4 * count_weights(spec), rel=0.03)


@pytest.mark.parametrize(("per_device", "size"), [(1, 1), (7, 7), (16, 16), (17, 9), (20, 10), (48, 16), (50, 10)])
def test_blocks_on_a_cpu_are_equal_and_rather_smaller_than_filled_up(per_device, size):
    assert members_side_by_side(make_spec(), per_device) == size


def test_members_that_need_much_to_begin_take_turns():
    assert [members_side_by_side(make_spec(), 12, at_most=at_most) for at_most in (0, 1, 5, 100)] == [1, 1, 4, 12]


def test_every_process_gets_a_part_and_stopping_members_leave_rows_to_others():
    (layout,) = Sweep(members_of(make_spec(), 9)).choose_layouts(n_processes=4)
    assert len(Sweep(members_of(make_spec(), 9)).parts([layout])) >= 4 - 1
    assert layout.part == 3
    (until,) = Sweep(members_of(make_spec(Population(), **UNTIL), 32)).choose_layouts()
    assert until.rows == 32 // REFILLS
    assert until.part == 32


class _Deaf:
    def advance(self, steps, members):
        self.last = (steps, members)

    def say(self, text):
        pass


def test_processes_share_the_parts_and_take_over_what_is_left():
    """Two shards on one store do every part once; the second finds what the first has left."""
    sweep = Sweep(members_of(make_spec(), 6))
    layouts, store, analysed = [Layout(2, 2, 2)], MemoryStore(), []

    def analyse(member, run, sample):
        analysed.append(member.seed)
        assert sample.inputs.shape == (40, 2)
        return {"embeddings": run.final["embeddings"]}

    with store.claim("00-00001"):
        listener = _Deaf()
        assert sweep.run(layouts, store, analyse, listener, (1, 2))
    assert listener.last == (72, 6)
    assert sorted(analysed) == list(range(6))
    assert sweep.run(layouts, store, analyse, _Deaf(), (0, 2))
    assert len(analysed) == 6
    learned = np.concatenate([store.load(part.name)[0]["embeddings"] for part in sweep.parts(layouts)])
    expected = np.stack([run.final["embeddings"] for run in train_members(sweep.members, layouts=layouts)])
    np.testing.assert_array_equal(learned, expected)
