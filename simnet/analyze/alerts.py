"""Alerts of a network summary, in the shape that Alertmanager posts to a receiver."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from simnet.analyze.thresholds import PROPAGATION
from simnet.analyze.verdicts import Verdict
from simnet.record.files import write_json
from simnet.record.places import CHAOS_ALERT, PROPAGATION_ALERT
from simnet.record.summary_files import Probes, ReadSummary, Recovery, SummaryFile

CHAOS = "chaos"
"""Summaries with this in the lower-cased file stem are chaos drills."""


def is_chaos(summary: Path) -> bool:
    return CHAOS in summary.stem.lower()


def write_alerts(summary: ReadSummary, verdicts: Sequence[Verdict]) -> None:
    """Writes the alerts beside the summary; a later summary of the folder replaces them. Raises `OutputError`."""
    path, known = summary.path, summary.known
    write_json(path.with_name(PROPAGATION_ALERT), propagation_alert(known, verdicts))
    if is_chaos(path):
        write_json(path.with_name(CHAOS_ALERT), chaos_alert(known, verdicts))


def propagation_alert(summary: SummaryFile, verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Fires when one of the five limits on the p95 of propagation did not hold."""
    failures = [verdict.message() for verdict in verdicts if verdict.group == PROPAGATION and not verdict.passed]
    probes, classes = summary.propagation_probes or Probes(), summary.propagation_by_peer_class or {}
    backend = probes.backend or summary.backend or "unspecified"
    p95 = {
        "overall_p95_ms": summary.propagation,
        "trusted_p95_ms": classes.get("trusted"),
        "untrusted_p95_ms": classes.get("untrusted"),
        "block_probe_p95_ms": probes.block,
        "transaction_probe_p95_ms": probes.transaction,
    }
    annotations = {
        "summary": "Messages and probes take too long to cross the network"
        if failures
        else "Messages and probes cross the network in time",
        "description": "The 95th percentile from publication to delivery: of all messages, by class of the forwarding peer, of probes.",
        **{name: None if delays is None else delays.p95_ms for name, delays in p95.items()},
        "failures": failures,
    }
    labels = {"alertname": "PropagationProbeLatency", "severity": "warning" if failures else "info", "backend": backend}
    return _alert("network-propagation-probe", bool(failures), labels, annotations)


def chaos_alert(summary: SummaryFile, verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Fires when any rule did not hold."""
    firing = not all(verdict.passed for verdict in verdicts)
    recovery = summary.recovery or Recovery()
    annotations = {
        "summary": "The chaos drill broke a rule" if firing else "The chaos drill held",
        "description": "Partition, churn and byzantine copies in one run, judged by every rule for network runs.",
        "propagation_p95_ms": None if summary.propagation is None else summary.propagation.p95_ms,
        "resume_events": len(recovery.resume_latencies_ms or ()),
        "max_resume_ms": recovery.max_resume_latency_ms,
    }
    labels = {"alertname": "ConsensusChaosDrill", "severity": "critical" if firing else "info"}
    return _alert("consensus-chaos-harness", firing, labels, annotations)


def _alert(receiver: str, firing: bool, labels: Mapping[str, object], annotations: Mapping[str, object]) -> dict[str, object]:
    status = "firing" if firing else "resolved"
    return {"receiver": receiver, "status": status, "alerts": [{"status": status, "labels": labels, "annotations": annotations}]}
