"""Items and their properties: the task of deep linear networks (Saxe, McClelland, Ganguli, arXiv 1312.6120).

Inputs are one-hot items: a linear network is then its matrix from items to properties, which gives the expected loss
over all items. The properties of a tree are its nodes: an item is a leaf and has the nodes on its path from the root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simlab.sizes import check_array
from simlab.tasks.task import Task
from simlab.validation import check_choice, check_count, invalid

if TYPE_CHECKING:
    from jaxtyping import Float

# Written for this project: the properties of four animals and four plants.
ANIMALS_AND_PLANTS = {
    "otter": "lives grows moves eats fur nurses swims",
    "badger": "lives grows moves eats fur nurses digs striped",
    "heron": "lives grows moves eats feathers eggs flies wades",
    "wren": "lives grows moves eats feathers eggs flies sings",
    "oak": "lives grows roots leaves bark tall acorns",
    "birch": "lives grows roots leaves bark tall white",
    "clover": "lives grows roots leaves blossoms low trefoil",
    "poppy": "lives grows roots leaves blossoms low red",
}
KINDS = ("tree", "animals-and-plants")


@dataclass(frozen=True, kw_only=True)
class ItemProperties(Task):
    """The items and their properties.

    Args:
        kind: ``tree``, or ``animals-and-plants``, a table of 8 items written for this project.
        branching: ``b`` of a balanced tree, at least 2.
        depth: ``D`` of a balanced tree, at least 1.

    Raises:
        ValueError: a field is out of range; the message names it.
    """

    kind: str = "tree"
    branching: int = 2
    depth: int = 3
    evaluations: ClassVar[tuple[str, ...]] = ()
    can_draw: ClassVar[bool] = False

    def __post_init__(self):
        check_choice("kind", self.kind, KINDS)
        if self.kind != "tree":
            return
        check_count("branching", self.branching, 2)
        check_count("depth", self.depth, maximum=30)
        n_items = self.branching**self.depth
        check_array("item-by-property matrix", 8, items=n_items, properties=2 * n_items)

    @property
    def shape(self) -> tuple[int, int]:
        """``(P, K)``, the numbers of properties and of items."""
        if self.kind != "tree":
            return len(property_names()), len(ANIMALS_AND_PLANTS)
        n_nodes = sum(self.branching**level for level in range(self.depth + 1))
        return n_nodes, self.branching**self.depth

    def matrix(self) -> Float[np.ndarray, "P K"]:
        """Return the matrix ``Y``: 1 where the item of a column has the property of a row, else 0."""
        if self.kind != "tree":
            table = [text.split() for text in ANIMALS_AND_PLANTS.values()]
            return np.array([[float(name in held) for held in table] for name in property_names()])
        n_items = self.branching**self.depth
        levels = [
            np.repeat(np.eye(self.branching**level), self.branching ** (self.depth - level), axis=1)
            for level in range(self.depth + 1)
        ]
        return np.vstack(levels).reshape(-1, n_items)

    def sample(self, seed: int) -> Float[np.ndarray, "P K"]:
        """Return the matrix, which does not depend on the seed."""
        return self.matrix()

    def population(self, data: Any) -> Any:
        """Return the matrix: the expected loss depends on nothing else."""
        return data


def item_names() -> list[str]:
    """Return the names of the animals and plants."""
    return list(ANIMALS_AND_PLANTS)


def property_names() -> list[str]:
    """Return the properties of the animals and plants, in the order of their first occurrence in the table."""
    return list(dict.fromkeys(" ".join(ANIMALS_AND_PLANTS.values()).split()))


def check_items(task: Task) -> ItemProperties:
    """Return the task, or raise ``ValueError`` unless it is :class:`ItemProperties`."""
    if not isinstance(task, ItemProperties):
        raise invalid("network", "one that reads the examples of the task, not items", type(task).__name__)
    return task
