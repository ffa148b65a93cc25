"""The rules for network summaries that are no thresholds: what must go together, and bytes of each peer against the median."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from simnet.analyze.thresholds import PeerBytes
from simnet.analyze.verdicts import Verdict
from simnet.errors import ThresholdError

COUNTED = {
    "bandwidth": ("throttled_peers", "slow_peer_events"),
    "gossip_backpressure": ("events", "unique_peers", "queue_full_messages"),
}
"""Blocks that are there only when something happened, and the counts that then are positive."""
DIRECTIONS = ("bytes_in", "bytes_out")


def judge_fixed(summary: Mapping[str, Any], path: Path, peers: PeerBytes | None) -> list[Verdict]:
    """The verdicts on a network summary; `path` decides by its stem whether bytes of peers are compared."""
    found = [*_partitions(summary), *_counted(summary)]
    if peers is not None and any(part in path.stem.lower() for part in peers.stems):
        found += _peers(summary, peers)
    return found


def _partitions(summary: Mapping[str, Any]) -> Iterator[Verdict]:
    faults = _list(summary, "faults")
    kinds = [fault.get("kind") for fault in faults if isinstance(fault, Mapping)]
    started, ended = kinds.count("partition_start"), kinds.count("partition_end")
    if started:
        yield Verdict("faults.partition_end", ended, ">= 1", ended > 0, "a partition began and did not end within the run")
    if ended:
        recovery = summary.get("recovery")
        resumed = len(_list(recovery, "resume_latencies_ms")) if isinstance(recovery, Mapping) else None
        why = "a partition ended and no message was delivered after it"
        yield Verdict("recovery.resume_latencies_ms", resumed, ">= 1 entry", bool(resumed), why, "" if resumed is not None else "absent")


def _counted(summary: Mapping[str, Any]) -> Iterator[Verdict]:
    for block, names in COUNTED.items():
        content = summary.get(block)
        if content is None:
            continue
        for name in names:
            value = content.get(name) if isinstance(content, Mapping) else None
            ok = isinstance(value, int) and not isinstance(value, bool) and value > 0
            yield Verdict(f"{block}.{name}", value, ">= 1", ok, "the block is there, so something must have happened")


def _peers(summary: Mapping[str, Any], rule: PeerBytes) -> Iterator[Verdict]:
    rows = _list(summary, "peer_traffic")
    yield Verdict("peer_traffic", len(rows), ">= 1 entry", bool(rows), "this kind of run must say what each peer sent and received")
    for direction in DIRECTIONS if rows else ():
        amounts = {_peer(row, number): _amount(row, direction, number) for number, row in enumerate(rows)}
        yield from _direction(direction, amounts, rule)


def _direction(direction: str, amounts: Mapping[str, float], rule: PeerBytes) -> Iterator[Verdict]:
    """One verdict for each peer outside the limits; one for all when there is none."""
    middle = median(amounts.values())
    high = middle * rule.multiplier if middle > 0 else None
    low = max(rule.min, middle / rule.multiplier)
    limit = f"{low:.0f} .. {'' if high is None else f'{high:.0f}'}".rstrip()
    failed = False
    for peer, amount in amounts.items():
        reasons = [f"below {rule.min:g} bytes"] if amount < rule.min else []
        if high is not None and amount > high:
            reasons.append(f"above {rule.multiplier:g} times the median of {middle:g}")
        if high is not None and amount < middle / rule.multiplier:
            reasons.append(f"below the median of {middle:g} divided by {rule.multiplier:g}")
        for why in reasons:
            failed = True
            yield Verdict(f"peer_traffic.{peer}.{direction}", amount, limit, passed=False, why=why)
    if not failed:
        spread = f"{min(amounts.values()):.0f} .. {max(amounts.values()):.0f}"
        yield Verdict(f"peer_traffic.*.{direction}", spread, limit, passed=True, why="no peer carries far more or less than the others")


def _list(block: Mapping[str, Any], name: str) -> list[Any]:
    """A list of the summary; empty where there is none."""
    value = block.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ThresholdError(f"{name} is no list")
    return value


def _peer(row: Any, number: int) -> str:
    peer = row.get("peer_id") if isinstance(row, Mapping) else None
    if not isinstance(peer, str):
        raise ThresholdError(f"peer_traffic entry {number} has no text peer_id")
    return peer


def _amount(row: Mapping[str, Any], direction: str, number: int) -> float:
    amount = row.get(direction)
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise ThresholdError(f"peer_traffic entry {number}: {direction} = {amount!r} is not a number")
    return amount
