"""What a scenario would cost before anything is built: estimates of nodes, links, draws, spells and bytes, each with a limit.

A run that reaches a limit while it goes (`[limits]`) stops with a message; these are about what comes before its first event,
or between two of them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from simnet.scenario.tables import Conflict, at, items, real, whole

NODES_MAX = 200_000
"""Some 16 KB each."""
LINKS_MAX = 2_000_000
"""Some 2.5 KB each."""
DRAWS_MAX = 5_000_000_000
"""Of erdos_renyi, one for each pair: half a minute."""
TRIES_MAX = 20_000_000
"""Of small_world, which looks for free places one by one: half a minute."""
SPELLS_MAX = 10_000_000
ACCOUNTS_MAX = 262_144
"""Of all wallets, entered into every tree of accounts before the run: half a minute."""
REGISTRATIONS_MAX = 4096
"""Of one-time keys for an epoch, all made before the run: a minute."""
HELD_BYTES_MAX = 8 * 1024**3


def links_estimate(topology: Mapping[str, Any]) -> float | None:
    """About how many links a topology has; None while it is incomplete."""
    n, kind = real(topology, "n"), at(topology, "type")
    k = real(topology, "k")
    if kind == "erdos_renyi":
        p = real(topology, "p")
        return None if n is None or p is None else p * n * (n - 1) / 2
    if kind == "scale_free":
        k = 2.0 if at(topology, "k") is None else k
    return None if n is None or k is None else n * k / 2


def graph_size(data: Mapping[str, Any]) -> Iterator[Conflict]:
    topology = at(data, "topology")
    n, links = real(topology, "n"), links_estimate(topology) if isinstance(topology, Mapping) else None
    if n is None or n < 1:
        return
    if n > NODES_MAX:
        yield Conflict(("topology", "n"), at(topology, "n"), f"at most {NODES_MAX} nodes")
    elif links is not None and links > LINKS_MAX:
        yield Conflict(("topology", "n"), at(topology, "n"), f"about {links:.0f} links; at most {LINKS_MAX} fit into memory")
    elif at(topology, "type") == "erdos_renyi" and n * (n - 1) / 2 > DRAWS_MAX:
        yield Conflict(
            ("topology", "n"), at(topology, "n"), f"erdos_renyi draws for each of {n * (n - 1) / 2:.0f} pairs: at most {DRAWS_MAX}"
        )
    elif (tries := _tries(topology, n, links)) > TRIES_MAX:
        why = f"so dense a small_world takes about {tries:.0f} tries to move its links: at most {TRIES_MAX}"
        yield Conflict(("topology", "k"), at(topology, "k"), why)


def _tries(topology: Mapping[str, Any], n: float, links: float | None) -> float:
    """How often small_world looks for a free place for a link."""
    moved, k = real(topology, "rewire_p"), real(topology, "k")
    if at(topology, "type") != "small_world" or links is None or moved is None or k is None:
        return 0.0
    return links * max(0.0, min(1.0, moved)) * min(2 * n, n / max(n - 1 - k, 0.5))


def spells(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """A phase of countless spells in which nothing need happen."""
    for index, phase in enumerate(items(data, "traffic", "tx", "phases")):
        on, off, length = (whole(phase, key) for key in ("on_duration_ms", "off_duration_ms", "duration_ms"))
        if on is None or off is None or length is None or on < 1 or off < 1:
            continue
        if length // (on + off) > SPELLS_MAX:
            why = f"{length // (on + off)} spells in this phase; at most {SPELLS_MAX}"
            yield Conflict(("traffic", "tx", "phases", index, "on_duration_ms"), on, why)


def held_payloads(data: Mapping[str, Any]) -> Iterator[Conflict]:
    """What gossip's history holds of the payloads must fit into memory."""
    payload: tuple[str, ...] = ("traffic", "tx", "payload")
    longest = max((whole(data, *payload, key) or 0 for key in ("min_bytes", "max_bytes")), default=0)
    beats = whole(data, "gossip", "history_windows") or 5
    held_s = beats * (whole(data, "gossip", "heartbeat_ms") or 700) / 1000
    span_s = min(held_s, (whole(data, "sim", "duration_ms") or 0) / 1000)
    spam = whole(data, "faults", "byzantine", "spam_factor") or 1
    for index, phase in enumerate(items(data, "traffic", "tx", "phases")):
        for key in ("lambda_per_sec", "on_lambda_per_sec"):
            held = (real(phase, key) or 0.0) * span_s * longest * spam
            if held > HELD_BYTES_MAX:
                why = f"payloads of {held / 2**30:.0f} GiB would be in gossip's history at once; at most {HELD_BYTES_MAX / 2**30:.0f}"
                yield Conflict(("traffic", "tx", "phases", index, key), at(phase, key), why)


def accounts(data: Mapping[str, Any]) -> Iterator[Conflict]:
    lanes, n = whole(data, "chain", "lanes_per_wallet"), whole(data, "topology", "n")
    if lanes is not None and n is not None and lanes * n > ACCOUNTS_MAX and at(data, "chain", "enabled") is not False:
        why = f"{lanes * n} accounts with n = {n}; at most {ACCOUNTS_MAX}"
        yield Conflict(("chain", "lanes_per_wallet"), lanes, why)


def registrations(data: Mapping[str, Any]) -> Iterator[Conflict]:
    epochs, n = whole(data, "consensus", "key_horizon_epochs"), whole(data, "topology", "n")
    if epochs is not None and n is not None and epochs * n > REGISTRATIONS_MAX and at(data, "chain", "enabled") is not False:
        why = f"{epochs * n} registrations of keys with n = {n} before the run begins; at most {REGISTRATIONS_MAX}"
        yield Conflict(("consensus", "key_horizon_epochs"), epochs, why)


SIZE_RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Conflict]], ...] = (graph_size, spells, held_payloads, accounts, registrations)
