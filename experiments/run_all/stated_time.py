"""The time of a preset as an experiment states it, such as ``90 s`` or ``6 min (1 seed)``, in seconds."""

import math
import re

from simlab.validation import invalid

_UNITS = {"s": 1, "min": 60, "h": 3600}
_STATED = re.compile(r"(\d+(?:\.\d+)?) (s|min|h)(?: \((\d+) seeds?\))?")


def read_stated_time(text: str, n_seeds: int) -> float:
    """Return the stated time of a preset in seconds; infinite where none is stated.

    Args:
        text: ``""``, or a number of ``s``, ``min`` or ``h``; ``(1 seed)`` behind it says that fewer seeds were timed
            than the preset has, and the time is scaled up in proportion.
        n_seeds: of the preset.

    Raises:
        ValueError: the text has another form.
    """
    if not text:
        return math.inf
    stated = _STATED.fullmatch(text)
    if stated is None:
        raise invalid("stated time", "a number of s, min or h, as in '6 min (1 seed)'", text)
    number, unit, timed_seeds = stated.groups()
    return float(number) * _UNITS[unit] * (n_seeds / int(timed_seeds) if timed_seeds else 1)
