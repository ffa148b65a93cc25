"""`simnet drill`: short exercises of the provers that upstream's wrappers start as tests of its own source tree."""

import os
from pathlib import Path
from typing import Annotated

import typer

from simnet.analyze.prover_mix import STEM, judge_mix
from simnet.cli import exits
from simnet.proofs.backend import BackendId
from simnet.proofs.keys import default_folder
from simnet.proofs.native import NativeBackend
from simnet.prover_mix import MixFailed, prover_mix
from simnet.record.files import write_json

SUMMARY_DIR = "SIMNET_SUMMARY_DIR"
DEFAULT_SUMMARIES = Path("target/simnet/prover-acceleration-mix/summaries")

app = typer.Typer(help="Exercise the provers the way upstream's wrappers do.", no_args_is_help=True)


@app.command("prover-mix")
@exits.exits
def mix(
    out: Annotated[Path | None, typer.Option(help=f"Folder of the result. Default: ${SUMMARY_DIR}, else {DEFAULT_SUMMARIES}.")] = None,
) -> int:
    """Prove a transfer on the CPU, then on a GPU or say why not, and judge both."""
    folder = out or Path(os.environ.get(SUMMARY_DIR) or DEFAULT_SUMMARIES)
    try:
        entries = prover_mix(NativeBackend(BackendId.PLONKY3, default_folder()))
    except MixFailed as error:
        typer.echo(f"error: {error}", err=True)
        return exits.FAILED
    path = folder / f"{STEM}.json"
    write_json(path, entries)
    for entry in entries:
        told = f"skipped: {entry['reason']}" if entry.get("skipped") else f"proved in {entry['prove_ms']:.1f} ms"
        typer.echo(f"{entry['mode']}: {told}")
    failed = [verdict for verdict in judge_mix(list(entries)) if not verdict.passed]
    for verdict in failed:
        typer.echo(f"error: {verdict.metric} is {verdict.actual}: {verdict.why}", err=True)
    typer.echo(f"written to {path}")
    return exits.FAILED if failed else exits.HELD


@app.callback()
def _group() -> None:
    """Exercise the provers the way upstream's wrappers do."""
