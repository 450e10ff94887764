"""The receipt of a figure: digests of the numbers that it was drawn from, and what they depend on, inside its file.

A PDF holds it as ``Subject``, a PNG as a text chunk ``simlab``, an SVG as its ``dc:description``, each as one line of
JSON.
"""

import hashlib
import html
import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

KIND = "simlab receipt"
KEYS = {".pdf": "Subject", ".png": "simlab", ".svg": "Description"}
DIGITS = 16  # hexadecimal digits of a digest
# Variables over quantities have a digest for each of them, so that a difference has a name.
BY_QUANTITY = ("learned", "predicted")
PROVENANCE = ("simlab_version", "git_revision", "versions", "python", "device")
_PNG_BEGIN = b"\x89PNG\r\n\x1a\n"


def make_receipt(name: str, dataset) -> dict[str, object]:
    """Return the receipt of a figure.

    Args:
        name: of the figure.
        dataset: the ``xarray.Dataset`` that it is drawn from.
    """
    configurations = json.loads(dataset.attrs.get("configuration", "{}")).values()
    return {
        "kind": KIND,
        "figure": name,
        "experiment": str(dataset.attrs.get("experiment", "")),
        "specification": _digest(str(dataset.attrs.get("sweep", "")).encode()),
        "precision": sorted({str(fields["dtype"]) for fields in configurations if "dtype" in fields}),
        **{field: str(dataset.attrs[field]) for field in PROVENANCE if field in dataset.attrs},
        "data": digests(dataset),
    }


def digests(dataset) -> dict[str, str]:
    """Return a digest of every variable, by name; of those over quantities one for each quantity."""
    result = {}
    for name in sorted(map(str, dataset.variables)):
        variable = dataset[name]
        if name in BY_QUANTITY and "quantity" in variable.dims and "quantity" in dataset.coords:
            for quantity in map(str, dataset["quantity"].values):
                result[f"{name}, {quantity}"] = _digest(_bytes_of(variable.sel(quantity=quantity).values))
        else:
            result[name] = _digest(_bytes_of(variable.values))
    return result


def _bytes_of(values: np.ndarray) -> bytes:
    """Return values in one form, whatever a file makes of their types."""
    if values.dtype.kind in "biufc":
        numbers = values.astype(complex if values.dtype.kind == "c" else float)
        return np.where(np.isnan(numbers), np.nan, numbers).tobytes() + str(values.shape).encode()
    return json.dumps([*map(str, values.ravel()), *values.shape]).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def metadata_of(path: Path, receipt: Mapping[str, object] | None) -> dict[str, str | None]:
    """Return the metadata with which matplotlib writes a file: the receipt, and no date."""
    suffix = Path(path).suffix.lower()
    date = {".pdf": "CreationDate", ".svg": "Date"}.get(suffix)
    metadata: dict[str, str | None] = {} if date is None else {date: None}
    if receipt is not None:
        metadata[KEYS[suffix]] = json.dumps(receipt, sort_keys=True)
    return metadata


def read_receipt(path: Path) -> dict:
    """Return the receipt that a file holds.

    Raises:
        ValueError: the file is no figure that simlab drew, or an older version drew it.
        OSError: it cannot be read.
    """
    content, suffix = Path(path).read_bytes(), Path(path).suffix.lower()
    text = {".pdf": _read_pdf, ".png": _read_png, ".svg": _read_svg}.get(suffix, lambda content: None)(content)
    try:
        receipt = json.loads(text or "null")
    except ValueError:
        receipt = None
    if not isinstance(receipt, dict) or receipt.get("kind") != KIND or not isinstance(receipt.get("data"), dict):
        raise ValueError(f"figure: expected a PDF, PNG or SVG with a receipt of simlab, got {str(path)!r}")
    return receipt


def _read_pdf(content: bytes) -> str | None:
    found = re.search(rb"/Subject \(((?:[^()\\]|\\.)*)\)", content, re.DOTALL)
    return None if found is None else re.sub(rb"\\(.)", rb"\1", found.group(1)).decode("latin-1")


def _read_png(content: bytes) -> str | None:
    """Return the text chunk of the receipt; chunks are length, type, data, checksum."""
    place = len(_PNG_BEGIN)
    while content.startswith(_PNG_BEGIN) and place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        key, _, text = content[place + 8 : place + 8 + length].partition(b"\0")
        if kind == b"tEXt" and key == KEYS[".png"].encode():
            return text.decode("latin-1")
        place += length + 12
    return None


def _read_svg(content: bytes) -> str | None:
    found = re.search(r"<dc:description>(.*?)</dc:description>", content.decode("utf-8", "replace"), re.DOTALL)
    return None if found is None else html.unescape(found.group(1))


def moved(receipt: Mapping, dataset) -> list[str]:
    """Return the names of the variables and quantities of a dataset that differ from those of a receipt."""
    old, new = receipt["data"], digests(dataset)
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
