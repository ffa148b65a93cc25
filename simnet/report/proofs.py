"""What proofs cost, by backend and circuit, and what refused ones cost whom."""

from typing import TYPE_CHECKING, Any

import numpy as np

from simnet.record.frames import Frames
from simnet.report.reads import Circuit

if TYPE_CHECKING:
    import pandas as pd

MEASURES = (
    ("prove_ms", "proving", "ms"),
    ("queue_ms", "waiting for a prover", "ms"),
    ("verify_ms", "verifying", "ms"),
    ("verify_queue_ms", "waiting for a verifier", "ms"),
    ("bytes", "size", "bytes"),
)
"""The summary's name, what it is, and its unit."""
BOX = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles of a box and its whiskers."""
HONEST = "an honest proof"


def boxes(frames: Frames) -> dict[str, dict[str, list[float]]]:
    """By measure and `backend circuit`: the quantiles of a box."""
    made, told = frames.proofs, frames.verifications
    columns = {
        "prove_ms": (made, "prove_ms"),
        "queue_ms": (made, "waited_ms"),
        "bytes": (made, "bytes"),
        "verify_ms": (told, "verify_ms"),
        "verify_queue_ms": (told, "waited_ms"),
    }
    return {measure: _boxes(*columns[measure]) for measure, _, _ in MEASURES}


def _boxes(frame: "pd.DataFrame", column: str) -> dict[str, list[float]]:
    groups = frame.groupby(["backend", "circuit"])[column]
    return {f"{backend} {circuit}": [round(float(q), 3) for q in np.quantile(part, BOX)] for (backend, circuit), part in groups}


def figures(proofs: dict[str, dict[str, Circuit]]) -> list[dict[str, Any]]:
    """The summary's own figures, a row for each circuit that was proved or verified."""
    return [
        {
            "name": f"{backend} {circuit}",
            "made": row.made,
            "verified": row.verified,
            "rejected": row.rejected_total,
            **{measure: _quantiles(row, measure) for measure, _, _ in MEASURES},
        }
        for backend, circuits in proofs.items()
        for circuit, row in circuits.items()
        if row.made or row.verified or row.rejected_total
    ]


def _quantiles(row: Circuit, measure: str) -> list[float | None]:
    block = getattr(row, measure)
    return [block.p50, block.p95, block.max]


def rejected(frames: Frames) -> list[dict[str, Any]]:
    """A row for what refused proofs really were and why they were refused: how many, at how many nodes, and the verifier's milliseconds
    that they cost, by the payer's region. The dearest first."""
    told = frames.verifications
    told = told[~told["accepted"].astype(bool)]
    told = told.assign(spam=told["spam"].fillna(HONEST))
    rows = []
    for (spam, reason), part in told.groupby(["spam", "reason"]):
        paid = part.groupby("region")["verify_ms"].sum()
        rows.append(
            {
                "spam": spam,
                "reason": reason,
                "count": len(part),
                "nodes": int(part["node"].nunique()),
                "senders": int(part["peer"].nunique()),
                "ms": round(float(part["verify_ms"].sum()), 3),
                "paid": {str(region): round(float(ms), 3) for region, ms in sorted(paid.items())},
            }
        )
    return sorted(rows, key=lambda row: (-row["ms"], -row["count"], row["spam"], row["reason"]))
