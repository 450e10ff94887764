"""Positive pairs, the examples of contrastive learning."""

from typing import TYPE_CHECKING, Any, NamedTuple

from simlab.tasks.batch import AnyArray
from simlab.tasks.task import Task

if TYPE_CHECKING:
    import jax


class ViewPair(NamedTuple):
    """Positive pairs, ``[B, ...]`` each; example i of ``second`` is the positive of example i of ``first``.

    Attributes:
        first: one side.
        second: the other side.
        classes: ``Int32[B]``, the latent class of each pair; None for a task without classes.
    """

    first: AnyArray
    second: AnyArray
    classes: AnyArray = None


class PairTask(Task):
    """A task whose examples are positive pairs: ``draw`` returns a :class:`ViewPair`.

    Attributes:
        n_pairs: the size of a finite population; None where pairs are drawn from a distribution.
    """

    n_pairs: int | None = None

    def draw(self, key: "jax.Array", data: Any, size: int) -> ViewPair:
        """Return ``size`` pairs."""
        raise NotImplementedError
