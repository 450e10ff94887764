"""SIGTERM and SIGINT end a run: at once or when the state is saved, and always within the grace."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.reliability.comparison import differing
from simlab.storage.results import load_dataset

ROOT = Path(__file__).parents[3]
PATIENCE = 120

HEAD = """
import sys, threading, time, weakref
import jax
from simlab.runtime.stopping import Terminated, end_if_asked, ending_on_signals, saving_first

def said(text):
    print(text, flush=True)

def swallowing():
    # Exceptions in such a callback are printed and forgotten, as in those of the runtime.
    class Collected: pass
    kept = Collected()
    reference = weakref.ref(kept, lambda _: (said("ready"), time.sleep(0.5)))
    del kept

try:
    with ending_on_signals(2.0):
"""
TAIL = """
except KeyboardInterrupt:
    sys.exit(130)
except Terminated:
    sys.exit(143)
"""
BODIES = {
    "swallowed": "        swallowing()\n        time.sleep(60)\n",
    "at once": "        said('ready')\n        time.sleep(60)\n",
    "deferred": """
        with saving_first():
            said('ready')
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                time.sleep(0.01)
            said('saved')
            end_if_asked()
            time.sleep(60)
""",
    "in a program": """
        endless = jax.jit(lambda x: jax.lax.while_loop(lambda x: x > -1, lambda x: abs(x), x)).lower(1.0).compile()
        # The signal must arrive while the program runs: before, the interpreter itself would raise at once.
        threading.Timer(1.0, said, ("ready",)).start()
        endless(1.0).block_until_ready()
""",
}


def start(body):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HEAD + BODIES[body] + TAIL]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("body", "number", "status", "printed"),
    [
        ("at once", signal.SIGINT, 130, ""),
        ("at once", signal.SIGTERM, 143, ""),
        ("swallowed", signal.SIGINT, 130, ""),
        ("swallowed", signal.SIGTERM, 143, ""),
        ("deferred", signal.SIGTERM, 143, "saved\n"),
        ("deferred", signal.SIGINT, 130, ""),
        ("in a program", signal.SIGINT, 130, ""),
        ("in a program", signal.SIGTERM, 143, ""),
    ],
)
def test_a_signal_ends_the_process(body, number, status, printed):
    with start(body) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        began = time.monotonic()
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, errors
        assert output == printed
        assert time.monotonic() - began < 10
        assert ("ended within 2 s" in errors) == (body == "in a program")


OPTIONS = "--n-words 6 --n-classes all --sentence-length 2 --embedding-dim 4 --batch-size 9 --n-evaluation 20"
COMMAND = f"run uniform-small-sample --no-figures {OPTIONS} --epochs 60000 --n-records 200 --seeds 2".split()


def run(folder, *, number=None, words=()):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "experiments.cli", *COMMAND, "--out", str(folder), *words]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        if number is not None:
            end = time.monotonic() + PATIENCE
            while not list(folder.glob("parts/[!.]*.state")):
                assert time.monotonic() < end
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.01)
            process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, errors.splitlines()


def test_a_terminated_run_saves_its_state_and_goes_on_to_the_same_bits(tmp_path):
    ended, plain = tmp_path / "ended", tmp_path / "plain"
    status, lines = run(ended, number=signal.SIGTERM)
    assert (status, lines[-1]) == (143, "simlab: terminated; the same command resumes from the saved state")
    assert list(ended.glob("parts/[!.]*.state"))
    assert run(ended)[0] == 0
    assert run(plain)[0] == 0
    assert differing(load_dataset(ended), load_dataset(plain)) == []


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    status, lines = run(tmp_path, number=signal.SIGINT)
    assert (status, lines[-1]) == (130, "simlab: interrupted; the same command resumes from the saved state")
    assert run(tmp_path, words=["--grace", "0"])[1] == ["simlab: grace: expected a positive finite number, got 0.0"]
