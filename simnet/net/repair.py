"""Lazy repair of one node's gossip: IHAVE offers ids, IWANT asks for the messages.

At each heartbeat a node offers what it accepted in the last windows to some neighbours that are not known to have it. Heartbeats run only while there is something to offer, on a grid of the node's own. When a link comes up,
both ends offer everything they still remember. An offer is answered from memory for `history_windows` heartbeats.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import simpy

from simnet.base.units import NodeId, from_ms
from simnet.net.gossip import Entry, Router
from simnet.net.message import Validation
from simnet.net.wire import Hop
from simnet.scenario.ours import Gossip

CONTROL_BYTES = 16
"""Framing of a control message (our estimate)."""
MESSAGE_ID_BYTES = 32
OFFER_IDS_MAX = 5000
"""Ids in one IHAVE, as in gossipsub; more go into further ones."""


class LazyRepair:
    """One node's offers and wants."""

    def __init__(self, router: Router, settings: Gossip, nodes: int) -> None:
        self._router = router
        self._settings = settings
        self._beat = from_ms(settings.heartbeat_ms)
        self._offset = self._beat * router.node // nodes  # spread evenly, so that nodes do not all talk at once
        self._windows: deque[tuple[int, list[Entry]]] = deque()
        self._beating = False
        self._wanted: dict[int, list[NodeId]] = {}
        """Ids asked for, with the further neighbours that offered them."""

    # --- offering ----------------------------------------------------------------------------

    def accepted(self, entry: Entry) -> None:
        """Puts an accepted message up for the next heartbeats."""
        # What was pushed a moment ago is still on its way; offered at once, it would be fetched a second time.
        window = entry.offered_window = self._window(self._beat // 4)
        if self._windows and self._windows[-1][0] == window:
            self._windows[-1][1].append(entry)
        else:
            self._windows.append((window, [entry]))
        self._schedule_heartbeat()

    def link_up(self, hop: Hop) -> None:
        """Offers a new neighbour all that this node accepted and that nobody can have forgotten meanwhile."""
        now, window = self._router.wire.clock.now, self._window()
        oldest = now - from_ms(self._settings.duplicate_cache_ms) + from_ms(self._settings.iwant_timeout_ms)
        offers = [
            entry for entry in self._router.remembered() if entry.verdict is Validation.ACCEPT and entry.message.published_at > oldest
        ]
        for entry in offers:
            entry.offered_window = window
        self._offer(hop, offers)

    def _schedule_heartbeat(self) -> None:
        if self._beating or not self._windows:
            return
        self._beating = True
        wire = self._router.wire
        wire.after(self._beat - (wire.clock.now - self._offset) % self._beat, self._heartbeat)

    def _heartbeat(self, _: simpy.Event) -> None:
        self._beating = False
        window = self._window()
        while self._windows and self._windows[0][0] < window - self._settings.advertised_windows:
            self._windows.popleft()
        entries = [entry for w, bucket in self._windows for entry in bucket if w < window]
        if entries:
            for hop in self._lazy_peers(window):
                self._offer(hop, entries)
        self._schedule_heartbeat()

    def _lazy_peers(self, window: int) -> Sequence[Hop]:
        """Neighbours to tell at this heartbeat; with more of them than `lazy_peers`, all get their turn."""
        hops, most = list(self._router.up.values()), self._settings.lazy_peers
        if len(hops) <= most:
            return hops
        start = window * most % len(hops)
        return (hops + hops)[start : start + most]

    def _offer(self, hop: Hop, entries: Iterable[Entry]) -> None:
        bit = hop.target_bit
        ids = [entry.message.id for entry in entries if not entry.known & bit]
        for start in range(0, len(ids), OFFER_IDS_MAX):
            self._send(hop, "ihave", ids[start : start + OFFER_IDS_MAX])

    def _send(self, hop: Hop, kind: str, ids: Sequence[int]) -> None:
        self._router.send(hop, kind, tuple(ids), CONTROL_BYTES + MESSAGE_ID_BYTES * len(ids))

    def _window(self, later: int = 0) -> int:
        return (self._router.wire.clock.now + later - self._offset) // self._beat

    # --- asking and answering ----------------------------------------------------------------

    def handle(self, kind: str, ids: tuple[int, ...], hop: Hop) -> None:
        """A neighbour's offer or request; `hop` is the one it came over."""
        if kind == "ihave":
            self._offered(ids, hop)
        else:
            self._asked(ids, hop)

    def arrived(self, message: int) -> None:
        """A wanted message need no longer be asked for."""
        self._wanted.pop(message, None)

    def forget_all(self) -> None:
        """A crash: nothing is on offer, nothing is wanted."""
        self._windows.clear()
        self._wanted.clear()

    def _offered(self, ids: tuple[int, ...], hop: Hop) -> None:
        missing = []
        for message in ids:
            entry = self._router.knows(message)
            if entry is not None:
                entry.known |= hop.source_bit
            elif message in self._wanted:
                self._wanted[message].append(hop.source)
            else:
                self._wanted[message] = []
                missing.append(message)
        if missing:
            self._ask(hop.source, missing)

    def _ask(self, peer: NodeId, ids: Sequence[int]) -> None:
        hop = self._router.up.get(peer)
        if hop is not None:
            self._send(hop, "iwant", ids)
        self._router.wire.after(from_ms(self._settings.iwant_timeout_ms), self._unanswered, tuple(ids))

    def _unanswered(self, event: simpy.Event) -> None:
        """Asks the next advertiser for what has not come; forgets it when there is none, until it is offered again."""
        retries: dict[NodeId, list[int]] = {}
        ids: Any = event.value
        for message in ids:
            if message not in self._wanted:
                continue
            others = self._wanted[message]
            peer = next((p for p in others if p in self._router.up), None)
            if peer is None:
                del self._wanted[message]
            else:
                del others[: others.index(peer) + 1]
                retries.setdefault(peer, []).append(message)
        for peer, again in retries.items():
            self._ask(peer, again)

    def _asked(self, ids: tuple[int, ...], hop: Hop) -> None:
        back = self._router.up.get(hop.source)
        if back is None:
            return
        served_from = self._window() - self._settings.history_windows
        for message in ids:
            entry = self._router.knows(message)
            if entry is not None and entry.verdict is Validation.ACCEPT and entry.offered_window >= served_from:
                self._router.wire.repair(back, entry.message)
