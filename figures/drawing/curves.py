"""What a curve over training is: the name of its quantity, its look, and what is predicted of it."""

from typing import NamedTuple

from matplotlib.typing import LineStyleType


class Curve(NamedTuple):
    """A recorded quantity: its name in the dataset, its label, colour and line, and the name of its prediction."""

    name: str
    label: str
    colour: str
    line: LineStyleType = "-"
    predicted: str | None = None
