"""The manifest of a folder of parts: which sweep they belong to and how it is cut, shared by all processes.

The words used here:

sweep
    What is computed, as nested plain values; the parts of a folder belong to one sweep.
layout
    How the sweep is cut into parts; chosen by the first process, used by all others.
manifest
    ``manifest.json`` among the parts: the sweep, the layout and what made them, with a checksum.
fingerprint
    Hash of sweep and layout.
earlier
    In a layout, the one that it has replaced, where the sweep goes on with other devices: parts that were finished then
    count.
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

# Version of what parts hold and of how members are grouped: raised whenever either changes.
FORMAT = 3
MANIFEST_FILE = "manifest.json"

_ABSENT = object()
_LONGEST_VALUE = 60
_MOST_DIFFERENCES = 6


class OtherSweep(ValueError):  # noqa: N818 - the state of a folder
    """A folder belongs to another sweep, or to another version; the message says which. The folder is unchanged."""


def share_manifest(
    parts: Path,
    sweep: dict,
    make_layout: Callable[[], dict],
    made_by: dict[str, str],
    on_corrupt: Callable[[str], None],
) -> dict:
    """Return the manifest that all processes share; the first one creates it and the folder of the parts.

    The arguments and what is raised are those of :func:`simlab.storage.parts.open_store`.

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
        wanted = f"no run that another version of simlab has begun in {parts.parent} (parts of format {FORMAT})"
        raise OtherSweep(invalid("out", wanted, f"format {manifest['format']}"))
    lines = differences(manifest["sweep"], sweep)
    if lines:
        raise OtherSweep(invalid("out", f"a folder with parts of this sweep ({summarise(lines)})", str(parts.parent)))
    return manifest


def check_unchanged(parts: Path, manifest: dict) -> None:
    """Raise unless the manifest of a folder of parts is still the one that this process has read.

    Raises:
        PartsRemoved: the folder is gone: the sweep is finished, or somebody has deleted it.
        PartsReplaced: another sweep, or another layout, has taken its place.
    """
    path = parts / MANIFEST_FILE
    try:
        with explained(path):
            is_same = fingerprint(_read(path)) == fingerprint(manifest)
    except PartsRemoved:
        raise
    except (SaveError, CorruptFile, KeyError) as error:
        raise PartsReplaced(f"{path}: removed or damaged while the sweep ran; the same command goes on") from error
    if not is_same:
        raise PartsReplaced(
            f"{parts.parent}: another process has begun another run here; this one ends without a result"
        )


def belongs(parts: Path, sweep: dict) -> bool:
    """Return whether a folder of parts is there and belongs to a sweep."""
    manifest = read_manifest(parts)
    return manifest is not None and not differences(manifest["sweep"], sweep)


def read_manifest(parts: Path) -> dict | None:
    """Return the manifest of a folder of parts; None if there is none, or it is corrupt."""
    try:
        return _read(parts / MANIFEST_FILE)
    except (OSError, CorruptFile):
        return None


def replace_layout(parts: Path, manifest: dict, layout: dict) -> dict:
    """Return the manifest with another layout, which takes the place of the one on the disk.

    Parts that are finished count, under the same names; what others have saved is deleted.

    Args:
        parts: the folder of the parts.
        manifest: as this process has read it.
        layout: the new one, which cuts the sweep into the same parts.

    Raises:
        PartsReplaced: another process has replaced it already.
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

    Paths are the dicts' keys joined by dots. What JSON cannot tell apart is equal: tuples and lists, numpy's numbers
    and Python's, a key and its text; so are 1 and 1.0, and one NaN and another. Long values are cut around the first
    character that differs.
    """
    return list(_differences(_plain(there), _plain(here), ""))


def summarise(lines: list[str]) -> str:
    """Return the first six of some differences in one line, and how many more there are."""
    more = len(lines) - _MOST_DIFFERENCES
    return "; ".join(lines[:_MOST_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


def _differences(there: object, here: object, path: str) -> Iterator[str]:
    """Yield a line for each leaf in which two nested dicts differ; a large dict on one side alone is one line."""
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
    """Return a value as text; of a dict, which stands where the other side has none, only its size."""
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, dict):
        return "1 field" if len(value) == 1 else f"{len(value)} fields"
    return repr(value)


def _excerpt(text: str, at: int) -> str:
    """Return a text, or if it is long the part of it around a position."""
    if len(text) <= _LONGEST_VALUE:
        return text
    begin = max(0, at - _LONGEST_VALUE // 3)
    end = begin + _LONGEST_VALUE
    return ("..." if begin else "") + text[begin:end] + ("..." if end < len(text) else "")


def _plain(value: object) -> Any:
    """Return a nested value as it comes back from JSON; numpy's numbers and arrays as Python's own."""
    return json.loads(json.dumps(value, default=lambda array: array.tolist()))


def _hash(content: dict) -> str:
    """Return the hash of a plain dict, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _write(path: Path, content: dict, *, replace: bool = False) -> None:
    """Write a manifest with its checksum; unless there is one, or in its place."""
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
