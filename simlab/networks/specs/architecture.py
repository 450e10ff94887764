"""What the specification of a network answers, checked before JAX is imported.

An :class:`Architecture` is a frozen dataclass that builds its network when it is needed. It answers these questions
about itself:

``check(task, source)``
    whether it fits a task and its data, or ``ValueError``;
``build(task, hyper, dtype=..., rngs=...)``
    the network, a Flax NNX module; the hyperparameters may scale its initial weights;
``width(task)``
    how many numbers it holds for each example, so that populations that do not fit are refused;
``split_axes(task)``
    which of its parameters have a first axis that may be split over devices.

Those of classifiers, which :class:`simlab.losses.classification.CrossEntropy` trains, also answer

``measure(network, task, data)``
    what is recorded of the representation over training, a ``NamedTuple`` of scalars;
``metric_names(task)``
    the names of these.

A specification that inherits :class:`simlab.networks.specs.VectorMeasures` answers both as simlab's own do. No other
name is needed to be trained, swept, compared and drawn: whether a prediction is made for a network is decided by its
type, and one of a user's own is held against the theory of two layers without being called a theorem.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from simlab.tasks.sentence_task import SentenceTask
from simlab.validation import invalid

if TYPE_CHECKING:
    from flax import nnx

    from simlab.data.sources import Source
    from simlab.tasks.task import Task

# The tasks that a network fits, as ``check`` has found.
TaskT = TypeVar("TaskT", bound="Task", contravariant=True)


class SplitAxis(NamedTuple):
    """A parameter whose first axis may be split over devices.

    Attributes:
        field: the field of the task that gives the length of the axis, for messages.
        shape: of the parameter.
    """

    field: str
    shape: tuple[int, ...]


class Architecture(Protocol[TaskT]):
    """The specification of a network. Subclass it as a frozen, hashable dataclass; ``build`` is required.

    For cross-entropy ``measure`` and ``metric_names`` are required too, see the module's docstring; no field is.

    ``Architecture[SentenceTask]`` says that it fits sentences: all methods but ``check`` are called with a task that
    ``check`` has accepted.
    """

    def build(self, task: TaskT, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights.

        All that is trained is ``nnx.Param``; variables of any other type stay as they are.

        Args:
            task: gives the sizes.
            hyper: the objective's hyperparameters, which may be traced.
            dtype: of the weights.
            rngs: random streams; ``params`` is that of the initial weights.
        """
        raise NotImplementedError

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` for a task or source that this network does not fit."""

    def width(self, task: TaskT) -> int:
        """Return the numbers that the widest layer holds for each example."""
        return 1

    def split_axes(self, task: TaskT) -> Mapping[str, SplitAxis]:
        """Return the parameters whose first axis may be split over devices, by name."""
        return MappingProxyType({})


def check_architecture(network: object) -> None:
    """Raise ``ValueError`` unless an object can build a network."""
    if getattr(type(network), "build", Architecture.build) is Architecture.build:
        raise invalid("network", "an Architecture with a method build", type(network).__name__)


def check_sentences(task: "Task") -> None:
    """Raise ``ValueError`` unless the task is made of sentences."""
    if not isinstance(task, SentenceTask):
        raise invalid("network", "one that reads the examples of the task, not sentences", type(task).__name__)
