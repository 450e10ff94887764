"""The protocol of the specification of a network, which is checked before JAX is imported.

An :class:`Architecture` is a frozen dataclass that builds its network on demand. It has the methods

``check(task, source)``
    raises ``ValueError`` unless the network fits a task and its data source;
``build(task, hyper, dtype=..., rngs=...)``
    returns the network, a Flax NNX module; the hyperparameters may scale its initial weights;
``width(task)``
    returns the numbers per example in the widest layer, so that populations beyond memory are refused;
``split_axes(task)``
    returns the parameters whose first axis may be split over devices.

Specifications of classifiers, trained by :class:`simlab.losses.classification.CrossEntropy`, also have

``measure(network, task, data)``
    returns the metrics of the representation recorded over training, a ``NamedTuple`` of scalars;
``metric_names(task)``
    returns their names.

:class:`simlab.networks.specs.VectorMeasures` implements both. Nothing else is needed to train, sweep, compare and draw
a network: its type decides whether there is a prediction for it, and a user's own network is compared with the theory
of two layers, which is then not labelled a theorem.
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

# The tasks that a network fits, as verified by ``check``.
TaskT = TypeVar("TaskT", bound="Task", contravariant=True)


class SplitAxis(NamedTuple):
    """A parameter whose first axis may be split over devices.

    Attributes:
        field: the field of the task that gives the length of the axis, for messages.
        shape: shape of the parameter.
    """

    field: str
    shape: tuple[int, ...]


class Architecture(Protocol[TaskT]):
    """The specification of a network. Subclass it as a frozen, hashable dataclass; ``build`` is required.

    For cross-entropy ``measure`` and ``metric_names`` are required too, see the module's docstring. No field is needed.

    ``Architecture[SentenceTask]`` declares that it fits sentences: all methods but ``check`` are called only with a
    task that ``check`` has accepted.
    """

    def build(self, task: TaskT, hyper, *, dtype, rngs: "nnx.Rngs") -> "nnx.Module":
        """Return the network with its initial weights.

        Trained variables are ``nnx.Param``; variables of any other type are not changed.

        Args:
            task: gives the sizes.
            hyper: the objective's hyperparameters, which may be traced.
            dtype: of the weights.
            rngs: random streams; ``params`` is used for the initial weights.
        """
        raise NotImplementedError

    def check(self, task: "Task", source: "Source") -> None:
        """Raise ``ValueError`` unless this network fits the task and its data source."""

    def width(self, task: TaskT) -> int:
        """Return the numbers per example in the widest layer."""
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
