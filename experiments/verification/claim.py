"""A claim: one checkable sentence with its predicted and numerical values, their error and its tolerance."""

from typing import NamedTuple

import numpy as np

PASS, FAIL, NOT_APPLICABLE = "pass", "fail", "not applicable"


class Claim(NamedTuple):
    """One checked sentence of a theorem.

    Attributes:
        claim: the sentence, with the task on which it was checked.
        source: theorem of the paper (arXiv 2305.16162), or ``derived here`` with the document.
        predicted: the value from theory; NaN where the claim does not apply.
        learned: the numerical value, computed without theory.
        error: distance between the two values, in a measure that depends on the claim.
        tolerance: the largest error that passes, derived from gradient, curvature and rounding.
        status: ``pass``, ``fail`` or ``not applicable``.
        note: derivation of the tolerance, or the assumption that is not met.
        samples: for a claim about restarts, the final risk of each restart minus the predicted risk, nats.
    """

    claim: str
    source: str
    predicted: float
    learned: float
    error: float
    tolerance: float
    status: str
    note: str = ""
    samples: tuple[float, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the claim as plain JSON values, with null for NaN."""
        fields = {name: value for name, value in self._asdict().items() if name != "samples"}
        return {name: None if value != value else value for name, value in fields.items()}


def compare(claim: str, source: str, predicted, learned, tolerance: float | np.floating, note: str = "") -> Claim:
    """Return the claim that two numbers or arrays agree; its error is the largest absolute difference.

    For arrays, the claim shows the pair of entries that differs most. A difference of NaN fails.
    """
    predicted, learned = np.broadcast_arrays(np.asarray(predicted, float), np.asarray(learned, float))
    differences = np.abs(learned - predicted)
    worst = int(np.argmax(np.where(np.isnan(differences), np.inf, differences)))
    error = float(differences.flat[worst])
    status = PASS if error <= tolerance else FAIL
    return Claim(
        claim, source, float(predicted.flat[worst]), float(learned.flat[worst]), error, float(tolerance), status, note
    )


def must_exceed(claim: str, source: str, bound: float, found: float, note: str = "") -> Claim:
    """Return a negative control: a claim that passes only if ``found`` is larger than ``bound``."""
    status = PASS if found > bound else FAIL
    return Claim(claim, source, float(bound), float(found), max(bound - found, 0.0), 0.0, status, note)


def not_applicable(claim: str, source: str, assumption: str) -> Claim:
    """Return a claim whose assumption the task does not meet."""
    return Claim(claim, source, np.nan, np.nan, np.nan, np.nan, NOT_APPLICABLE, assumption)
