"""Stores of the parts of a sweep: the protocol, and a store in memory."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import numpy as np


class Store(Protocol):
    """A store of parts; see :class:`simlab.storage.parts.PartStore` for one on disk."""

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Yield whether this process becomes the only one that works on a part."""
        ...

    def save(self, name: str, arrays: dict[str, np.ndarray], *, complete: bool) -> None:
        """Save the state of a part."""

    def load(self, name: str) -> tuple[dict[str, np.ndarray], bool] | None:
        """Return the state of a part and whether it is complete, or None."""

    def is_complete(self, name: str) -> bool:
        """Return whether a part is complete."""
        ...


class MemoryStore:
    """A store that keeps complete parts in memory, for a sweep that cannot be resumed."""

    def __init__(self):
        self._complete: dict[str, dict[str, np.ndarray]] = {}

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Yield True: no other process shares this memory."""
        yield True

    def save(self, name: str, arrays: dict[str, np.ndarray], *, complete: bool) -> None:
        """Keep a complete part."""
        if complete:
            self._complete[name] = arrays

    def load(self, name: str) -> tuple[dict[str, np.ndarray], bool] | None:
        """Return the arrays of a complete part and True, or None."""
        return (self._complete[name], True) if name in self._complete else None

    def is_complete(self, name: str) -> bool:
        """Return whether a part is complete."""
        return name in self._complete
