"""The loader on arbitrary text: a scenario or `ScenarioError`, nothing else; and lines for every key."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from simnet.base.errors import ScenarioError
from simnet.scenario import ron
from simnet.scenario.load import LoadedScenario, load_scenario
from simnet.scenario.marks import Mark, SyntaxProblem
from simnet.scenario.toml import marks, parse
from simnet.scenario.wrapper_load import LoadedWrapper, load_any
from tests.altered import altered
from tests.property.test_every_number import CHAIN, NETWORK, WRAPPER

GOOD = Path("tests/scenarios/data/tiny_faults.toml").read_text()
CHEAP = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = """
    sim topology regions links latency_profile traffic tx phases faults partition churn byzantine chain gossip provers
    consensus limits metrics seed duration_ms type n k p model name assignments loss default s
"""
words = st.sampled_from(WORDS.split())
keys = st.one_of(words, st.text(max_size=4).map(lambda t: '"' + t.encode("unicode_escape").decode("ascii") + '"'))
scalars = st.sampled_from(
    ["1", "-1", "0.5", "nan", "inf", "true", '"x"', "''", '"poisson"', '"zipf"', '"ring"', "1979-05-27", "07:32:00",
     "0x" + "f" * 4000, "'''a\nb'''", '"""q"\nz"""', "99999999999999999999", '"a#b]"']
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ", # note ]\n".join(items) + "\n]"),
        st.lists(st.tuples(keys, inner), max_size=3).map(lambda rows: "{ " + ", ".join(f"{k} = {v}" for k, v in rows) + " }"),
    ),
    max_leaves=6,
)
dotted = st.lists(keys, min_size=1, max_size=3).map(".".join)
lines = st.one_of(
    st.tuples(dotted, values).map(lambda row: f"{row[0]} = {row[1]} # c"),
    dotted.map(lambda key: f"[{key}]"),
    dotted.map(lambda key: f"[[ {key} ]]"),
    st.just(""),
)
documents = st.lists(lines, max_size=10).map("\n".join)


def load_bytes(folder: Path, content: bytes, suffix: str = "toml") -> LoadedScenario | LoadedWrapper | None:
    path = folder / f"x.{suffix}"
    path.write_bytes(content)
    try:
        return load_any(path)
    except ScenarioError as error:
        if not error.problems or not str(error):
            pytest.fail("an error that says nothing")
        return None


@CHEAP
@given(st.one_of(st.binary(max_size=200), documents.map(lambda text: text.encode())))
def test_any_bytes_give_a_scenario_or_a_scenario_error(tmp_path: Path, content: bytes) -> None:
    load_bytes(tmp_path, content)


SCRAPS = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":",
    ",",
    '"a"',
    "'b'",
    "sim",
    "topology",
    "p2p",
    "consensus",
    "nodes",
    "label",
    "Some",
    "None",
    "null",
    "true",
    'r#"x"#',
    "//",
    "/*",
    "*/",
    "-",
    "?",
    "&",
    "*",
    "|",
    ">",
    "!",
    "%",
    "@",
    "1",
    "0x",
    "1e9\n",
    "",
    "",
    "",
    "-0.5",
    ".5",
    "\\u",
    "\\ud800",
    "runs",
    "duration_ms",
    "scenario_path",
    "./x.toml",
    "\x00",
    "\n",
    "\t",
]
scraps = st.lists(st.sampled_from(SCRAPS), max_size=40).map(" ".join)


@CHEAP
@given(st.sampled_from(["ron", "json", "yaml"]), st.one_of(st.binary(max_size=200), scraps.map(lambda text: text.encode())))
def test_any_bytes_in_any_syntax_give_a_file_or_a_scenario_error(tmp_path: Path, suffix: str, content: bytes) -> None:
    load_bytes(tmp_path, content, suffix)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=12,
)


@CHEAP
@given(st.dictionaries(st.text(), json_values, max_size=4), st.sampled_from([None, 1]), st.booleans())
def test_the_ron_reader_reads_json_as_the_standard_library_does(data: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    scanner = ron._Scanner(text)
    assert scanner.document() == data
    assert set(scanner.marks) == paths(data) - {()}


@CHEAP
@given(st.data())
def test_a_good_file_with_a_changed_value_gives_a_scenario_or_a_scenario_error(tmp_path: Path, data: Any) -> None:
    rows = GOOD.splitlines()
    at = data.draw(st.sampled_from([i for i, row in enumerate(rows) if "=" in row and not row.startswith("#")]))
    rows[at] = rows[at].split("=")[0] + "= " + data.draw(values)
    load_bytes(tmp_path, "\n".join(rows).encode())


@CHEAP
@given(words, st.text(max_size=20), documents)
def test_any_override_gives_a_scenario_or_a_scenario_error(tmp_path: Path, key: str, value: str, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(GOOD)
    try:
        load_scenario(path, overrides={f"{key}.x": value, key: text, value: text})
    except ScenarioError as error:
        if not str(error):
            pytest.fail("an error that says nothing")


def paths(value: Any, here: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {here} | {path for key, item in items for path in paths(item, (*here, key))}


@CHEAP
@given(documents)
@example("a = [1,\n [2, 3],\n {b = 4}]\n[[c.d]]\n[c.d.e]\nf = 1\n[[c.d]]\n'x y'.z = '''\n\n'''\nw = 1")
def test_every_key_of_a_document_has_a_line(text: str) -> None:
    try:
        data = parse(text)
    except SyntaxProblem:
        return
    found = marks(text)
    assert all(found.exact(path) for path in paths(data) if path)


def test_lines_of_a_document_with_everything() -> None:
    text = '''# 1
top = 1 # 2
"q.k" = """3
[not.a.header]
"""
[a.b] # 6
c = { d = 1, e = [ # 7
  2, # 8
  { f = 3 }] } # 9
[[g]] # 10
h = "]" # 11
[[g]] # 12
h = 'x' # 13
[g.i] # 14
j.k = 1 # 15
'''
    tomllib.loads(text)
    lines = marks(text)
    expected = {
        ("top",): 2, ("q.k",): 3, ("a", "b"): 6, ("a", "b", "c"): 7, ("a", "b", "c", "d"): 7,
        ("a", "b", "c", "e", 0): 8,
        ("a", "b", "c", "e", 1): 9, ("a", "b", "c", "e", 1, "f"): 9, ("g", 0): 10, ("g", 0, "h"): 11, ("g", 1): 12,
        ("g", 1, "h"): 13, ("g", 1, "i"): 14, ("g", 1, "i", "j", "k"): 15,
    }  # fmt: skip
    assert {path: getattr(lines.exact(path), "line", None) for path in expected} == expected
    assert lines.near(("a", "b", "missing")) == Mark(6, 1)
    assert lines.near(("nowhere",)) is None


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_do_not_shift_lines(newline: str) -> None:
    assert marks(newline.join(["a = 1", "", "b = 2"])).exact(("b",)) == Mark(3, 1)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("base", [NETWORK, CHAIN, WRAPPER], ids=["network", "chain", "wrapper"])
def test_any_one_thing_wrong_is_named(tmp_path: Path, base: dict[str, Any], number: int) -> None:
    """Every place of a scenario, with a value of another type, nothing, or itself gone: also rules over several keys bear it."""
    for document in altered(base, number, 4):
        load_bytes(tmp_path, json.dumps(document).encode(), "json" if base is not WRAPPER else "ron")
