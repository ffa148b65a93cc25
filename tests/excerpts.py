"""The figures in the documents are those of two runs whose summaries are kept in docs/data: `python -m tests.excerpts SUMMARY…` takes newer ones.

It puts the new summary there, its values into the JSON excerpts, its numbers into the sentences below, and draws the README's picture anew. What
a number means may change with it: whoever runs this reads the page afterwards.
"""

import html
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from simnet.record.summary_files import summary_file
from simnet.scenario.load import load_scenario
from tests.runs import ROOT

Summary = Mapping[str, Any]
DATA, PAGE, PICTURE = ROOT / "docs/data", ROOT / "docs/reading-a-summary.md", ROOT / "docs/result.svg"
CHAOS, MAIN = "consensus_chaos", "mixed_backend_interop"
OF_THE_MACHINE = ("resource_usage",)
"""Blocks of real time: the page says that they differ, and only their shape is compared."""
WORDS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
)


def word(number: int) -> str:
    """A small number as prose has it."""
    return WORDS[number] if number < len(WORDS) else str(number)


def committed(name: str) -> Summary:
    """The summary that the documents quote."""
    return summary_file(DATA / f"{name}.json").content


def excerpts(text: str) -> list[str]:
    """The JSON blocks of a page."""
    return re.findall(r"```json\n(.*?)```", text, re.DOTALL)


def without_machine(summary: Summary) -> dict[str, Any]:
    """What every run of the same code has in common."""
    return {name: value for name, value in summary.items() if name not in OF_THE_MACHINE}


# --- values of excerpts --------------------------------------------------------------------------------

Leaf = tuple[tuple[str | int, ...], Any]


def leaves(value: Any, here: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    """Every value of an excerpt, in the order of its text. A table without entries is a value."""
    entries = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    if not entries:
        yield here, value
    for key, inner in entries:
        yield from leaves(inner, (*here, key))


def quoted(summary: Summary, excerpt: Any, place: Sequence[str | int]) -> Any:
    """The summary's value at a place of an excerpt. Of a list that is cut short, entries are found by what they are about."""
    found: Any = summary
    for part in place:
        excerpt = excerpt[part]
        if isinstance(part, int) and isinstance(excerpt, dict):
            names = [name for name in ("kind", "detail", "peer_id") if name in excerpt]
            found = next(entry for entry in found if all(entry[name] == excerpt[name] for name in names))
        else:
            found = found[part]
    return found


# --- numbers in sentences ------------------------------------------------------------------------------


def claims(summary: Summary) -> list[str]:
    """Sentences of docs/reading-a-summary.md with their numbers, of the chaos drill. Raises AssertionError where its story is another one."""
    scenario = load_scenario(ROOT / f"scenarios/{CHAOS}.toml").scenario
    ours, finality, network = summary["simnet"], summary["finality"], summary["simnet"]["network"]
    [partition] = [effect for effect in ours["fault_effects"] if effect["kind"] == "partition"]
    spam, fault = scenario.faults.byzantine, scenario.faults.partition
    agreed, byzantine, coverage = summary["checks"]["agreement"], summary["byzantine"], network["coverage"]
    replays = network["content_replays"]["trusted"]
    assert spam is not None and fault is not None and agreed["held"] and byzantine["invalid_accepted"] == 0
    assert finality["blocks_proven"] == summary["aggregation"]["blocks_aggregated"] == finality["blocks"], (
        "every block is proven and aggregated"
    )
    assert finality["height_min"] == finality["height_max"], "all nodes are level"
    delays = sorted({link.delay_ms for link in scenario.links.values()})
    return [
        f"{word(scenario.topology.n)} validators in {word(len(set(scenario.region_of_node)))} regions with a partition of {word(fault.duration_ms // 1000)} seconds",
        f"churn and {word(len(spam.publishers))} byzantine publishers",
        f"{word(agreed['blocks']).capitalize()} blocks at {word(ours['nodes'])} nodes make {agreed['commits']} commits",
        f"Of {byzantine['invalid_published']} spoiled publications no node accepted one",
        f"Half of all deliveries took {summary['propagation']['p50_ms']:.0f} ms, nineteen of twenty at most {summary['propagation']['p95_ms']:.0f} ms",
        f"hops of {delays[0]} to {delays[-1]} ms and what classes add",
        f"Of {coverage['reachable']} receptions that the topology allows, {coverage['delivered']} happened; {network['late_repairs']['count']} of them came late",
        f"`first_crossing_ms` is the one to watch: {partition['first_crossing_ms']:.0f} ms until",
        f"{partition['did']['copies_lost']} copies lost",
        f"{word(partition['blocks_committed']).capitalize()} blocks were committed inside the partition",
        f"the longest pause of finality was {partition['longest_finality_gap_ms'] / 1000:.1f} s, with slots of {scenario.chain.slot_ms / 1000:g}",
        f"`caught_up: {finality['caught_up']}` commits were learnt by synchronisation",
        f"here {100 * replays['ratio']:.0f} %",
    ]


def prose(text: str) -> str:
    """A page's sentences on one line, without its blocks."""
    return " ".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split())


# --- the picture ---------------------------------------------------------------------------------------


def _drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("result_picture", ROOT / "docs/result.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(summary: Summary) -> str:
    """The README's picture of a run."""
    picture: Callable[[Summary], str] = _drawing().picture
    return picture(summary)


def words_of(picture: str) -> list[str]:
    """What can be read in a picture."""
    return [html.unescape(text).replace("\xa0", " ").strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", picture, re.DOTALL)]


# --- newer runs ----------------------------------------------------------------------------------------


def refreshed(text: str, old: Summary, new: Summary) -> str:
    """The page with the values and numbers of a newer run."""
    for block in excerpts(text):
        text = text.replace(block, _refilled(block, new))
    for before, after in zip(claims(old), claims(new), strict=True):
        pattern = r"\s+".join(map(re.escape, before.split()))
        text, count = re.subn(pattern, lambda match, after=after: _spread(after, match[0]), text)  # type: ignore[misc]
        assert count == 1, f"not on the page: {before}"
    return text


def _refilled(block: str, new: Summary) -> str:
    """A JSON block with other values, its layout kept."""
    excerpt, at = json.loads(block), 0
    for place, value in leaves(excerpt):
        if place[0] in OF_THE_MACHINE:
            continue
        shown, fresh = json.dumps(value), json.dumps(quoted(new, excerpt, place))
        at = block.index(shown, block.index(json.dumps(place[-1]), at) if isinstance(place[-1], str) else at)
        block, at = block[:at] + fresh + block[at + len(shown) :], at + len(fresh)
    return block


def _spread(sentence: str, before: str) -> str:
    """A sentence with the line ends of the one that it replaces, counted in words."""
    ends = [index for index, gap in enumerate(re.findall(r"\s+", before)) if "\n" in gap]
    words = sentence.split()
    return "".join(word + ("\n" if index in ends else " ") for index, word in enumerate(words)).rstrip()


def main() -> None:
    """Takes each summary given, known by its file's name, as the one that the documents quote."""
    for path in map(Path, sys.argv[1:]):
        new = summary_file(path).content
        if path.stem == CHAOS:
            PAGE.write_text(refreshed(PAGE.read_text(), committed(CHAOS), new))
        elif path.stem == MAIN:
            PICTURE.write_text(drawn(new))
        else:
            raise SystemExit(f"{path}: the documents quote {CHAOS} and {MAIN}")
        (DATA / path.name).write_text(path.read_text())


if __name__ == "__main__":
    main()
