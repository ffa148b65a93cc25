"""The `simnet` command."""

from typing import Annotated

import typer

from simnet.base.version import VERSION
from simnet.cli import keys, proof
from simnet.cli.analyze import analyze
from simnet.cli.calibrate import calibrate
from simnet.cli.check import new, schema, validate
from simnet.cli.compare import compare
from simnet.cli.doctor import doctor
from simnet.cli.drill import app as drill
from simnet.cli.fuzz import fuzz
from simnet.cli.history import app as history
from simnet.cli.list import list_scenarios
from simnet.cli.plot import plot
from simnet.cli.regression import regression
from simnet.cli.report import app as report
from simnet.cli.rerun import rerun
from simnet.cli.run import run
from simnet.cli.screen import say
from simnet.cli.show import show
from simnet.cli.sweep import sweep

app = typer.Typer(
    name="simnet",
    help="Simulate a network of validators that run real zero-knowledge provers.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Boxes wrap messages inside words and paths, and markup swallows what stands in brackets.
    rich_markup_mode=None,
    # A traceback of ours is a bug report, not a page of local variables.
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"simnet {VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", "-v", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Exit codes: 0 all held, 1 a threshold or invariant failed, 2 bad usage or scenario, 3 nothing ran, 130 interrupted."""


for command, example in (
    (run, "simnet run scenarios/mixed_backend_interop.toml --seed 2 --set topology.k=4 --out target/simnet/k4"),
    (validate, "simnet validate scenarios/*.toml --strict"),
    (schema, "simnet schema --out scenario.schema.json"),
    (new, "simnet new my-question"),
    (list_scenarios, "simnet list"),
    (analyze, "simnet analyze target/simnet/mixed-backend-interop/summaries/mixed_backend_interop.json --format junit"),
    (show, "simnet show target/simnet/mixed-backend-interop"),
    (plot, "simnet plot target/simnet/mixed-backend-interop --what finality,topology --format svg"),
    (compare, "simnet compare target/simnet/before target/simnet/after"),
    (rerun, "simnet rerun target/simnet/mixed-backend-interop"),
    (sweep, "simnet sweep scenarios/mixed_backend_interop.toml --grid topology.k=4,6,8 --grid topology.rewire_p=0:1:11 --seeds 20"),
    (regression, "simnet regression --scenario quorum-stress --scenario snapshot-partition"),
    (fuzz, "simnet fuzz --seeds 1..40 --jobs 2"),
    (calibrate, "simnet calibrate --out costs.toml"),
    (doctor, "simnet doctor --quick"),
):
    app.command(command.__name__.removesuffix("_scenarios"), epilog=f"Example: {example}")(command)
app.add_typer(proof.app)
app.add_typer(keys.app)
app.add_typer(drill, name="drill")
app.add_typer(report, name="report")
app.add_typer(history, name="history")
