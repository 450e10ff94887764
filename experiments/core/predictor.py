"""What a phenomenon brings to ``simlab predict``."""

from collections.abc import Callable, Mapping
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
            options.
        predict: ``options -> prediction``; raises ``ValueError`` for an option that is out of range, before anything
            slow is imported, and ``ArithmeticError`` if a solver does not converge. A prediction with a mapping
            ``task``, of values that JSON holds, says what it is for.
        format: ``prediction -> text``, a table for a reader.
        of_configuration: ``configuration -> prediction``, of what an experiment on this phenomenon is told to run; None
            if only the options describe a task.
        columns: of its JSON, what a table of several predictions shows; all of it if none is named.
    """

    options: type
    predict: Callable[..., Prediction]
    format: Callable[..., str]
    of_configuration: Callable[..., Prediction] | None = None
    columns: tuple[str, ...] = ()


def task_of(prediction: Prediction) -> Mapping[str, object]:
    """Return the task that a prediction is for, by the names of its fields; empty if it does not say."""
    return getattr(prediction, "task", {})
