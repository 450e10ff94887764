"""Save and load labelled results, whole or not at all, with what made them."""

import os
import platform
import subprocess
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import simlab
from simlab.validation import invalid

RESULTS_FILE = "results.nc"


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Call ``write`` with a temporary name beside ``path``, then rename: a reader never meets half a file.

    Args:
        path: the final name; an existing file is replaced.
        write: writes the file whose name it is given; the temporary name keeps the suffix of ``path``.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; an existing file stays as it was.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """Return the process's file mode mask, which can be read only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_dataset(dataset, path: Path) -> None:
    """Write an ``xarray.Dataset`` as compressed netCDF (engine h5netcdf), atomically."""
    encoding = {
        name: {"zlib": True, "complevel": 4, "shuffle": True}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "iuf" and variable.size > 1
    }
    write_atomically(path, lambda name: dataset.to_netcdf(name, engine="h5netcdf", encoding=encoding))


def load_dataset(folder: Path):
    """Return the ``xarray.Dataset`` of a saved run, in memory.

    Raises:
        ValueError: the folder holds no run, or its file cannot be read.
    """
    import xarray

    path = Path(folder) / RESULTS_FILE
    if not path.is_file():
        raise invalid("folder", f"one that holds {RESULTS_FILE}", str(folder))
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as dataset:
            loaded = dataset.load()
    except OSError as error:
        raise invalid("folder", f"a readable {RESULTS_FILE} in it ({error})", str(folder)) from error
    if "experiment" not in loaded.attrs:
        raise invalid("folder", f"a {RESULTS_FILE} that simlab wrote", str(folder))
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
