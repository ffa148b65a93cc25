"""The report on a snapshot that was streamed across a partition: upstream's second reader of network summaries."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simnet.errors import OutputError
from simnet.record.atomic import write_atomic
from simnet.record.readback import summary_file

COUNTS = ("total_publishes", "total_receives", "duplicates", "chunk_retries")
MS_PER_MIN = 60_000.0


def partition_report(summary: Path, resume_min_max: float, retries_max: int) -> dict[str, Any]:
    """The report's content. Raises `OutputError` for a summary that is none."""
    content = summary_file(summary)
    propagation, recovery = (_block(content, name, summary) for name in ("propagation", "recovery"))
    latencies = recovery.get("resume_latencies_ms", [])
    if not isinstance(latencies, list):
        raise OutputError(f"{summary}: recovery.resume_latencies_ms is no list")
    samples = [_number(sample, f"recovery.resume_latencies_ms.{index}", summary) for index, sample in enumerate(latencies)]
    extremes = {name: _number_or_none(recovery, name, "recovery", summary) for name in ("max_resume_latency_ms", "mean_resume_latency_ms")}
    return {
        **{name: _count(content, name, summary) for name in COUNTS},
        "propagation_ms": {name: _number_or_none(propagation, f"{name}_ms", "propagation", summary) for name in ("p50", "p95")},
        "recovery": {"resume_events": len(samples), "resume_latencies_ms": samples, **extremes},
        "thresholds": {"max_resume_latency_ms": resume_min_max * MS_PER_MIN, "max_chunk_retries": retries_max},
        "source_summary": str(summary),
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
    write_atomic(output, json.dumps(report, indent=2, sort_keys=True) + "\n")


def _block(content: Mapping[str, Any], name: str, summary: Path) -> Mapping[str, Any]:
    block = content.get(name, {})
    if not isinstance(block, Mapping):
        raise OutputError(f"{summary}: {name} is no object")
    return block


def _count(content: Mapping[str, Any], name: str, summary: Path) -> int:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OutputError(f"{summary}: {name} = {value!r} is no count: not the summary of a network run")
    return value


def _number_or_none(block: Mapping[str, Any], name: str, path: str, summary: Path) -> float | None:
    value = block.get(name)
    return None if value is None else _number(value, f"{path}.{name}", summary)


def _number(value: object, name: str, summary: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise OutputError(f"{summary}: {name} = {value!r} is not a number")
    return value
