"""The rules for network summaries that are no thresholds: what must go together, and bytes of each peer against the median."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from simnet.analyze.thresholds import PeerBytes
from simnet.analyze.verdicts import Verdict
from simnet.record.summary_files import PeerRow, SummaryFile

COUNTED = {
    "bandwidth": ("throttled_peers", "slow_peer_events"),
    "gossip_backpressure": ("events", "unique_peers", "queue_full_messages"),
}
"""Blocks that are there only when something happened, and the counts that then are positive."""
DIRECTIONS = ("bytes_in", "bytes_out")


def judge_fixed(summary: SummaryFile, path: Path, peers: PeerBytes | None) -> list[Verdict]:
    """The verdicts on a network summary; `path` decides by its stem whether bytes of peers are compared."""
    found = [*_partitions(summary), *_counted(summary)]
    if peers is not None and any(part in path.stem.lower() for part in peers.stems):
        found += _peers(summary.peer_traffic or [], peers)
    return found


def _partitions(summary: SummaryFile) -> Iterator[Verdict]:
    kinds = [fault.kind for fault in summary.faults or ()]
    started, ended = kinds.count("partition_start"), kinds.count("partition_end")
    if started:
        yield Verdict("faults.partition_end", ended, ">= 1", ended > 0, "a partition began and did not end within the run")
    if ended:
        resumed = None if summary.recovery is None else len(summary.recovery.resume_latencies_ms or ())
        why = "a partition ended and no message was delivered after it"
        yield Verdict("recovery.resume_latencies_ms", resumed, ">= 1 entry", bool(resumed), why, "" if resumed is not None else "absent")


def _counted(summary: SummaryFile) -> Iterator[Verdict]:
    for block, names in COUNTED.items():
        content = getattr(summary, block)
        for name in names if content is not None else ():
            value: int | None = getattr(content, name)
            yield Verdict(f"{block}.{name}", value, ">= 1", bool(value), "the block is there, so something must have happened")


def _peers(rows: list[PeerRow], rule: PeerBytes) -> Iterator[Verdict]:
    yield Verdict("peer_traffic", len(rows), ">= 1 entry", bool(rows), "this kind of run must say what each peer sent and received")
    for direction in DIRECTIONS if rows else ():
        yield from _direction(direction, {row.peer_id: getattr(row, direction) for row in rows}, rule)


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
