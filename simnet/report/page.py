"""The page of a report: its data, its scripts and its styles in one HTML file that needs no network.

What comes from a run is data: it stands in a JSON script block in which no `<` is left, and the page's scripts put it in place as text.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from simnet.base.plain import printable
from simnet.report.data import of_folders
from simnet.report.library import ASSETS, FILE

SCRIPTS = ("base.js", "theme.js", "verdicts.js", "charts.js", "timeline.js", "sections.js", "stage.js", "replay.js", "start.js")
"""In this order: each may use what those before it define."""


def html(folders: Sequence[Path]) -> str:
    """The page about these runs; the same runs give the same bytes. Raises `OutputError`."""
    return filled(of_folders(folders))


def filled(data: dict[str, Any]) -> str:
    """The page with this data."""
    shell = Template(_asset("report.html"))
    scripts = "\n".join(_asset(name) for name in SCRIPTS)
    return shell.substitute(styles=_asset("report.css"), library=_asset(FILE), data=embedded(data), scripts=scripts)


def embedded(data: object) -> str:
    """JSON that can stand between script tags: nothing in it ends a script or begins a comment."""
    text = json.dumps(_shown(data), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _shown(value: Any) -> Any:
    """The same data without characters that would steer what shows them."""
    if isinstance(value, dict):
        return {printable(str(key)): _shown(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(inner) for inner in value]
    return printable(value) if isinstance(value, str) else value


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
