"""The documentation's examples work: scenarios load, commands parse, notebook code runs, named files exist."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from simnet.analyze.analysis import LOAD_RULES, NETWORK_RULES
from simnet.analyze.thresholds import load_thresholds
from simnet.cli import main
from simnet.cli.main import app
from simnet.runs.unfelt import unfelt
from simnet.scenario.load import load_scenario
from tests import fakes
from tests import upstream_contract as contract
from tests.story import story

DOCS = [fakes.ROOT / "README.md", fakes.ROOT / "CONTRIBUTING.md", *sorted((fakes.ROOT / "docs").rglob("*.md"))]


def blocks(language: str) -> list[str]:
    return [block for path in DOCS for block in re.findall(rf"```{language}\n(.*?)```", path.read_text(), re.DOTALL)]


def test_scenarios_load_strictly(tmp_path: Path) -> None:
    found = blocks("toml")
    assert found
    for text in found:
        path = tmp_path / "example.toml"
        path.write_text(text)
        load_scenario(path, strict=True)


def test_threshold_examples_load(tmp_path: Path) -> None:
    found = blocks("toml threshold")
    assert found
    for text in found:
        path = tmp_path / "example.toml"
        path.write_text(text)
        assert load_thresholds(path).thresholds


def test_excerpts_of_summaries_are_of_summaries() -> None:
    """Every path of an excerpt is one of a summary, but for names that a run gives (kinds, invariants)."""
    summary = fakes.summarised(story())
    found = [json.loads(block) for block in blocks("json")]
    assert len(found) >= 7
    for excerpt in found:
        assert [path for path in paths(excerpt) if path not in paths(summary) and not path.startswith(GIVEN)] == []
        upstream = [name for name in excerpt if name in contract.NETWORK_FIELDS]
        assert upstream == [name for name in contract.NETWORK_FIELDS if name in upstream], "in the order of the file"


GIVEN = ("checks.", "propagation_probes.", "simnet.fault_effects.copies_lost.")


def paths(value: object, prefix: str = "") -> set[str]:
    if isinstance(value, list):
        return {path for inner in value for path in paths(inner, prefix)}
    if not isinstance(value, dict):
        return {prefix}
    return {prefix, *(path for key, inner in value.items() for path in paths(inner, f"{prefix}.{key}" if prefix else key))}


def test_the_analyzers_page_names_every_option_and_its_default() -> None:
    text = (fakes.ROOT / "docs" / "analyzer.md").read_text()
    for path in (NETWORK_RULES, LOAD_RULES):
        for rule in load_thresholds(path).thresholds:
            shown = [f"--{rule.option}", f"…-{rule.option.rsplit('-')[-1]}", f"…-{'-'.join(rule.option.split('-')[-2:])}"]
            assert any(f"`{name}`" in text for name in shown), rule.option
            assert rule.max is not None and f"{rule.max / rule.unit:g}" in text


def test_commands_parse() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("simnet ")]
    assert lines
    root: Any = typer.main.get_command(app)
    for line in lines:
        _, name, *arguments = shlex.split(line, comments=True)
        root.commands[name].make_context(name, arguments, resilient_parsing=False)


def test_the_runs_that_are_shown_ask_what_their_scenario_asks() -> None:
    """With some seeds a partition has no link to cut; a newcomer's first run must not be one of these."""
    texts = [*blocks("sh"), Path(main.__file__).read_text()]
    shown = [line for text in texts for line in re.findall(r"(simnet run scenarios/\w+\.toml[^\"\n]*)", text)]
    assert len(shown) >= 2
    for line in shown:
        _, _, path, *words = shlex.split(line, comments=True)
        options = dict(zip(words[::2], words[1::2], strict=True))
        overrides = dict([options["--set"].split("=", 1)]) if "--set" in options else {}
        loaded = load_scenario(fakes.ROOT / path, seed=int(options["--seed"]) if "--seed" in options else None, overrides=overrides)
        assert not unfelt(loaded.scenario, loaded.seed), line


def test_notebook_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["run", str(fakes.SCENARIO), "--quiet", "--no-analyze"]).exit_code == 0
    swept = tmp_path / "target/simnet/mixed-backend-interop-sweep/runs.parquet"
    swept.parent.mkdir()
    pd.DataFrame({"param.topology.k": [4, 6], "seed": [1, 1], "finality.proven_ms.p95": [1.0, 2.0]}).to_parquet(swept)
    found = blocks("python")
    assert found
    for code in found:
        exec(compile(code, "README.md", "exec"), {})


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCS:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_anchors_of_links_are_headings() -> None:
    found = 0
    for path in DOCS:
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", path.read_text()):
            assert anchor in anchors(path.parent / target if target else path), f"{path.name}: {target}#{anchor}"
            found += 1
    assert found > 3


def test_tables_have_no_hole() -> None:
    """A blank line inside a table makes two of it, the second without a head."""
    for path in DOCS:
        for before, row, after in zip(*(path.read_text().splitlines()[i:] for i in range(3)), strict=False):
            assert not (before.startswith("|") and not row.strip() and after.startswith("| `")), f"{path.name}: {after}"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("scenario.md", "jitter larger than the delay is cut off there"),
        ("scenario.md", "would end at that very moment or later is recorded without an end"),
        ("analyzer.md", "`Infinity` or `NaN`, which JSON does not know: what has no number is `null`"),
    ],
)
def test_corner_cases_are_told(page: str, words: str) -> None:
    """What they say is tested in test_link.py, test_faults.py and test_json_outputs.py."""
    assert words in " ".join((fakes.ROOT / "docs" / page).read_text().split())


def test_every_block_of_the_summary_is_described() -> None:
    text = (fakes.ROOT / "docs" / "summary.md").read_text()
    summary = fakes.summarised(story())
    named = [*summary, *summary["finality"], *summary["mempool"], *summary["simnet"], *summary["simnet"]["network"], *summary["byzantine"]]
    named += summary["aggregation"]
    named += [*summary["proofs"]["stwo"]["transaction"], *summary["simnet"]["fault_effects"][0], *summary["byzantine"]["by_kind"]["copy"]]
    assert [name for name in named if name not in text] == []


PLACES = re.compile(
    r"(?<![\w/.<-])((?:simnet|tests|zk|scenarios|analysis|benchmarks|docs|fuzz|supply_chain|\.github)/[\w./*-]*\w/?)(?![\w<*{])"
)
ELSEWHERE = {"docs/grammar.md"}
"""Of RON's own repository."""
MADE = ("analysis/thresholds/default.toml",)
"""Files that a reader may put there."""


def test_files_that_documents_name_are_there() -> None:
    for path in DOCS:
        if path.name == "CHANGELOG.md":
            continue
        text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
        for place in re.findall(r"`([^`\n]+)`", text):
            for name in PLACES.findall(place):
                assert name in MADE or (fakes.ROOT / name).exists() or list(fakes.ROOT.glob(name)), f"{path.name}: {name}"


def sources() -> list[Path]:
    """Whatever may speak of a document."""
    rooms = ("simnet", "tests", "zk", "fuzz", "benchmarks", "supply_chain", "analysis", "docs", "scenarios", ".github")
    below = [
        path for room in rooms for path in sorted((fakes.ROOT / room).rglob("*")) if "target" not in path.parts[len(fakes.ROOT.parts) :]
    ]
    kinds = (".py", ".pyi", ".rs", ".toml", ".yml", ".md")
    return [
        path for path in (*sorted(fakes.ROOT.iterdir()), *below) if path.is_file() and (path.suffix in kinds or path.name == "Makefile")
    ]


def test_documents_that_the_source_names_are_there() -> None:
    found = sources()
    assert len(found) > 300
    numbers = {int(path.name[:4]) for path in (fakes.ROOT / "docs/adr").glob("*.md")}
    for path in found:
        text = path.read_text()
        for name, anchor in re.findall(r"(?<![\w/])(docs/[\w/-]+\.md)(?:#([\w-]+))?", text):
            assert name in ELSEWHERE or (fakes.ROOT / name).is_file(), f"{path}: {name}"
            assert not anchor or anchor in anchors(fakes.ROOT / name), f"{path}: {name}#{anchor}"
        assert {int(number) for number in re.findall(r"\bADR (\d+)", text)} <= numbers, path
