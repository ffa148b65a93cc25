"""`simnet drill`: short exercises of the provers that upstream's wrappers start as tests of its own source tree."""

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from simnet.analyze.prover_mix import STEM, MixFile, judge_mix
from simnet.base import codes
from simnet.base.catalogue import BackendId
from simnet.cli import exits, paths
from simnet.cli.circuits import backends_named
from simnet.cli.screen import say
from simnet.proofs.keys import default_folder
from simnet.protocol.slashing import Penalty
from simnet.record.files import write_json
from simnet.record.penalties import PenaltyLines
from simnet.record.places import SLASHING_DRILL

SUMMARY_DIR = "SIMNET_SUMMARY_DIR"
SLASHING_SUMMARIES = Path("target/simnet/consensus-slashing-backends/summaries")
DEFAULT_SUMMARIES = Path("target/simnet/prover-acceleration-mix/summaries")

app = typer.Typer(help="Exercise the provers the way upstream's wrappers do.", no_args_is_help=True)


@app.command("prover-mix")
@exits.exits
def mix(
    out: Annotated[
        Path | None, typer.Option(help=f"Folder of the result. Default: ${SUMMARY_DIR}, else {DEFAULT_SUMMARIES}.", parser=paths.path)
    ] = None,
) -> int:
    """Prove a transfer on the CPU, then on a GPU or say why not, and judge both."""
    # Late: these load the native provers, which the rest of the command line does not need.
    from simnet.jobs.prover_mix import MixFailed, prover_mix
    from simnet.proofs.native import NativeBackend

    folder = out or Path(os.environ.get(SUMMARY_DIR) or DEFAULT_SUMMARIES)
    try:
        entries = prover_mix(NativeBackend(BackendId.PLONKY3, default_folder()))
    except MixFailed as error:
        say(f"error: {error}", err=True)
        return codes.FAILED
    path = folder / f"{STEM}.json"
    write_json(path, entries)
    for entry in entries:
        told = f"skipped: {entry['reason']}" if entry.get("skipped") else f"proved in {entry['prove_ms']:.1f} ms"
        say(f"{entry['mode']}: {told}")
    failed = [verdict for verdict in judge_mix(MixFile.model_validate(list(entries)).root) if not verdict.passed]
    for verdict in failed:
        say(f"error: {verdict.metric} is {verdict.actual}: {verdict.why}", err=True)
    say(f"written to {path}")
    return codes.FAILED if failed else codes.HELD


@app.command("slashing")
@exits.exits
def slashing(
    backends: Annotated[str, typer.Option(help="Proof systems, comma-separated.")] = "stwo,plonky3",
    out: Annotated[
        Path | None, typer.Option(help=f"Folder of the result. Default: ${SUMMARY_DIR}, else {SLASHING_SUMMARIES}.", parser=paths.path)
    ] = None,
) -> int:
    """Two validators: a silent round, a double sign, and what they cost once a verified block commits."""
    from simnet.jobs.slashing_drill import slashing_drill
    from simnet.proofs.native import NativeBackend

    wanted = backends_named(f"--backends {backends}", (name.strip() for name in backends.split(",")))
    results = [slashing_drill(NativeBackend(backend, default_folder()), penalty_log(backend.label)) for backend in wanted]
    path = (out or Path(os.environ.get(SUMMARY_DIR) or SLASHING_SUMMARIES)) / f"{SLASHING_DRILL}.json"
    write_json(path, [{**asdict(result), "passed": result.passed} for result in results])
    for result in results:
        for name, held in result.checks.items():
            say(f"{result.backend}: {name}: {'held' if held else 'FAILED'}", err=not held)
    say(f"written to {path}")
    return codes.HELD if all(result.passed for result in results) else codes.FAILED


def penalty_log(backend: str) -> Callable[[Penalty], None]:
    """One line on standard output for each booked penalty, as operators search for it."""
    lines = PenaltyLines()
    return lambda penalty: lines.write(backend, penalty.validator, penalty.amount, penalty.evidence.kind.label)


@app.callback()
def _group() -> None:
    """Exercise the provers the way upstream's wrappers do."""
