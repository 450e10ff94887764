"""Programs compiled for described devices: the count of calls, and what a user without the compiler is told."""

import math
import subprocess
import sys

import jax
import pytest

from experiments.compile_elsewhere import compile_for, count_calls
from simlab.data.sources import FreshExamples
from simlab.losses.classification import CrossEntropy
from simlab.networks.specs import TwoLayer
from simlab.runtime.devices import local_devices, platform, programs_for
from simlab.sweeps.layout import Layout
from simlab.sweeps.program import Program
from simlab.tasks.sentence_task import SentenceTask
from simlab.training.spec import TrainingSpec

LOOPS = """\
HloModule example

%turn (p: (s32[], f32[4]{0:T(128)S(1)})) -> (s32[], f32[4]) {
  %p = (s32[], /*index=1*/f32[4]{0:T(128)S(1)}) parameter(0)
  %x = f32[4]{0} get-tuple-element(%p), index=1
  %y = f32[4]{0} fusion(%x), kind=kLoop, calls=%sum
  %start = (f32[4]{0}, f32[4]{0}) copy-start(%y)
  %done = f32[4]{0} copy-done(%start)
  ROOT %t = (s32[], f32[4]{0}) tuple(%n, %done)
}

%short (q: f32[4]) -> f32[4] {
  ROOT %q = f32[4]{0} parameter(0)
}

%long (r: f32[4]) -> f32[4] {
  %r = f32[4]{0} parameter(0)
  %s = f32[4]{0} sort(%r), dimensions={0}
  ROOT %u = f32[4]{0} custom-call(%s), custom_call_target="solve"
}

ENTRY %main (a: f32[4]) -> f32[4] {
  %a = f32[4]{0} parameter(0)
  %w = (s32[], f32[4]{0}) while(%a), condition=%ask, body=%turn, backend_config={"known_trip_count":{"n":"9"}}
  %c = f32[4]{0} conditional(%flag, %a, %a), true_computation=%short, false_computation=%long
  %d = f32[4]{0} conditional(%flag, %a, %a), branch_computations={%short, %long}
  ROOT %e = f32[4]{0} call(%c), to_apply=%long
}
"""


def test_calls_are_counted_by_hand():
    # Nine turns of a fusion and a transfer; twice the choice itself and the two of its longer branch; two of a call.
    assert count_calls(LOOPS) == 9 * 2 + 2 * 3 + 2


def test_calls_are_unknown_where_the_turns_of_a_loop_are():
    unknown = LOOPS.replace("known_trip_count", "other")
    assert math.isnan(count_calls(unknown))
    # So they are where the loop is one branch of a choice, whichever.
    inner = unknown.replace("ENTRY %main", "%main")
    for branches in ("%short, %main", "%main, %short"):
        choice = f"  ROOT %x = f32[4]{{0}} conditional(), branch_computations={{{branches}}}"
        assert math.isnan(count_calls(f"{inner}\nENTRY %top () -> f32[4] {{\n{choice}\n}}\n"))


def test_a_program_is_compiled_for_the_devices_that_are_described():
    chosen = jax.local_devices()[2:4]
    spec = TrainingSpec(
        task=SentenceTask(n_concepts=2, n_words=4, sentence_length=2, n_classes="all"),
        source=FreshExamples(batch_size=4),
        network=TwoLayer(embedding_dim=3),
        objective=CrossEntropy(),
        n_steps=8,
        steps_per_record=8,
        n_evaluation=10,
    )
    found = compile_for(chosen, spec, Layout(2, 2, 2))
    assert found.calls > 0
    assert found.held == Program(spec, Layout(2, 2, 2)).bytes_needed()
    with programs_for(chosen):
        assert list(local_devices()) == chosen
        assert platform() == "cpu"
        program = Program(spec, Layout(2, 2, 2))
        assert set(program.segment.input_shardings[0][0].batch_key.mesh.devices.flat) == set(chosen)
    assert list(local_devices()) == jax.local_devices()


@pytest.mark.parametrize("arguments", [("nowhere",), ("v9:2x2",), ("h100", "nothing")])
def test_a_device_or_program_that_is_not_known_gets_one_line(arguments):
    command = [sys.executable, "-m", "experiments.compile_elsewhere", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stdout == ""
    errors = [line for line in done.stderr.splitlines() if "error: " in line]
    assert len(errors) == 1
    assert "expected" in errors[0]
    assert repr(arguments[-1]) in errors[0]
