"""The summary as CSV: upstream's rows in upstream's order, then ours, prefixed `simnet.`.

Ours are every number, truth value and text below `aggregation`, `byzantine`, `checks`, `finality`, `mempool`, `proofs`,
`simnet` and `slashing`, named by their dotted path (`simnet.proofs.stwo.transaction.made`); lists are left to the JSON.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from simnet.base.leaves import leaves
from simnet.base.plain import printable

OURS = ("aggregation", "byzantine", "checks", "finality", "mempool", "proofs", "simnet", "slashing")
PREFIX = "simnet."
FORMULA_STARTS = ("=", "+", "-", "@")

Row = tuple[str, object]


def to_csv(summary: Mapping[str, Any]) -> str:
    """`metric,value`; floats with three decimals."""
    return csv_text(("metric", "value"), ((inert(name), _text(value)) for name, value in [*_upstream(summary), *_ours(summary)]))


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with LF line ends; cells are quoted where they must be."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.3f}"
    return inert(value) if isinstance(value, str) else str(value)


def inert(text: str) -> str:
    """Text on one line that no spreadsheet takes for a formula."""
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA_STARTS) else shown


def _upstream(summary: Mapping[str, Any]) -> Iterator[Row]:
    for name in ("total_publishes", "total_receives", "duplicates", "chunk_retries"):
        yield name, summary[name]
    yield from _replay_guard(summary.get("replay_guard"))
    yield from _delays("propagation", summary["propagation"])
    for group in ("trusted", "untrusted"):
        yield from _delays(f"propagation_{group}", summary.get("propagation_by_peer_class", {}).get(group))
    probes = summary.get("propagation_probes", {})
    for kind in ("block", "transaction"):
        yield from _delays(f"propagation_probe_{kind}", probes.get(kind))
    if probes.get("backend") is not None:
        yield "propagation_probe_backend", probes["backend"]
    yield "mesh_changes", len(summary["mesh_changes"])
    yield "fault_events", len(summary["faults"])
    yield from _recovery(summary.get("recovery"))
    yield from _named(summary.get("bandwidth"), "bandwidth_", ("throttled_peers", "slow_peer_events"))
    yield from _backpressure(summary.get("gossip_backpressure"))


def _replay_guard(block: Mapping[str, Any] | None) -> Iterator[Row]:
    if block is None:
        return
    for group in ("trusted", "untrusted"):
        yield f"replay_guard_drops_{group}", block["drops_by_class"][group]
    for group in ("trusted", "untrusted"):
        yield f"replay_guard_window_fill_{group}", float(block["window_fill_ratio_by_class"][group])


def _delays(prefix: str, block: Mapping[str, Any] | None) -> Iterator[Row]:
    for name in ("p50_ms", "p95_ms"):
        if block is not None and block[name] is not None:
            yield f"{prefix}_{name}", float(block[name])


def _recovery(block: Mapping[str, Any] | None) -> Iterator[Row]:
    if block is None:
        return
    yield "recovery_resume_events", len(block["resume_latencies_ms"])
    for name, field in (("max", "max_resume_latency_ms"), ("mean", "mean_resume_latency_ms")):
        if field in block:
            yield f"recovery_{name}_resume_ms", float(block[field])


def _backpressure(block: Mapping[str, Any] | None) -> Iterator[Row]:
    if block is None:
        return
    yield "gossip_backpressure_events", block["events"]
    yield "gossip_backpressure_queue_full", block["queue_full_messages"]
    yield from _named(block, "gossip_backpressure_", ("publish_failures", "forward_failures", "timeout_failures"))


def _named(block: Mapping[str, Any] | None, prefix: str, names: tuple[str, ...]) -> Iterator[Row]:
    if block is not None:
        for name in names:
            yield f"{prefix}{name}", block[name]


def _ours(summary: Mapping[str, Any]) -> Iterator[Row]:
    for name in OURS:
        # The `simnet` block is not named twice.
        path = PREFIX.rstrip(".") if name == "simnet" else PREFIX + name
        found = leaves(summary.get(name, {}), path)
        yield from ((path, value) for path, value in found if isinstance(value, bool | int | float | str))
