"""The memory available to a job under the limits of Linux control groups, v1 and v2.

The group of a job and each of its ancestors may have a limit; the job may use what is left within all of them.
"""

from collections.abc import Iterator
from pathlib import Path

MOUNT, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")

# Files with the limit and the usage, and the row of memory.stat with the memory that the kernel can reclaim.
_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_VERSION_2 = ("memory.max", "memory.current", "inactive_file")
# Version 1 writes a number near 2^63 where there is no limit.
_UNLIMITED = 2**60


def free_in_groups(mount: Path | None = None, membership: Path | None = None) -> int | None:
    """Return the bytes left within the limits of all groups of this process, or None if none has a limit.

    Args:
        mount: the folder of the groups, by default :data:`MOUNT`; a container sees its own group there.
        membership: the file that lists the groups of the process, by default :data:`MEMBERSHIP`.
    """
    mount = MOUNT if mount is None else mount
    membership = MEMBERSHIP if membership is None else membership
    rows = membership.read_text().splitlines() if membership.is_file() else []
    names = {controllers: name for _, controllers, name in (row.split(":", 2) for row in rows if row.count(":") >= 2)}
    memory_group = next((name for controllers, name in names.items() if "memory" in controllers.split(",")), "/")
    hierarchies = ((mount / "memory", memory_group, _VERSION_1), (mount, names.get("", "/"), _VERSION_2))
    free_bytes = [
        free
        for root, name, files in hierarchies
        for folder in _upwards(root, name)
        if (free := _free_in_group(folder, files)) is not None
    ]
    return min(free_bytes, default=None)


def _upwards(root: Path, name: str) -> Iterator[Path]:
    """Yield the folders of a group and of its ancestors up to the root, without those that do not exist."""
    parts = [part for part in name.split("/") if part not in ("", "..")]
    yield from (folder for n in range(len(parts), -1, -1) if (folder := root.joinpath(*parts[:n])).is_dir())


def _free_in_group(folder: Path, files: tuple[str, str, str]) -> int | None:
    """Return the bytes left within the limit of one group, or None if it has none."""
    limit, used, reclaimable = files
    try:
        text = (folder / limit).read_text().strip()
        if text == "max" or int(text) >= _UNLIMITED:
            return None
        return max(0, int(text) - int((folder / used).read_text()) + _statistic(folder / "memory.stat", reclaimable))
    except (OSError, ValueError):  # the file does not exist, as in a root group, or may not be read
        return None


def _statistic(table: Path, name: str) -> int:
    """Return an entry of a table of numbers, or 0 where there is none."""
    if not table.is_file():
        return 0
    rows = dict(line.split() for line in table.read_text().splitlines())
    return int(rows.get(name, 0))
