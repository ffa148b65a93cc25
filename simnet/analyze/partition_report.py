"""The report on a snapshot that was streamed across a partition: upstream's second reader of network summaries."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simnet.base import reading
from simnet.base.jsontext import json_text
from simnet.record.atomic import write_atomic
from simnet.record.summary_files import Count, Delays, Recovery, summary_file

MS_PER_MIN = 60_000.0


class NetworkCounts(reading.Read):
    """What every network run counts."""

    total_publishes: Count
    total_receives: Count
    duplicates: Count
    chunk_retries: Count


def partition_report(path: Path, resume_min_max: float, retries_max: int) -> dict[str, Any]:
    """The report's content. Raises `OutputError` for a summary that is none."""
    summary = summary_file(path)
    counts = reading.checked(path, summary.content, NetworkCounts, "the summary of a network run")
    propagation, recovery = summary.known.propagation or Delays(), summary.known.recovery or Recovery()
    samples = recovery.resume_latencies_ms or []
    return {
        **{name: getattr(counts, name) for name in NetworkCounts.model_fields},
        "propagation_ms": {"p50": propagation.p50_ms, "p95": propagation.p95_ms},
        "recovery": {
            "resume_events": len(samples),
            "resume_latencies_ms": samples,
            "max_resume_latency_ms": recovery.max_resume_latency_ms,
            "mean_resume_latency_ms": recovery.mean_resume_latency_ms,
        },
        "thresholds": {"max_resume_latency_ms": resume_min_max * MS_PER_MIN, "max_chunk_retries": retries_max},
        "source_summary": str(path),
    }


def passed_limits(report: Mapping[str, Any]) -> list[str]:
    """What is above its limit, in words."""
    limits, longest = report["thresholds"], report["recovery"]["max_resume_latency_ms"]
    found = []
    if longest is not None and longest > limits["max_resume_latency_ms"]:
        found.append(f"traffic resumed after {longest:.0f} ms, at most {limits['max_resume_latency_ms']:.0f} are allowed")
    if report["chunk_retries"] > limits["max_chunk_retries"]:
        found.append(f"{report['chunk_retries']} chunks were sent again, at most {limits['max_chunk_retries']} may be")
    return found


def write_report(report: Mapping[str, Any], output: Path) -> None:
    """Writes it with sorted keys. Raises `OutputError`."""
    write_atomic(output, json_text(report, sort_keys=True) + "\n")
