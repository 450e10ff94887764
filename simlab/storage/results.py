"""Save and load labelled results atomically, with their provenance.

A result is sealed: its last line, after the end of the HDF5 data, is the checksum of all bytes before it. Any netCDF
reader opens the file; simlab refuses a file that differs in any byte from what was written.
"""

import errno
import hashlib
import io
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

import simlab
from simlab.storage.self_contained import check_self_contained
from simlab.validation import first_line, invalid

RESULTS_FILE = "results.nc"
# The most characters in the name of a regime or a quantity, which appears in titles and tables.
LONGEST_NAME = 200
# A file in the package of a wheel with the commit that it was built from, see :mod:`simlab.storage.wheel_revision`.
BUILT_FROM = "built_from.txt"

# The attribute that marks a file as sealed, and the last line of a sealed file.
SEAL = "seal"
_SEALED = "sha256 of all bytes before the last line"
_LAST_LINE = "\nsha256 {}\n"
_LENGTH = len(_LAST_LINE.format("0" * 64))
_BLOCK = 2**20

# What HDF5 and its readers raise for a file that is not valid HDF5.
_UNREADABLE = (OSError, ValueError, LookupError, RuntimeError, AttributeError, TypeError, ArithmeticError)


class ResultUnreadable(OSError, ValueError):  # noqa: N818 - the state of a file
    """A result exists and cannot be read; the message gives the reason in one line."""


def write_atomically(path: Path, write: Callable[[Path], object], *, replace: bool = True) -> None:
    """Call ``write`` with a temporary name in the folder of ``path``, then rename: a reader never sees half a file.

    The content is flushed to disk before the rename, and the folder after it: a power failure leaves either the old
    file or the new one.

    Args:
        path: the final name.
        write: writes the file with the given name; the temporary name begins with a dot and keeps the suffix of
            ``path``.
        replace: whether an existing file is replaced; if not, only one of several concurrent processes succeeds.

    Raises:
        FileExistsError: ``replace`` is false and the file exists.
        OSError: the folder cannot be written to, or the disk is full; an existing file is unchanged.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        _flush_to_disk(temporary)
        temporary.chmod(0o666 & ~_umask())
        if replace:
            temporary.replace(path)
        else:
            _take_name(temporary, path)
    except OSError as error:
        if error.errno is None or error.filename not in (None, name):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # the error of a full disk lacks the name
    finally:
        temporary.unlink(missing_ok=True)
    with suppress(OSError):  # some systems cannot flush a folder
        _flush_to_disk(path.parent)


def _flush_to_disk(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_name(temporary: Path, path: Path) -> None:
    """Give a file its final name unless that exists; a plain rename would replace the existing file."""
    try:
        os.link(temporary, path)
    except OSError:  # the name exists; or the file system has no hard links, then check and rename
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.replace(path)


def _umask() -> int:
    """Return the file mode mask of the process, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_dataset(dataset, path: Path) -> None:
    """Write an ``xarray.Dataset`` as compressed netCDF (engine h5netcdf), sealed and atomically.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; an existing file is unchanged.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    encoding = {
        name: {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "iuf" and variable.size > 1
    }
    # Written to memory first, as HDF5 crashes the process on a full disk.
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        dataset.assign_attrs({SEAL: _SEALED}).dump_to_store(H5NetCDFStore(file), encoding=encoding)
    with buffer.getbuffer() as payload:
        last_line = _seal(payload)
    buffer.seek(0, io.SEEK_END)
    buffer.write(last_line)
    with buffer.getbuffer() as payload:  # releases the view even if writing fails, so that the buffer can be freed
        write_atomically(path, lambda temporary: temporary.write_bytes(payload))


def load_dataset(folder: Path):
    """Return the ``xarray.Dataset`` of a saved run, in memory.

    Raises:
        ValueError: the folder holds no run.
        ResultUnreadable: the file cannot be read, differs from what was written, or refers to other files; a
            ``ValueError`` and an ``OSError``.
    """
    path = Path(folder).expanduser() / RESULTS_FILE
    if not path.is_file():
        raise invalid("folder", f"one that holds {RESULTS_FILE}", str(folder))
    try:
        with path.open("rb") as file:
            is_sealed = _check_seal(file)
            check_self_contained(file)
            loaded = _read(file)
    except _UNREADABLE as error:
        reason = first_line(error) or type(error).__name__
        raise ResultUnreadable(invalid("folder", f"a readable {RESULTS_FILE} in it ({reason})", str(folder))) from error
    if loaded.attrs.pop(SEAL, None) is not None and not is_sealed:
        wanted = f"a {RESULTS_FILE} as it was written (its checksum is missing)"
        raise ResultUnreadable(invalid("folder", wanted, str(folder)))
    if not isinstance(loaded.attrs.get("experiment"), str):
        raise invalid("folder", f"a {RESULTS_FILE} that simlab wrote", str(folder))
    for name in {"regime", "quantity"} & set(loaded.coords):
        longest = max((len(str(value)) for value in loaded[name].values.ravel()), default=0)
        if longest > LONGEST_NAME:
            wanted = f"a {RESULTS_FILE} whose names of {name} have at most {LONGEST_NAME} characters, not {longest}"
            raise invalid("folder", wanted, str(folder))
    return loaded


def _read(file: BinaryIO):
    """Return the ``xarray.Dataset`` of an open file, in memory."""
    import xarray

    with xarray.open_dataset(file, engine="h5netcdf") as dataset:
        return dataset.load()


def _seal(payload: bytes | memoryview) -> bytes:
    """Return the last line of the sealed file with this content."""
    return _LAST_LINE.format(hashlib.sha256(payload).hexdigest()).encode()


def _check_seal(file: BinaryIO) -> bool:
    """Return whether an open file is sealed, and raise ``ValueError`` if it was changed after it was sealed.

    A file without such a last line, as earlier versions wrote it, is not sealed.
    """
    size = file.seek(0, io.SEEK_END) - _LENGTH
    file.seek(max(0, size))
    last_line, digest = file.read(), hashlib.sha256()
    prefix = _LAST_LINE.partition("{")[0].encode()
    if not last_line.startswith(prefix):
        return False
    file.seek(0)
    while size > 0:
        block = file.read(min(size, _BLOCK))
        digest.update(block)
        size -= len(block)
    file.seek(0)
    if last_line != _LAST_LINE.format(digest.hexdigest()).encode():
        raise ValueError("its checksum is wrong: it was changed or damaged after it was written")
    return True


def provenance() -> dict[str, str]:
    """Return what a result depends on besides its specification: versions, revision and device, as text."""
    import jax

    packages = ("jax", "jaxlib", "flax", "optax", "numpy", "scipy", "xarray")
    devices = jax.devices()
    return {
        "simlab_version": simlab.__version__,
        "versions": ", ".join(f"{name} {metadata.version(name)}" for name in packages),
        "python": platform.python_version(),
        "git_revision": _git_revision(),
        "device": f"{len(devices)} x {devices[0].device_kind} ({devices[0].platform})",
    }


def _git_revision() -> str:
    """Return the commit of this package, marked if files differ from it, or ``unknown``.

    It is the commit of the checkout that tracks this file, or else the one that the package was built from. An
    unrelated repository around an installed package is ignored.
    """
    if _git("ls-files", "--error-unmatch", Path(__file__).name):
        return _git("describe", "--always", "--dirty", "--exclude", "*", "--abbrev=40") or "unknown"
    built_from = Path(simlab.__file__).with_name(BUILT_FROM)
    return built_from.read_text().strip() if built_from.is_file() else "unknown"


def _git(*words: str) -> str:
    """Return the output of a git command in the folder of this file, or an empty text if git fails or is missing."""
    command = ["git", "-C", str(Path(__file__).parent), *words]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
