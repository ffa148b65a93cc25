"""Rules that join several keys of a scenario.

They read plain tables and skip what is missing or of the wrong type, so that the loader can report them
together with the faults of single keys.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simnet.scenario.marks import Path
from simnet.scenario.nodefaults import CONDUCT
from simnet.scenario.ours import BLOCK_CAPACITIES, VALIDATOR_CAPACITIES
from simnet.scenario.recurring import too_often
from simnet.scenario.sizes import SIZE_RULES
from simnet.scenario.tables import Conflict, at, items, names, whole
from simnet.scenario.upstream import members

DEFAULT_REGION = "default"
"""Every node's region when none are assigned."""
DRIFT_SUM_PPM_MAX = 500_000
"""A clock goes at least half as fast as true time, at most half as fast again."""
REQUIRED_BY_TYPE = {
    "ring": "k",
    "erdos_renyi": "p",
    "k_regular": "k",
    "small_world": "k",
}
"""scale_free falls back to k = 2; small_world also needs rewire_p."""


def conflicts(data: Mapping[str, Any]) -> list[Conflict]:
    """Every broken rule of a scenario given as tables, in the specification's order (section 1.9), then ours."""
    return [conflict for rule in RULES for conflict in rule(data)]


def payload_bounds(data: Mapping[str, Any]) -> Iterator[Conflict]:
    payload: Path = ("traffic", "tx", "payload")
    low, high = whole(data, *payload, "min_bytes"), whole(data, *payload, "max_bytes")
    low = 24 if at(data, *payload, "min_bytes") is None else low
    if low is not None and high is not None and high < low:
        yield Conflict((*payload, "max_bytes"), high, f"payload bounds: must be at least min_bytes ({low})")


def phases_fit(data: Mapping[str, Any]) -> Iterator[Conflict]:
    phases = at(data, "traffic", "tx", "phases")
    duration = whole(data, "sim", "duration_ms")
    if not isinstance(phases, list | tuple) or duration is None:
        return
    lengths = [whole(phase, "duration_ms") for phase in phases]
    total = sum(length for length in lengths if length is not None)
    if total > duration:
        why = f"phases last {total} ms in all, longer than sim.duration_ms ({duration} ms)"
        yield Conflict(("traffic", "tx", "phases"), None, why)


def degree(data: Mapping[str, Any]) -> Iterator[Conflict]:
    kind, n, k = at(data, "topology", "type"), whole(data, "topology", "n"), whole(data, "topology", "k")
    if n is None or k is None or n < 1 or k < 1:
        return
    if k >= n:
        yield Conflict(("topology", "k"), k, f"degree must be at least 1 and below n ({n})")
    elif kind == "k_regular" and n * k % 2:
        yield Conflict(("topology", "k"), k, f"k_regular needs an even n * k, got {n} * {k}")


def assignments_length(data: Mapping[str, Any]) -> Iterator[Conflict]:
    assigned, n = at(data, "regions", "assignments"), whole(data, "topology", "n")
    if isinstance(assigned, list | tuple) and assigned and n is not None and len(assigned) != n:
        why = f"{len(assigned)} entries for {n} nodes; give one region a node, or none at all"
        yield Conflict(("regions", "assignments"), None, why)


def latency_class(data: Mapping[str, Any]) -> Iterator[Conflict]:
    profile = at(data, "latency_profile")
    if isinstance(profile, Mapping) and profile.get("trusted") is None and profile.get("untrusted") is None:
        yield Conflict(("latency_profile",), None, "needs at least one class: trusted or untrusted")


def topology_parameters(data: Mapping[str, Any]) -> Iterator[Conflict]:
    topology = at(data, "topology")
    if not isinstance(topology, Mapping) or not isinstance(topology.get("type"), str):
        return
    kind = topology["type"]
    needed = [REQUIRED_BY_TYPE[kind]] if kind in REQUIRED_BY_TYPE else []
    needed += ["rewire_p"] if kind == "small_world" else []
    for key in needed:
        if topology.get(key) is None:
            yield Conflict(("topology", key), None, f"topology type {kind} needs `{key}`")


def partition_groups(data: Mapping[str, Any]) -> Iterator[Conflict]:
    partition = at(data, "faults", "partition")
    if not isinstance(partition, Mapping):
        return
    assigned = at(data, "regions", "assignments")
    if assigned is None or assigned in ([], ()):
        yield Conflict(("faults", "partition"), None, "a partition needs [regions] assignments")
        return
    regions = names(data, "regions", "assignments")
    n = whole(data, "topology", "n")
    sides = []
    for key in ("group_a", "group_b"):
        group = partition.get(key)
        for place, part in [((), group)] if isinstance(group, str) else [((i,), part) for i, part in enumerate(items(partition, key))]:
            if regions is not None and isinstance(part, str) and part not in regions:
                why = f"no node is in this region; there are {', '.join(sorted(set(regions)))}"
                yield Conflict(("faults", "partition", key, *place), part, why)
            if isinstance(part, int) and n is not None and part >= n:
                yield Conflict(("faults", "partition", key, *place), part, f"node index {part} must be below n ({n})")
        sides.append(members(group, regions) if regions is not None and isinstance(group, str | list | tuple) else frozenset())
    both = sorted(sides[0] & sides[1])
    if both and not all(isinstance(partition.get(key), str) for key in ("group_a", "group_b")):
        yield Conflict(("faults", "partition", "group_b"), None, f"node {both[0]} is in both groups")


def provers_of_nodes(data: Mapping[str, Any]) -> Iterator[Conflict]:
    n, listed, single = whole(data, "topology", "n"), items(data, "provers", "assignments"), at(data, "provers", "nodes")
    if n is not None and listed and len(listed) != n:
        why = f"{len(listed)} entries for {n} nodes; give one list of backends a node, or none at all"
        yield Conflict(("provers", "assignments"), None, why)
    if n is None:
        return
    for key in single if isinstance(single, Mapping) else ():
        if not (str(key).isascii() and str(key).isdecimal() and len(str(key)) < 9 and str(int(key)) == key and int(key) < n):
            yield Conflict(("provers", "nodes", key), None, f"no index of a node: there are 0 to {n - 1}")


def byzantine_publishers(data: Mapping[str, Any]) -> Iterator[Conflict]:
    publishers, n = at(data, "faults", "byzantine", "publishers"), whole(data, "topology", "n")
    if not isinstance(publishers, list | tuple) or n is None:
        return
    for index, node in enumerate(publishers):
        if isinstance(node, int) and node >= n:
            why = f"node index {node} must be below n ({n})"
            yield Conflict(("faults", "byzantine", "publishers", index), node, why)


def fault_places(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Regions and nodes that our own faults name exist."""
    regions = {*(names(data, "regions", "assignments") or ()), *(() if at(data, "regions", "assignments") else (DEFAULT_REGION,))}
    n = whole(data, "topology", "n")
    links, nodes = at(data, "faults", "links"), at(data, "faults", "nodes")
    for index, fault in enumerate(links if isinstance(links, list | tuple) else ()):
        for key in ("source", "target"):
            region = at(fault, key)
            if isinstance(region, str) and region not in regions:
                why = f"no node is in this region; there are {', '.join(sorted(regions))}"
                yield Conflict(("faults", "links", index, key), region, why)
    for index, fault in enumerate(nodes if isinstance(nodes, list | tuple) else ()):
        listed = at(fault, "nodes")
        places: list[Path] = [("nodes", i) for i in range(len(listed) if isinstance(listed, list | tuple) else 0)]
        for place in (("node",), *places):
            node = whole(fault, *place)
            if node is not None and n is not None and node >= n:
                yield Conflict(("faults", "nodes", index, *place), node, f"node index {node} must be below n ({n})")


def node_conduct(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Faults of a node itself name no node twice and need a chain."""
    faults = at(data, "faults", "nodes")
    for index, fault in enumerate(faults if isinstance(faults, list | tuple) else ()):
        for key in ("nodes", "what", "of"):
            listed = at(fault, key)
            if isinstance(listed, list | tuple) and len(set(map(repr, listed))) != len(listed):
                yield Conflict(("faults", "nodes", index, key), None, "names one twice")
        kind = at(fault, "kind")
        if kind in CONDUCT and at(data, "chain", "enabled") is False:
            yield Conflict(("faults", "nodes", index, "kind"), kind, "needs a chain, and chain.enabled is false")


def accused_nodes(data: Mapping[str, Any]) -> Iterator[Conflict]:
    accused, n = at(data, "expect", "accused"), whole(data, "topology", "n")
    for index, node in enumerate(accused if isinstance(accused, list | tuple) else ()):
        if isinstance(node, int) and n is not None and node >= n:
            yield Conflict(("expect", "accused", index), node, f"node index {node} must be below n ({n})")


def clock_drift(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """Clocks go forwards, whatever faults overlap."""
    changes: dict[int, list[tuple[int, bool, int]]] = defaultdict(list)
    for index, fault in enumerate(items(data, "faults", "nodes")):
        drift, start, length = (whole(fault, key) or 0 for key in ("drift_ppm", "start_ms", "duration_ms"))
        nodes = items(fault, "nodes") if at(fault, "kind") == "clock_skew" else ()
        for node in nodes:
            if isinstance(node, int) and drift:
                changes[node] += [(start, False, drift), (start + length, True, -drift)]
        worst = next((n for n in nodes if isinstance(n, int) and _furthest(changes[n]) > DRIFT_SUM_PPM_MAX), None)
        if worst is not None:
            why = f"with the faults before it, the clock of node {worst} drifts by more than {DRIFT_SUM_PPM_MAX} ppm at a time"
            yield Conflict(("faults", "nodes", index, "drift_ppm"), drift, why)
            return


def _furthest(changes: list[tuple[int, bool, int]]) -> int:
    """The largest sum of overlapping drifts, either way; those that only touch overlap for an instant."""
    total, furthest = 0, 0
    for _, _, change in sorted(changes):
        total += change
        furthest = max(furthest, abs(total))
    return furthest


def two_validators(data: Mapping[str, Any]) -> Iterator[Conflict]:
    n = whole(data, "topology", "n")
    if n == 1 and at(data, "chain", "enabled") is not False:
        yield Conflict(
            ("topology", "n"), n, "a chain needs two validators, as transfers go to somebody else; chain.enabled = false runs one"
        )


def validator_capacity(data: Mapping[str, Any]) -> Iterator[Conflict]:
    chosen, n = whole(data, "consensus", "validator_capacity"), whole(data, "topology", "n")
    if at(data, "chain", "enabled") is False:
        return
    sizes = ", ".join(map(str, VALIDATOR_CAPACITIES))
    if chosen is not None and chosen not in VALIDATOR_CAPACITIES:
        yield Conflict(("consensus", "validator_capacity"), chosen, f"the consensus circuit exists for {sizes}")
    elif chosen is not None and n is not None and n > chosen:
        yield Conflict(("consensus", "validator_capacity"), chosen, f"does not hold n ({n}) validators")
    elif n is not None and n > VALIDATOR_CAPACITIES[-1]:
        why = f"at most {VALIDATOR_CAPACITIES[-1]} with a chain: every node is a validator, and no larger consensus circuit exists"
        yield Conflict(("topology", "n"), n, why)


def list_capacities(data: Mapping[str, Any]) -> Iterator[Conflict]:
    for key in ("witness_capacity", "reputation_capacity"):
        size = whole(data, "consensus", key)
        if size is not None and size > 0 and size & (size - 1):
            yield Conflict(("consensus", key), size, "the consensus circuit's lists are as long as a power of two")
    witnesses, transfers = whole(data, "consensus", "witness_capacity") or 256, whole(data, "chain", "block_transactions_max") or 256
    if transfers > witnesses:
        why = f"a consensus proof names at most consensus.witness_capacity ({witnesses}) of a block's transfers"
        yield Conflict(("chain", "block_transactions_max"), transfers, why)


def metrics_files(data: Mapping[str, Any]) -> Iterator[Conflict]:
    for key in ("json", "csv", "output"):
        path = at(data, "metrics", key)
        if isinstance(path, str) and ("\0" in path or path.rpartition("/")[2] in ("", ".", "..")):
            yield Conflict(("metrics", key), path, "names no file")


def vote_weights(data: Mapping[str, Any]) -> Iterator[Conflict]:
    low, high = whole(data, "consensus", "weight_min"), whole(data, "consensus", "weight_max")
    low, high = 5 if low is None else low, 24 if high is None else high
    if low > high:
        yield Conflict(("consensus", "weight_min"), low, f"must not exceed weight_max ({high})")


def transfers_payable(data: Mapping[str, Any]) -> Iterator[Conflict]:
    balance = whole(data, "chain", "lane_balance")
    most, fee = whole(data, "chain", "transfer_amount_max"), whole(data, "chain", "fee")
    spent = (1000 if most is None else most) + (1 if fee is None else fee)
    if spent > (1_000_000_000 if balance is None else balance):
        why = f"cannot pay one transfer: transfer_amount_max + fee = {spent}"
        yield Conflict(("chain", "lane_balance"), balance, why)


def gossip_windows(data: Mapping[str, Any]) -> Iterator[Conflict]:
    history, told = whole(data, "gossip", "history_windows"), whole(data, "gossip", "advertised_windows")
    history, told = 5 if history is None else history, 3 if told is None else told
    if told > history:
        why = f"must not exceed history_windows ({history}): advertised messages are served from the history"
        yield Conflict(("gossip", "advertised_windows"), told, why)


def block_proofs(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """What one kind of block proof rests on."""
    chosen = names(data, "chain", "block_proofs")
    needs = {"recursive": ("state", "links transfers to their effect"), "uptime": ("identity", "is claimed by registered identities")}
    for circuit, (other, why) in needs.items():
        if chosen is not None and circuit in chosen and other not in chosen:
            yield Conflict(("chain", "block_proofs"), chosen, f"{circuit} needs {other}: it {why}")
    for key in ("block_proofs", "block_proof_backends"):
        listed = names(data, "chain", key)
        if listed is not None and len(set(listed)) != len(listed):
            yield Conflict(("chain", key), listed, "names one twice")
    transfers, most = whole(data, "chain", "block_transactions_max") or 256, BLOCK_CAPACITIES[-1]
    if transfers > most and chosen != []:
        yield Conflict(
            ("chain", "block_transactions_max"), transfers, f"at most {most} with block proofs; chain.block_proofs = [] switches them off"
        )
    window = whole(data, "chain", "pruning_window_blocks")
    if window is not None and window > 0 and window & (window - 1):
        yield Conflict(("chain", "pruning_window_blocks"), window, "the pruning circuit's window is a power of two")


def heartbeats(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """The threshold can be reached, and heartbeats of one window have different times."""
    count, least = whole(data, "chain", "heartbeats_per_window"), whole(data, "chain", "heartbeats_min")
    count, least = 32 if count is None else count, 24 if least is None else least
    if least > count:
        yield Conflict(("chain", "heartbeats_min"), least, f"must not exceed heartbeats_per_window ({count})")
    slots, slot = whole(data, "chain", "uptime_window_slots"), whole(data, "chain", "slot_ms")
    slots, slot = 8 if slots is None else slots, 6000 if slot is None else slot
    if slots * slot < count:
        why = f"a window of {slots * slot} ms has no room for {count} heartbeats, which are dated in milliseconds"
        yield Conflict(("chain", "uptime_window_slots"), slots, why)
    if slots * slot >= 2**32:
        yield Conflict(
            ("chain", "uptime_window_slots"), slots, f"a window of {slots * slot} ms is longer than the uptime circuit can say (2^32 ms)"
        )


RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Conflict]], ...] = (
    payload_bounds,
    phases_fit,
    degree,
    assignments_length,
    latency_class,
    topology_parameters,
    partition_groups,
    provers_of_nodes,
    byzantine_publishers,
    fault_places,
    node_conduct,
    accused_nodes,
    clock_drift,
    two_validators,
    validator_capacity,
    list_capacities,
    metrics_files,
    vote_weights,
    transfers_payable,
    gossip_windows,
    block_proofs,
    heartbeats,
    *SIZE_RULES,
    too_often,
)
