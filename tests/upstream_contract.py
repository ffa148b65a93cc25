"""What upstream's two consumers demand of a summary, statement by statement, from the description of their contract.

Written apart from `simnet.analyze` and sharing no code with it, so that one mistake cannot hide in both. `crashes` are
places where a script would end in a traceback; `failures` are the rules that it would report.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Summary = Mapping[str, Any]


@dataclass(frozen=True)
class Limits:
    """The defaults of the analyzer's options."""

    propagation_ms: float = 500.0
    trusted_ms: float = 500.0
    untrusted_ms: float = 500.0
    probe_ms: float = 500.0
    resume_ms: float = 5000.0
    drops: Mapping[str, int] = field(default_factory=lambda: {"trusted": 120, "untrusted": 160})
    fill: float = 0.85
    cpu_percent: float = 320.0
    memory_mib: float = 3500.0
    peer_multiplier: float = 4.0
    peer_bytes: int = 1024
    prove_ms: float = 5500.0
    verify_ms: float = 3200.0
    unexpected: int = 0


def number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


# --- §4: what the fields are -----------------------------------------------------------------------


class Shape:
    """Collects deviations from the described types."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def want(self, ok: bool, what: str) -> None:
        if not ok:
            self.wrong.append(what)

    def block(self, summary: Summary, name: str, fields: Mapping[str, Callable[[object], bool]]) -> None:
        """A block that is absent or has exactly these fields (further ones of ours are for a namespace of their own)."""
        if name not in summary:
            return
        block = summary[name]
        self.want(isinstance(block, dict), f"{name} is an object")
        if isinstance(block, dict):
            self.want(list(block) == list(fields), f"{name} has {list(fields)}, not {list(block)}")
            for key, test in fields.items():
                self.want(test(block.get(key)), f"{name}.{key} = {block.get(key)!r}")

    def rows(self, summary: Summary, name: str, fields: Mapping[str, Callable[[object], bool]], *, always: bool) -> None:
        if name not in summary:
            self.want(not always, f"{name} is never omitted")
            return
        self.want(isinstance(summary[name], list), f"{name} is a list")
        self.want(always or bool(summary[name]), f"{name} is omitted when empty")
        for index, row in enumerate(summary[name]):
            self.want(list(row) == list(fields), f"{name}[{index}] has {list(fields)}, not {list(row)}")
            for key, test in fields.items():
                self.want(test(row.get(key)), f"{name}[{index}].{key} = {row.get(key)!r}")


def text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def fault_kind(value: object) -> bool:
    return value in FAULT_KINDS or (text(value) and re.fullmatch(r"[a-z_]+_(start|end|down|up)", str(value)) is not None)


def one_of(*words: str) -> Callable[[object], bool]:
    return lambda value: value in words


def float_or(*others: object) -> Callable[[object], bool]:
    return lambda value: isinstance(value, float) or any(value is other for other in others)


CLASSES = ("trusted", "untrusted")
NETWORK_FIELDS = (
    "total_publishes", "total_receives", "duplicates", "chunk_retries", "replay_guard", "propagation", "propagation_by_peer_class",
    "propagation_probes", "mesh_changes", "faults", "recovery", "bandwidth", "gossip_backpressure", "peer_traffic", "slow_peer_records",
    "resource_usage", "backend", "comparison",
)  # fmt: skip
LOAD_FIELDS = (
    "kind", "runs", "validators", "witness_commitments", "security_bits", "use_gpu", "seed", "summary_path", "csv_path", "prove_ms",
    "verify_ms", "proof_bytes", "failures", "tamper_vrf", "tamper_quorum",
)  # fmt: skip
FAULT_KINDS = ("partition_start", "partition_end", "churn_down", "churn_up", "byzantine_spam")
"""Upstream's. The simulator has more, each with its edges; upstream's analyzer reads none of these."""
DELAYS = {"p50_ms": float_or(), "p95_ms": float_or()}


def network_shape(summary: Summary) -> list[str]:
    """Deviations of a network summary from the table of its fields: order, types, omissions."""
    shape = Shape()
    known = [name for name in NETWORK_FIELDS if name in summary]
    shape.want(list(summary)[: len(known)] == known, f"upstream's fields first and in order, not {list(summary)[: len(known)]}")
    shape.want("kind" not in summary, "kind is absent: it marks consensus loads")
    for name in ("total_publishes", "total_receives", "duplicates", "chunk_retries"):
        shape.want(count(summary.get(name)), f"{name} is a count")
    shape.want(summary.get("duplicates") == summary.get("chunk_retries"), "chunk_retries always equals duplicates")
    _propagation_shape(shape, summary)
    _traffic_shape(shape, summary)
    _fault_shape(shape, summary)
    shape.block(
        summary,
        "resource_usage",
        {"cpu_time_secs": float_or(), "wall_time_secs": float_or(), "avg_cpu_percent": float_or(), "max_rss_bytes": count},
    )
    shape.want(text(summary.get("backend")), "backend is a text")
    return shape.wrong


def _propagation_shape(shape: Shape, summary: Summary) -> None:
    shape.want("propagation" in summary, "propagation is never omitted")
    shape.block(summary, "propagation", {"p50_ms": float_or(None), "p95_ms": float_or(None)})
    for name, parts in (("propagation_by_peer_class", CLASSES), ("propagation_probes", ("block", "transaction"))):
        block = summary.get(name, {})
        shape.want(name not in summary or any(part in block for part in parts), f"{name} is omitted without samples")
        for part in parts:
            shape.block({f"{name}.{part}": block[part]} if part in block else {}, f"{name}.{part}", DELAYS)
    probes = summary.get("propagation_probes")
    shape.want(probes is None or (list(probes)[-1] == "backend" and text(probes["backend"])), "backend closes propagation_probes")


def _traffic_shape(shape: Shape, summary: Summary) -> None:
    guard = summary.get("replay_guard")
    shape.want((guard is not None) == (summary.get("total_receives", 0) > 0), "replay_guard is there as soon as anything was received")
    if guard is not None:
        shape.block(guard, "drops_by_class", dict.fromkeys(CLASSES, count))
        shape.block(guard, "window_fill_ratio_by_class", dict.fromkeys(CLASSES, float_or()))
        shape.want(sum(guard["drops_by_class"].values()) == summary["duplicates"], "drops are the duplicates, by class")
    slow = "slow_peer_records" in summary
    shape.want(("bandwidth" in summary) == ("gossip_backpressure" in summary) == slow, "both blocks follow from slow_peer_records")
    shape.block(summary, "bandwidth", dict.fromkeys(("throttled_peers", "slow_peer_events"), count))
    names = ("events", "unique_peers", "queue_full_messages", "publish_failures", "forward_failures", "timeout_failures")
    shape.block(summary, "gossip_backpressure", dict.fromkeys(names, count))
    counters = dict.fromkeys(("publish_failed", "forward_failed", "queue_full", "timeout"), count)
    shape.rows(summary, "slow_peer_records", {"node": text, "peer": text, **counters, "timestamp_ms": float_or()}, always=False)
    peers = {"peer_id": text, "peer_class": one_of(*CLASSES), "bytes_in": count, "bytes_out": count}
    shape.rows(summary, "peer_traffic", peers, always=False)
    ids = [row["peer_id"] for row in summary.get("peer_traffic", [])]
    shape.want(ids == sorted(set(ids)), "peer_traffic is sorted by peer id")


def _fault_shape(shape: Shape, summary: Summary) -> None:
    actions = one_of("subscribe", "unsubscribe")
    mesh = {"node": text, "peer": text, "topic": text, "action": actions, "timestamp_ms": float_or()}
    shape.rows(summary, "mesh_changes", mesh, always=True)
    detail: Callable[[object], bool] = lambda value: value is None or text(value)  # noqa: E731
    shape.rows(summary, "faults", {"kind": fault_kind, "detail": detail, "timestamp_ms": float_or()}, always=True)
    for name in ("mesh_changes", "faults"):
        times = [row["timestamp_ms"] for row in summary.get(name, [])]
        shape.want(times == sorted(times), f"{name} are in the order of time")
    recovery = summary.get("recovery")
    if recovery is not None:
        samples = recovery["resume_latencies_ms"]
        shape.want(all(isinstance(sample, float) for sample in samples), "resume latencies are floats")
        extremes = [name for name in ("max_resume_latency_ms", "mean_resume_latency_ms") if name in recovery]
        shape.want(len(extremes) == (2 if samples else 0), "max and mean exactly when there are samples")
        shape.want(bool(samples) or summary["chunk_retries"] > 0, "recovery is omitted without samples and retries")


def load_shape(summary: Summary) -> list[str]:
    """Deviations of a consensus load's summary."""
    shape = Shape()
    shape.want(list(summary)[: len(LOAD_FIELDS)] == list(LOAD_FIELDS), "all keys are there, in order")
    shape.want(summary.get("kind") == "consensus-load", "kind")
    for name in ("runs", "validators", "witness_commitments", "security_bits", "seed"):
        shape.want(count(summary.get(name)), f"{name} is a count")
    shape.want(isinstance(summary.get("use_gpu"), bool), "use_gpu is a truth value")
    shape.want(text(summary.get("summary_path")), "summary_path is a text")
    shape.want(summary.get("csv_path") is None or text(summary["csv_path"]), "csv_path is a text or null")
    for name in ("prove_ms", "verify_ms", "proof_bytes"):
        shape.block(summary, name, dict.fromkeys(("min", "p50", "p90", "p95", "p99", "max", "mean"), float_or()))
    shape.want(all(isinstance(line, str) for line in summary.get("failures", [None])), "failures is a list of texts")
    for name in ("tamper_vrf", "tamper_quorum"):
        if summary.get(name) is not None:
            shape.block(summary, name, dict.fromkeys(("attempts", "rejected", "unexpected_accepts"), count))
            block = summary[name]
            shape.want(block["attempts"] > 0, f"{name} is null when never attempted")
            shape.want(block["attempts"] == block["rejected"] + block["unexpected_accepts"], f"{name}: every attempt has an outcome")
    return shape.wrong


# --- §5: what the analyzer reports -----------------------------------------------------------------


def crashes(summary: Summary) -> list[str]:
    """Places where the analyzer formats a number that is none."""
    if summary.get("kind") == "consensus-load":
        wanted = [
            (f"{name}.{part}", summary[name].get(part))
            for name in ("prove_ms", "verify_ms", "proof_bytes")
            for part in ("p50", "p95", "max")
        ]
    else:
        recovery = summary.get("recovery", {})
        wanted = [
            (name, recovery.get(name))
            for name in ("max_resume_latency_ms", "mean_resume_latency_ms")
            if recovery.get("resume_latencies_ms")
        ]
        deltas = summary.get("comparison", {}).get("deltas", {})
        if deltas.get("propagation_p95_ms") is not None:
            wanted.append(("comparison.deltas.propagation_p50_ms", deltas.get("propagation_p50_ms")))
    return [f"{name} = {value!r} is formatted as a number" for name, value in wanted if not number(value)]


def failures(summary: Summary, stem: str, limits: Limits = Limits()) -> list[str]:
    """Names of the rules that do not hold, in the analyzer's order."""
    if summary.get("kind") == "consensus-load":
        return list(_load_failures(summary, limits))
    found = [*_propagation_failures(summary, limits), *_recovery_failures(summary, limits), *_replay_failures(summary, limits)]
    found += [*_resource_failures(summary, limits), *_queue_failures(summary)]
    if any(word in stem.lower() for word in ("flood", "partition", "chaos")):
        found += _peer_failures(summary, limits)
    return found


def _propagation_failures(summary: Summary, limits: Limits) -> Iterator[str]:
    classes, probes = summary.get("propagation_by_peer_class") or {}, summary.get("propagation_probes") or {}
    for name, block, limit in (
        ("propagation", summary.get("propagation"), limits.propagation_ms),
        ("trusted", classes.get("trusted"), limits.trusted_ms),
        ("untrusted", classes.get("untrusted"), limits.untrusted_ms),
        ("block probe", probes.get("block"), limits.probe_ms),
        ("transaction probe", probes.get("transaction"), limits.probe_ms),
    ):
        p95 = (block or {}).get("p95_ms")
        if p95 is None or p95 > limit:
            yield f"{name} p95"


def _recovery_failures(summary: Summary, limits: Limits) -> Iterator[str]:
    kinds = [fault["kind"] for fault in summary.get("faults", [])]
    if "partition_start" in kinds and "partition_end" not in kinds:
        yield "partition without end"
    recovery = summary.get("recovery") or {}
    if "partition_end" in kinds and not recovery.get("resume_latencies_ms"):
        yield "no resume latency"
    longest = recovery.get("max_resume_latency_ms")
    if longest is not None and longest > limits.resume_ms:
        yield "resume latency"


def _replay_failures(summary: Summary, limits: Limits) -> Iterator[str]:
    guard = summary.get("replay_guard")
    for group in CLASSES:
        if guard is None or guard["drops_by_class"][group] > limits.drops[group]:
            yield f"replay drops {group}"
        if guard is not None and guard["window_fill_ratio_by_class"][group] > limits.fill:
            yield f"replay fill {group}"


def _resource_failures(summary: Summary, limits: Limits) -> Iterator[str]:
    usage = summary.get("resource_usage")
    if usage is None or usage.get("avg_cpu_percent", 0.0) > limits.cpu_percent:
        yield "cpu"
    memory = (usage or {}).get("max_rss_bytes")
    if memory is None or memory / 2**20 > limits.memory_mib:
        yield "memory"


def _queue_failures(summary: Summary) -> Iterator[str]:
    needed = {
        "bandwidth": ("throttled_peers", "slow_peer_events"),
        "gossip_backpressure": ("events", "unique_peers", "queue_full_messages"),
    }
    for block, names in needed.items():
        for name in names if block in summary else ():
            if not summary[block].get(name):
                yield f"{block} {name} is 0"


def _peer_failures(summary: Summary, limits: Limits) -> Iterator[str]:
    rows = summary.get("peer_traffic")
    if not rows:
        yield "no peer traffic"
        return
    for direction in ("bytes_in", "bytes_out"):
        ordered = sorted(row[direction] for row in rows)
        half = len(ordered) // 2
        middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
        for row in rows:
            if row[direction] < limits.peer_bytes:
                yield f"{direction} below minimum"
            if middle > 0 and row[direction] > middle * limits.peer_multiplier:
                yield f"{direction} above median"
            if middle > 0 and row[direction] < middle / limits.peer_multiplier:
                yield f"{direction} below median"


def _load_failures(summary: Summary, limits: Limits) -> Iterator[str]:
    for name, limit in (("prove_ms", limits.prove_ms), ("verify_ms", limits.verify_ms)):
        p95 = (summary.get(name) or {}).get("p95")
        if p95 is not None and p95 > limit:
            yield f"{name} p95"
    for name in ("tamper_vrf", "tamper_quorum"):
        if (summary.get(name) or {}).get("unexpected_accepts", 0) > limits.unexpected:
            yield f"{name} unexpected"


# --- §4.2 and §4.4: the CSV files ------------------------------------------------------------------


def network_csv(summary: Summary) -> list[tuple[str, str]]:
    """Upstream's rows for this summary, in order."""
    rows: list[tuple[str, object]] = [(n, summary[n]) for n in ("total_publishes", "total_receives", "duplicates", "chunk_retries")]
    guard = summary.get("replay_guard")
    if guard:
        rows += [(f"replay_guard_drops_{c}", guard["drops_by_class"][c]) for c in CLASSES]
        rows += [(f"replay_guard_window_fill_{c}", guard["window_fill_ratio_by_class"][c]) for c in CLASSES]
    blocks = [("propagation", summary["propagation"])]
    blocks += [(f"propagation_{c}", summary.get("propagation_by_peer_class", {}).get(c)) for c in CLASSES]
    probes = summary.get("propagation_probes", {})
    blocks += [(f"propagation_probe_{kind}", probes.get(kind)) for kind in ("block", "transaction")]
    rows += [(f"{name}_{p}", block[p]) for name, block in blocks if block for p in ("p50_ms", "p95_ms") if block[p] is not None]
    rows += [("propagation_probe_backend", probes["backend"])] if probes.get("backend") else []
    rows += [("mesh_changes", len(summary["mesh_changes"])), ("fault_events", len(summary["faults"]))]
    recovery = summary.get("recovery")
    if recovery is not None:
        rows.append(("recovery_resume_events", len(recovery["resume_latencies_ms"])))
        rows += [
            (f"recovery_{n}_resume_ms", recovery[f"{n}_resume_latency_ms"]) for n in ("max", "mean") if f"{n}_resume_latency_ms" in recovery
        ]
    if "bandwidth" in summary:
        rows += [(f"bandwidth_{name}", summary["bandwidth"][name]) for name in ("throttled_peers", "slow_peer_events")]
    pressure = summary.get("gossip_backpressure")
    if pressure:
        names = {
            "events": "events",
            "queue_full": "queue_full_messages",
            **{f"{n}_failures": f"{n}_failures" for n in ("publish", "forward", "timeout")},
        }
        rows += [(f"gossip_backpressure_{short}", pressure[name]) for short, name in names.items()]
    return [(name, f"{value:.3f}" if isinstance(value, float) else str(value)) for name, value in rows]


def csv_rows(summary: Path) -> list[tuple[str, str]]:
    """Upstream's part of the CSV file beside a summary; the simulator's own rows come after it."""
    text = summary.with_suffix(".csv").read_bytes().decode()
    assert text.startswith("metric,value\n") and "\r" not in text
    rows = [(name, value) for name, value in list(csv.reader(io.StringIO(text)))[1:]]
    first_ours = next(i for i, (name, _) in enumerate(rows) if name.startswith("simnet."))
    assert all(name.startswith("simnet.") for name, _ in rows[first_ours:]), "ours come last"
    return rows[:first_ours]


# --- the second consumer ---------------------------------------------------------------------------


def partition_report(summary: Summary, source: Path, resume_minutes: float, retries: int) -> dict[str, object]:
    """What the snapshot partition report holds."""
    recovery = summary.get("recovery", {})
    latencies = recovery.get("resume_latencies_ms", [])
    return {
        "chunk_retries": summary["chunk_retries"],
        "duplicates": summary["duplicates"],
        "propagation_ms": {"p50": summary["propagation"]["p50_ms"], "p95": summary["propagation"]["p95_ms"]},
        "recovery": {
            "max_resume_latency_ms": recovery.get("max_resume_latency_ms"),
            "mean_resume_latency_ms": recovery.get("mean_resume_latency_ms"),
            "resume_events": len(latencies),
            "resume_latencies_ms": latencies,
        },
        "source_summary": str(source),
        "thresholds": {"max_chunk_retries": retries, "max_resume_latency_ms": resume_minutes * 60_000},
        "total_publishes": summary["total_publishes"],
        "total_receives": summary["total_receives"],
    }
