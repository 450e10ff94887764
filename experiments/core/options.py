"""Command-line options from dataclass fields, and conversion of their texts to values."""

import argparse
import dataclasses
import types
from collections.abc import Mapping
from typing import Any, get_args

from simlab.validation import check_count, invalid, is_number


def option_types(record: type) -> dict[str, Any]:
    """Return the type of each option of a dataclass, by name: its fields and aliases.

    Fields named by the attribute ``unused`` of the dataclass are left out. An alias has the type of the fields that it
    sets.
    """
    unused = getattr(record, "unused", ())
    kinds = {field.name: field.type for field in dataclasses.fields(record) if field.name not in unused}
    return kinds | {name: kinds[targets[0]] for name, targets in _aliases(record).items()}


def flag_of(name: str) -> str:
    """Return the flag of a field."""
    return "--" + name.replace("_", "-")


def flags_of(record: type) -> list[str]:
    """Return every flag of a dataclass, including ``--no-NAME`` of switches."""
    kinds = option_types(record).items()
    return [*(flag_of(name) for name, _ in kinds), *(flag_of(f"no_{name}") for name, kind in kinds if kind is bool)]


def add_options(
    parser: argparse.ArgumentParser, record: type, defaults: Mapping[str, str] | None = None, *, hidden: bool = False
) -> None:
    """Add one option for each field and alias of a dataclass; texts are kept for :func:`read_options`.

    Args:
        parser: receives the options, each under the heading of its group.
        record: the dataclass.
        defaults: texts of the default values, by name; an option that is absent shows no default.
        hidden: whether to omit the options from help. A flag that the parser already has is then left unchanged.
    """
    headings = {group.title: group for group in parser._action_groups}
    helps = _helps(record, defaults or {})
    for name, kind in option_types(record).items():
        if hidden and flag_of(name) in parser._option_string_actions:
            continue
        title, text = helps[name]
        if title and title not in headings:
            headings[title] = parser.add_argument_group(title)
        _add(headings.get(title, parser), name, kind, argparse.SUPPRESS if hidden else text)


def given_options(arguments: argparse.Namespace, *records: type) -> list[str]:
    """Return the names of those options of the dataclasses that the user gave."""
    names = dict.fromkeys(name for record in records for name in option_types(record))
    return [name for name in names if getattr(arguments, name, None) is not None]


def read_options(arguments: argparse.Namespace, record: type) -> dict[str, object]:
    """Return the options that the user gave, by name, converted to their types.

    Raises:
        ValueError: a text is not a value of its option's type; the message names the option.
    """
    kinds = option_types(record)
    return {name: convert(name, kinds[name], getattr(arguments, name)) for name in given_options(arguments, record)}


def default_text(value: object) -> str:
    """Return the text of a default value in help."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, tuple):
        return ",".join(map(default_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _aliases(record: type) -> Mapping[str, tuple[str, ...]]:
    return getattr(record, "aliases", {})


def _helps(record: type, defaults: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return heading and help of each option; an alias appears under the heading of the fields that it sets."""
    about = {field.name: dict(field.metadata) for field in dataclasses.fields(record)}
    for name, targets in _aliases(record).items():
        flags = " and ".join(map(flag_of, targets))
        about[name] = about[targets[0]] | {"help": f"sets {flags}, each unless it is zero"}
    return {
        name: (metadata["group"], _help(metadata["help"], metadata["unit"], defaults.get(name)))
        for name, metadata in about.items()
    }


def _help(text: str, unit: str, default: str | None) -> str:
    notes = [*([f"in {unit}"] if unit else []), *([f"default: {default}"] if default is not None else [])]
    return f"{text} ({'; '.join(notes)})".replace("%", "%%") if notes else text.replace("%", "%%")


def _add(group, name: str, kind, text: str) -> None:
    if kind is bool:
        group.add_argument(flag_of(name), action=argparse.BooleanOptionalAction, default=None, help=text)
    else:
        group.add_argument(flag_of(name), metavar=_metavar(kind), default=None, help=text)


def alternatives(kind) -> tuple:
    """Return the types that a field's annotation allows."""
    return get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def _metavar(kind) -> str:
    if float in alternatives(kind):
        return "X"
    if int in alternatives(kind):
        return "N"
    return "NAME" if str in alternatives(kind) else "X,X,..."


def convert(name: str, kind, value) -> Any:
    """Return a text converted to ``kind``; if ``kind`` allows text, a text that is not a number stays text."""
    if not isinstance(value, str):
        return value
    kinds = alternatives(kind)
    is_list = "," in value or not {int, float, str} & {*kinds}
    if tuple[int, ...] in kinds and is_list:
        return tuple(_number(name, int, part, "whole numbers separated by commas") for part in value.split(","))
    if tuple[float, ...] in kinds and (is_list or is_number(value)):
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


def read_count(field: str, text: str, minimum: int, maximum: int | None = None) -> int:
    """Return a whole number within these bounds."""
    try:
        number = check_count(field, int(text), minimum)
    except ValueError:
        raise invalid(field, f"a whole number of at least {minimum}", text) from None
    if maximum is not None and number > maximum:
        raise invalid(field, f"a whole number of at most {maximum}", text)
    return number
