"""A node's sign of life on the chain: its join, its heartbeats, and the pools of what others sent.

A node joins once, as soon as traffic starts, and repeats the request now and then until a block has it. It
sends a fixed number of heartbeats in each uptime window; one that finds no neighbour is never sent.
"""

from collections import Counter
from dataclasses import dataclass, replace

from simnet.base.units import NS_PER_MS, NodeId, SimTime, from_ms
from simnet.events import Untimely
from simnet.net.network import Message, Validation
from simnet.node.chain import Chain
from simnet.node.facts import Facts
from simnet.node.held import FULL, TOO_MANY, verdict_of
from simnet.node.keyring import Keyring
from simnet.node.letters import BeatHeard, Committed, Letter, Letterbox
from simnet.node.ports import Ports
from simnet.protocol.heartbeats import HEARTBEAT_BYTES, Heartbeat
from simnet.protocol.joins import JOIN_BYTES, JOINS_MAX, Join
from simnet.protocol.state import heartbeat_limit

JOIN_REPEAT_SLOTS = 4
"""A join that no block has taken is published again after so many slots: it may have been lost."""
HEARTBEATS_HELD_MAX = 65_536
"""Heartbeats that wait for a block at one node."""


@dataclass(frozen=True, slots=True)
class BeatDue(Letter):
    """It is time for the next own heartbeat."""


class Presence:
    """One node's join and heartbeats, and those it has heard of."""

    def __init__(self, facts: Facts, ports: Ports, keyring: Keyring, chain: Chain, letters: Letterbox) -> None:
        node = NodeId(keyring.node)
        self._facts = facts
        self._ports = ports
        self._letters = letters
        self._node = node
        self._chain = chain
        self._clock = ports.clock
        self._precision = from_ms(facts.scenario.clock_precision_ms)
        self._keyring = keyring
        self._windows = facts.rules.windows
        self._end = self._windows.origin_ms + facts.scenario.sim.duration_ms
        self._joins: dict[int, Join] = {}
        self._passed: dict[int, SimTime] = {}
        """Until when a repeated join is not passed on."""
        self._beats: dict[tuple[int, int], Heartbeat] = {}
        self._count: Counter[tuple[int, int]] = Counter()
        """Heartbeats taken by (window, validator)."""
        self._started = False
        self._next = 0
        self._last = -1
        """Time of the last own heartbeat (ms)."""
        self._asked = -JOIN_REPEAT_SLOTS
        """Slot of the last own request to join."""

    # --- own business ------------------------------------------------------------------------------

    def on_slot(self, slot: int) -> None:
        """A slot begins."""
        if not self._started and self._facts.rules.heartbeats:
            self._started = True
            self._schedule()
        joined = self._node in self._chain.state.registered
        if self._facts.rules.joins and not joined and abs(slot - self._asked) >= JOIN_REPEAT_SLOTS:
            join = self._joins.get(self._node) or self._keyring.join(self._facts.genesis.chain_id)
            if self._ports.publish("join", join, JOIN_BYTES) is not None:
                self._asked = slot
                self._joins[self._node] = join

    def _schedule(self) -> None:
        """Plans the next heartbeat, unless traffic has ended by then."""
        due = self._windows.due(self._next, self._node, self._facts.scenario.topology.n)
        if due < self._end:
            self._next += 1
            self._letters.post_after(self._clock.until(from_ms(due)), BeatDue())

    def on_beat_due(self, _letter: BeatDue) -> None:
        """Signs and publishes a heartbeat."""
        self._schedule()
        t = self._clock.now // NS_PER_MS
        if t <= self._last:
            return  # The clock was put back: no two heartbeats are of one time.
        self._last = t
        unsigned = Heartbeat(self._node, t, self._chain.head, b"")
        beat = replace(unsigned, signature=self._keyring.sign(unsigned.signing_bytes(self._facts.genesis.chain_id)))
        if self._ports.publish("heartbeat", beat, HEARTBEAT_BYTES) is not None:
            self._take(beat)

    # --- what the network brings ---------------------------------------------------------------------

    def on_join(self, message: Message, _peer: NodeId) -> None:
        """A request to join came by gossip."""
        join = message.payload
        assert isinstance(join, Join)
        if not self._facts.rules.joins or not self._facts.join_valid(join):
            self._ports.answer(message, Validation.REJECT, "join")
        elif join.validator in self._chain.state.registered:
            self._ports.answer(message, Validation.IGNORE, "registered")
        elif self._ports.now < self._passed.get(join.validator, SimTime(0)):
            self._ports.answer(message, Validation.IGNORE, "known")
        else:
            # A repeated request is passed on, if not too often: others may have missed the first.
            self._passed[join.validator] = SimTime(self._ports.now + from_ms(self._windows.slot_ms))
            self._joins[join.validator] = join
            self._ports.answer(message, Validation.ACCEPT)

    def on_heartbeat(self, message: Message, _peer: NodeId) -> None:
        """A heartbeat came by gossip."""
        beat = message.payload
        assert isinstance(beat, Heartbeat)
        if not self._facts.rules.heartbeats or not self._facts.heartbeat_valid(beat):
            self._ports.answer(message, Validation.REJECT, "SignatureInvalid")
            return
        self._letters.post(BeatHeard(beat))
        why = self._take(beat)
        self._ports.answer(message, verdict_of(why), why or "")

    def _take(self, beat: Heartbeat) -> str | None:
        """Keeps a signed heartbeat for a block, or says why not."""
        window = self._windows.of(beat.t)
        if window < self._chain.state.uptime.open_from:
            return "closed_window"
        early = from_ms(beat.t) - self._clock.now - self._precision
        if early > 0:
            told = Untimely(self._ports.now, self._node, NodeId(beat.validator), "heartbeat", "refused", SimTime(early))
            self._ports.emit(told)
            return "future"
        if beat.place in self._beats:
            return "known"
        if self._count[window, beat.validator] >= self._windows.beats:
            return TOO_MANY
        if len(self._beats) >= HEARTBEATS_HELD_MAX:
            self._ports.limit_reached("held_heartbeats")
            return FULL
        self._beats[beat.place] = beat
        self._count[window, beat.validator] += 1
        return None

    # --- for blocks ------------------------------------------------------------------------------------

    def joins(self) -> tuple[Join, ...]:
        """Pending joins that the next block can take."""
        state, chosen = self._chain.state, list[Join]()
        for validator in sorted(self._joins):
            join = self._joins[validator]
            keys = [*(j.key for j in chosen), join.key]
            if validator not in state.registered and all(f.has_room(keys) for f in state.fields):
                chosen.append(join)
            if len(chosen) == JOINS_MAX:
                break
        return tuple(chosen)

    def heartbeats(self, timestamp: int) -> tuple[Heartbeat, ...]:
        """Heartbeats that a block of this second can bring."""
        known = [b for b in self._beats.values() if self._chain.has(b.head)]
        return self._chain.state.uptime.fitting(known, self._windows, heartbeat_limit(timestamp))

    def on_commit(self, letter: Committed) -> None:
        """Forgets what a block took and what no block will take any more."""
        block = letter.block
        for join in block.body.joins:
            self._joins.pop(join.validator, None)
        for beat in block.body.heartbeats:
            self._beats.pop(beat.place, None)
        first = self._chain.state.uptime.open_from
        self._beats = {place: b for place, b in self._beats.items() if self._windows.of(b.t) >= first}
        self._count = Counter({key: n for key, n in self._count.items() if key[0] >= first})
