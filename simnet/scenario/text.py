"""A scenario as TOML, and back: sections as tables, everything below them on one line."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simnet.scenario import syntax, toml
from simnet.scenario.load import LoadedScenario, check_scenario


def to_toml(data: Mapping[str, Any], head: str = "") -> str:
    """Plain data as a document; None and empty tables are left out. `head` becomes comment lines."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    lines += [f"{_key(k)} = {toml_value(v)}" for k, v in data.items() if v is not None and not isinstance(v, Mapping)]
    for name, table in data.items():
        if isinstance(table, Mapping) and table:
            lines += ["", f"[{_key(name)}]"]
            lines += [f"{_key(k)} = {toml_value(v, rows=True)}" for k, v in table.items() if v is not None]
    return "\n".join(lines).lstrip("\n") + "\n"


def loaded_from(data: Mapping[str, Any], *, strict: bool = False) -> LoadedScenario:
    """What a file with this data gives. Raises ScenarioError; when `strict`, for warnings too."""
    text = to_toml(data)
    source = syntax.Source(Path(f"{data['name']}.toml"), toml.read(text), hashlib.sha256(text.encode()).hexdigest())
    return check_scenario(source, strict=strict)


def toml_value(value: Any, *, rows: bool = False) -> str:
    """One value; `rows`: a list of tables gets a line for each."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {toml_value(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, list | tuple):
        if rows and value and all(isinstance(item, Mapping) for item in value):
            return "[\n" + "".join(f"  {toml_value(item)},\n" for item in value) + "]"
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    # Strings, numbers and booleans of JSON are TOML's, too.
    return json.dumps(value)


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)
