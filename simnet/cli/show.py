"""`simnet show`: a finished run's tables again, and how its latencies are spread."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simnet.base import codes
from simnet.cli import exits, paths, result
from simnet.cli.screen import cell, say
from simnet.report.histogram import histogram
from simnet.runs.finished import FinishedRun, load

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.", parser=paths.path)]


@exits.exits
def show(
    folder: RunPath,
    histograms: Annotated[bool, typer.Option(help="Also how latencies are spread; reads the trace.")] = True,
) -> int:
    """Print a finished run's tables again, and histograms of its latencies."""
    run, console = load(folder), Console()
    result.show(run.summary, console)
    bar = "#" if console.options.ascii_only else "█"
    for title, samples in _spreads(run) if histograms else ():
        console.print(cell(title, "bold"))
        for line in histogram(samples, bar=bar):
            say(line)
        say("")
    if not run.complete:
        say("note: the run broke off before its end", err=True)
    return codes.HELD


def _spreads(run: FinishedRun) -> Iterator[tuple[str, Sequence[float]]]:
    """What there is to show, with its title. Lower ends of bins stand on the left."""
    delays = run.frames.deliveries
    if len(delays):
        yield "First reception after publication, ms", delays["delay_ms"].tolist()
    blocks = run.blocks
    for column, title in (("committed_ms", "Proposal to commit, ms"), ("proven_ms", "Proposal to proven, ms")):
        after = (blocks[column] - blocks["proposed_ms"]).dropna() if len(blocks) else blocks
        if len(after):
            yield title, after.tolist()
    for backend, proofs in run.proofs.groupby("backend"):
        yield f"Time to prove and wait, {backend}, ms", (proofs["prove_ms"] + proofs["waited_ms"]).tolist()
