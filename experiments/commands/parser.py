"""The parser of a command: errors are one line, and an unknown option is attributed to its phenomenon or command."""

import argparse
import re
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from experiments.core.axes import Axis, parse_axis
from experiments.core.options import flag_of, flags_of, option_types
from simlab.validation import is_number, nearest


class _HelpFormatter(argparse.HelpFormatter):
    """Help without line breaks at the hyphens of flags and names."""

    def _split_lines(self, text, width):
        return textwrap.wrap(text, width, break_on_hyphens=False)

    def _fill_text(self, text, width, indent):
        lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        return "\n".join(lines)


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors raise ``ValueError`` with one line.

    Attributes:
        load_records: ``() -> {phenomenon: dataclass of options}``, for all phenomena of the command.
        commands: the parsers of all commands by name, for messages.
        flags: every flag that this parser accepts.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, allow_abbrev=False, formatter_class=_HelpFormatter, **kwargs)
        self.load_records: Callable[[], Mapping[str, type]] = dict
        self.commands: Mapping[str, CommandParser] = {}

    @property
    def flags(self) -> list[str]:
        """Every flag that this parser accepts."""
        return [flag for action in self._actions for flag in action.option_strings]

    def error(self, message):
        """Raise ``ValueError`` instead of exiting, with a line that begins with the name of the option."""
        about = re.fullmatch(r"argument --([a-z-]+)\S*: (.*)", message)
        if about is None:
            raise ValueError(message)
        name, reason = about[1].replace("-", "_"), about[2]
        if reason.startswith("ignored explicit argument "):
            raise ValueError(f"{name}: expected no value, got {reason.removeprefix('ignored explicit argument ')}")
        raise ValueError(f"{name}: expected a value, got none" if reason == "expected one argument" else message)

    def refuse(self, word: str) -> None:
        """Raise ``ValueError`` for an unknown option; the message names the phenomena or commands that have it."""
        flag = word.partition("=")[0]
        if not flag.startswith("-"):
            raise ValueError(f"option: expected one that starts with --, got {word!r}")
        owners = [name for name, record in self.load_records().items() if flag in flags_of(record)]
        owners = owners or [f"'simlab {name}'" for name, parser in self.commands.items() if flag in parser.flags]
        hint = f" (an option of {' and '.join(owners)})" if owners else nearest(flag, self.flags)
        raise ValueError(f"option: expected one that '{self.prog} --help' lists, got {word!r}{hint}")

    def keep_options(self, names: Collection[str]) -> None:
        """Remove every option but those whose values have these names; the values of the others are their defaults."""
        removed = [action for action in self._actions if action.option_strings and action.dest not in names]
        for action in removed:
            self.set_defaults(**{action.dest: action.default})
            self._actions.remove(action)
            for group in self._action_groups:
                if action in group._group_actions:
                    group._group_actions.remove(action)
            for flag in action.option_strings:
                del self._option_string_actions[flag]

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


def read_axes(texts: Iterable[str], configuration: type, records: Mapping[str, type]) -> list[Axis]:
    """Return the axes that ``--vary`` describes.

    Args:
        texts: the values of ``--vary``, as typed.
        configuration: the dataclass whose fields may vary.
        records: the configurations of all phenomena, by name.

    Raises:
        ValueError: the name is neither a field nor an alias, or a value is not of its type; for an option of other
            phenomena, the message names these.
    """
    axes = []
    for text in texts:
        name = text.partition("=")[0].replace("-", "_")
        owners = [owner for owner, record in records.items() if name in option_types(record)]
        if owners and name not in option_types(configuration):
            raise ValueError(
                f"vary: expected one of the options of this experiment, got {name!r} "
                f"(an option of {' and '.join(owners)})"
            )
        axes.append(parse_axis(text, configuration))
    return axes


def join_negative_numbers(words: Sequence[str]) -> list[str]:
    """Return the words with ``--option -1e-3`` as ``--option=-1e-3``; argparse takes such a number for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and _is_negative_number(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _is_negative_number(word: str) -> bool:
    return word.startswith("-") and is_number(word.partition(",")[0])
