"""Save and load labelled results, whole or not at all, with their provenance."""

import errno
import io
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import simlab
from simlab.validation import invalid

RESULTS_FILE = "results.nc"
# Characters of a regime or a quantity, which stand in titles and tables.
LONGEST_NAME = 200


def write_atomically(path: Path, write: Callable[[Path], object], *, replace: bool = True) -> None:
    """Call ``write`` with a temporary name beside ``path``, then rename: a reader never sees half a file.

    The content is on the disk before it takes the name, and the name when this returns: a power cut keeps either the
    old file or the new one.

    Args:
        path: the final name.
        write: writes the file whose name it is given; the temporary name begins with a dot and keeps the suffix of
            ``path``.
        replace: whether an existing file is replaced; if not, of several processes at once one succeeds.

    Raises:
        FileExistsError: ``replace`` is false and the name is taken.
        OSError: the folder cannot be written to, or the disk is full; an existing file stays as it was.
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
    finally:
        temporary.unlink(missing_ok=True)
    with suppress(OSError):  # some systems cannot flush a folder
        _flush_to_disk(path.parent)


def _flush_to_disk(path: Path) -> None:
    """Return once the operating system has put a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take_name(temporary: Path, path: Path) -> None:
    """Rename a file unless the name is taken; a plain rename would replace the file of that name."""
    try:
        os.link(temporary, path)
    except OSError:  # taken; or no hard links here, then check and rename
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.replace(path)


def _umask() -> int:
    """Return the process's file mode mask, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_dataset(dataset, path: Path) -> None:
    """Write an ``xarray.Dataset`` as compressed netCDF (engine h5netcdf), atomically.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; an existing file stays as it was.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    encoding = {
        name: {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "iuf" and variable.size > 1
    }
    # In memory first: where HDF5 itself meets a full disk, it crashes the process.
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        dataset.dump_to_store(H5NetCDFStore(file), encoding=encoding)
    with buffer.getbuffer() as payload:  # released also where writing fails: the buffer cannot be freed before
        write_atomically(path, lambda temporary: temporary.write_bytes(payload))


def load_dataset(folder: Path):
    """Return the ``xarray.Dataset`` of a saved run, in memory.

    Raises:
        ValueError: the folder holds no run, or its file cannot be read.
    """
    path = Path(folder) / RESULTS_FILE
    if not path.is_file():
        raise invalid("folder", f"one that holds {RESULTS_FILE}", str(folder))
    import xarray

    try:
        with xarray.open_dataset(path, engine="h5netcdf") as dataset:
            loaded = dataset.load()
    except OSError as error:
        raise invalid("folder", f"a readable {RESULTS_FILE} in it ({error})", str(folder)) from error
    if not isinstance(loaded.attrs.get("experiment"), str):
        raise invalid("folder", f"a {RESULTS_FILE} that simlab wrote", str(folder))
    for name in {"regime", "quantity"} & set(loaded.coords):
        longest = max((len(str(value)) for value in loaded[name].values.ravel()), default=0)
        if longest > LONGEST_NAME:
            wanted = f"a {RESULTS_FILE} whose names of {name} have at most {LONGEST_NAME} characters, not {longest}"
            raise invalid("folder", wanted, str(folder))
    return loaded


def provenance() -> dict[str, str]:
    """Return what a result depends on beside its specification: versions, revision and device, as text."""
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
    """Return the commit that this package was run from, marked if it was changed since, or ``unknown``."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty", "--exclude", "*", "--abbrev=40"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.strip() or "unknown"
