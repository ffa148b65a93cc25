"""What the parts of a node can reach: the network and virtual time through ports alone, provers through the processor alone; of the run's seed, from
which all keys follow, its own secrets and streams without any."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

NODE = Path(__file__).parents[2] / "simnet" / "node"
REACH = {
    "Network": {"ports.py"},
    "Clockwork": set[str](),
    "Router": set[str](),
    "simpy": set[str](),
    "Workshop": {"processor.py"},
    "CostModel": {"processor.py"},
    "NodePorts": set[str](),
    "rng": {"genesis.py"},
    "secret": set[str](),
    "Secrets": {"keyring.py"},
    "Draws": {"facts.py", "plan.py"},
}
"""Name -> modules that may import it."""


def imported(source: str) -> Iterator[str]:
    """Names that a module imports, also those inside functions; of whole modules each part of the path."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
            yield from (node.module or "").split(".")[:1]
        elif isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))


@pytest.mark.parametrize("name", REACH)
def test_only_who_may_reaches(name: str) -> None:
    paths = [path for path in NODE.rglob("*.py") if name in imported(path.read_text(encoding="utf-8"))]
    assert {path.name for path in paths} == REACH[name]


def test_a_name_is_found_however_it_is_imported() -> None:
    assert "Network" in set(imported("def f():\n    from simnet.net.network import Message, Network\n"))
    assert "simpy" in set(imported("import simpy.core")) & set(imported("from simpy import Environment"))
