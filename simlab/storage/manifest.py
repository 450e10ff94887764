"""The manifest of a folder of parts: the sweep that the parts belong to and its layout, shared by all processes.

The words used here:

sweep
    What is computed, as nested plain values; the parts of a folder belong to one sweep.
layout
    How the sweep is cut into parts; chosen by the first process, used by all others.
manifest
    ``manifest.json`` in the folder of the parts: sweep, layout, versions and device, with a checksum.
fingerprint
    Hash of sweep and layout.
earlier
    In a layout, the layout that it replaced when the sweep resumed on other devices. Parts finished under an earlier
    layout remain valid.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Any

from simlab.storage.results import write_atomically
from simlab.storage.sealed_files import (
    CorruptFile,
    PartsRemoved,
    PartsReplaced,
    SaveError,
    explained,
    locked,
    read_or_quarantine,
)
from simlab.validation import invalid

# Version of the content of parts and of the grouping of members: raised whenever either changes.
FORMAT = 3
MANIFEST_FILE = "manifest.json"

_ABSENT = object()
_LONGEST_VALUE = 60
_MOST_DIFFERENCES = 6


class OtherSweep(ValueError):  # noqa: N818 - the state of a folder
    """A folder belongs to another sweep or to another version, which the message names. The folder is unchanged."""


def share_manifest(
    parts: Path,
    sweep: dict,
    make_layout: Callable[[], dict],
    made_by: dict[str, str],
    on_corrupt: Callable[[str], None],
) -> dict:
    """Return the manifest that all processes share; the first process creates it and the folder of the parts.

    Arguments and exceptions are those of :func:`simlab.storage.parts.open_store`.

    Returns:
        ``format``, ``sweep``, ``layout`` and ``made_by``, as every process reads them from the disk.
    """
    path = parts / MANIFEST_FILE
    with explained(path):
        parts.mkdir(parents=True, exist_ok=True)
    with locked(parts / ".manifest.lock", wait=True, say=on_corrupt):
        manifest = read_or_quarantine(path, _read, on_corrupt, "made anew")
        if manifest is None:
            content = {"format": FORMAT, "sweep": sweep, "layout": make_layout(), "made_by": made_by}
            with explained(path):
                _write(path, _plain(content))
                manifest = _read(path)
    if manifest["format"] != FORMAT:
        wanted = f"parts of format {FORMAT} (another version of simlab has begun a run in {parts.parent})"
        raise OtherSweep(invalid("out", wanted, f"format {manifest['format']}"))
    lines = differences(manifest["sweep"], sweep)
    if lines:
        raise OtherSweep(invalid("out", f"a folder with parts of this sweep ({summarise(lines)})", str(parts.parent)))
    return manifest


def check_unchanged(parts: Path, manifest: dict) -> None:
    """Raise unless the manifest of a folder of parts is the one that this process has read.

    Raises:
        PartsRemoved: the folder no longer exists: the sweep is finished, or the folder was deleted.
        PartsReplaced: the manifest is that of another sweep or another layout, or is missing or damaged.
    """
    path = parts / MANIFEST_FILE
    try:
        with explained(path):
            is_same = fingerprint(_read(path)) == fingerprint(manifest)
    except PartsRemoved:
        raise
    except (SaveError, CorruptFile, KeyError) as error:
        raise PartsReplaced(f"{path}: removed or damaged while the sweep ran; the same command resumes it") from error
    if not is_same:
        raise PartsReplaced(
            f"{parts.parent}: another process has begun another run here; this one ends without a result"
        )


def belongs(parts: Path, sweep: dict) -> bool:
    """Return whether a folder of parts exists and belongs to a sweep."""
    manifest = read_manifest(parts)
    return manifest is not None and not differences(manifest["sweep"], sweep)


def read_manifest(parts: Path) -> dict | None:
    """Return the manifest of a folder of parts; None if there is none, or it is corrupt."""
    try:
        return _read(parts / MANIFEST_FILE)
    except (OSError, CorruptFile):
        return None


def replace_layout(parts: Path, manifest: dict, layout: dict) -> dict:
    """Replace the layout in the manifest on disk, and return the new manifest.

    Finished parts remain valid under the same names; the states of unfinished parts are deleted.

    Args:
        parts: the folder of the parts.
        manifest: as this process has read it.
        layout: the new layout, which cuts the sweep into the same parts.

    Raises:
        PartsReplaced: another process has replaced the layout already.
        SaveError: the folder cannot be written to.
    """
    with locked(parts / ".manifest.lock", wait=True), explained(parts / MANIFEST_FILE):
        check_unchanged(parts, manifest)
        content = _plain(manifest | {"layout": layout | {"earlier": manifest["layout"]}})
        _write(parts / MANIFEST_FILE, content, replace=True)
        for state in parts.glob("*.state"):
            state.unlink(missing_ok=True)
    return content


def fingerprint(manifest: dict) -> str:
    """Return the hash of a manifest's sweep and layout."""
    return _hash({key: manifest[key] for key in ("sweep", "layout")})


def fingerprints(manifest: dict) -> list[str]:
    """Return the hashes of a manifest's sweep with its layout and with each earlier one."""
    layouts = [manifest["layout"]]
    while (earlier := layouts[-1].get("earlier")) is not None:
        layouts.append(earlier)
    return [fingerprint({"sweep": manifest["sweep"], "layout": layout}) for layout in layouts]


def differences(there: dict, here: dict) -> list[str]:
    """Return a line ``path: value there, value here`` for each field in which two nested dicts differ.

    Paths are the dicts' keys joined by dots. Values with the same JSON are equal: tuples and lists, numbers of NumPy
    and of Python, a key and its text; so are 1 and 1.0, and two NaNs. Long values are cut around the first character
    that differs.
    """
    return list(_differences(_plain(there), _plain(here), ""))


def summarise(lines: list[str]) -> str:
    """Return the first six differences in one line, and the number of those left out."""
    more = len(lines) - _MOST_DIFFERENCES
    return "; ".join(lines[:_MOST_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


def _differences(there: object, here: object, path: str) -> Iterator[str]:
    """Yield a line for each leaf in which two nested dicts differ; a large dict missing on one side is one line."""
    if there is _ABSENT and isinstance(here, dict) and 0 < len(here) <= _MOST_DIFFERENCES:
        there = {}
    elif here is _ABSENT and isinstance(there, dict) and 0 < len(there) <= _MOST_DIFFERENCES:
        here = {}
    if isinstance(there, dict) and isinstance(here, dict):
        for key in there | here:
            deeper = f"{path}.{key}" if path else key
            yield from _differences(there.get(key, _ABSENT), here.get(key, _ABSENT), deeper)
    elif there != here and repr(there) != repr(here):  # two NaNs agree only as text
        texts = [_in_words(value) for value in (there, here)]
        start = next(place for place, characters in enumerate(zip_longest(*texts)) if characters[0] != characters[1])
        yield f"{path}: {_excerpt(texts[0], start)} there, {_excerpt(texts[1], start)} here"


def _in_words(value: object) -> str:
    """Return a value as text: of a dict, which the other side lacks, only the number of its fields."""
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, dict):
        return "1 field" if len(value) == 1 else f"{len(value)} fields"
    return repr(value)


def _excerpt(text: str, at: int) -> str:
    """Return a text, or the part around a position if the text is long."""
    if len(text) <= _LONGEST_VALUE:
        return text
    begin = max(0, at - _LONGEST_VALUE // 3)
    end = begin + _LONGEST_VALUE
    return ("..." if begin else "") + text[begin:end] + ("..." if end < len(text) else "")


def _plain(value: object) -> Any:
    """Return a nested value after a round trip through JSON; NumPy numbers and arrays become Python values."""
    return json.loads(json.dumps(value, default=lambda array: array.tolist()))


def _hash(content: dict) -> str:
    """Return the hash of a plain dict, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write(path: Path, content: dict, *, replace: bool = False) -> None:
    """Write a manifest with its checksum; an existing one is kept unless ``replace`` is set."""
    text = json.dumps(content | {"checksum": _hash(content)}, indent=1)
    with suppress(FileExistsError):  # without locks, another process may have written one
        write_atomically(path, lambda temporary: temporary.write_text(text), replace=replace)


def _read(path: Path) -> dict:
    """Return a manifest without its checksum, or raise :class:`CorruptFile`."""
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise CorruptFile(f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise CorruptFile("no manifest")
    if content.pop("checksum", None) != _hash(content):
        raise CorruptFile("its checksum is wrong")
    return content
