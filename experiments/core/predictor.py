"""What a phenomenon brings to ``simlab predict``."""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class Prediction(Protocol):
    """What theory says of a task."""

    def to_json(self) -> dict[str, object]:
        """Return its numbers as values that JSON holds."""
        ...


class Predictor(NamedTuple):
    """What theory says of a task, from options to text.

    Attributes:
        options: a frozen dataclass of fields made by :func:`experiments.core.configuration.option`; they are the
        options. predict: ``options -> prediction``; raises ``ValueError`` for an option that is out of range, before
        anything
            slow is imported, and ``ArithmeticError`` if a solver does not converge.
        format: ``prediction -> text``, a table for a reader.
    """

    options: type
    predict: Callable[..., Prediction]
    format: Callable[..., str]
