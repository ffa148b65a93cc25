"""Warnings about what is written down and does nothing: faults outside the run or without effect, labels that nothing selects."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simnet.scenario.crossfield import DEFAULT_REGION
from simnet.scenario.marks import Path
from simnet.scenario.ours import Gossip
from simnet.scenario.span import DRAIN_MS, SETTLE_MS, run_ms
from simnet.scenario.tables import Conflict, at, items, names, real, whole

MS_PER_MIN = 60_000
HEARTBEAT_MS, HISTORY_WINDOWS = (Gossip.model_fields[name].default for name in ("heartbeat_ms", "history_windows"))


def faults_outside(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Faults that begin when the run has ended, or would not end before it."""
    end = run_ms(data)
    if end is None:
        return
    places: list[Path] = [("faults", "partition"), ("faults", "churn"), ("faults", "byzantine")]
    places += [("faults", group, index) for group in ("links", "nodes") for index in range(len(items(data, "faults", group)))]
    for place in places:
        start, length = whole(data, *place, "start_ms") or 0, whole(data, *place, "duration_ms")
        last = end - SETTLE_MS - DRAIN_MS if place[-1] == "byzantine" else end
        if isinstance(at(data, *place), Mapping) and start >= last:
            yield Conflict((*place, "start_ms"), start, f"begins at or after the run's end ({last} ms): it does nothing")
        elif length is not None and start + length >= end:
            when = "with the run" if start + length == end else f"after the run's end ({end} ms)"
            yield Conflict((*place, "duration_ms"), length, f"ends at {start + length} ms, {when}: no end of it is recorded")


def churn_too_rare(data: Mapping[str, Any]) -> Iterator[Conflict]:
    end, rate = run_ms(data), real(data, "faults", "churn", "rate_per_min")
    start = whole(data, "faults", "churn", "start_ms") or 0
    if end is not None and rate is not None and rate > 0 and start < end <= start + MS_PER_MIN / rate:
        why = f"the first node would go down {MS_PER_MIN / rate:.6g} ms after start_ms, and the run lasts {end} ms: it does nothing"
        yield Conflict(("faults", "churn", "rate_per_min"), rate, why)


def faults_without_effect(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Values at which a fault changes nothing."""
    byzantine = at(data, "faults", "byzantine")
    if whole(byzantine, "spam_factor") == 1:
        yield Conflict(("faults", "byzantine", "spam_factor"), 1, "no extra copies: it does nothing")
    if isinstance(byzantine, Mapping) and at(byzantine, "publishers") in ([], ()):
        yield Conflict(("faults", "byzantine", "publishers"), None, "names nobody: it does nothing")
    for index, fault in enumerate(items(data, "faults", "links")):
        kind, place = at(fault, "kind"), ("faults", "links", index)
        if kind in ("duplicate", "reorder", "corrupt") and real(fault, "probability") == 0:
            yield Conflict((*place, "probability"), 0, "never: it does nothing")
        elif kind == "reorder" and whole(fault, "delay_ms") == 0:
            yield Conflict((*place, "delay_ms"), 0, "no delay, so nothing overtakes: it does nothing")
        elif kind == "flapping" and (whole(fault, "up_ms") or 0) >= (whole(fault, "duration_ms") or 2**62):
            yield Conflict((*place, "up_ms"), whole(fault, "up_ms"), "the link is up for the whole duration_ms: it does nothing")
    for index, fault in enumerate(items(data, "faults", "nodes")):
        if at(fault, "kind") == "clock_skew" and not whole(fault, "offset_ms") and not whole(fault, "drift_ppm"):
            yield Conflict(("faults", "nodes", index), None, "neither offset_ms nor drift_ppm: it does nothing")


def clocks_too_far_apart(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """A precision with which no slot can do its work."""
    precision, slot = whole(data, "consensus", "clock_precision_ms"), whole(data, "chain", "slot_ms")
    if precision is not None and slot is not None and precision > slot // 6:
        why = f"more than a sixth of a slot ({slot // 6}): clocks that differ so much make no progress"
        yield Conflict(("consensus", "clock_precision_ms"), precision, why)


def slots_too_short(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """A proposal has a third of a slot to reach everybody, less what a sound clock may be wrong by."""
    slot, hops, delay = whole(data, "chain", "slot_ms"), _hops(at(data, "topology")), _least_delay_ms(data)
    if slot is None or at(data, "chain", "enabled") is False:
        return
    way = f"needs about {hops} hop{'s' if hops > 1 else ''} of {delay} ms or more"
    skewed = [f for f in items(data, "faults", "nodes") if at(f, "kind") == "clock_skew"]
    precision = whole(data, "consensus", "clock_precision_ms")
    precision = min(500, slot // 6) if precision is None else precision
    if hops * delay > slot / 3:
        yield Conflict(("chain", "slot_ms"), slot, f"a proposal has a third of it ({slot // 3} ms), and {way}: few blocks can be decided")
    elif skewed and hops * delay > slot / 3 - precision:
        why = f"a proposal has a third of it less the clocks' precision ({slot // 3 - precision} ms), and {way}: where clocks differ few blocks can be decided"
        yield Conflict(("chain", "slot_ms"), slot, why)


def slots_to_prove(takeover_slots: int) -> int:
    """What a block's proof may take where the provers of its own backend are gone: two time-outs, and some slots for another backend's."""
    return 2 * takeover_slots + 4


def proofs_promised_too_early(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """A promise that take-over cannot keep."""
    promised = whole(data, "consensus", "proven_within_slots")
    keys = (("consensus", "proof_takeover_slots"), ("chain", "block_proof_timeout_slots"))
    timeouts = [2 if (timeout := whole(data, *key)) is None else timeout for key in keys]
    timeout, key, done = max(zip(timeouts, keys, ("proven", "aggregated"), strict=True), key=lambda each: each[0])
    least = slots_to_prove(timeout)
    if (8 if promised is None else promised) < least:
        place, value = (key, timeout) if promised is None else (("consensus", "proven_within_slots"), promised)
        why = f"with {key[-1]} = {timeout} a block may take {least} slots to be {done}: proven_within_slots promises less"
        yield Conflict(place, value, why)


def memory_too_short(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """What a node forgets while its neighbours still offer it, it fetches again and passes on again."""
    memory = whole(data, "gossip", "duplicate_cache_ms")
    heartbeat, windows = whole(data, "gossip", "heartbeat_ms"), whole(data, "gossip", "history_windows")
    offered = (HEARTBEAT_MS if heartbeat is None else heartbeat) * (HISTORY_WINDOWS if windows is None else windows)
    if memory is not None and memory < offered:
        why = f"messages are offered for {offered} ms (heartbeat_ms x history_windows): what is forgotten before is fetched again and again"
        yield Conflict(("gossip", "duplicate_cache_ms"), memory, why)


def _hops(topology: object) -> int:
    """How far apart nodes are: of a ring the diameter, else about the mean distance, log n / log degree."""
    n, k, p = whole(topology, "n") or 1, whole(topology, "k"), real(topology, "p")
    if n < 3 or (at(topology, "type") == "erdos_renyi" and p == 1):
        return min(1, n - 1)
    if at(topology, "type") == "ring" and k is not None and k >= 2:
        return -(-(n // 2) // (k // 2))
    degree = (n - 1) * p if p is not None else (2 * (k or 2) if at(topology, "type") == "scale_free" else k or 2)
    return max(1, round(math.log(n) / math.log(degree))) if degree >= 2 else 1


def _least_delay_ms(data: Mapping[str, Any]) -> int:
    links = at(data, "links")
    return min((whole(link, "delay_ms") or 0 for link in links.values()), default=0) if isinstance(links, Mapping) else 0


def _present(data: Mapping[str, Any]) -> set[str] | None:
    """The regions that have nodes; None when that cannot be told."""
    regions = names(data, "regions", "assignments")
    return None if regions is None and at(data, "regions", "assignments") is not None else set(regions or [DEFAULT_REGION])


def idle_links(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Labels that no pair of regions can select."""
    links, present = at(data, "links"), _present(data)
    if not isinstance(links, Mapping) or present is None:
        return
    usable = {"default", "intra"} | {f"{x}-{y}" for x in present for y in present}
    for label in links:
        if label not in usable:
            yield Conflict(("links", label), None, "no pair of regions has this label; no effect")


def idle_regions(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Regions of `[provers]` without a node."""
    present = _present(data)
    if present is None:
        return
    for table in ("regions", "cpu_factor_by_region"):
        given = at(data, "provers", table)
        for label in given if isinstance(given, Mapping) else ():
            if label not in present:
                why = f"no node is in this region; there are {', '.join(sorted(present))}; no effect"
                yield Conflict(("provers", table, label), None, why)


IDLE: tuple[Callable[[Mapping[str, Any]], Iterator[Conflict]], ...] = (
    faults_outside,
    churn_too_rare,
    faults_without_effect,
    clocks_too_far_apart,
    slots_too_short,
    proofs_promised_too_early,
    memory_too_short,
)
MISNAMED: tuple[Callable[[Mapping[str, Any]], Iterator[Conflict]], ...] = (idle_links, idle_regions)
"""Labels that are likely misspelt: an error when the command line has set them."""
