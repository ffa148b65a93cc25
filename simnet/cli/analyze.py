"""`simnet analyze`: summaries against thresholds."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simnet.analyze.analysis import analyze_file
from simnet.analyze.report import FORMATS, Analysis
from simnet.cli import exits
from simnet.errors import SimnetError


class Format(StrEnum):
    """How verdicts are printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


@exits.exits
def analyze(
    summaries: Annotated[list[Path], typer.Argument(metavar="SUMMARY...", help="Summary files of runs.")],
    thresholds: Annotated[Path | None, typer.Option(help="Default: analysis/thresholds/<name of the summary>.toml.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the verdicts.")] = Format.TEXT,
) -> int:
    """Judge summaries by thresholds."""
    analyses: list[Analysis] = []
    code = exits.HELD
    for path in summaries:
        try:
            analyses.append(analyze_file(path, thresholds))
        except SimnetError as error:
            exits.complain(error)
            code = exits.USAGE
    typer.echo(FORMATS[form.value](analyses), nl=False)
    if code == exits.HELD and not all(analysis.passed for analysis in analyses):
        code = exits.FAILED
    return code
