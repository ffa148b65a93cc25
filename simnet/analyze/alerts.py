"""Alerts of a network summary, in the shape that Alertmanager posts to a receiver."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simnet.analyze.thresholds import PROPAGATION
from simnet.analyze.verdicts import MISSING, Verdict, resolve
from simnet.record.files import write_json
from simnet.record.places import CHAOS_ALERT, PROPAGATION_ALERT

CHAOS = "chaos"
"""Summaries with this in the lower-cased file stem are chaos drills."""
P95 = {
    "overall_p95_ms": "propagation.p95_ms",
    "trusted_p95_ms": "propagation_by_peer_class.trusted.p95_ms",
    "untrusted_p95_ms": "propagation_by_peer_class.untrusted.p95_ms",
    "block_probe_p95_ms": "propagation_probes.block.p95_ms",
    "transaction_probe_p95_ms": "propagation_probes.transaction.p95_ms",
}


def is_chaos(summary: Path) -> bool:
    return CHAOS in summary.stem.lower()


def write_alerts(summary: Path, content: Mapping[str, Any], verdicts: Sequence[Verdict]) -> None:
    """Writes the alerts beside the summary; a later summary of the folder replaces them. Raises `OutputError`."""
    write_json(summary.with_name(PROPAGATION_ALERT), propagation_alert(content, verdicts))
    if is_chaos(summary):
        write_json(summary.with_name(CHAOS_ALERT), chaos_alert(content, verdicts))


def propagation_alert(content: Mapping[str, Any], verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Fires when one of the five limits on the p95 of propagation did not hold."""
    failures = [verdict.message() for verdict in verdicts if verdict.group == PROPAGATION and not verdict.passed]
    probes = content.get("propagation_probes")
    backend = (probes.get("backend") if isinstance(probes, Mapping) else None) or content.get("backend") or "unspecified"
    annotations = {
        "summary": "Messages and probes take too long to cross the network"
        if failures
        else "Messages and probes cross the network in time",
        "description": "The 95th percentile from publication to delivery: of all messages, by class of the forwarding peer, of probes.",
        **{name: _number(content, metric) for name, metric in P95.items()},
        "failures": failures,
    }
    labels = {"alertname": "PropagationProbeLatency", "severity": "warning" if failures else "info", "backend": backend}
    return _alert("network-propagation-probe", bool(failures), labels, annotations)


def chaos_alert(content: Mapping[str, Any], verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Fires when any rule did not hold."""
    firing = not all(verdict.passed for verdict in verdicts)
    recovery = content.get("recovery")
    latencies = recovery.get("resume_latencies_ms") if isinstance(recovery, Mapping) else None
    annotations = {
        "summary": "The chaos drill broke a rule" if firing else "The chaos drill held",
        "description": "Partition, churn and byzantine copies in one run, judged by every rule for network runs.",
        "propagation_p95_ms": _number(content, "propagation.p95_ms"),
        "resume_events": len(latencies) if isinstance(latencies, list) else 0,
        "max_resume_ms": _number(content, "recovery.max_resume_latency_ms"),
    }
    labels = {"alertname": "ConsensusChaosDrill", "severity": "critical" if firing else "info"}
    return _alert("consensus-chaos-harness", firing, labels, annotations)


def _alert(receiver: str, firing: bool, labels: Mapping[str, object], annotations: Mapping[str, object]) -> dict[str, object]:
    status = "firing" if firing else "resolved"
    return {"receiver": receiver, "status": status, "alerts": [{"status": status, "labels": labels, "annotations": annotations}]}


def _number(content: Mapping[str, Any], metric: str) -> float | None:
    ((_, value),) = resolve(content, metric)
    return value if value is not MISSING and isinstance(value, int | float) and not isinstance(value, bool) else None
