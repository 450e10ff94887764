"""Sweeps outlive kills, corrupt files and full disks, alone and beside other processes, and give the same bits."""

import os
import random
import resource
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import jax
import pytest

from experiments.reliability.comparison import differing
from experiments.reliability.processes import processes
from experiments.reliability.tally import Tally
from experiments.reliability.trials import run_trial
from experiments.reliability.undisturbed import COMMAND, run_undisturbed
from experiments.reliability.watch import Watch
from simlab.runtime import cluster
from simlab.storage.results import RESULTS_FILE, load_dataset

PATIENCE = 100.0  # seconds, for whatever should end by itself
SIMLAB = "import sys; from experiments.commands.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with processes(tmp_path_factory.mktemp("processes"), PATIENCE) as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(started, tmp_path_factory):
    return run_undisturbed(started, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def half_done(started, undisturbed, tmp_path_factory):
    """A folder whose process was killed when two of its four parts were complete."""
    folder = tmp_path_factory.mktemp("half_done") / "out"
    process = started.begin([*COMMAND, "--out", str(folder)])
    wait_until(lambda: len(complete_parts(folder)) >= 2)
    process.kill()
    assert len(complete_parts(folder)) < 4
    return folder


def complete_parts(folder):
    return sorted(path.name for path in (folder / "parts").glob("[!.]*.done"))


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def assert_same_bits(folder, undisturbed):
    assert differing(load_dataset(folder), undisturbed.dataset) == []
    assert not (folder / "parts").exists()


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def content(folder):
    """Every file with its content and its time."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("n_processes", "n_kills"), [(1, 2), (2, 2)])
def test_kills_at_random_moments_change_no_bit(started, undisturbed, tmp_path, n_processes, n_kills):
    tally, chance = Tally(), random.Random(n_processes)
    for trial in range(10):
        if tally.n_kills < n_kills:
            run_trial(started, undisturbed, tmp_path / str(trial), tally, chance, n_kills - tally.n_kills, n_processes)
    assert tally.is_clean, tally.format()
    assert tally.n_kills == n_kills


@pytest.mark.parametrize(("n_processes", "victim"), [(2, 1), (4, 0)])
def test_distributed_processes_outlive_one_another(started, undisturbed, tmp_path, n_processes, victim):
    folder, port = tmp_path / "out", free_port()

    def begin(lane):
        numbers = ["--n-processes", str(n_processes), "--process-id", str(lane)]
        place = ["--distributed", "--coordinator", f"127.0.0.1:{port}"]
        return started.begin([*COMMAND, *place, *numbers, "--out", str(folder)])

    lanes = [begin(lane) for lane in range(n_processes)]
    wait_until(lambda: list((folder / "parts").glob("*.state")) or complete_parts(folder))
    killed = lanes.pop(victim)
    assert not killed.has_ended()
    killed.kill()
    said = [process.finish() for process in lanes]
    # Nothing of the runtime's own reaches the user, neither warnings nor stack traces.
    lines = [line for text in said for line in text.splitlines()]
    assert [line for line in lines if "waiting for the other processes" not in line] == []
    if not (folder / RESULTS_FILE).exists():  # the others had nothing left to do when that one died
        started.begin([*COMMAND, "--out", str(folder)]).finish()
    assert_same_bits(folder, undisturbed)


def test_shards_started_together_share_the_parts(started, undisturbed, tmp_path):
    folder = tmp_path / "out"
    watch = Watch(folder)
    lanes = [started.begin([*COMMAND, "--shard", f"{lane}/2", "--out", str(folder)]) for lane in range(2)]
    while not all(process.has_ended() for process in lanes):
        watch.look()
        time.sleep(0.005)
    for process in lanes:
        process.finish()
    assert watch.computed_twice == 0
    assert_same_bits(folder, undisturbed)


def test_corrupt_parts_are_named_quarantined_and_computed_again(started, undisturbed, half_done, tmp_path):
    folder = shutil.copytree(half_done, tmp_path / "out")
    first, second = [folder / "parts" / name for name in complete_parts(folder)[:2]]
    first.write_bytes(first.read_bytes()[:-100])
    changed = bytearray(second.read_bytes())
    changed[len(changed) // 2] ^= 1
    second.write_bytes(changed)
    corrupt = [first.read_bytes(), second.read_bytes()]
    words = [word for word in COMMAND if word != "--quiet"]
    # The others are copies of one process. This one has its own order of sets, as it has after a real preemption.
    command = [sys.executable, "-c", SIMLAB, *words, "--out", str(folder)]
    environment = os.environ | {"XDG_CACHE_HOME": str(started.folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    pipes = {"capture_output": True, "text": True}
    said = subprocess.run(command, env=environment, timeout=PATIENCE, check=True, **pipes).stderr
    for path in (first, second):
        assert len([line for line in said.splitlines() if f"{path.name}: corrupt" in line]) == 1
    assert [(folder / "quarantine" / path.name).read_bytes() for path in (first, second)] == corrupt
    assert_same_bits(folder, undisturbed)


@contextmanager
def small_disk(folder, size):
    """Yield whether a folder is a disk of its own with so many bytes; only the superuser can have one made."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_stops_the_run_which_goes_on_when_there_is_room(started, undisturbed, half_done, tmp_path):
    used = sum(path.stat().st_size + 4096 for path in half_done.rglob("*") if path.is_file())
    with small_disk(tmp_path, used) as mounted:
        folder = shutil.copytree(half_done, tmp_path / "out")
        before = complete_parts(folder)
        process = started.begin([*COMMAND, "--out", str(folder)])
        if not mounted:  # then no file may grow beyond what the manifest needs
            resource.prlimit(process.number, resource.RLIMIT_FSIZE, (4096, 4096))
        said = assert_stopped(process)
        assert "what was saved so far is kept, and the same command continues" in said
        assert ("the disk is full" in said) == mounted
        assert set(before) <= set(complete_parts(folder))
        assert [path for path in (folder / "parts").glob(".*") if path.stat().st_size] == []
        if mounted:  # now there is room for the parts, but not for the result
            subprocess.run(["mount", "-o", "remount,size=160k", str(tmp_path)], check=True)
            said = assert_stopped(started.begin([*COMMAND, "--out", str(folder)]))
            assert "No space left on device" in said
            assert len(complete_parts(folder)) == 4
            subprocess.run(["mount", "-o", "remount,size=16m", str(tmp_path)], check=True)
        started.begin([*COMMAND, "--out", str(folder)]).finish()
        assert_same_bits(folder, undisturbed)


def assert_stopped(process):
    """Wait for a process that should fail; returns the one line that it said on stderr."""
    status, said = process.wait()
    assert status == 1, said
    assert said.startswith("simlab: ")
    assert said.count("\n") == 1
    return said


def test_another_sweep_in_the_folder_is_refused_and_nothing_changes(started, half_done):
    before = content(half_done)
    words = [*COMMAND, "--out", str(half_done)]
    words[words.index("--epochs") + 1] = "500"
    status, said = started.begin(words).wait()
    assert status == 2, said
    assert said.startswith("simlab: out: ")
    assert said.count("\n") == 1
    assert "epochs: 4000 there, 500 here" in said
    assert content(half_done) == before


def test_without_a_cluster_the_command_says_so_in_one_line(started, tmp_path):
    status, said = started.begin([*COMMAND, "--distributed", "--out", str(tmp_path / "out")]).wait()
    assert status == 2
    assert said.startswith("simlab: distributed: expected a cluster that JAX detects, or --coordinator")
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("process_id", [0, 1])
def test_whoever_waits_for_the_others_is_told_and_does_not_wait_forever(monkeypatch, process_id):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    monkeypatch.setattr(cluster, "JOIN_TIMEOUT", 2.0)
    said, place = [], f"127.0.0.1:{free_port()}"
    begin = time.monotonic()
    with pytest.raises(ValueError, match=f"^distributed: expected all processes at {place} within 2 s, got no answer"):
        cluster.join_cluster(place, 2, process_id, say=said.append)
    assert time.monotonic() - begin < 10
    assert said == [f"waiting for the other processes at {place}, at most 2 s"]


def test_a_cluster_that_jax_knows_gives_number_and_accelerator(monkeypatch):
    number = os.getpid() % 4096  # of the job, from which JAX makes the port
    job = {"JOB_ID": str(number), "STEP_NODELIST": "localhost", "NTASKS": "1", "PROCID": "0", "LOCALID": "3"}
    for name, value in job.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("JAX_COORDINATOR_BIND_ADDRESS", f"127.0.0.1:{65536 - 4096 + number}")
    chosen = {}
    monkeypatch.setattr(jax.config, "update", chosen.__setitem__)
    assert cluster.join_cluster() == (0, 1)
    assert chosen == {"jax_cuda_visible_devices": "3", "jax_rocm_visible_devices": "3"}


@pytest.mark.parametrize("coordinator", ["127.0.0.1", ":1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:port"])
def test_a_coordinator_has_a_host_and_a_port(coordinator):
    with pytest.raises(ValueError, match=r"^coordinator: expected HOST:PORT, got"):
        cluster.join_cluster(coordinator, 2, 0)
