"""Keep compiled programs on disk for a quick start.

JAX writes its cache files in place and loads them unchecked: one damaged byte, or the program of another key, may crash
the process. Here each file is sealed with a checksum of its key and content. A file with a wrong checksum, such as one
whose writer was killed, is removed, and the program is compiled again. A disk that cannot be written to is reported
once. Files that JAX itself cannot read are found by the name of the program, as its warning does not name the file.
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
# A reason that concerns the disk and not the file.
_DISK = r"\w+: \[Errno \d+\] ([^:]*)"

# Programs that compile in less time are not saved.
_LEAST_SECONDS = 0.1

_SEAL_LENGTH = hashlib.sha256().digest_size


def keep_compilations(say: Callable[[str], None] = lambda text: None) -> None:
    """Keep compiled programs on disk: in JAX's cache folder if one is set, else in the user's cache.

    Args:
        say: called once, with one line, if programs cannot be written; they are then compiled at every start.
    """
    set_folder = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue] - set at run time
    if set_folder is None:
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
    """Replace JAX's file cache by one whose files are sealed.

    The replaced class is not public in JAX; where it is not found, files stay as JAX writes them.
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
        """Programs by key, each preceded by its checksum."""

        is_sealed = True

        def get(self, key: str) -> bytes | None:
            """Return a program, or None if there is none; a file with a wrong checksum is removed."""
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
            """Save a program unless its key has one already."""
            super().put(key, _seal(key, value) + value)

    module.LRUCache = SealedCache


def _seal(key: str, program: bytes) -> bytes:
    """Return the SHA-256 checksum of a key and its program."""
    return hashlib.sha256(key.encode() + b"\0" + program).digest()


def _remover(folder: Path, say: Callable[[str], None], show: Callable) -> Callable:
    """Return a replacement for ``warnings.showwarning`` that removes the cache files of programs JAX warns about."""
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
