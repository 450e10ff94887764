"""Dataclass fields as command-line options, and their texts as values."""

import argparse
import dataclasses
import types
import typing
from collections.abc import Iterable

from simlab.validation import check_count, check_real, invalid, is_number


def add_options(parser: argparse.ArgumentParser, record: type, names: Iterable[str] | None = None) -> None:
    """Add one option for each field of a dataclass, or for those named; texts are kept for :func:`read_options`."""
    taken = {action.dest for action in parser._actions}
    for field in _fields(record, names):
        flag = "--" + field.name.replace("_", "-")
        text = field.metadata["help"]
        if field.name in taken:
            continue  # another record has the same field
        if field.type is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
        else:
            parser.add_argument(flag, metavar=_metavar(field.type), default=None, help=text)


def given_options(arguments: argparse.Namespace, *records: type) -> list[str]:
    """Return the names of the fields of some dataclasses that were given."""
    names = dict.fromkeys(field.name for record in records for field in dataclasses.fields(record))
    return [name for name in names if getattr(arguments, name) is not None]


def read_options(arguments: argparse.Namespace, record: type, names: Iterable[str] | None = None) -> dict[str, object]:
    """Return the fields that were given, by name, as values of their types.

    Raises:
        ValueError: a text is not a value of its field's type; the message names the field.
    """
    given = {field.name: (field.type, getattr(arguments, field.name)) for field in _fields(record, names)}
    return {name: convert(name, kind, value) for name, (kind, value) in given.items() if value is not None}


def _fields(record: type, names: Iterable[str] | None) -> list[dataclasses.Field]:
    chosen = None if names is None else set(names)
    return [field for field in dataclasses.fields(record) if chosen is None or field.name in chosen]


def _alternatives(kind) -> tuple:
    """Return the types that a field's annotation allows."""
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def _metavar(kind) -> str:
    if float in _alternatives(kind):
        return "X"
    return "N" if int in _alternatives(kind) else "NAME"


def convert(name: str, kind, value):
    """Return a text as a value of ``kind``; where text itself is allowed, it stays text if it is no number."""
    if not isinstance(value, str):
        return value
    kinds = _alternatives(kind)
    if tuple[int, ...] in kinds and "," in value:
        return tuple(_number(name, int, part, "whole numbers separated by commas") for part in value.split(","))
    if tuple[float, ...] in kinds and ("," in value or is_number(value)):
        return tuple(_number(name, float, part, "numbers separated by commas") for part in value.split(","))
    for number, description in ((int, "a whole number"), (float, "a number")):
        if number in kinds:
            return _number(name, number, value, description, or_text=str in kinds)
    return value


def _number(name: str, number: type, text: str, description: str, *, or_text: bool = False):
    try:
        return number(text)
    except ValueError:
        if or_text:
            return text
        raise invalid(name, description, text) from None


def read_real(field: str, text: str | None, default: float | None, *, positive: bool) -> float | None:
    """Return a finite number, positive or at least not negative, or the default if the option was not given."""
    if text is None:
        return default
    return check_real(field, _number(field, float, text, "a number"), positive=positive)


def read_count(field: str, text: str, minimum: int) -> int:
    """Return a whole number of at least ``minimum``."""
    try:
        return check_count(field, int(text), minimum)
    except ValueError:
        raise invalid(field, f"a whole number of at least {minimum}", text) from None
