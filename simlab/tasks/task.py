"""What a task is to the trainer: arrays drawn with a seed, and examples drawn from these arrays."""

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from simlab.validation import invalid

if TYPE_CHECKING:
    import jax


class Task(Protocol):
    """What is learned. Subclass it as a frozen, hashable dataclass that checks itself and imports no JAX at the top.

    ``sample`` is required, and ``draw`` or ``population``, whichever the data source needs.

    Attributes:
        evaluations: names of the sets on which a network is measured beside its training set.
        can_draw: whether ``draw`` gives examples; a task without it is trained on its population.
        n_examples: the size of the population; None where it cannot be enumerated.
        example_size: numbers that an example has, for planning memory.
    """

    evaluations: ClassVar[tuple[str, ...]] = ("test",)
    can_draw: ClassVar[bool] = True
    n_examples: int | None = None
    example_size: int = 1

    def sample(self, seed: int) -> Any:
        """Return the arrays of a realisation, NumPy arrays in any pytree. They may vary without a new compilation."""
        raise NotImplementedError

    def abstract(self) -> Any:
        """Return arrays of the shapes and kinds of a realisation."""
        return self.sample(0)

    def admit(self, data: Any) -> Any:
        """Return a realisation of a task with the same group key in the form that this task's program takes."""
        return data

    @property
    def compile_key(self) -> "Task":
        """The task less what is data to the compiled code: members of equal keys share one compilation."""
        return self

    @property
    def group_key(self) -> "Task":
        """The task less all that one program can serve: members of equal keys run side by side."""
        return self.compile_key

    def covering(self, other: "Task") -> "Task":
        """Return the compile key that serves this task and another one of the same group key."""
        return self.compile_key

    def draw(self, key: "jax.Array", data: Any, size: int) -> Any:
        """Return ``size`` examples, a pytree of arrays with a leading axis of that length."""
        raise NotImplementedError

    def draw_sample(self, key: "jax.Array", data: Any, size: int) -> Any:
        """Return a training set of ``size`` examples; drawn like any others unless a task balances it."""
        return self.draw(key, data, size)

    def draw_evaluation(self, name: str, key: "jax.Array", data: Any, size: int) -> Any:
        """Return ``size`` examples of an evaluation set; ``test`` is drawn like the training set."""
        return self.draw(key, data, size)

    def population(self, data: Any) -> Any:
        """Return all examples, with their probabilities, as the loss takes them."""
        raise NotImplementedError


def check_task(task: Any) -> None:
    """Raise ``ValueError`` unless an object can be sampled; the message names what is missing."""
    if not callable(getattr(task, "sample", None)) or getattr(type(task), "sample", None) is Task.sample:
        raise invalid("task", "a Task with a method sample(seed)", type(task).__name__)
    if "train" in task.evaluations:
        raise invalid("evaluations", "names other than 'train', the training set", task.evaluations)


def overrides(task: object, name: str) -> bool:
    """Return whether a task has a method of its own, rather than that of the protocol or none."""
    own = getattr(type(task), name, None)
    return own is not None and own is not getattr(Task, name)
