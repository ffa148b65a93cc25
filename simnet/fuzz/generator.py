"""From a seed to a small random scenario, as the plain data of a scenario file.

Each part has its own stream of the seed. First the network without faults, from which stakes, edges and regions follow; then
who is byzantine; then the faults. Everything is small, because every proof is real: at most eight validators, some dozen slots.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.fuzz.draw import Draw
from simnet.fuzz.kinds import APART, RARE, USUAL, Kind, Place, all_kinds, byzantine_nodes, draw_fault, is_above_third
from simnet.net.topology import edges_of
from simnet.node.genesis import make_validators
from simnet.node.keyring import make_keyrings
from simnet.protocol.validators import SLOTS_PER_EPOCH
from simnet.scenario.idle import slots_to_prove
from simnet.scenario.model import Scenario
from simnet.scenario.text import loaded_from

CALM_SLOTS = (15, 18)
"""Slots without faults at the end: six to commit again, eight to prove and aggregate, and one."""
FAULT_SLOTS = ((3, 12), (3, 12), (8, 22), (22, 40), (30, 66))
"""How long faults may last; the longer spans cross one or two epochs of 32 slots."""
LONG_SLOTS = 40
"""Longer runs make no block proofs."""
BLOCK_PROOFS: tuple[tuple[str, ...], ...] = (
    ("state",),
    ("state", "recursive"),
    ("state", "recursive"),
    ("identity", "state", "recursive", "uptime"),
    ("identity", "state", "pruning", "recursive", "uptime"),
)
UPTIME_SLOT_MS = 1000
"""The uptime circuit's keys are made for one length of window."""
WITH_BLOCK_PROOFS = 0.2
WITH_GROTH16, GROTH16_SLOTS = 0.06, 26
"""In a small share of the seeds, in short runs, for the smallest region: its consensus proofs take a second each, sixty times as
long as the others'."""
WITH_WHOLE_CHAIN, WHOLE_CHAIN, QUIET = 0.2, 1024, 0.02
"""In a part of the seeds all that a node has missed comes in one answer: many blocks, mostly empty ones."""
ABOVE_THIRD = 0.08
"""Seeds in which a third of the stake or more is byzantine: only the evidence is judged there."""
ALL_HONEST = 0.25
LATE_KEYS, LATE_KEYS_SLOTS = 0.6, SLOTS_PER_EPOCH + 4
"""Of the seeds in which that can happen, those with a byzantine node without keys when an epoch begins; and how long faults last there."""


@dataclass(frozen=True, slots=True)
class Network:
    """A scenario without faults and what follows from it."""

    data: dict[str, Any]
    stakes: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    regions: tuple[str, ...]
    until_ms: int
    """When faults end."""


def scenario_of(seed: int, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The data of a seed's scenario. `base`: a whole scenario's, of which only the seed and the faults are replaced."""
    network = _network(seed) if base is None else _network_of(seed, base)
    byzantine = _byzantine(Draw(seed, "byzantine"), network.stakes)
    if not _connected(len(network.stakes), network.edges, byzantine):
        network = _described(_on_a_full_graph(network.data), network.until_ms)
    place = _place(Draw(seed, "place"), network, byzantine)
    faults = _faults(seed, place)
    if base is None and network.data["chain"]["sync_blocks_max"] == WHOLE_CHAIN:
        _add_long_outage(faults, Draw(seed, "outage"), place)
    data = {**network.data, "faults": faults}
    _keep_keys_back(Draw(seed, "late keys"), place, data)
    acting = sorted(byzantine_nodes(data["faults"]))
    if is_above_third(acting, network.stakes):
        # A run that is to break goes on for a while after it did, so that the evidence gets around.
        data["expect"] = {"broken": ["agreement"], "accused": acting}
    return data


# --- the network -------------------------------------------------------------------------------------


def _network(seed: int) -> Network:
    draw = Draw(seed, "network")
    fault_slots = draw.whole(*draw.pick(FAULT_SLOTS))
    slots = fault_slots + draw.whole(*CALM_SLOTS)
    slot_ms = draw.pick((600, 1000, 1000, 1000, 2000))
    n = draw.pick((4, 4, 4, 5, 5, 6, 7, 8))
    regions = _regions(draw, n)
    data: dict[str, Any] = {
        "name": f"fuzz-{seed}",
        "sim": {"seed": seed, "duration_ms": slots * slot_ms},
        "topology": _topology(draw, n),
        "regions": {"assignments": regions},
        "links": _links(draw, slot_ms // (3 * n)),
        "traffic": _traffic(draw, slots * slot_ms),
        "chain": _chain(draw, slots, slot_ms),
        "consensus": _consensus(draw) | _horizon(Draw(seed, "horizon")),
        "provers": _provers(Draw(seed, "provers"), regions, slots),
        "gossip": {"heartbeat_ms": draw.pick((100, 300, 700))},
        "limits": {"events_max": 3_000_000},
    }
    if Draw(seed, "answers").chance(WITH_WHOLE_CHAIN):
        # Of blocks with transfers each waits for the verifier; without, all are taken in one go.
        data["chain"]["sync_blocks_max"] = WHOLE_CHAIN
        data["traffic"]["tx"]["phases"][0]["lambda_per_sec"] = QUIET
    if "groth16" in str(data["provers"]):
        data["chain"]["block_proofs"] = []
    return _described(data, fault_slots * slot_ms)


def _network_of(seed: int, base: Mapping[str, Any]) -> Network:
    """Another scenario's network, with faults in its first half."""
    data = {**base, "sim": {**base["sim"], "seed": seed}}
    data.pop("faults", None)
    return _described(data, data["sim"]["duration_ms"] // 2)


def _described(data: dict[str, Any], until_ms: int) -> Network:
    seed = data["sim"]["seed"]
    scenario = loaded_from(data).scenario
    return Network(data, stakes_of(scenario), edges_of(scenario.topology, seed), scenario.region_of_node, until_ms)


def stakes_of(scenario: Scenario) -> tuple[int, ...]:
    """The vote weight of each validator in a run of this scenario."""
    seed = scenario.sim.seed
    validators = make_validators(scenario, seed, make_keyrings(scenario.topology.n, seed))
    return tuple(v.weight for v in validators)


def _topology(draw: Draw, n: int) -> dict[str, Any]:
    kind = draw.pick(("erdos_renyi", "erdos_renyi", "ring", "k_regular", "small_world", "scale_free"))
    if kind == "erdos_renyi":
        return {"type": kind, "n": n, "p": 1.0}
    if kind == "ring":
        return {"type": kind, "n": n, "k": draw.pick((2, 2, 4)) if n > 4 else 2}
    if kind == "small_world":
        return {"type": kind, "n": n, "k": 4 if n > 4 else 2, "rewire_p": draw.fraction(0.0, 0.3)}
    return {"type": kind, "n": n, "k": (3 if n % 2 == 0 else 4) if kind == "k_regular" and n > 4 else 2}


def _regions(draw: Draw, n: int) -> list[str]:
    """One to three regions; neighbours by index are mostly of one region, so that a partition has two sides."""
    count = draw.pick((1, 2, 2, 2, 3))
    if draw.chance(0.5):
        return ["ABC"[i * count // n] for i in range(n)]
    return [*"ABC"[:count], *(draw.pick("ABC"[:count]) for _ in range(n - count))]


def _links(draw: Draw, delay_ms_max: int) -> dict[str, Any]:
    """Delays that let a message cross the network in a sixth of a slot: a phase has a third."""

    def link(most: int) -> dict[str, Any]:
        delay = draw.whole(1, most)
        return {"delay_ms": delay, "jitter_ms": draw.whole(0, delay // 2), "loss": draw.pick((0.0, 0.0, 0.0, 0.01, 0.04))}

    links = {"default": link(delay_ms_max)}
    if draw.chance(0.4):
        links["intra"] = {**link(10), "loss": 0.0}
    return links


def _traffic(draw: Draw, duration_ms: int) -> dict[str, Any]:
    rate = draw.pick((0.1, 0.5, 1.0, 2.0))
    phase = {"model": "poisson", "duration_ms": duration_ms * 4 // 5, "lambda_per_sec": rate}
    bias = draw.pick(({"type": "uniform"}, {"type": "uniform"}, {"type": "zipf", "s": 1.2}))
    return {"tx": {"publisher_bias": bias, "phases": [phase]}}


def _chain(draw: Draw, slots: int, slot_ms: int) -> dict[str, Any]:
    usable = [p for p in BLOCK_PROOFS if "uptime" not in p or slot_ms == UPTIME_SLOT_MS]
    proofs = draw.pick(usable) if draw.chance(WITH_BLOCK_PROOFS) and slots <= LONG_SLOTS else ()
    chain: dict[str, Any] = {
        "slot_ms": slot_ms,
        "block_proofs": list(proofs),
        "block_transactions_max": draw.pick((4, 16, 16)),
        "lanes_per_wallet": draw.pick((2, 8, 8)),
        "sync_blocks_max": draw.pick((1, 4, 16)),
    }
    if "uptime" in proofs:
        chain |= {"uptime_window_slots": 8, "heartbeats_per_window": 8, "heartbeats_min": 4}
    return chain


def _consensus(draw: Draw) -> dict[str, Any]:
    low, high = draw.pick(((10, 10), (10, 10), (5, 24), (1, 6)))
    takeover = draw.pick((None, None, 1, 3))
    late = {"proven_within_slots": slots_to_prove(takeover)} if takeover is not None and takeover > 2 else {}
    return {"weight_min": low, "weight_max": high} | ({} if takeover is None else {"proof_takeover_slots": takeover}) | late


def _horizon(draw: Draw) -> dict[str, Any]:
    """Keys for the next epoch registered in half of the one before, or two epochs ahead, where no fault reaches."""
    return {} if draw.chance(0.5) else {"key_horizon_epochs": 1}


def _provers(draw: Draw, assignments: Sequence[str], slots: int) -> dict[str, Any]:
    choices = (["stwo"], ["stwo"], ["plonky3"], ["plonky3"], ["stwo", "plonky3"], ["plonky3", "stwo"])
    regions = sorted(set(assignments), key=lambda r: (assignments.count(r), r))
    table = {region: draw.pick(choices) for region in sorted(regions)}
    if draw.chance(WITH_GROTH16) and slots <= GROTH16_SLOTS and len(regions) > 1:
        table[regions[0]] = ["groth16"]
    provers: dict[str, Any] = {"regions": table}
    if draw.chance(0.2):
        provers["cpu_factor_by_region"] = {draw.pick(sorted(regions)): float(draw.pick((3, 10)))}
    return provers


# --- who and what --------------------------------------------------------------------------------------


def _byzantine(draw: Draw, stakes: Sequence[int]) -> tuple[int, ...]:
    """Byzantine nodes: mostly as many as stay below a third of the stake, in a part of the seeds more."""
    if draw.chance(ALL_HONEST):
        return ()
    total = sum(stakes)
    above = draw.chance(ABOVE_THIRD)
    chosen: list[int] = []
    weight = 0
    for node in draw.shuffled(range(len(stakes))):
        fits = 3 * (weight + stakes[node]) < (2 * total if above else total)
        if fits and not (above and 3 * weight >= total):
            chosen.append(node)
            weight += stakes[node]
    most = chosen if above else chosen[: draw.whole(1, max(1, len(chosen)))]
    return tuple(sorted(most))


def _place(draw: Draw, network: Network, byzantine: tuple[int, ...]) -> Place:
    regions = network.regions
    hops = {pair for a, b in network.edges for pair in ((regions[a], regions[b]), (regions[b], regions[a]))}
    return Place(
        slot_ms=network.data.get("chain", {}).get("slot_ms", 6000),
        until_ms=network.until_ms,
        end_ms=network.data["sim"]["duration_ms"],
        regions=tuple(sorted(set(regions))),
        joined=tuple(sorted(pair for pair in hops if pair[0] != pair[1])),
        hops=tuple(sorted(hops)),
        honest=tuple(node for node in range(len(network.stakes)) if node not in byzantine),
        byzantine=byzantine,
        stakes=tuple(network.stakes),
        colluding=draw.chance(0.5),
    )


def _faults(seed: int, place: Place) -> dict[str, Any]:
    """A random half of all kinds; of these all, or in half of the seeds only a few, so that one fault meets calm neighbours."""
    draw = Draw(seed, "faults")
    half = [kind for kind in all_kinds() if kind.name not in APART and draw.chance(RARE.get(kind.name, USUAL))]
    chosen = half if draw.chance(0.5) else list(draw.some(half, 1, 3)) if half else []
    faults: dict[str, Any] = {}
    for kind in chosen:
        _add(faults, kind, draw_fault(kind, draw, place))
    for kind in (kind for kind in all_kinds() if kind.name in APART):
        own = Draw(seed, f"faults/{kind.name}")
        if own.chance(APART[kind.name]):
            _add(faults, kind, draw_fault(kind, own, place))
    return faults


def _keep_keys_back(draw: Draw, place: Place, data: dict[str, Any]) -> None:
    """Where an epoch begins whose keys were registered in the one before, a byzantine node may have kept its own back all that time."""
    crosses = place.until_ms >= LATE_KEYS_SLOTS * place.slot_ms and data.get("consensus", {}).get("key_horizon_epochs") == 1
    if crosses and place.byzantine and draw.chance(LATE_KEYS):
        table = {"kind": "forged_votes", "what": ["unregistered"], "nodes": [draw.pick(place.byzantine)]}
        data["faults"].setdefault("nodes", []).append({**table, "start_ms": 0, "duration_ms": place.until_ms})


def _add_long_outage(faults: dict[str, Any], draw: Draw, place: Place) -> None:
    """One node with less than a third of the stake is away for nearly as long as there are faults, so that there is much to catch up."""
    away = [n for n in place.honest if 3 * place.stakes[n] < sum(place.stakes)]
    if away:
        crash = {
            "kind": "crash",
            "node": draw.pick(away),
            "start_ms": place.slot_ms,
            "duration_ms": place.until_ms - 3 * place.slot_ms // 2,
        }
        faults.setdefault("nodes", []).append(crash)


def _add(faults: dict[str, Any], kind: Kind, table: dict[str, Any] | None) -> None:
    if table is None:
        return
    if not kind.many:
        faults[kind.section] = table
    else:
        faults.setdefault(kind.section, []).append(table)


def _on_a_full_graph(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "topology": {"type": "erdos_renyi", "n": data["topology"]["n"], "p": 1.0}}


def _connected(n: int, edges: Sequence[tuple[int, int]], byzantine: Sequence[int]) -> bool:
    """Whether honest nodes reach each other through honest ones. Else byzantine ones cut the network by silence, and no promise holds."""
    honest = [node for node in range(n) if node not in byzantine]
    reached = honest[:1]
    for node in reached:
        for a, b in edges:
            for here, there in ((a, b), (b, a)):
                if here == node and there not in byzantine and there not in reached:
                    reached.append(there)
    return len(reached) == len(honest)
