"""Heartbeats, their public log, and the uptime claims that follow from it.

Virtual time is cut into windows of `length_ms`, counted from traffic zero. A window's log holds its heartbeats in
the order in which blocks brought them; the first block of a later slot closes it. Closing makes claims: one for
every registered validator with enough heartbeats, in the order of their keys. Later blocks prove them, a few each.
Everything here follows from the chain alone, so no proposer can leave a claim out.
"""

import hashlib
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CLAIMS_MAX = 8
"""Uptime claims that one block proves: the uptime slots of the recursive circuit."""
_HEAD = struct.Struct("<HQ32s")
HEARTBEAT_BYTES = _HEAD.size + 64
"""A heartbeat on the wire."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A signed sign of life."""

    validator: int
    t: int
    """Milliseconds of virtual time."""
    head: bytes
    """Hash of the block that the node held last."""
    signature: bytes

    def __hash__(self) -> int:
        return hash(self.signature)  # Cheap; equality looks at everything.

    def body(self) -> bytes:
        """Canonical bytes without the signature."""
        return _HEAD.pack(self.validator, self.t, self.head)

    def signing_bytes(self, chain_id: bytes) -> bytes:
        """What the validator signs."""
        return b"SIMNET-HEARTBEAT-V1" + chain_id + self.body()

    @property
    def digest(self) -> bytes:
        """Its leaf in a block's heartbeats root."""
        return hashlib.blake2s(self.body() + self.signature).digest()

    @property
    def place(self) -> tuple[int, int]:
        """A validator has one heartbeat at a time; blocks list heartbeats in this order."""
        return self.validator, self.t


@dataclass(frozen=True, slots=True)
class Windows:
    """How time is cut into uptime windows."""

    origin_ms: int
    """Traffic zero."""
    slot_ms: int
    slots: int
    beats: int
    """Heartbeats that a node sends, and the log takes, in one window."""
    threshold: int

    @property
    def length_ms(self) -> int:
        return self.slots * self.slot_ms

    def of(self, t: int) -> int:
        """The window of a time; negative before traffic zero."""
        return (t - self.origin_ms) // self.length_ms

    def start(self, window: int) -> int:
        """First millisecond of a window; the next window's start is its end."""
        return self.origin_ms + window * self.length_ms

    def slot_start(self, slot: int) -> int:
        return self.origin_ms + slot * self.slot_ms

    def due(self, number: int, node: int, nodes: int) -> int:
        """When a node's heartbeat `number`, counted over all windows, is due: nodes take turns within an interval."""
        return self.origin_ms + (number * nodes + node) * self.length_ms // (self.beats * nodes)


@dataclass(frozen=True, slots=True)
class WindowLog:
    """The public log of one window."""

    window: int
    beats: tuple[Heartbeat, ...] = ()

    def of(self, validator: int) -> list[tuple[int, Heartbeat]]:
        """A validator's heartbeats by time, each with its place in the log."""
        return sorted(((i, b) for i, b in enumerate(self.beats) if b.validator == validator), key=lambda p: p[1].t)

    @property
    def digest(self) -> bytes:
        """Identity of the log."""
        return hashlib.blake2s(struct.pack("<Q", self.window) + b"".join(b.digest for b in self.beats)).digest()

    def reached(self, registered: Mapping[int, bytes], threshold: int) -> list[int]:
        """Registered validators with at least `threshold` heartbeats, in the order of their keys."""
        count = Counter(b.validator for b in self.beats)
        return sorted((v for v in registered if count[v] >= threshold), key=lambda v: registered[v])


@dataclass(frozen=True, slots=True)
class Claim:
    """A validator was up in a window."""

    validator: int
    log: WindowLog


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing a window found."""

    window: int
    beats: int
    reached: int
    """Registered validators with enough heartbeats."""
    missed: int
    """Registered validators with fewer."""


@dataclass(frozen=True, slots=True)
class UptimeState:
    """Open logs and unproven claims after a block."""

    logs: tuple[WindowLog, ...] = (WindowLog(0),)
    """From the first open window on, without gaps."""
    queue: tuple[Claim, ...] = ()

    @property
    def open_from(self) -> int:
        """Windows before this one are closed."""
        return self.logs[0].window

    def claims(self) -> tuple[Claim, ...]:
        """The claims that the next block proves."""
        return self.queue[:CLAIMS_MAX]

    def fitting(self, beats: Iterable[Heartbeat], windows: Windows, before: int) -> tuple[Heartbeat, ...]:
        """Those of `beats` that a block may bring whose time is up to `before` (ms), in a block's order.

        Left out: heartbeats of closed windows or of later times, a second one at one time, more than a window takes.
        """
        taken = {b.place for log in self.logs for b in log.beats}
        count = Counter((log.window, b.validator) for log in self.logs for b in log.beats)
        fit = []
        for beat in sorted(beats, key=lambda b: b.place):
            window = windows.of(beat.t)
            room = beat.t < before and window >= self.open_from and beat.place not in taken
            if room and count[window, beat.validator] < windows.beats:
                count[window, beat.validator] += 1
                taken.add(beat.place)
                fit.append(beat)
        return tuple(fit)

    def after(
        self, beats: tuple[Heartbeat, ...], slot: int, registered: Mapping[int, bytes], windows: Windows
    ) -> tuple["UptimeState", tuple[Closed, ...]]:
        """The state after a block of `slot` with these fitting heartbeats, and what it closed.

        `registered`: validators with an identity after the block, with their public keys.
        """
        current = max(self.open_from, windows.of(windows.slot_start(slot)))
        last = max([current, *(windows.of(b.t) for b in beats)])
        known = {log.window: log.beats for log in self.logs}
        for beat in beats:
            window = windows.of(beat.t)
            known[window] = (*known.get(window, ()), beat)
        logs = [WindowLog(w, known.get(w, ())) for w in range(self.open_from, last + 1)]
        queue, closed = self.queue[CLAIMS_MAX:], []
        for log in logs[: current - self.open_from]:
            reached = log.reached(registered, windows.threshold)
            queue += tuple(Claim(v, log) for v in reached)
            closed.append(Closed(log.window, len(log.beats), len(reached), len(registered) - len(reached)))
        return UptimeState(tuple(logs[current - self.open_from :]), queue), tuple(closed)
