"""Verdicts as text, JSON, JUnit XML or GitHub annotations."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from simnet.analyze.verdicts import Verdict


@dataclass(frozen=True)
class Analysis:
    """The verdicts on one summary."""

    summary: Path
    thresholds: Path
    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    def as_dict(self) -> dict[str, object]:
        return {
            "summary": str(self.summary),
            "thresholds": str(self.thresholds),
            "passed": self.passed,
            "failed": sum(not verdict.passed for verdict in self.verdicts),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }


def text(analyses: Sequence[Analysis]) -> str:
    return "\n".join(_text_of(analysis) for analysis in analyses)


def _text_of(analysis: Analysis) -> str:
    width = max((len(verdict.metric) for verdict in analysis.verdicts), default=0)
    lines = [f"{analysis.summary} against {analysis.thresholds}"]
    for verdict in analysis.verdicts:
        word = "ok  " if verdict.passed else "FAIL"
        tail = "" if verdict.passed else f"  ({verdict.why})"
        lines.append(f"  {word} {verdict.metric:<{width}}  {_actual(verdict)}  [{verdict.limit}]{tail}")
    failed = sum(not verdict.passed for verdict in analysis.verdicts)
    lines.append(f"  {len(analysis.verdicts) - failed} held, {failed} failed")
    return "\n".join(lines) + "\n"


def _actual(verdict: Verdict) -> str:
    if verdict.note:
        return verdict.note
    if isinstance(verdict.actual, bool):
        return str(verdict.actual).lower()
    return f"{verdict.actual:.3f}" if isinstance(verdict.actual, float) else str(verdict.actual)


def as_json(analyses: Sequence[Analysis]) -> str:
    return json.dumps([analysis.as_dict() for analysis in analyses], indent=2) + "\n"


def junit(analyses: Sequence[Analysis]) -> str:
    root = ET.Element("testsuites")
    for analysis in analyses:
        failed = sum(not verdict.passed for verdict in analysis.verdicts)
        suite = ET.SubElement(root, "testsuite", name=str(analysis.summary), tests=str(len(analysis.verdicts)), failures=str(failed))
        for verdict in analysis.verdicts:
            case = ET.SubElement(suite, "testcase", classname=analysis.summary.stem, name=verdict.metric)
            if not verdict.passed:
                ET.SubElement(case, "failure", message=_message(verdict))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def github(analyses: Sequence[Analysis]) -> str:
    lines = []
    for analysis in analyses:
        for verdict in analysis.verdicts:
            if not verdict.passed:
                message = _escape(_message(verdict))
                title = _escape(verdict.metric).replace(":", "%3A").replace(",", "%2C")
                lines.append(f"::error title={title}::{message}\n")
        if analysis.passed:
            lines.append(f"::notice::{_escape(str(analysis.summary))}: {len(analysis.verdicts)} thresholds held\n")
    return "".join(lines)


def _message(verdict: Verdict) -> str:
    return f"{verdict.metric} is {_actual(verdict)}, wanted {verdict.limit}: {verdict.why}"


def _escape(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


FORMATS: dict[str, Callable[[Sequence[Analysis]], str]] = {
    "text": text,
    "json": as_json,
    "junit": junit,
    "github": github,
}
