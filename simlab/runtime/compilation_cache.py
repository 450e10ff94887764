"""Compiled programs, kept on disk for a quick start.

JAX writes them in place and loads whatever it finds: one damaged byte, or the program of another key, may crash the
process. So each is sealed here with a checksum of its key and its content. One that differs, as a process leaves it
that is killed while it writes, is removed and compiled anew. A disk that cannot be written to is reported once. What
JAX itself cannot read is removed by its name, as the warning does not say which file it was.
"""

import hashlib
import os
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax

# JAX's warning about a program that it could not read or write, with the program's name and the reason.
_WARNING = r"Error \w+ persistent compilation cache entry for '([^']+)': (.*)"
# A reason that is the disk's and not the file's.
_DISK = r"\w+: \[Errno \d+\] ([^:]*)"

# Programs that compile in less are not worth a file.
_LEAST_SECONDS = 0.1

_SEAL_LENGTH = hashlib.sha256().digest_size


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
        _seal_programs()
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)
        warnings.filterwarnings("always", _WARNING)
        warnings.showwarning = _remover(folder, say, warnings.showwarning)


def _seal_programs() -> None:
    """Have JAX keep its programs in sealed files.

    This replaces a class that JAX does not make public; where it is not found, files stay as JAX writes them.
    """
    try:
        from jax._src import compilation_cache
        from jax._src.lru_cache import LRUCache
    except ImportError:
        return
    module: Any = compilation_cache
    if not hasattr(module, "LRUCache") or hasattr(module.LRUCache, "is_sealed"):
        return

    class SealedCache(LRUCache):
        """Programs by key, each behind its checksum."""

        is_sealed = True

        def get(self, key: str) -> bytes | None:
            """Return a program, or None if there is none; one that differs from what was written is removed."""
            value = super().get(key)
            if value is None:
                return None
            seal, program = value[:_SEAL_LENGTH], value[_SEAL_LENGTH:]
            if seal == _seal(key, program):
                return program
            with suppress(OSError):
                (Path(str(self.path)) / f"{key}-cache").unlink()
            return None

        def put(self, key: str, value: bytes) -> None:
            """Keep a program unless there is one."""
            super().put(key, _seal(key, value) + value)

    module.LRUCache = SealedCache


def _seal(key: str, program: bytes) -> bytes:
    """Return the checksum of a program under its key."""
    return hashlib.sha256(key.encode() + b"\0" + program).digest()


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
