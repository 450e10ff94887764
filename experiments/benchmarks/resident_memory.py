"""The memory of this process, as Linux counts it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")

Result = TypeVar("Result")


def peak_growth(call: Callable[[], Result]) -> tuple[Result, int | None]:
    """Return what ``call`` returns, and by how many bytes the process had grown at most until then.

    None where the system does not count the peak, or does not let it be set back.
    """
    try:
        _RESET.write_text("5")  # sets the peak back to what is resident now
    except OSError:
        return call(), None
    before = _resident("VmRSS")
    result = call()
    return result, _resident("VmHWM") - before


def _resident(field: str) -> int:
    rows = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(rows[field].split()[0]) * 1024
