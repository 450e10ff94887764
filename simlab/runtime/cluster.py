"""Several processes, on one host or on many, that share the members of a sweep."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simlab.validation import invalid

# Seconds that the others may take to start, and seconds after which one is told what is waited for.
JOIN_TIMEOUT = 300.0
PATIENCE = 10.0

# Members of JAX's runtime are tied to each other for good: they are aborted when the first of them ends or dies, and
# when one of them does not come; SIGTERM no longer ends them. So a child goes to the meeting and brings the numbers
# back. It goes with its parent, whose end, however sudden, closes the pipe between them. It needs no accelerator.
_MEETING = """
import json, os, sys, threading
threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start()
import jax
jax.config.update("jax_platforms", "cpu")
jax.distributed.initialize(**json.loads(sys.argv[1]))
visible = jax.config.read("jax_cuda_visible_devices")
print(json.dumps([jax.process_index(), jax.process_count(), visible]), flush=True)
jax.distributed.shutdown()
"""


def join_cluster(
    coordinator: str | None = None,
    n_processes: int | None = None,
    process_id: int | None = None,
    *,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[int, int]:
    """Learn from JAX's distributed runtime which of the processes this is, and which accelerators are its own.

    Members are independent: the processes exchange nothing but their number, and then have nothing more to do with each
    other, so that one that dies does not take the others with it.

    Args:
        coordinator: ``HOST:PORT`` of process 0. None leaves all three to JAX, which knows SLURM, Open MPI, Kubernetes
            and TPU pods.
        n_processes: how many there are.
        process_id: which this is, from 0.
        say: is told, in one line, if the others let us wait.

    Returns:
        The number of this process and how many there are.

    Raises:
        ValueError: no cluster is found, or the processes do not come together.
    """
    check_coordinator(coordinator)
    place = coordinator or "the address that the cluster gives"
    on_this_host = coordinator is not None and coordinator.startswith(("127.", "localhost:"))
    arguments = {
        "coordinator_address": coordinator,
        "num_processes": n_processes,
        "process_id": process_id,
        "initialization_timeout": int(2 * JOIN_TIMEOUT),  # in its place ours ends the wait, with one clear line
        # Unless told, process 0 listens to the whole network.
        "coordinator_bind_address": coordinator if on_this_host else None,
    }
    with _child(arguments) as child:
        try:
            answer, complaint = child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            say(f"waiting for the other processes at {place}, at most {JOIN_TIMEOUT:.0f} s")
            answer, complaint = _wait(child, place)
    if not answer:
        # After an error of Python the last line tells it; after an abort of the runtime it is an address in memory.
        reason = complaint.strip().splitlines()[-1] if child.returncode == 1 else f"lost the connection to {place}"
        wanted = f"a cluster that JAX knows, or --coordinator, --n-processes and --process-id ({reason})"
        raise invalid("distributed", wanted, coordinator)
    index, count, visible = json.loads(answer.splitlines()[-1])
    if visible != "all":
        import jax

        jax.config.update("jax_cuda_visible_devices", visible)
        jax.config.update("jax_rocm_visible_devices", visible)
    return index, count


def check_coordinator(coordinator: str | None) -> None:
    """Raise ``ValueError`` unless a coordinator, where there is one, is a host and a port."""
    if coordinator is not None and not _names_a_port(coordinator):
        raise invalid("coordinator", "HOST:PORT", coordinator)


def _names_a_port(coordinator: str) -> bool:
    """Return whether a text is a host and a port."""
    host, _, port = coordinator.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 2**16


@contextmanager
def _child(arguments: dict) -> Iterator[subprocess.Popen]:
    """Start the child that goes to the meeting; it does not outlive the context."""
    ours, lifeline = os.pipe()
    command = [sys.executable, "-c", _MEETING, json.dumps(arguments)]
    try:
        with subprocess.Popen(command, text=True, stdin=ours, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            try:
                yield child
            finally:
                child.kill()
    finally:
        os.close(ours)
        os.close(lifeline)


def _wait(child: subprocess.Popen, place: str) -> tuple[str, str]:
    """Return what the child prints, or raise if the others do not come in time."""
    try:
        return child.communicate(timeout=JOIN_TIMEOUT - PATIENCE)
    except subprocess.TimeoutExpired:
        wanted = f"all processes at {place} within {JOIN_TIMEOUT:.0f} s"
        raise ValueError(f"distributed: expected {wanted}, got no answer from some or all") from None
