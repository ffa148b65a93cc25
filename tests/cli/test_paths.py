"""Paths of the command line: an empty one, as of a variable that is not set, never means the current folder."""

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

import simnet as package
from simnet.base.errors import OutputError
from simnet.cli import paths
from simnet.cli.main import app
from tests.cli.test_odd_files import _elsewhere, network, simnet  # noqa: F401
from tests.cli.test_replacing import ran


def commands(of: typer.Typer) -> Iterator[Callable[..., Any]]:
    for command in of.registered_commands:
        assert command.callback is not None
        yield inspect.unwrap(command.callback)
    for group in of.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance)


def taken() -> Iterator[tuple[str, Any]]:
    """Every path that a command takes, with what typer is told of it."""
    for command in commands(app):
        for name, hint in get_type_hints(command, include_extras=True).items():
            if "Path" in str(hint):
                yield f"{command.__module__}.{command.__name__}: {name}", get_args(hint)[1]


def test_every_path_of_every_command_is_read_alike() -> None:
    found = dict(taken())
    assert len(found) > 35
    assert [name for name, told in found.items() if told.parser not in (paths.path, paths.new_file)] == []


@pytest.mark.parametrize(
    "words",
    [
        ["run", "net.toml", "--out", ""],
        ["run", "net.toml", "--artifacts-dir="],
        ["run", ""],
        ["rerun", "r", "--out", ""],
        ["rerun", ""],
        ["regression", "--artifacts-root", ""],
        ["regression", "--json-report", ""],
        ["fuzz", "--seeds", "1", "--out", ""],
        ["schema", "--out", ""],
        ["calibrate", "--out", ""],
        ["drill", "slashing", "--out", ""],
        ["new", "x", "--in", ""],
        ["analyze", ""],
        ["compare", "r", ""],
        ["compare", "r", "r", "--after", ""],
        ["proof", "export", "p", "--circuit", "transaction", "--statement", "s", "--out", ""],
        ["report", "snapshot-partition", "--summary", "s", "--output", ""],
    ],
)
def test_an_empty_path_is_refused(words: list[str]) -> None:
    ran(network(), "--out", "r")
    before = sorted(Path().rglob("*"))
    done = simnet(*words)
    assert done.exit_code == 2 and "an empty path; the current folder is `.`" in done.stderr, done.output
    assert sorted(Path().rglob("*")) == before


def test_an_empty_path_is_refused_from_python() -> None:
    with pytest.raises(OutputError, match="an empty path"):
        package.run(network(), out="")


@pytest.mark.parametrize("name", ["a/", "a/.", "r/.."])
def test_a_folders_name_is_no_file_to_write(name: str) -> None:
    Path("r").mkdir()
    for words in (["schema", "--out"], ["calibrate", "--out"], ["regression", "--html-report"], ["keys", "pin", "--out"]):
        done = simnet(*words, name)
        assert done.exit_code == 2 and f"'{name}' names a folder, and a file is wanted" in done.stderr
    assert list(Path().iterdir()) == [Path("r")]


def test_the_current_folder_has_a_name() -> None:
    assert simnet("new", "x", "--in", ".").exit_code == 0 and simnet("new", "y").exit_code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["x.toml", "y.toml"]


@pytest.mark.parametrize("key", ["json", "csv", "output"])
def test_a_copy_is_a_file_too(key: str) -> None:
    done = simnet("run", network(more=f'metrics = {{ {key} = "new/" }}\n'), "-q")
    assert done.exit_code == 2 and f"metrics.{key} = 'new/': must be a file, and this names a folder" in done.stderr
    load = {"runs": 1, "summary_path": "s/", "csv_path": "c/."}
    Path("w.ron").write_text(json.dumps({"name": "w", "p2p": {"scenario_path": network(), "summary_path": "p/"}, "consensus": load}))
    assert simnet("run", "w.ron", "-q").stderr.count("must be a file, and this names a folder") == 3


def test_a_wrappers_folders_have_names() -> None:
    process = {"label": "a", "program": "true", "working_dir": ""}
    wrapper = {"name": "w", "artifacts_dir": "", "nodes": [process]}
    Path("w.ron").write_text(json.dumps(wrapper))
    done = simnet("validate", "w.ron")
    assert done.exit_code == 2 and done.stderr.count("an empty path; the wrapper's own folder is '.'") == 2, done.stderr
