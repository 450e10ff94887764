"""Compiled programs, kept on disk for a quick start.

JAX writes them in place. A process that is killed while it writes, or a disk that is full, leaves a corrupt one, which
JAX can neither read nor replaces: it would compile anew, and warn of it, at every start. Here it is removed, with all
others of its name, as the warning does not say which it was.
"""

import os
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import jax

# JAX's warning about a program that it could not read or write, with the program's name and the reason.
_WARNING = r"Error \w+ persistent compilation cache entry for '([^']+)': (.*)"
# A reason that is the disk's and not the file's.
_DISK = r"\w+: \[Errno \d+\] ([^:]*)"

# Programs that compile in less are not worth a file.
_LEAST_SECONDS = 0.1


def keep_compilations(say: Callable[[str], None] = lambda text: None) -> None:
    """Keep compiled programs on disk: in JAX's cache folder if one is set, else in the user's cache.

    Args:
        say: called once, with one line, if they cannot be written; they are then compiled at every start.
    """
    kept_in = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue] - defined at run time
    if kept_in is None:
        try:
            folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simlab" / "compiled"
        except RuntimeError:
            say("compiled programs cannot be kept: this user has no home folder (XDG_CACHE_HOME names another)")
            return
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)
        warnings.filterwarnings("always", _WARNING)
        warnings.showwarning = _remover(folder, say, warnings.showwarning)


def _remover(folder: Path, say: Callable[[str], None], show: Callable) -> Callable:
    """Return a replacement of ``warnings.showwarning`` that removes the files which JAX's warnings name."""
    reported = False

    def handle(message, category, filename, lineno, file=None, line=None):
        nonlocal reported
        warning = re.match(_WARNING, str(message), re.DOTALL)
        if warning is None:
            show(message, category, filename, lineno, file, line)
            return
        name, reason = warning.groups()
        with suppress(OSError):
            for path in folder.glob(f"{name}-*"):
                path.unlink(missing_ok=True)
        disk = re.match(_DISK, reason)
        if disk and not reported:
            reported = True
            say(f"compiled programs cannot be kept in {folder}: {disk[1]}")

    return handle
