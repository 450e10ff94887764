"""The devices of this process: their mesh and their free memory."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.sharding import AxisType, Mesh

from simlab.runtime.control_groups import free_in_groups
from simlab.validation import invalid

MEMBER, CLASS = "member", "class"

# The share of free memory used for planning a sweep: allocators fragment, and other programs use memory too.
USABLE_SHARE = 0.8

# jax.Device is a variable to type checkers.
Device: TypeAlias = Any

_CHOSEN: ContextVar[tuple[Device, ...] | None] = ContextVar("devices", default=None)


def local_devices() -> Sequence[Device]:
    """Return the devices that programs are compiled for: those of this process, or those of :func:`programs_for`."""
    return _CHOSEN.get() or jax.local_devices()


def platform() -> str:
    """Return the platform of these devices: ``cpu``, ``gpu`` or ``tpu``."""
    return local_devices()[0].platform


@contextmanager
def programs_for(devices: Sequence[Device]) -> Iterator[None]:
    """Compile for these devices within the context; :mod:`jax.experimental.topologies` describes absent ones."""
    token = _CHOSEN.set(tuple(devices))
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def use_all_cores() -> None:
    """Make one CPU device per core, unless JAX has started or the user has set the number of devices.

    A program of small arrays uses one core; members sharded over one device per core use all of them.
    """
    n_devices = jax.config.jax_num_cpu_devices  # pyright: ignore[reportAttributeAccessIssue] - defined at run time
    if n_devices > 0 or "host_platform_device_count" in os.environ.get("XLA_FLAGS", ""):
        return
    try:
        jax.config.update("jax_num_cpu_devices", count_cores())
    except RuntimeError:  # JAX has started: its devices are fixed
        return


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def make_mesh(member_shards: int, class_shards: int = 1, first: int = 0) -> Mesh:
    """Return the mesh ``(member, class)`` over consecutive devices of this process, from index ``first``.

    Members are independent: their axis is split explicitly (``shard_map``), without any communication. Along the class
    axis the compiler inserts the collectives of the matrix products and of the softmax (``AxisType.Auto``).

    Raises:
        ValueError: this process has fewer devices.
    """
    devices = local_devices()
    wanted = member_shards * class_shards
    if wanted > len(devices):
        raise invalid("devices", f"at least {member_shards} x {class_shards} (members x classes)", len(devices))
    grid = np.array(devices[first : first + wanted]).reshape(member_shards, class_shards)
    return Mesh(grid, (MEMBER, CLASS), axis_types=(AxisType.Auto, AxisType.Auto))


def free_memory() -> int:
    """Return the bytes that a program may use on each device of this process."""
    devices = local_devices()
    if platform() == "cpu":
        return int(USABLE_SHARE * _free_host_memory())
    stats = [device.memory_stats() or {} for device in devices]
    return int(USABLE_SHARE * min(device.get("bytes_limit", 0) - device.get("bytes_in_use", 0) for device in stats))


def _free_host_memory() -> int:
    """Return the bytes of memory that are free on this host, within the limits of its control groups."""
    limits = [_meminfo("MemAvailable"), free_in_groups()]
    free = [value for value in limits if value is not None]
    if free:
        return min(free)
    # Free memory is not reported: half of all memory is assumed to be free.
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _meminfo(field: str) -> int | None:
    """Return an entry of ``/proc/meminfo`` in bytes, or None where there is none."""
    table = Path("/proc/meminfo")
    if not table.exists():
        return None
    rows = dict(line.split(":", 1) for line in table.read_text().splitlines())
    return int(rows[field].split()[0]) * 1024 if field in rows else None
