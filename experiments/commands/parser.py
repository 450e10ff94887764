"""The parser of a command: errors are one line, and an option of another phenomenon is said to be one."""

import argparse
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence

from experiments.core.options import flag_of, flags_of, option_types
from simlab.validation import is_number, nearest


class _HelpFormatter(argparse.HelpFormatter):
    """Help that breaks no flag and no name at a hyphen."""

    def _split_lines(self, text, width):
        return textwrap.wrap(text, width, break_on_hyphens=False)

    def _fill_text(self, text, width, indent):
        lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        return "\n".join(lines)


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors raise ``ValueError`` with one line.

    Attributes:
        load_records: ``() -> {phenomenon: dataclass of options}``, all that the command knows.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, allow_abbrev=False, formatter_class=_HelpFormatter, **kwargs)
        self.load_records: Callable[[], Mapping[str, type]] = dict

    def error(self, message):
        """Raise ``ValueError`` in place of argparse's exit."""
        raise ValueError(message)

    def refuse(self, word: str) -> None:
        """Raise ``ValueError`` for a word that is no option here; the message says to which phenomenon it belongs."""
        flag = word.partition("=")[0]
        owners = [name for name, record in self.load_records().items() if flag in flags_of(record)]
        flags = [flag for action in self._actions for flag in action.option_strings]
        hint = f" (an option of {' and '.join(owners)})" if owners else nearest(flag, flags)
        raise ValueError(f"option: expected one that '{self.prog} --help' lists, got {word!r}{hint}")

    def find_name(self, words: Iterable[str]) -> str | None:
        """Return the first word that is neither an option nor an option's value, or None."""
        words = iter(words)
        for word in words:
            if not word.startswith("-"):
                return word
            if "=" not in word and self._takes_value(word):
                next(words, None)
        return None

    def _takes_value(self, flag: str) -> bool:
        action = self._option_string_actions.get(flag)
        if action is not None:
            return action.nargs != 0
        kinds = (item for record in self.load_records().values() for item in option_types(record).items())
        return any(flag_of(name) == flag and kind is not bool for name, kind in kinds)


def join_negative_numbers(words: Sequence[str]) -> list[str]:
    """Write ``--option -1e-3`` as ``--option=-1e-3``: argparse takes such a number for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and _is_negative_number(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _is_negative_number(word: str) -> bool:
    return word.startswith("-") and is_number(word.partition(",")[0])
