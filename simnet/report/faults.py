"""Faults as bands of the time axis, and all that they did as a table."""

from collections.abc import Sequence
from typing import Any

from simnet.report.reads import Effect

TABLE_MAX = 200
"""Faults in the table; a long run with churn has thousands."""
BANDS_MAX = 120
"""Bands of one kind that can be told apart."""


def bands(effects: Sequence[Effect]) -> list[dict[str, Any]]:
    """By kind of fault, in the order of first beginnings: when at least one of that kind lasted, `[start_ms, end_ms, how many]`."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for effect in effects:
        spans.setdefault(effect.kind, []).append((effect.start_ms, effect.end_ms))
    return [{"kind": kind, "spans": _united(sorted(found))[:BANDS_MAX]} for kind, found in spans.items()]


def table(effects: Sequence[Effect]) -> dict[str, Any]:
    """A row for each fault in the order of their beginnings."""
    rows = [
        {
            "kind": effect.kind,
            "detail": effect.detail,
            "start_ms": effect.start_ms,
            "end_ms": effect.end_ms if effect.ended else None,
            "lost": sum(effect.copies_lost.values()),
            "blocks": effect.blocks_committed,
            "gap_ms": effect.longest_finality_gap_ms,
            "crossed_ms": effect.first_crossing_ms,
            "did": ", ".join(f"{name} {count:g}" for name, count in effect.did.items()),
        }
        for effect in effects[:TABLE_MAX]
    ]
    return {"rows": rows, "left_out": max(0, len(effects) - TABLE_MAX)}


def _united(spans: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Overlapping spans as one, with how many it is made of."""
    found: list[list[float]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1][1:] = [max(found[-1][1], end), found[-1][2] + 1]
        else:
            found.append([start, end, 1])
    return found
