"""Files in a folder that several processes share: whole or absent, checked when read, locked while in use.

The words used here:

sealed
    Arrays after two lines of text: the checksum of all that follows, and a label that says what the arrays are. The
    file is written under a temporary name and renamed, so that a process killed at any moment leaves the old or the new
    file.
corrupt
    Different in any byte from what was written, or written under another label. Such a file is quarantined: moved to
    the folder ``quarantine`` next to the folder of the file, and reported.
removed
    The whole folder is deleted at once when the sweep's result is written; later access raises :class:`PartsRemoved`.
"""

import errno
import hashlib
import io
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from simlab.storage.results import write_atomically
from simlab.validation import invalid

try:
    import fcntl
except ImportError:  # not a Unix: without locks, work may be done twice
    fcntl = None

Content = TypeVar("Content")

QUARANTINE_FOLDER = "quarantine"

# Seconds of waiting for a lock before the wait is reported, and seconds between two attempts.
PATIENCE = 3.0
_PAUSE = 0.02


class SaveError(OSError):
    """A file could not be saved; the message is one line with the file, the reason and the remedy."""


class PartsReplaced(SaveError):  # noqa: N818 - what another process has done
    """The folder of parts no longer belongs to the sweep of this process; the message is one line."""


class PartsRemoved(FileNotFoundError):  # noqa: N818 - it is not an error: another process has finished the sweep
    """The folder of parts no longer exists: another process has written the sweep's result."""


class CorruptFile(Exception):  # noqa: N818 - the state of a file; it is quarantined and reported
    """The content of a file is not what was written under its name."""


def write_arrays(path: Path, label: str, arrays: dict[str, np.ndarray]) -> None:
    """Write a sealed file atomically, in place of an older one.

    Args:
        path: the file.
        label: one line, which :func:`read_arrays` needs to read the file.
        arrays: neither Python objects nor types without a NumPy name, such as bfloat16.

    Raises:
        ValueError: an array would be read back with another type.
        OSError: the file could not be written; an older one is kept.
    """
    for name, value in arrays.items():
        dtype = np.asarray(value).dtype
        if dtype.hasobject or np.dtype(dtype.str) != dtype:
            raise invalid(f"arrays[{name!r}]", "numbers, truth values or text of fixed length", dtype)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType] - the keywords are names of arrays
    with buffer.getbuffer() as payload:  # releases the view even if writing fails, so that the buffer can be freed
        content = (f"{label}\n".encode(), payload)

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                file.writelines((_checksum(*content), *content))

        write_atomically(path, write)


def read_arrays(path: Path, *labels: str) -> dict[str, np.ndarray]:
    """Return the arrays of a sealed file.

    Args:
        path: the file.
        labels: the accepted labels.

    Raises:
        CorruptFile: the file differs from what was written, or has none of these labels.
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        checksum, saved_label, payload = file.readline(), file.readline(), file.read()
    if checksum != _checksum(saved_label, payload):
        raise CorruptFile("its checksum is wrong")
    if saved_label not in {f"{label}\n".encode() for label in labels}:
        raise CorruptFile("it was saved for another part or sweep")
    with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
        return dict(archive)


def read_or_quarantine(
    path: Path, read: Callable[[Path], Content], on_corrupt: Callable[[str], None], then: str
) -> Content | None:
    """Return ``read(path)``; None if there is no such file, or if it is corrupt and was quarantined.

    Args:
        path: the file, which no other process uses.
        read: raises :class:`CorruptFile` if the file is corrupt.
        on_corrupt: called with one line that names a quarantined file.
        then: how the run continues, for that line.

    Raises:
        PartsRemoved: the file's folder no longer exists.
        SaveError: the file could not be read or moved.
    """
    with explained(path):
        try:
            return read(path)
        except CorruptFile as reason:
            moved = f"moved to {QUARANTINE_FOLDER}/{_quarantine(path).name}"
            on_corrupt(f"{path.parent.name}/{path.name}: corrupt ({reason}), {moved}; {then}")
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise
    return None


@contextmanager
def locked(path: Path, *, wait: bool, say: Callable[[str], None] = lambda text: None) -> Iterator[bool]:
    """Yield whether this context holds the lock of a file, which the kernel frees when the process dies.

    Where files cannot be locked it yields True. The file is not deleted: two processes could then lock different files
    of the same name.

    Args:
        path: of the file.
        wait: whether to wait while another process holds the lock.
        say: called with one line if the wait is long.

    Raises:
        PartsRemoved: the file's folder no longer exists.
        SaveError: the file could not be opened.
    """
    with explained(path):
        file = path.open("ab")
    with file:
        held = _lock(file)
        if wait and not held:
            held = _wait_for(file, path, say)
        yield held


def _wait_for(file: BinaryIO, path: Path, say: Callable[[str], None]) -> bool:
    """Return True once an open file is locked, and report a long wait, as the other process may be stopped."""
    began, is_said = time.monotonic(), False
    while not _lock(file):
        if not is_said and time.monotonic() - began > PATIENCE:
            is_said = True
            say(f"{path}: waiting for a process that holds this lock; if it is stopped, continue or end it")
        time.sleep(_PAUSE)
    return True


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's error about a file into one clear line: ``SaveError`` or ``PartsRemoved``."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.parent.is_dir():
            raise PartsRemoved(f"{path.parent}: gone, as after the sweep's result is written") from error
        raise SaveError(f"{path}: {_explain(error)}") from error


def _explain(error: OSError) -> str:
    """Return why a file could not be saved and how to resume."""
    reason, mended = error.strerror or str(error), "that is mended"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason, mended = f"the disk is full ({reason})", "there is room"
    return f"{reason}; what was saved so far is kept, and the same command continues once {mended}"


def _checksum(label: bytes, payload: bytes | memoryview) -> bytes:
    """Return the first line of a sealed file."""
    digest = hashlib.sha256(label)
    digest.update(payload)
    return f"{digest.hexdigest()}\n".encode()


def _quarantine(path: Path) -> Path:
    """Move a file to the quarantine, without replacing an earlier one, and return its new name."""
    folder = path.parents[1] / QUARANTINE_FOLDER
    folder.mkdir(exist_ok=True)
    names = itertools.chain([path.name], (f"{path.name}.{number}" for number in itertools.count(2)))
    return path.replace(next(folder / name for name in names if not (folder / name).exists()))


def _lock(file: BinaryIO) -> bool:
    """Try to lock an open file, and return False if another process holds the lock; True if locks are unsupported."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
