"""HTML by construction: every text is escaped, every element is closed."""

import html
import math
import re

import numpy as np

from experiments.tables.sweep import format_uncertain

MINUS, TIMES, DASH = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"
_EMPTY = frozenset({"meta", "link"})
# What HTML does not allow as a character: controls other than tab and line break, and halves of a pair.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


NOTHING = Markup("")


def escape(value: object) -> Markup:
    """Return a value as HTML: markup as it is, anything else as text that is shown as it reads."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(_FORBIDDEN.sub("\ufffd", str(value))))


def join(*parts: object, between: object = "") -> Markup:
    """Return parts one after the other, with something between them."""
    return Markup(escape(between).join(map(escape, parts)))


def element(tag: str, *content: object, **attributes: object) -> Markup:
    """Return an element.

    Args:
        tag: its name.
        content: what it holds, see :func:`escape`.
        attributes: by name, where ``class_`` stands for ``class`` and ``aria_label`` for ``aria-label``; True is an
            attribute without a value, None and False are none.
    """
    start = Markup(f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}>")
    return start if tag in _EMPTY else Markup(f"{start}{join(*content)}</{tag}>")


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(value)}"'


def number(value: float, digits: int = 5) -> Markup:
    """Return a number as it is read, rounded to some significant digits, with its full value for machines.

    NaN becomes a dash: nothing is known.
    """
    value = float(value)
    if math.isnan(value):
        return element("span", DASH, class_="none", title="none")
    return element("data", _readable(f"{value:.{digits}g}"), value=repr(value))


def rounded(value: float, digits: int = 2) -> Markup:
    """Return a number to some significant digits, zeros at its end among them: what is read for its size."""
    value = float(value)
    if math.isnan(value) or value == 0:
        return number(value)
    mantissa, mark, exponent = f"{value:#.{digits}g}".partition("e")
    return element("data", _readable(f"{mantissa.rstrip('.')}{mark}{exponent}"), value=repr(value))


def uncertain(value: float, error: float) -> Markup:
    """Return a value to the first digit of its standard error, with that digit in brackets: 1.50(2)."""
    if math.isnan(value):
        return number(value)
    return element("data", _readable(format_uncertain(value, error)), value=repr(value))


def value_of(value: object) -> Markup:
    """Return any value as it is read: yes or no, a number, a text."""
    if isinstance(value, bool | np.bool_):
        return escape("yes" if value else "no")
    if isinstance(value, float | np.floating):
        return number(float(value), 6)
    return escape(value)


def _readable(text: str) -> Markup:
    """Return what Python prints as a number the way it is set in print: ``1.2e-05`` with a power of ten."""
    mantissa, _, exponent = text.replace("inf", "∞").partition("e")
    mantissa = mantissa.replace("-", MINUS)
    if not exponent:
        return escape(mantissa)
    return join(mantissa, f"{TIMES}10", element("sup", str(int(exponent)).replace("-", MINUS)))


def plural(count: int, noun: str) -> str:
    """Return a count with its noun, ``1 seed`` or ``2 seeds``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
