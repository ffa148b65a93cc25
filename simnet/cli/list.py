"""`simnet list`: the scenarios that `--profile` finds."""

from typing import Annotated

import typer

from simnet.base import codes
from simnet.base.errors import SimnetError
from simnet.cli import exits
from simnet.cli.screen import say
from simnet.scenario.profiles import ALIASES, available, plain_name
from simnet.scenario.wrapper_load import LoadedWrapper, load_any


@exits.exits
def list_scenarios(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Names only.")] = False,
) -> int:
    """List the scenarios and profiles that can be run by name."""
    for name, path in sorted(available().items()):
        if quiet:
            say(name)
            continue
        also = sorted(alias for alias, stem in ALIASES.items() if plain_name(stem) == name)
        try:
            loaded = load_any(path)
            what = loaded.wrapper.description or "a wrapper" if isinstance(loaded, LoadedWrapper) else _shape(loaded.scenario)
        except SimnetError:
            what = "cannot be loaded: see `simnet validate`"
        say(f"{name:34} {what}{f' (also {chr(44).join(also)})' if also else ''}")
    return codes.HELD


def _shape(scenario: object) -> str:
    from simnet.scenario.model import Scenario

    assert isinstance(scenario, Scenario), "what a loaded profile holds"
    return f"{scenario.topology.n} nodes, {scenario.sim.duration_ms / 1000:g} s"
