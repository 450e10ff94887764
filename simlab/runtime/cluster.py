"""Join a cluster: find the rank of this process among those that share the members of a sweep."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simlab.validation import invalid

# Seconds allowed for the other processes to start, and seconds after which the wait is reported.
JOIN_TIMEOUT = 300.0
PATIENCE = 10.0

# Processes that have joined ``jax.distributed`` are aborted when any of them ends, dies or fails to join, and SIGTERM
# no longer ends them. Therefore a subprocess joins ``jax.distributed`` and reports its rank. It ends with its parent,
# whose death closes the pipe between them, and it needs no accelerator.
_JOIN = """
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
    """Return the rank and the number of processes from JAX's distributed runtime, and select the local accelerators.

    Members of a sweep are independent: after the exchange of ranks the processes do not communicate, so that the death
    of one does not abort the others.

    Args:
        coordinator: ``HOST:PORT`` of process 0. None leaves all three to JAX, which detects SLURM, Open MPI,
            Kubernetes and TPU pods.
        n_processes: number of processes.
        process_id: rank of this process, from 0.
        say: called with one line if the other processes are late.

    Returns:
        The rank of this process and the number of processes.

    Raises:
        ValueError: no cluster is detected, or a process does not join in time.
    """
    check_coordinator(coordinator)
    place = coordinator or "the address that the cluster gives"
    on_this_host = coordinator is not None and coordinator.startswith(("127.", "localhost:"))
    arguments = {
        "coordinator_address": coordinator,
        "num_processes": n_processes,
        "process_id": process_id,
        "initialization_timeout": int(2 * JOIN_TIMEOUT),  # longer than JOIN_TIMEOUT, which ends the wait with one line
        # By default process 0 would listen on all network interfaces.
        "coordinator_bind_address": coordinator if on_this_host else None,
    }
    with _child(arguments) as child:
        try:
            answer, complaint = child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            say(f"waiting for the other processes at {place}, at most {JOIN_TIMEOUT:.0f} s")
            answer, complaint = _wait(child, place)
    if not answer:
        # The last line of a Python traceback states the error; that of an abort of the runtime is a memory address.
        reason = complaint.strip().splitlines()[-1] if child.returncode == 1 else f"lost the connection to {place}"
        wanted = f"a cluster that JAX detects, or --coordinator, --n-processes and --process-id ({reason})"
        raise invalid("distributed", wanted, coordinator)
    index, count, visible = json.loads(answer.splitlines()[-1])
    if visible != "all":
        import jax

        jax.config.update("jax_cuda_visible_devices", visible)
        jax.config.update("jax_rocm_visible_devices", visible)
    return index, count


def check_coordinator(coordinator: str | None) -> None:
    """Raise ``ValueError`` unless a coordinator is None or of the form ``HOST:PORT``."""
    if coordinator is not None and not _names_a_port(coordinator):
        raise invalid("coordinator", "HOST:PORT", coordinator)


def _names_a_port(coordinator: str) -> bool:
    """Return whether a text has the form ``HOST:PORT``."""
    host, _, port = coordinator.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 2**16


@contextmanager
def _child(arguments: dict) -> Iterator[subprocess.Popen]:
    """Start the subprocess that joins the cluster; it does not outlive the context."""
    read_end, write_end = os.pipe()
    command = [sys.executable, "-c", _JOIN, json.dumps(arguments)]
    try:
        with subprocess.Popen(
            command, text=True, stdin=read_end, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as child:
            try:
                yield child
            finally:
                child.kill()
    finally:
        os.close(read_end)
        os.close(write_end)


def _wait(child: subprocess.Popen, place: str) -> tuple[str, str]:
    """Return stdout and stderr of the subprocess, or raise ``ValueError`` if a process does not join in time."""
    try:
        return child.communicate(timeout=JOIN_TIMEOUT - PATIENCE)
    except subprocess.TimeoutExpired:
        wanted = f"all processes at {place} within {JOIN_TIMEOUT:.0f} s"
        raise ValueError(f"distributed: expected {wanted}, got no answer from at least one") from None
