"""The `simnet` command."""

from typing import Annotated

import typer

import simnet
from simnet.cli import keys, proof
from simnet.cli.analyze import analyze
from simnet.cli.calibrate import calibrate
from simnet.cli.check import new, schema, validate
from simnet.cli.compare import compare
from simnet.cli.doctor import doctor
from simnet.cli.drill import app as drill
from simnet.cli.fuzz import fuzz
from simnet.cli.regression import regression
from simnet.cli.report import app as report
from simnet.cli.rerun import rerun
from simnet.cli.run import run
from simnet.cli.screen import say

app = typer.Typer(
    name="simnet",
    help="Simulate a network of validators that run real zero-knowledge provers.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback of ours is a bug report, not a page of local variables.
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"simnet {simnet.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Exit codes: 0 all held, 1 a threshold or invariant failed, 2 bad usage or scenario, 3 nothing ran, 130 interrupted."""


app.command("run")(run)
app.command("validate")(validate)
app.command("schema")(schema)
app.command("new")(new)
app.command("analyze")(analyze)
app.command("compare")(compare)
app.command("rerun")(rerun)
app.command("regression")(regression)
app.command("fuzz")(fuzz)
app.command("calibrate")(calibrate)
app.command("doctor")(doctor)
app.add_typer(proof.app)
app.add_typer(keys.app)
app.add_typer(drill, name="drill")
app.add_typer(report, name="report")
