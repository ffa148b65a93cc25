"""Verdicts as text, JSON, JUnit XML or GitHub annotations."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from simnet.analyze.verdicts import Verdict
from simnet.base.jsontext import json_text
from simnet.base.plain import printable


@dataclass(frozen=True)
class Analysis:
    """The verdicts on one summary, or why there are none."""

    summary: Path
    rules: tuple[Path, ...]
    """The rule files, lowest first."""
    verdicts: tuple[Verdict, ...]
    network: bool = False
    """The summary is a network run's."""
    problem: str = ""
    """Why the summary could not be judged."""

    @property
    def passed(self) -> bool:
        return not self.problem and all(verdict.passed for verdict in self.verdicts)

    @property
    def failures(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.passed]

    def as_dict(self) -> dict[str, object]:
        found: dict[str, object] = {
            "summary": str(self.summary),
            "rules": [str(path) for path in self.rules],
            "passed": self.passed,
            "failed": len(self.failures),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }
        return {**found, "problem": self.problem} if self.problem else found


def text(analyses: Sequence[Analysis]) -> str:
    """One part for each summary, with a blank line after each."""
    return "".join(_text_of(analysis) + "\n" for analysis in analyses)


def _text_of(analysis: Analysis) -> str:
    if analysis.problem:
        return f"{printable(str(analysis.summary))} could not be judged\n"
    width = max((len(verdict.metric) for verdict in analysis.verdicts), default=0)
    lines = [printable(f"{analysis.summary} against {', '.join(map(str, analysis.rules))}")]
    for verdict in sorted(analysis.verdicts, key=lambda v: (v.passed, not v.tolerated)):  # failures first
        word = "warn" if verdict.tolerated else "ok  " if verdict.passed else "FAIL"
        tail = "" if word == "ok  " else f"  ({printable(verdict.why)})"
        lines.append(f"  {word} {printable(verdict.metric):<{width}}  {verdict.shown()}  [{printable(verdict.limit)}]{tail}")
    failed = len(analysis.failures)
    lines.append(f"  {len(analysis.verdicts) - failed} held, {failed} failed")
    return "\n".join(lines) + "\n"


def as_json(analyses: Sequence[Analysis]) -> str:
    return json_text([analysis.as_dict() for analysis in analyses]) + "\n"


def junit(analyses: Sequence[Analysis]) -> str:
    root = ET.Element("testsuites")
    for analysis in analyses:
        cases = max(1, len(analysis.verdicts)) if analysis.problem else len(analysis.verdicts)
        counts = {"tests": str(cases), "failures": str(len(analysis.failures)), "errors": str(int(bool(analysis.problem)))}
        suite = ET.SubElement(root, "testsuite", {"name": printable(str(analysis.summary)), **counts})
        stem = printable(analysis.summary.stem)
        if analysis.problem:
            case = ET.SubElement(suite, "testcase", classname=stem, name="summary")
            ET.SubElement(case, "error", message=printable(analysis.problem))
        for verdict in analysis.verdicts:
            case = ET.SubElement(suite, "testcase", classname=stem, name=printable(verdict.metric))
            if not verdict.passed:
                ET.SubElement(case, "failure", message=verdict.message())
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def github(analyses: Sequence[Analysis]) -> str:
    lines = []
    for analysis in analyses:
        if analysis.problem:
            lines.append(f"::error title={_escape_title(str(analysis.summary))}::{_escape(analysis.problem)}\n")
        lines += [_annotation(analysis.summary, verdict) for verdict in analysis.failures]
        if analysis.passed:
            lines.append(f"::notice::{_escape(str(analysis.summary))}: {len(analysis.verdicts)} rules held\n")
    return "".join(lines)


def _annotation(summary: Path, verdict: Verdict) -> str:
    return f"::error title={_escape_title(verdict.metric)}::{_escape(f'{summary}: {verdict.message()}')}\n"


def _escape_title(value: str) -> str:
    return _escape(value).replace(":", "%3A").replace(",", "%2C")


def _escape(value: str) -> str:
    """For a workflow command: its own escapes for line ends, nothing else that is not printable."""
    kept = value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return printable(kept)


FORMATS: dict[str, Callable[[Sequence[Analysis]], str]] = {
    "text": text,
    "json": as_json,
    "junit": junit,
    "github": github,
}
