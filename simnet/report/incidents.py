"""What went wrong or was punished, when: one row of points for each kind of incident, how many in each bin."""

from collections.abc import Sequence
from typing import Any

from simnet.events import (
    DoubleSignFound,
    Event,
    EvidenceTaken,
    LimitReached,
    MisconductFound,
    PeerBanned,
    PeerScored,
    PenaltyBooked,
    ProofTakenOver,
    ProofVerified,
    ProvingFailed,
    TransferLate,
    TransferStale,
)
from simnet.record.frames import Frames
from simnet.report.axis import Axis, sums
from simnet.report.reads import Violation

KINDS: tuple[tuple[str, type[Event]], ...] = (
    ("penalties booked", PenaltyBooked),
    ("evidence taken", EvidenceTaken),
    ("double signs found", DoubleSignFound),
    ("misconduct found", MisconductFound),
    ("neighbours banned", PeerBanned),
    ("points taken from neighbours", PeerScored),
    ("proofs refused by a verifier", ProofVerified),
    ("proofs taken over", ProofTakenOver),
    ("witnesses refused by a prover", ProvingFailed),
    ("limits reached", LimitReached),
    ("transfers late", TransferLate),
    ("transfers stale", TransferStale),
)
BROKEN = "checks broken"


def incidents(frames: Frames, axis: Axis, violations: Sequence[Violation]) -> list[dict[str, Any]]:
    """Rows that have something, the gravest first: `kind`, `total`, `points` (bin and number). Every violation of a check is there."""
    broken = [violation.at_ms for violation in violations]
    rows = [(BROKEN, broken), *((name, _times(frames, kind)) for name, kind in KINDS)]
    found = []
    for name, at_ms in rows:
        counts = sums(axis, at_ms)
        points = [[int(where), int(counts[where])] for where in counts.nonzero()[0]]
        if points:
            found.append({"kind": name, "total": len(at_ms), "points": points})
    return found


def _times(frames: Frames, kind: type[Event]) -> Any:
    if kind is ProofVerified:
        told = frames.verifications
        return told["at_ms"][~told["accepted"].astype(bool)]
    return frames.of(kind, ())["at_ms"]
