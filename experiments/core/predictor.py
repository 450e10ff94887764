"""The interface of a phenomenon to ``simlab predict``."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol


class Prediction(Protocol):
    """The prediction for a task."""

    def to_json(self) -> dict[str, object]:
        """Return its numbers as values that JSON can hold."""
        ...


class Predictor(NamedTuple):
    """The functions behind ``simlab predict PHENOMENON``, from options to text.

    Attributes:
        options: a frozen dataclass whose fields, made by :func:`experiments.core.configuration.option`, are the
            command-line options.
        predict: ``options -> prediction``; raises ``ValueError`` for an option that is out of range, before anything
            slow is imported, and ``ArithmeticError`` if a solver does not converge. A prediction may have a mapping
            ``task``, of values that JSON can hold, which describes its task.
        format: ``prediction -> text``, a table for a reader.
        of_configuration: ``configuration -> prediction`` for the configurations of experiments on this phenomenon; None
            if a task is described by the options only.
        of_configurations: ``configurations -> predictions``, where many are solved faster together than one by one;
            None calls ``of_configuration`` for each.
        columns: the keys of its JSON that a table of several predictions shows; empty for all.
    """

    options: type
    predict: Callable[..., Prediction]
    format: Callable[..., str]
    of_configuration: Callable[..., Prediction] | None = None
    of_configurations: Callable[..., list] | None = None
    columns: tuple[str, ...] = ()

    @property
    def knows_configurations(self) -> bool:
        """Whether the configurations of an experiment can be predicted."""
        return self.of_configuration is not None or self.of_configurations is not None

    def predict_configurations(self, configurations: Sequence) -> list[Prediction]:
        """Return the prediction of each configuration of an experiment.

        Raises:
            TypeError: a task is described by the options only; see ``knows_configurations``.
        """
        if self.of_configurations is not None:
            return self.of_configurations(configurations)
        if self.of_configuration is None:
            raise TypeError("of_configuration: expected a function, got None")
        return [self.of_configuration(configuration) for configuration in configurations]


def task_of(prediction: Prediction) -> Mapping[str, object]:
    """Return the task of a prediction, by the names of its fields; empty if the prediction does not contain it."""
    return getattr(prediction, "task", {})
