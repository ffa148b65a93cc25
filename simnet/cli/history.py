"""`simnet history`: key figures over commits."""

import subprocess
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from simnet.analyze.compare import METRICS, load_metrics
from simnet.analyze.sides import load_side
from simnet.base import codes
from simnet.base.errors import OutputError
from simnet.base.plain import printable
from simnet.cli import exits, paths
from simnet.cli.screen import say
from simnet.record.places import PICTURE_FORMATS

app = typer.Typer(help="Keep key figures of runs over commits, and look at them.", no_args_is_help=True)
File = Annotated[Path, typer.Option("--file", help="The history, a CSV file.", parser=paths.new_file)]
DEFAULT = Path("simnet-history.csv")
GIT_S = 20.0


@app.command("add", epilog="Example: simnet history add target/simnet/mixed-backend-interop --file history.csv")
@exits.exits
def add(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Summaries, runs' folders, or folders of them.", parser=paths.path)],
    file: File = DEFAULT,
    commit: Annotated[str, typer.Option(help="What the runs are of. Default: git's HEAD, -dirty where files differ from it.")] = "",
    metrics: Annotated[
        Path, typer.Option(help="Figures to keep: [[metric]] tables as for compare.", show_default=False, parser=paths.path)
    ] = METRICS,
) -> int:
    """Add runs to a history; it is made when it is not there."""
    from simnet.report.history import append, entries

    side, wanted, name = load_side(runs), load_metrics(metrics), commit.strip() or _head()
    if side.unfinished:
        raise OutputError(f"{side.unfinished[0]}: the run broke off: its figures would be taken for a whole run's")
    found = [entry for summary in side.summaries for entry in entries(summary, name, wanted)]
    append(file, found)
    say(f"{file}: {len(found)} figures of {len(side.summaries)} runs at {printable(name)}")
    return codes.HELD


@app.command("show", epilog="Example: simnet history show --metric finality.proven_ms.p95 --plot history.svg")
@exits.exits
def show(
    file: File = DEFAULT,
    metric: Annotated[list[str] | None, typer.Option(help="Only this figure; may be given more than once.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it into a PNG or SVG file, too.", parser=paths.new_file)] = None,
) -> int:
    """Print a history: at each commit the mean over its runs, the least and the greatest."""
    from simnet.report.history import lines, picture, read

    kept = read(file)
    known = sorted({entry.metric for entry in kept})
    unknown = [name for name in metric or [] if name not in known]
    if unknown:
        raise OutputError(f"{file}: has no {printable(unknown[0])}; it has {', '.join(map(printable, known)) or 'nothing'}")
    courses = lines(kept, metric or ())
    for (name, scenario, sha, costs), points in courses.items():
        say(printable(f"{name}  ({scenario} {sha[:4]}, {costs})"))
        for point in points:
            spread = f"  {min(point.values):.3f} .. {max(point.values):.3f} ({len(point.values)})" if len(point.values) > 1 else ""
            say(f"  {printable(point.commit):20} {fmean(point.values):14.3f}{spread}")
    if plot is not None:
        from simnet.report.pictures import save

        suffix = plot.suffix.lower().lstrip(".")
        if suffix not in PICTURE_FORMATS:
            raise OutputError(f"--plot {plot}: the name must end in {' or '.join(f'.{known}' for known in PICTURE_FORMATS)}")
        save(picture(courses), plot, suffix)
    return codes.HELD


def _head() -> str:
    """The commit that is checked out here. Raises OutputError outside a repository."""
    told = []
    for words in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]):
        try:
            done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=GIT_S, check=True)  # noqa: S603, S607
        except (OSError, subprocess.SubprocessError):
            raise OutputError("no git repository here to name the commit: --commit NAME says what the runs are of") from None
        told.append(done.stdout.strip())
    return f"{told[0]}-dirty" if told[1] else told[0]
