"""A curve over training: the name of its quantity, its style and its prediction."""

from typing import NamedTuple

from matplotlib.typing import LineStyleType


class Curve(NamedTuple):
    """A recorded quantity: its name in the dataset, its label, colour and line, and the name of its prediction."""

    name: str
    label: str
    colour: str
    line: LineStyleType = "-"
    predicted: str | None = None
