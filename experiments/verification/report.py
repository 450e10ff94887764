"""Checked claims as a table, as JSON and as a labelled dataset."""

import json
import textwrap
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from experiments.tables.columns import format_columns
from experiments.verification.claim import FAIL, NOT_APPLICABLE, PASS, Claim

HEADER = ("claim", "predicted", "found", "error", "tolerance", "status")
LEAST_CLAIM, LONGEST_STATUS = 16, 14  # column widths, in characters, of a table that is fitted to a terminal


def format_claims(claims: Sequence[Claim], width: int | None = None) -> str:
    """Return the claims as a table, and a line with their counts by status.

    Args:
        claims: the checked claims.
        width: line width in characters, at which long claims and notes are wrapped; None for one line per claim.
    """
    rows = [HEADER, *(_format(claim) for claim in claims)]
    if width is not None:
        rows = _break_rows(rows, width)
    counts = {status: sum(claim.status == status for claim in claims) for status in (PASS, FAIL, NOT_APPLICABLE)}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    return f"{format_columns(rows)}\n\n{len(claims)} claims: {summary}"


def _break_rows(rows: list[tuple[str, ...]], width: int) -> list[tuple[str, ...]]:
    """Return rows whose first and last cells are wrapped so that the table fits a width, if possible."""
    numbers = sum(max(len(row[i]) for row in rows) + 2 for i in range(1, len(HEADER) - 1))
    last = min(max(len(row[-1]) for row in rows), LONGEST_STATUS)
    first = max(LEAST_CLAIM, width - numbers - last - 2)
    broken = []
    for row in rows:
        claim = textwrap.wrap(row[0], first, subsequent_indent="  ")
        status = textwrap.wrap(row[-1], last)
        lines = zip_longest(claim, status, fillvalue="")
        for index, (left, right) in enumerate(lines):
            middle = row[1:-1] if index == 0 else ("",) * (len(row) - 2)
            broken.append((left, *middle, right))
    return broken


def _format(claim: Claim) -> tuple[str, ...]:
    if claim.status == NOT_APPLICABLE:
        return (claim.claim, "-", "-", "-", "-", f"{claim.status} ({claim.note})")
    numbers = (f"{claim.predicted:.10g}", f"{claim.learned:.10g}", f"{claim.error:.1e}", f"{claim.tolerance:.1e}")
    return (claim.claim, *numbers, claim.status)


def claims_to_json(claims: Sequence[Claim]) -> str:
    """Return the claims as a JSON list of objects."""
    return json.dumps([claim.to_json() for claim in claims], indent=1)


def claims_to_dataset(claims: Sequence[Claim]):
    """Return the claims as an ``xarray.Dataset`` on ``claim``, with final risks of restarts on ``setting, restart``."""
    import xarray

    from simlab.storage.results import provenance

    numbers = ("predicted", "learned", "error", "tolerance")
    texts = ("claim", "source", "status", "note")
    sampled = [claim for claim in claims if claim.samples]
    most = max((len(claim.samples) for claim in sampled), default=0)
    excess = np.full((len(sampled), most), np.nan)
    for row, claim in zip(excess, sampled, strict=True):
        row[: len(claim.samples)] = claim.samples
    about = {"long_name": "final risk of a restart minus the predicted risk", "units": "nats"}
    return xarray.Dataset(
        {
            **{name: ("claim", np.array([getattr(claim, name) for claim in claims], float)) for name in numbers},
            **{name: ("claim", np.array([getattr(claim, name) for claim in claims], object)) for name in texts},
            "restart_excess": (("setting", "restart"), excess, about),
            "setting": ("setting", np.array([claim.claim for claim in sampled], object)),
        },
        attrs={"experiment": "verify", "figures": json.dumps(["claims"]), **provenance()},
    )
