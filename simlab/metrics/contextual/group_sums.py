"""Streaming sums of arrays by label in float64; memory grows with the number of distinct labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class GroupSums:
    """Sums by label, one row for each distinct label.

    Args:
        shapes: the shape of an entry of each sum, by name.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]):
        self._rows: dict[int, int] = {}
        self._sums = {name: np.zeros((0, *shape)) for name, shape in shapes.items()}

    def add(self, labels: Int[np.ndarray, " N"], **values: Float[np.ndarray, "N ..."]) -> None:
        """Add an entry for each label, in any order; labels may repeat.

        Args:
            labels: not negative.
            values: ``[N, ...]``, one array for each name.
        """
        order = np.argsort(labels, kind="stable")
        starts = run_starts(labels[order])
        rows = self._rows_of(labels[order][starts])
        for name, array in values.items():
            self._sums[name][rows] += np.add.reduceat(array[order], starts, dtype=np.float64)

    def merge(self, other: GroupSums) -> None:
        """Add the sums of another instance of the same shapes."""
        if other._rows:
            rows = self._rows_of(np.fromiter(other._rows, np.int64))
            for name, sums in self._sums.items():
                sums[rows] += other._sums[name][: len(rows)]

    def ordered(self) -> tuple[Int[np.ndarray, " T"], dict[str, Float[np.ndarray, "T ..."]]]:
        """Return the labels, ascending, and the sums in their order."""
        labels = np.fromiter(self._rows, np.int64, len(self._rows))
        order = np.argsort(labels)
        return labels[order], {name: sums[order] for name, sums in self._sums.items()}

    def _rows_of(self, labels: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
        """Return the rows of distinct labels; new labels get new rows."""
        rows = np.array([self._rows.setdefault(label, len(self._rows)) for label in labels.tolist()])
        for name, sums in self._sums.items():
            missing = len(self._rows) - len(sums)
            if missing > 0:
                # Grown by at least a half, so that rows are copied only a few times in total.
                room = np.zeros((max(missing, len(sums) // 2), *sums.shape[1:]))
                self._sums[name] = np.concatenate([sums, room])
        return rows


def run_starts(*labels: Int[np.ndarray, " N"]) -> Int[np.ndarray, " R"]:
    """Return where runs of equal labels begin, ``N`` at least 1; for several arrays, runs in which all are equal."""
    changes = np.any([np.diff(array) != 0 for array in labels], axis=0)
    return np.concatenate([[0], 1 + np.nonzero(changes)[0]])
