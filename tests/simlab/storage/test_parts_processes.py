"""Parts that several processes share: they race, they are killed, and each finds what it should."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from simlab.storage.parts import open_store

ROOT = Path(__file__).parents[3]
SWEEP = {"lazy": {"width": 64, "rate": 0.1}, "seeds": 3}

OPEN = """
import io, json, os, shutil, sys, time
from pathlib import Path
import numpy as np
from simlab.storage.parts import open_store

assert not {"jax", "xarray"} & set(sys.modules), "these are slow to import, and jax does not bear a fork"
folder, sweep = Path(sys.argv[1]), json.loads(sys.argv[2])

def start(layout=dict):
    return open_store(folder, sweep, layout, {}, lambda line: print("corrupt:", line, flush=True))

def wait():
    print("ready", flush=True)
    while not (folder / "go").exists():
        time.sleep(0.0005)
"""


def open_here(folder, layout=dict):
    return open_store(folder, SWEEP, layout, {}, pytest.fail)


@contextmanager
def process(script, folder):
    """A process of its own that runs ``OPEN`` and a script; it never outlives the test."""
    command = [sys.executable, "-c", OPEN + script, str(folder), json.dumps(SWEEP)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        try:
            yield child
        finally:
            child.kill()


def race(script, folder, count):
    """Let processes that ``wait`` go at once, and return the lines that each prints."""
    with ExitStack() as stack:
        children = [stack.enter_context(process(script, folder)) for _ in range(count)]
        for child in children:
            assert child.stdout.readline() == "ready\n"
        (folder / "go").touch()
        lines = [child.communicate(timeout=60)[0].splitlines() for child in children]
        assert [child.returncode for child in children] == [0] * count
    return lines


WORK = """
wait()
journal = os.open(folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def layout():
    os.write(journal, f"layout {os.getpid()}\\n".encode())
    time.sleep(0.02)
    return {"chunk": os.getpid()}

store = start(layout)
refused, met, end = 0, folder / "met", time.monotonic() + 20
for part in range(6):
    held = False
    while not held:
        with store.claim(f"p{part}") as held:
            if held:
                os.write(journal, f"{part} {os.getpid()}\\n".encode())
                time.sleep(0.004)
                while not met.exists() and time.monotonic() < end:  # whoever is first holds until another is refused
                    time.sleep(0.001)
                os.write(journal, f"{part} {os.getpid()}\\n".encode())
            else:
                refused += 1
                met.touch()
                time.sleep(0.001)
print(json.dumps([store.manifest, refused]))
"""


@pytest.mark.parametrize("corrupt", [False, True])
def test_processes_that_race_share_one_manifest_and_hold_a_part_one_at_a_time(tmp_path, corrupt):
    if corrupt:
        open_here(tmp_path)
        os.truncate(tmp_path / "parts" / "manifest.json", 40)
    lines = race(WORK, tmp_path, 4)
    manifests, refused = zip(*(json.loads(own[-1]) for own in lines), strict=True)
    assert all(manifest == manifests[0] for manifest in manifests)
    assert manifests[0] == open_here(tmp_path, layout=lambda: pytest.fail("made a layout")).manifest
    assert sum(refused) > 0, "the processes never met"
    assert sum(len(own) - 1 for own in lines) == corrupt, "the corruption is reported once"
    lines = [tuple(line.split()) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [name for name, _ in lines].count("layout") == 1
    for part in range(6):
        holders = [holder for name, holder in lines if name == str(part)]
        assert len(set(holders)) == 4
        assert holders[::2] == holders[1::2], "two held one part at once"
    kept = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if path.suffix != ".lock"}
    assert kept == {"parts/manifest.json"} | ({"quarantine/manifest.json"} if corrupt else set())


def test_processes_may_remove_at_the_same_time(tmp_path):
    open_here(tmp_path)
    for part in range(200):
        (tmp_path / "parts" / f"p{part}.done").touch()
    assert race("store = start()\nwait()\nstore.remove()\n", tmp_path, 2) == [[], []]
    assert [path.name for path in tmp_path.iterdir()] == ["go"]


def test_a_claim_dies_with_its_process(tmp_path):
    store = open_here(tmp_path)
    script = "with start().claim('a') as held:\n    print(held, flush=True)\n    time.sleep(60)\n"
    with process(script, tmp_path) as holder:
        assert holder.stdout.readline() == "True\n"
        with store.claim("a") as held:
            assert not held
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with store.claim("a") as held:
            assert held


KILLED_AT = """
def killed_at(count, work):
    # Whether a process of its own was killed before its count-th call of the operating system, its work not done.
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0

    def profile(frame, event, called):
        nonlocal count
        if event == "c_call":
            count -= called.__module__ == "posix" or isinstance(called.__self__, io.IOBase)
        if count < 0:
            os.kill(os.getpid(), 9)

    sys.setprofile(profile)
    work()
    sys.setprofile(None)
    os._exit(0)
"""

SAVE = """
def value(step):
    return {"values": np.full(100, step)}

for complete in (False, True):
    store, moment, outcomes = start(), 0, set()
    store.save("a", value(0), complete=False)
    while killed_at(moment, lambda: store.save("a", value(1), complete=complete)):
        arrays, done = store.load("a")
        assert len(set(arrays["values"])) == 1
        step = arrays["values"][0].item()
        assert done == (complete and step == 1)
        outcomes.add(step)
        (folder / "parts" / "a.done").unlink(missing_ok=True)
        store.save("a", value(0), complete=False)
        moment += 1
    assert outcomes == {0, 1} and moment > 10
    assert store.load("a")[1] == complete and store.load("a")[0]["values"][0] == 1
print("fine")
"""

START = """
moment, outcomes = 0, set()
while killed_at(moment, lambda: start(lambda: {"chunk": "theirs"})):
    outcomes.add(start(lambda: {"chunk": "ours"}).manifest["layout"]["chunk"])
    shutil.rmtree(folder / "parts")
    moment += 1
assert outcomes == {"ours", "theirs"} and moment > 10
print("fine")
"""


@pytest.mark.parametrize("work", [SAVE, START], ids=["save", "start"])
def test_a_kill_before_each_single_system_call_leaves_the_old_or_the_new(tmp_path, work):
    with process(KILLED_AT + work, tmp_path) as child:
        assert child.communicate(timeout=60)[0] == "fine\n"
