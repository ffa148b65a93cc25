"""One scenario in four syntaxes: the same model, a place for every message, and what no file may be."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from simnet.base.errors import Problem, ScenarioError
from simnet.scenario import ron, syntax
from simnet.scenario import yaml as our_yaml
from simnet.scenario.load import load_scenario
from simnet.scenario.marks import DEPTH_MAX, Mark
from tests.scenario.test_scenario_load import VALID

Writer = Callable[[Any], str]


def as_ron(value: Any) -> str:
    """Real RON: structs with bare field names, a trailing comma, options."""
    if isinstance(value, dict):
        named = all(key.isidentifier() for key in value)
        rows = [f"{key if named else json.dumps(key)}: {as_ron(item)}," for key, item in value.items()]
        return "Table(" + " ".join(rows) + ")" if named and value else "{" + " ".join(rows) + "}"
    if isinstance(value, list):
        return "[" + "".join(f"{as_ron(item)}, " for item in value) + "] // list\n"
    if isinstance(value, str):
        return f'Some(r#"{value}"#)'
    return json.dumps(value)


WRITERS: dict[str, Writer] = {
    "yaml": lambda value: yaml.safe_dump(value, sort_keys=False),
    "yml": lambda value: yaml.safe_dump(value, default_flow_style=True),
    "json": lambda value: json.dumps(value, indent=2),
    "ron": as_ron,
}


def written(folder: Path, suffix: str, text: str) -> Path:
    path = folder / f"case.{suffix}"
    path.write_text(text)
    return path


def refusals(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return caught.value.problems


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_syntax_gives_the_same_scenario(tmp_path: Path, suffix: str) -> None:
    tables = tomllib.loads(VALID)
    path = written(tmp_path, suffix, WRITERS[suffix](tables))
    assert load_scenario(path, strict=True).scenario == load_scenario(written(tmp_path, "toml", VALID)).scenario


PLACES = {
    "toml": ("[topology]\ntype = 'ring'\nn = 4\nk = 2\n[links]\n  x = { delay_ms = 1, loss = 3 }\n", Mark(6, 23)),
    "yaml": ("topology: {type: ring, n: 4, k: 2}\nlinks:\n  x:\n    delay_ms: 1\n    loss: 3\n", Mark(5, 5)),
    "json": ('{"topology": {"type": "ring", "n": 4, "k": 2},\n "links": {"x": {"delay_ms": 1,\n   "loss": 3}}}', Mark(3, 4)),
    "ron": ('(topology: (type: ring, n: 4, k: 2), // c\n links: { "x": (delay_ms: 1, loss: 3) })', Mark(2, 30)),
}  # fmt: skip


@pytest.mark.parametrize("suffix", PLACES)
def test_messages_have_line_column_key_value_and_range(tmp_path: Path, suffix: str) -> None:
    text, mark = PLACES[suffix]
    path = written(tmp_path, suffix, text)
    (problem,) = [p for p in refusals(path) if p.key == "links.x.loss"]
    assert Mark(problem.line or 0, problem.column or 0) == mark
    assert str(problem) == (
        f"{path}:{mark.line}:{mark.column}: links.x.loss = 3: link 'x' loss must be between 0 and 1 inclusive; allowed: ≥ 0, ≤ 1"
    )
    assert {"sim", "traffic", "links.x.jitter_ms"} <= {p.key for p in refusals(path)}, "all problems come at once"


LINK_FAULTS = [
    {"kind": "flapping", "duration_ms": 5, "up_ms": 1, "down_ms": 0},
    {"kind": "corrupt", "duration_ms": 5, "probability": 0.5, "probabilty": 0.5},
    {"kind": "corupt", "duration_ms": 5},
    {"duration_ms": 5},
    {"kind": "bandwidth", "duration_ms": 5, "kbps": 1, "source": "elsewhere"},
]
NODE_FAULTS = [{"kind": "crash", "node": 6, "duration_ms": 5}, {"kind": "pause", "nod": 1, "node": 0, "duration_ms": 5}]


@pytest.mark.parametrize("suffix", WRITERS)
def test_faults_on_links_and_nodes_are_known_in_every_syntax(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, suffix, WRITERS[suffix]({**tomllib.loads(VALID), "faults": {"links": LINK_FAULTS, "nodes": NODE_FAULTS}}))
    found = {p.key: p for p in refusals(path)}
    assert {key: p.why.split(";")[0] for key, p in found.items() if key.endswith(("s", "y", "source", "node"))} == {
        "faults.links.0.down_ms": "must be greater than or equal to 1",
        "faults.links.1.probabilty": "unknown key",
        "faults.links.4.source": "no node is in this region",
        "faults.nodes.0.node": "node index 6 must be below n (6)",
    }
    assert found["faults.links.0.down_ms"].why.endswith("allowed: ≥ 1, ≤ 2592000000")
    assert found["faults.links.1.probabilty"].why.endswith("did you mean `probability`?")
    assert found["faults.nodes.1.nod"].why.endswith("did you mean `node`?")
    assert "'one_way', 'flapping'" in found["faults.links.2.kind"].why
    assert "needs the key 'kind'" in found["faults.links.3"].why
    assert all(p.line for p in found.values()) and len(found) == 7


def test_types_name_the_range_too(tmp_path: Path) -> None:
    path = written(tmp_path, "toml", VALID.replace("seed = 7", 'seed = "x"').replace("n = 6", "n = 6.5"))
    found = {p.key: p.why for p in refusals(path)}
    assert found["sim.seed"] == "must be a valid integer; allowed: ≥ 0, ≤ 18446744073709551615"
    assert found["topology.n"].endswith("allowed: ≥ 1")


REFUSED = [
    ("yaml", "a: 1\nb: &x [1]\nc: *x\n", "anchors and aliases", Mark(2, 4)),
    ("yaml", "a: &a [x,x]\nb: &b [*a,*a]\n", "anchors and aliases", Mark(1, 4)),
    ("yaml", "a: 1\nb: 2\na: 3\n", "the key 'a' is there twice", Mark(3, 1)),
    ("yaml", "on: 1\n", "the key on is not text", Mark(1, 1)),
    ("yaml", "? [a]\n: 1\n", "is not text", Mark(1, 3)),
    ("yaml", "a: !!python/object/apply:os.system [echo]\n", "not accepted: the YAML tag", Mark(1, 4)),
    ("yaml", "a: !!python/name:os.system x\n", "could not determine a constructor", Mark(1, 4)),
    ("yaml", "a: [1\nb: 2\n", "not valid YAML", Mark(2, 2)),
    ("yaml", "a: 2001-99-99\n", "not valid YAML", Mark(1, 4)),
    ("yaml", "--- 1\n--- 2\n", "not valid YAML", Mark(2, 1)),
    ("yaml", "a: 020\n", "020 is no number of YAML 1.2", Mark(1, 4)),
    ("yaml", "a: -007\n", "-007 is no number", Mark(1, 4)),
    ("yaml", "a: !!int 020\n", "020 is no number", Mark(1, 4)),
    ("yaml", "a: 1:30:00\n", "1:30:00 is no number", Mark(1, 4)),
    ("yaml", "a: [0:0.5]\n", "0:0.5 is no number", Mark(1, 5)),
    ("yaml", "a: 1_000\n", "1_000 is no number", Mark(1, 4)),
    ("yaml", "a: 0b11\n", "0b11 is no number", Mark(1, 4)),
    ("yaml", "a: 00.5\n", "00.5 is no number", Mark(1, 4)),
    ("yaml", "a: " + "9" * 5000, "too many digits", Mark(1, 4)),
    ("yaml", "- 1\n", "top level", None),
    ("yaml", "", "top level", None),
    ("yaml", "a: \x07", "is not allowed", None),
    ("yaml", "a: " + "[" * 100, "nested too deeply", Mark(1, DEPTH_MAX + 3)),
    ("yaml", "a: " + "x" * 200_000, "too large for a YAML scenario", None),
    ("ron", '{"a": 1, "a": 2}', "the key 'a' is there twice", Mark(1, 10)),
    ("ron", '{"a": 1 "b": 2}', "not valid JSON: Expecting ',' delimiter", Mark(1, 9)),
    ("ron", "(a: 1\n b: 2)", "a comma or ) is missing", Mark(2, 2)),
    ("ron", "(a 1)", "a comma or ) is missing", Mark(1, 4)),
    ("ron", "(a: 1) x", "something follows", Mark(1, 8)),
    ("ron", "(a: 12ab)", "runs into a word", Mark(1, 7)),
    ("ron", r'(a: "\q")', "unknown escape", Mark(1, 6)),
    ("ron", "(a: None(1))", "takes no parentheses", Mark(1, 5)),
    ("ron", "(a: Some(1, 2))", "Some holds one value", Mark(1, 13)),
    ("ron", "(a: 1) /* /* */", "a comment does not end", Mark(1, 8)),
    ("ron", "(a: ", "a value is missing", Mark(1, 5)),
    ("ron", "(a: " + "9" * 1000 + ")", "too many digits", Mark(1, 5)),
    ("ron", "(a: 300u8)", "300 is no u8", Mark(1, 10)),
    ("ron", "(a: 1.5u64)", "1.5 is no u64", Mark(1, 11)),
    ("ron", "(a: 1f16)", "1 is no f16", Mark(1, 9)),
    ("ron", "(a: 7u65)", "runs into a word", Mark(1, 6)),
    ("ron", "[1]", "top level", None),
    ("ron", "[" * 5000, "nested too deeply", Mark(1, DEPTH_MAX + 1)),
    ("toml", "a = 1\na = 2\n", "not valid TOML: Cannot overwrite", Mark(2, 6)),
    ("toml", "x = " + "[" * 60 + "]" * 60, "nested too deeply", Mark(1, DEPTH_MAX + 5)),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "text", "words", "mark"), REFUSED)
def test_bad_files_are_refused_at_their_place(tmp_path: Path, suffix: str, text: str, words: str, mark: Mark | None) -> None:
    (problem,) = refusals(written(tmp_path, suffix, text))
    assert words in problem.why
    if mark is not None:
        assert (problem.line, problem.column) == (mark.line, mark.column)


def test_ron_values() -> None:
    text = r"""#![enable(implicit_some)]
    /* a /* b */ ( */
    Wrapper(
        unit: (), none: None, null: null, some: Some(Some(3)), word: Poisson, yes: true,
        hex: 0xFF, oct: 0o17, bin: 0b1_01, big: 1_000, neg: -5, real: 1.5e3, half: .5,
        char: 'x', quote: '\'', text: "a\n\u{1F600}\x41", raw: r#"c:\"d"#, json: "\ud83d\ude00",
        tuple: (1, "b"), named: Point(x: 1, y: 2), newtype: Meters(3), r#type: "t",
        map: { "k-1": [1, 2,], },
    )
    """
    data = ron.read(text).data
    assert data == {
        "unit": None, "none": None, "null": None, "some": 3, "word": "Poisson", "yes": True,
        "hex": 255, "oct": 15, "bin": 5, "big": 1000, "neg": -5, "real": 1500.0, "half": 0.5,
        "char": "x", "quote": "'", "text": "a\n😀A", "raw": 'c:\\"d', "json": "😀",
        "tuple": [1, "b"], "named": {"x": 1, "y": 2}, "newtype": [3], "type": "t", "map": {"k-1": [1, 2]},
    }  # fmt: skip


def test_yaml_values_keep_their_types() -> None:
    data = our_yaml.read("a: 0x10\nb: 1.5\nc: yes\nd: null\ne: '7'\nf: [x, {g: 2}]\n").data
    assert data == {"a": 16, "b": 1.5, "c": True, "d": None, "e": "7", "f": ["x", {"g": 2}]}


def test_yaml_numbers_are_those_of_version_1_2() -> None:
    data = our_yaml.read("a: 0o20\nb: 2e6\nc: -.5\nd: '020'\ne: !!str 1:30\nf: +5\ng: 0.05\nh: 5.\ni: 1:30 h\nj:\n").data
    assert data == {"a": 16, "b": 2e6, "c": -0.5, "d": "020", "e": "1:30", "f": 5, "g": 0.05, "h": 5.0, "i": "1:30 h", "j": None}
    assert [str(v) for v in our_yaml.read("[a, b]: x\n".replace("[a, b]", "k") + "l: [.inf, -.INF, .nan]\n").data["l"]] == [
        "inf",
        "-inf",
        "nan",
    ]


def test_a_ron_number_may_name_its_type(tmp_path: Path) -> None:
    data = ron.read("(a: 7u64, b: -3i8, c: 2f32, d: 0x1Fu8, e: [inf, -inf, NaN, 1e3f64], f: information)").data
    assert data["a"] == 7 and data["b"] == -3 and data["d"] == 31 and data["f"] == "information"
    assert isinstance(data["c"], float) and [str(x) for x in data["e"]] == ["inf", "-inf", "nan", "1000.0"]


def test_a_whole_json_number_with_a_fraction_of_zeros_is_an_integer(tmp_path: Path) -> None:
    tables = tomllib.loads(VALID)
    text = json.dumps(tables).replace('"duration_ms": 10000', '"duration_ms": 10000.0').replace('"n": 6', '"n": 6.00')
    assert text.count(".0") >= 2
    for suffix in ("json", "ron"):
        assert (
            load_scenario(written(tmp_path, suffix, text), strict=True).scenario == load_scenario(written(tmp_path, "toml", VALID)).scenario
        )


@pytest.mark.parametrize(
    ("suffix", "number", "words"),
    [
        ("json", "2e6", "must be an integer, without a fraction or an exponent: 2000000"),
        ("json", "2.5", "must be an integer;"),
        ("json", "1e400", "infinity and nan are none"),
        ("json", '"20"', "this is text: write it without quotes"),
        ("yaml", "2e6", "without a fraction or an exponent: 2000000"),
        ("yaml", ".inf", "infinity and nan are none"),
        ("yaml", "3000.0", "without a fraction or an exponent: 3000"),
        ("ron", "2e6", "without a fraction or an exponent: 2000000"),
        ("ron", "inf", "infinity and nan are none"),
        ("toml", "2e6", "without a fraction or an exponent: 2000000"),
        ("toml", "inf", "infinity and nan are none"),
    ],
)
def test_a_number_that_is_nearly_an_integer_is_explained(tmp_path: Path, suffix: str, number: str, words: str) -> None:
    tables = tomllib.loads(VALID)
    tables["sim"]["duration_ms"] = 987654321
    text = VALID.replace("duration_ms = 10000", "duration_ms = 987654321") if suffix == "toml" else WRITERS[suffix](tables)
    (problem,) = [p for p in refusals(written(tmp_path, suffix, text.replace("987654321", number))) if p.key == "sim.duration_ms"]
    assert words in problem.why


@pytest.mark.parametrize(("suffix", "number"), [("ron", "inf"), ("yaml", ".inf"), ("toml", "inf"), ("json", "1e999")])
def test_an_infinite_rate_is_called_that(tmp_path: Path, suffix: str, number: str) -> None:
    tables = tomllib.loads(VALID)
    tables["traffic"]["tx"]["phases"][0]["lambda_per_sec"] = 987654321
    text = VALID.replace("_sec = 2.0", "_sec = 987654321") if suffix == "toml" else WRITERS[suffix](tables)
    (problem,) = refusals(written(tmp_path, suffix, text.replace("987654321", number)))
    assert "must be a finite number" in problem.why


def test_a_file_that_is_no_profile_is_one_message(tmp_path: Path) -> None:
    (problem,) = refusals(written(tmp_path, "toml", "[wallet]\nseed = 1\n"))
    assert problem.why.startswith("not a traffic profile")


def test_half_characters_and_size_are_refused(tmp_path: Path) -> None:
    (problem,) = refusals(written(tmp_path, "json", r'{"sim": "\ud800"}'))
    assert "half a character" in problem.why
    (problem,) = refusals(written(tmp_path, "toml", "#" * (2 * 1024 * 1024)))
    assert "larger than" in problem.why


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf" + VALID.encode())
    assert syntax.read(path).parsed.data["sim"]["seed"] == 7
