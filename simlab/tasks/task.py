"""The protocol of a task: arrays drawn with a seed, and examples drawn from these arrays."""

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from simlab.validation import invalid

if TYPE_CHECKING:
    import jax


class Task(Protocol):
    """A learning task. Subclass it as a frozen, hashable dataclass that validates itself and imports JAX lazily.

    ``sample`` is required, and ``draw`` or ``population``, whichever the data source needs.

    Attributes:
        evaluations: names of the sets on which a network is measured, in addition to its training set.
        can_draw: whether ``draw`` is implemented; otherwise the task is trained on its population.
        n_examples: the size of the population; None where it cannot be enumerated.
        example_size: numbers per example, for planning memory.
    """

    evaluations: ClassVar[tuple[str, ...]] = ("test",)
    can_draw: ClassVar[bool] = True
    n_examples: int | None = None
    example_size: int = 1

    def sample(self, seed: int) -> Any:
        """Return a realisation, a pytree of NumPy arrays; their values may vary without a new compilation."""
        raise NotImplementedError

    def abstract(self) -> Any:
        """Return arrays with the shapes and types of a realisation."""
        return self.sample(0)

    def admit(self, data: Any) -> Any:
        """Convert a realisation of a task with the same group key to the form of this task's program."""
        return data

    @property
    def compile_key(self) -> "Task":
        """The task without the values that are data to the compiled code; members of equal keys share a compilation."""
        return self

    @property
    def group_key(self) -> "Task":
        """The task without all that a common program can cover; members of equal keys train in one batch."""
        return self.compile_key

    def covering(self, other: "Task") -> "Task":
        """Return the compile key of a program that serves both this task and another one of the same group key."""
        return self.compile_key

    def draw(self, key: "jax.Array", data: Any, size: int) -> Any:
        """Return ``size`` examples, a pytree of arrays with a leading axis of this length."""
        raise NotImplementedError

    def draw_sample(self, key: "jax.Array", data: Any, size: int) -> Any:
        """Return a training set of ``size`` examples, by default drawn with :meth:`draw`."""
        return self.draw(key, data, size)

    def draw_evaluation(self, name: str, key: "jax.Array", data: Any, size: int) -> Any:
        """Return ``size`` examples of the evaluation set ``name``, by default drawn with :meth:`draw`."""
        return self.draw(key, data, size)

    def population(self, data: Any) -> Any:
        """Return all examples with their probabilities, in the form that the loss expects."""
        raise NotImplementedError


def check_task(task: Any) -> None:
    """Raise ``ValueError`` unless an object is a task that can be sampled; the message names what is missing."""
    if not callable(getattr(task, "sample", None)) or getattr(type(task), "sample", None) is Task.sample:
        raise invalid("task", "a Task with a method sample(seed)", type(task).__name__)
    if "train" in task.evaluations:
        raise invalid("evaluations", "names other than 'train', the training set", task.evaluations)


def overrides(task: object, name: str) -> bool:
    """Return whether a task defines a method itself, rather than inheriting it from the protocol or lacking it."""
    own = getattr(type(task), name, None)
    return own is not None and own is not getattr(Task, name)
