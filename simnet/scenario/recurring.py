"""What comes again and again by the clock alone, counted before a run begins: each kind must fit into the run's limit of events.

`limits.events_max` stops a run that emits too much. But a timer that finds nothing to say emits nothing, so a month of heartbeats of one
millisecond would go on for days and meet no limit. These are estimates, each of one key, with the value that would do.

Not here, since nothing wakes up for it: flapping links (a copy looks at the time when it passes), caches, delays and time-outs (one for
each message), clock skew.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor, isfinite
from typing import Any

from simnet.scenario.base import Ours
from simnet.scenario.marks import Path
from simnet.scenario.opponents import DoubleSpend, FalseEvidence, ForgedProofs, ForgedVotes, Poison
from simnet.scenario.ours import Chain, Consensus, Gossip, Limits
from simnet.scenario.span import SETTLE_MS, run_ms, window_ms
from simnet.scenario.tables import Conflict, at, items, names, real, whole

SECTIONS: dict[str, type[Ours]] = {"chain": Chain, "consensus": Consensus, "gossip": Gossip, "limits": Limits}
RATES: dict[str, tuple[str, float]] = {
    "forged_votes": ("per_slot", ForgedVotes.model_fields["per_slot"].default),
    "double_spend": ("per_slot", DoubleSpend.model_fields["per_slot"].default),
    "false_evidence": ("per_slot", FalseEvidence.model_fields["per_slot"].default),
    "forged_proofs": ("per_second", ForgedProofs.model_fields["per_second"].default),
    "poison": ("per_second", Poison.model_fields["per_second"].default),
}
FLOODS_PER_S = 10
"""How often a flooding node looks at its uplink (`simnet.node.opponents.flood`)."""
TICKS_OF_SLOT = 3
"""A slot's beginning and its two deadlines, at each node."""
MESSAGES_OF_SLOT = 8
"""About what a node publishes in a slot: three votes, a proposal, a certificate, an endorsement, and what is repeated."""
PROBES_PER_S = 4 / 30
GRACE_STEP_MS, GRACE_MS = 100, 30_000
"""After its end a run looks so often whether all is proven, and at least so long (`simnet.runs.chain`)."""
BEATS_AFTER = 2
"""Heartbeats after a message's last window until a node rests."""
OFFERS_OF_STEP = 20
"""Messages that a heartbeat looks at, in the time of an event."""
EVENTS_OF_DELIVERY = 3
MS_PER_MIN = 60_000


@dataclass(frozen=True, slots=True)
class Run:
    """The size of a run."""

    end: int
    """In ms, on the clock of its faults."""
    nodes: int
    most: int
    """How often anything may come."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One thing that recurs."""

    key: Path
    """Says how often."""
    what: str
    count: float
    """In the whole run, over all nodes."""
    way: str
    """Which value of the key would do."""
    messages: float = 0.0
    """That it brings into the network."""
    per_step: int = 1
    """So many cost as much as an event."""


def too_often(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Keys by which more would happen than the run may have events."""
    end, n = run_ms(data), whole(data, "topology", "n")
    if end is None or n is None or end <= 0 or n <= 0:
        return
    run = Run(end, n, steps_max(data))
    for timer in timers(data, run):
        most = run.most * timer.per_step
        if timer.count > most:
            why = f"about {timer.count:.2g} {timer.what} in this run; at most {most} fit (limits.events_max)"
            yield Conflict(timer.key, at(data, *timer.key), f"{why}: {timer.way}a shorter run, or a higher limit")


def steps_max(data: Mapping[str, Any]) -> int:
    """How often anything may come: as often as there may be events. A limit below the default is about those, not about what is silent."""
    default: int = Limits.model_fields["events_max"].default
    return max(default, setting(data, "limits", "events_max"))


def timers(data: Mapping[str, Any], run: Run) -> Iterator[Timer]:
    """Everything that recurs in a run."""
    speaking = [timer for source in SPEAKING for timer in source(data, run)]
    yield from speaking
    yield from _churn(data, run)
    yield from _grace(data, run)
    yield from _gossip(data, run, sum(timer.messages for timer in speaking))


def setting(data: Mapping[str, Any], section: str, key: str) -> int:
    """A number of one of our sections, or its default."""
    given = whole(data, section, key)
    default: int = SECTIONS[section].model_fields[key].default
    return default if given is None or given < 1 else given


def _at_least(value: float) -> str:
    return f"at least {ceil(value)} here, " if isfinite(value) else ""


def _at_most(value: float) -> str:
    return f"at most {floor(value)} here, " if value >= 1 else ""


def _rate_at_most(value: float) -> str:
    return f"at most {value * 0.99:.2g} here, " if value > 0 else ""


# --- what puts messages into the network ---------------------------------------------------------------


def _publications(data: Mapping[str, Any], run: Run) -> Iterator[Timer]:
    byzantine = at(data, "faults", "byzantine")
    copies = (whole(byzantine, "spam_factor") or 1) if items(byzantine, "publishers") else 1
    for index, phase in enumerate(items(data, "traffic", "tx", "phases")):
        length_s = min(run.end, whole(phase, "duration_ms") or 0) / 1000
        on, off = whole(phase, "on_duration_ms") or 1, whole(phase, "off_duration_ms") or 0
        for key, share in (("lambda_per_sec", 1.0), ("on_lambda_per_sec", on / max(1, on + off))):
            rate, place = real(phase, key), ("traffic", "tx", "phases", index, key)
            if rate is not None and rate > 0 and length_s > 0:
                count, way = rate * share * length_s, _rate_at_most(run.most / (share * length_s))
                yield Timer(place, "publications", count, way, messages=count * copies + PROBES_PER_S * length_s)


def _slots(data: Mapping[str, Any], run: Run) -> Iterator[Timer]:
    if at(data, "chain", "enabled") is False:
        return
    slot, last = setting(data, "chain", "slot_ms"), setting(data, "consensus", "proven_within_slots") + 1
    span, each = run.end - SETTLE_MS + GRACE_MS, TICKS_OF_SLOT * run.nodes
    slots = span / slot + last
    way = _at_least(each * span / (run.most - each * last)) if run.most > each * last else ""
    what = f"slots and deadlines at {run.nodes} nodes"
    yield Timer(("chain", "slot_ms"), what, each * slots, way, messages=MESSAGES_OF_SLOT * run.nodes * slots)


def _uptime(data: Mapping[str, Any], run: Run) -> Iterator[Timer]:
    proofs = names(data, "chain", "block_proofs")
    if at(data, "chain", "enabled") is False or "uptime" not in (Chain.model_fields["block_proofs"].default if proofs is None else proofs):
        return
    beats = run.nodes * run.end / setting(data, "chain", "slot_ms") * setting(data, "chain", "heartbeats_per_window")
    count, way = beats / setting(data, "chain", "uptime_window_slots"), _at_least(beats / run.most)
    yield Timer(("chain", "uptime_window_slots"), f"heartbeats of {run.nodes} validators", count, way, messages=count)


def _opponents(data: Mapping[str, Any], run: Run) -> Iterator[Timer]:
    for index, fault in enumerate(items(data, "faults", "nodes")):
        kind, nodes, length = at(fault, "kind"), len(items(fault, "nodes")), window_ms(fault, run.end)
        place: Path = ("faults", "nodes", index)
        if kind == "flood":
            each = nodes * FLOODS_PER_S / 1000
            way = _at_most(run.most / max(each, 1e-9))
            yield Timer((*place, "duration_ms"), f"looks of {nodes} nodes at their uplinks", each * length, way)
        elif isinstance(kind, str) and kind in RATES:
            key, default = RATES[kind]
            rate, per_slot = real(fault, key), key == "per_slot"
            each = nodes * length / (setting(data, "chain", "slot_ms") if per_slot else 1000)
            fitting, count = run.most / max(each, 1e-9), each * (default if rate is None else rate)
            way = _at_most(fitting) if per_slot else _rate_at_most(fitting)
            yield Timer((*place, key), f"acts of {nodes} nodes", count, way, messages=count)


SPEAKING: tuple[Callable[[Mapping[str, Any], Run], Iterator[Timer]], ...] = (_publications, _slots, _uptime, _opponents)


# --- what does not ---------------------------------------------------------------------------------------


def _churn(data: Mapping[str, Any], run: Run) -> Iterator[Timer]:
    """One node after another; while all are down anyway, only the interval passes."""
    churn = at(data, "faults", "churn")
    rate, restart = real(churn, "rate_per_min"), whole(churn, "restart_after_ms")
    if rate is None or restart is None or not (rate > 0 and restart > 0):
        return
    window, down = window_ms(churn, run.end), _all_down_ms(data, run)
    interval = max(1.0, MS_PER_MIN / max(rate, 1e-9))
    way = _rate_at_most(MS_PER_MIN * run.most / max(1, window + down))
    yield Timer(("faults", "churn", "rate_per_min"), "nodes that churn takes down", window / (interval + restart) + down / interval, way)


def _all_down_ms(data: Mapping[str, Any], run: Run) -> int:
    """For how long every node may be down by a crash of its own: no longer than the one that is down the least."""
    down: Counter[int] = Counter()
    for fault in items(data, "faults", "nodes"):
        if at(fault, "kind") == "crash":
            down[whole(fault, "node") or 0] += window_ms(fault, run.end)
    return min(down.values()) if len(down) >= run.nodes else 0


def _grace(data: Mapping[str, Any], run: Run) -> Iterator[Timer]:
    """After the end: until what is promised of the last blocks has fallen due."""
    if at(data, "chain", "enabled") is False:
        return
    slot, slots = setting(data, "chain", "slot_ms"), setting(data, "consensus", "proven_within_slots") + 1
    each = run.nodes / GRACE_STEP_MS
    key, way = ("chain", "slot_ms"), _at_most(run.most / (each * slots))
    if whole(data, "consensus", "proven_within_slots") is not None:
        key, way = ("consensus", "proven_within_slots"), _at_most(run.most / (each * slot) - 1)
    yield Timer(key, f"looks at {run.nodes} nodes while the last blocks may be proven", each * slot * slots, way)


def _gossip(data: Mapping[str, Any], run: Run, messages: float) -> Iterator[Timer]:
    """Nodes advertise while they have something new; at each heartbeat they go through all of it."""
    beat, windows = setting(data, "gossip", "heartbeat_ms"), setting(data, "gossip", "advertised_windows")
    beats, way = min(run.end / beat, messages * (windows + BEATS_AFTER)), _at_least(run.nodes * run.end / run.most)
    yield Timer(("gossip", "heartbeat_ms"), f"heartbeats of {run.nodes} nodes", run.nodes * beats, way)
    # A run that publishes more than that is stopped by its limit.
    held = run.nodes * min(messages, run.most / (EVENTS_OF_DELIVERY * run.nodes))
    offers, way = held * min(windows, run.end / beat), _at_most(run.most * OFFERS_OF_STEP / max(held, 1e-9))
    yield Timer(("gossip", "advertised_windows"), "looks at advertised messages", offers, way, per_step=OFFERS_OF_STEP)
