"""What a phenomenon brings to ``simlab predict``."""

from collections.abc import Callable, Mapping, Sequence
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
        of_configurations: ``configurations -> predictions``, where many are solved faster together than one by one;
            None calls ``of_configuration`` for each.
        columns: of its JSON, what a table of several predictions shows; all of it if none is named.
    """

    options: type
    predict: Callable[..., Prediction]
    format: Callable[..., str]
    of_configuration: Callable[..., Prediction] | None = None
    of_configurations: Callable[..., list] | None = None
    columns: tuple[str, ...] = ()

    @property
    def knows_configurations(self) -> bool:
        """Whether what an experiment is told to run can be predicted."""
        return self.of_configuration is not None or self.of_configurations is not None

    def predict_configurations(self, configurations: Sequence) -> list[Prediction]:
        """Return the prediction of each configuration of an experiment.

        Raises:
            TypeError: only the options describe a task; see ``knows_configurations``.
        """
        if self.of_configurations is not None:
            return self.of_configurations(configurations)
        if self.of_configuration is None:
            raise TypeError("of_configuration: expected a function, got None")
        return [self.of_configuration(configuration) for configuration in configurations]


def task_of(prediction: Prediction) -> Mapping[str, object]:
    """Return the task that a prediction is for, by the names of its fields; empty if it does not say."""
    return getattr(prediction, "task", {})
