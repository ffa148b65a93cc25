"""How long a run is, for rules that look at plain tables."""

from collections.abc import Mapping
from typing import Any

from simnet.scenario.tables import whole

SETTLE_MS, DRAIN_MS = 500, 1000
"""Before traffic zero, and after the traffic clock's end."""


def run_ms(data: Mapping[str, Any]) -> int | None:
    """How long a run is on the clock of its faults, which starts with it."""
    duration = whole(data, "sim", "duration_ms")
    return None if duration is None else SETTLE_MS + duration + DRAIN_MS


def window_ms(fault: object, end: int) -> int:
    """For how long a fault lasts within a run that ends then; one without a length lasts to the end."""
    start, length = whole(fault, "start_ms") or 0, whole(fault, "duration_ms")
    return max(0, (end if length is None else min(end, start + length)) - start)
