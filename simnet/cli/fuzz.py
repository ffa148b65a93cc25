"""`simnet fuzz`: searches for runs that break what must hold."""

import re
from pathlib import Path
from typing import Annotated

import typer

from simnet.cli import exits, paths

DEFAULT_FOLDER = Path("target/simnet/fuzz")
SEEDS_MAX = 1_000_000


@exits.exits
def fuzz(
    seeds: Annotated[str, typer.Option(metavar="A..B", help="Seeds, both ends included; or a single one.")] = "1..40",
    base: Annotated[
        Path | None, typer.Option(metavar="SCENARIO", help="Draw faults for this profile instead of small networks.", parser=paths.path)
    ] = None,
    planted: Annotated[
        str | None, typer.Option(metavar="NAME", help="Plant a bug, to see whether it is found; stops at the first.")
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="Plant each known bug in turn and write how many seeds find it.")] = False,
    replay: Annotated[
        Path | None, typer.Option(metavar="SCENARIO", help="Judge one scenario as the search would.", parser=paths.path)
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Processes. Default: one a core.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for failing scenarios and the count.", parser=paths.path)] = DEFAULT_FOLDER,
    shrink: Annotated[bool, typer.Option("--shrink/--no-shrink", help="Make failing scenarios small before they are kept.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the count as JSON.")] = False,
) -> int:
    """Run random small scenarios with real proofs and judge each. Exit code 1 when one fails."""
    from simnet.cli import fuzz_run

    asked = fuzz_run.Asked(_range(seeds), base, planted, jobs, out, shrink, as_json)
    if table:
        return fuzz_run.table(asked)
    if replay is not None:
        return fuzz_run.replay(asked, replay)
    return fuzz_run.search(asked)


def _range(text: str) -> range:
    found = re.fullmatch(r"(\d{1,18})(?:\.\.(\d{1,18}))?", text.strip())
    if found is None:
        raise typer.BadParameter(f"--seeds {text!r}: expected A..B or one seed")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 <= last - first < SEEDS_MAX:
        raise typer.BadParameter(f"--seeds {text!r}: expected A <= B and at most {SEEDS_MAX} seeds")
    return range(first, last + 1)
