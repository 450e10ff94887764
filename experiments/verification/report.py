"""Checked claims as a table, as JSON and as a labelled dataset."""

import json
from collections.abc import Sequence

import numpy as np

from experiments.tables.columns import format_columns
from experiments.verification.claim import FAIL, NOT_APPLICABLE, PASS, Claim


def format_claims(claims: Sequence[Claim]) -> str:
    """Return the claims as a table, and a line that counts them."""
    header = ("claim", "predicted", "found", "error", "tolerance", "status")
    rows = [header, *(_format(claim) for claim in claims)]
    counts = {status: sum(claim.status == status for claim in claims) for status in (PASS, FAIL, NOT_APPLICABLE)}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    return f"{format_columns(rows)}\n\n{len(claims)} claims: {summary}"


def _format(claim: Claim) -> tuple[str, ...]:
    if claim.status == NOT_APPLICABLE:
        return (claim.claim, "-", "-", "-", "-", f"{claim.status} ({claim.note})")
    numbers = (f"{claim.predicted:.10g}", f"{claim.learned:.10g}", f"{claim.error:.1e}", f"{claim.tolerance:.1e}")
    return (claim.claim, *numbers, claim.status)


def claims_to_json(claims: Sequence[Claim]) -> str:
    """Return the claims as a JSON list of objects."""
    return json.dumps([claim.to_json() for claim in claims], indent=1)


def claims_to_dataset(claims: Sequence[Claim]):
    """Return the claims as an ``xarray.Dataset`` over ``claim``, and the ends of restarts over ``setting, restart``."""
    import xarray

    from simlab.storage.results import provenance

    numbers = ("predicted", "learned", "error", "tolerance")
    texts = ("claim", "source", "status", "note")
    sampled = [claim for claim in claims if claim.samples]
    most = max((len(claim.samples) for claim in sampled), default=0)
    excess = np.full((len(sampled), most), np.nan)
    for row, claim in zip(excess, sampled, strict=True):
        row[: len(claim.samples)] = claim.samples
    about = {"long_name": "risk at which a restart ended less the predicted one", "units": "nats"}
    return xarray.Dataset(
        {
            **{name: ("claim", np.array([getattr(claim, name) for claim in claims], float)) for name in numbers},
            **{name: ("claim", np.array([getattr(claim, name) for claim in claims], object)) for name in texts},
            "restart_excess": (("setting", "restart"), excess, about),
            "setting": ("setting", np.array([claim.claim for claim in sampled], object)),
        },
        attrs={"experiment": "verify", "figures": json.dumps(["claims"]), **provenance()},
    )
