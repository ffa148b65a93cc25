"""`simnet validate`, `simnet schema` and `simnet new`: scenario files without a run."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simnet.base import codes
from simnet.base.errors import OutputError, SimnetError
from simnet.base.jsontext import json_text
from simnet.cli import exits, paths
from simnet.cli.screen import say
from simnet.record.atomic import write_atomic
from simnet.record.places import slug
from simnet.scenario.schema import profile_schema, wrapper_schema
from simnet.scenario.starter import STARTER
from simnet.scenario.wrapper_load import LoadedWrapper, load_any


class Kind(StrEnum):
    """What a schema describes."""

    PROFILE = "profile"
    WRAPPER = "wrapper"


@exits.exits
def validate(
    scenarios: Annotated[
        list[Path], typer.Argument(metavar="SCENARIO", help="Profiles and wrappers: TOML, YAML, RON, JSON.", parser=paths.path)
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")] = False,
) -> int:
    """Check scenario files without running them."""
    code = codes.HELD
    for path in scenarios:
        try:
            loaded = load_any(path, strict=strict)
        except SimnetError as error:
            exits.complain(error, places=True)
            code = codes.USAGE
            continue
        for warning in loaded.warnings:
            exits.tell("warning", warning, place=True)
        what = "wrapper" if isinstance(loaded, LoadedWrapper) else "profile"
        say(f"{path}: ok, a {what} (sha256 {loaded.sha256})")
    return code


@exits.exits
def schema(
    kind: Annotated[Kind, typer.Argument(help="What the schema describes.")] = Kind.PROFILE,
    out: Annotated[Path | None, typer.Option(help="Where to write it. Default: standard output.", parser=paths.new_file)] = None,
) -> int:
    """Print the JSON Schema of scenario files, for editors."""
    text = json_text(profile_schema() if kind is Kind.PROFILE else wrapper_schema(), ascii_only=False) + "\n"
    if out is None:
        say(text, nl=False)
    else:
        write_atomic(out, text)
    return codes.HELD


@exits.exits
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the scenario; the file is NAME.toml.")],
    folder: Annotated[Path, typer.Option("--in", help="Where the file goes.", parser=paths.path)] = Path(),
) -> int:
    """Write a commented starter scenario."""
    stem = slug(name.removesuffix(".toml")).replace("-", "_").strip("_")
    if not stem:
        raise typer.BadParameter(f"{name!r} has no letter or digit")
    path = folder / f"{stem}.toml"
    if os.path.lexists(path):
        raise OutputError(f"{path} is there already")
    write_atomic(path, STARTER.replace("NAME", stem.replace("_", "-")))
    say(f"{path}: written; run it with `simnet run {path}`")
    return codes.HELD
