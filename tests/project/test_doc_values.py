"""The documents' figures are those of the code, of the scenarios and of the runs that are kept in docs/data.

Decisions (docs/adr) are left out: they tell what was found when they were made. Figures of real time depend on the machine; there the page must
say so, and only its shape is compared.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from simnet.analyze.compare import RESAMPLES, load_metrics, smallest_p, smallest_paired_p
from simnet.analyze.verdicts import MISSING, resolve
from simnet.base import codes
from simnet.base.catalogue import BackendId, CircuitId
from simnet.checks import calm, progress
from simnet.checks.verdicts import CHECKS
from simnet.cli.fuzz import fuzz
from simnet.fuzz import generator, shrink, trial, workers
from simnet.fuzz.planted import BUGS
from simnet.jobs.prover_mix import TRUTHY
from simnet.net import faults, network
from simnet.node import finality, held, peers, transactions
from simnet.node.voting import HANDED_MAX, VOTES_MAX
from simnet.proofs.backend import Circuit, Security
from simnet.proofs.keys import default_folder
from simnet.proofs.native import NativeBackend
from simnet.proofs.samples import honest
from simnet.proofs.witness import FORMATS
from simnet.protocol.validators import SLOTS_PER_EPOCH
from simnet.protocol.votes import PROPOSALS_MAX
from simnet.record.traffic import LATE_REPAIR
from simnet.scenario import marks, yaml
from simnet.scenario.load import load_scenario
from simnet.scenario.ours import Consensus, Gossip
from simnet.wrappers import job
from tests import excerpts
from tests.excerpts import CHAOS, MAIN, OF_THE_MACHINE, claims, committed, leaves, prose, quoted, word
from tests.runs import ROOT, SHIPPED

DOCS = ROOT / "docs"
MS = 1_000_000


def text(page: str) -> str:
    return (ROOT / page).read_text()


def told(page: str) -> str:
    """A page on one line."""
    return " ".join(text(page).split())


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of the table whose head begins so."""
    lines = text(page).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head)) + 2
    end = next(number for number in range(start, len(lines) + 1) if number == len(lines) or not lines[number].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:end]]


# --- excerpts of runs ------------------------------------------------------------------------------------


def test_the_values_of_excerpts_are_a_runs() -> None:
    summary = committed(CHAOS)
    found = [json.loads(block) for block in excerpts.excerpts(excerpts.PAGE.read_text())]
    assert len(found) >= 7
    seen = 0
    for excerpt in found:
        for place, value in leaves(excerpt):
            actual = quoted(summary, excerpt, place)
            if place[0] in OF_THE_MACHINE:
                assert type(actual) is type(value), place
            else:
                assert actual == value and type(actual) is type(value), f"{place}: the page says {value}, the run {actual}"
            seen += 1
    assert seen > 50


def test_every_excerpt_is_on_that_page() -> None:
    """So that none goes unchecked."""
    others = [path for path in (ROOT / "README.md", *DOCS.rglob("*.md")) if path != excerpts.PAGE and "```json" in path.read_text()]
    assert others == []


@pytest.mark.parametrize("sentence", claims(committed(CHAOS)), ids=lambda sentence: sentence[:40])
def test_sentences_about_the_run_have_its_numbers(sentence: str) -> None:
    assert sentence in prose(excerpts.PAGE.read_text()), "python -m tests.excerpts takes a newer run"


def test_no_number_of_the_walk_through_goes_unchecked() -> None:
    """Numbers of the page that are neither in an excerpt nor in a sentence that is checked are advice, and known."""
    page = prose(excerpts.PAGE.read_text())
    for sentence in claims(committed(CHAOS)):
        page = page.replace(sentence, "")
    numbers = set(re.findall(r"(?<![\w.#-])\d+(?:\.\d+)?(?![\w.])", page))
    assert numbers <= ADVICE, f"say where these come from: {sorted(numbers - ADVICE)}"


ADVICE = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "0.8", "0.99", "320", "700"}
"""Headings' numbers, limits above which to worry, and the heartbeat."""


def test_the_picture_is_of_the_run_that_is_kept() -> None:
    assert excerpts.words_of(excerpts.PICTURE.read_text()) == excerpts.words_of(excerpts.drawn(committed(MAIN)))


@pytest.mark.parametrize("name", [CHAOS, MAIN])
def test_the_runs_that_are_kept_are_of_todays_scenarios(name: str) -> None:
    """Whether they are of today's code is seen every night (test_every_job.py)."""
    summary = committed(name)
    loaded = load_scenario(ROOT / f"scenarios/{name}.toml")
    assert summary["simnet"]["scenario_sha256"] == loaded.sha256
    assert (summary["simnet"]["seed"], summary["simnet"]["complete"]) == (loaded.seed, True)


def test_a_newer_run_changes_the_page_where_it_should() -> None:
    """And nothing else: back again, it is as it was."""
    page, old = excerpts.PAGE.read_text(), committed(CHAOS)
    new = json.loads(json.dumps(old))
    new["total_publishes"], new["checks"]["agreement"]["commits"], new["propagation"]["p95_ms"] = 4711, 4712, 4713.25
    changed = excerpts.refreshed(page, old, new)
    assert '"total_publishes": 4711' in changed and "make 4712 commits" in prose(changed) and "at most 4713 ms" in prose(changed)
    assert excerpts.refreshed(changed, new, old) == page


# --- sentences about the code ------------------------------------------------------------------------------


def default(section: Any, key: str) -> Any:
    return section.model_fields[key].default


def share_of_opponents(stem: str) -> tuple[int, int, float]:
    scenario = load_scenario(ROOT / f"scenarios/{stem}.toml").scenario
    stakes = generator.stakes_of(scenario)
    return len(scenario.opponents), scenario.topology.n, sum(stakes[node] for node in scenario.opponents) / sum(stakes)


def main_job() -> str:
    scenario = load_scenario(ROOT / f"scenarios/{MAIN}.toml").scenario
    publishers = scenario.faults.byzantine.publishers if scenario.faults.byzantine else ()
    assert scenario.faults.partition and scenario.faults.churn and len(publishers) == 3
    regions = len(set(scenario.region_of_node))
    return f"{scenario.topology.n} validators in {word(regions)} regions, a partition, churn, byzantine publishers, {scenario.sim.duration_ms // 1000} seconds of traffic"


def figures_of_a_run() -> int:
    """That `compare` tests by default."""
    values = (value for metric in load_metrics() for _, value in resolve(committed(CHAOS), metric.path))
    return sum(value is not MISSING for value in values)


def fewest_runs() -> str:
    figures = figures_of_a_run()
    least = next(n for n in range(2, 50) if figures * smallest_p(n, n) <= 0.05)
    return f"Few runs cannot be significant over {word(figures)} figures: {word(least)} on each side can"


def fewest_pairs() -> str:
    figures = figures_of_a_run()
    return f"({word(next(n for n in range(2, 50) if figures * smallest_paired_p(n) <= 0.05))} for the default figures)"


def opponents_below() -> str:
    nodes, of, share = share_of_opponents("colluders_below_third")
    return f"`colluders_below_third`: {word(nodes)} of {of} validators, {100 * share:.0f} % of the stake"


def opponents_above() -> str:
    nodes, of, share = share_of_opponents("colluders_above_third")
    assert share >= 1 / 3
    return f"`colluders_above_third`: {word(nodes)} of {word(of)}"


SENTENCES: list[tuple[str, str | Callable[[], str]]] = [
    ("README.md", main_job),
    ("README.md", f"`scenarios/` holds some {'twenty' if 20 <= len(SHIPPED) - 1 < 30 else 'thirty'} more"),
    ("docs/analyzer.md", fewest_runs),
    ("docs/analyzer.md", fewest_pairs),
    ("docs/analyzer.md", f"exact up to {RESAMPLES} permutations"),
    ("docs/checks.md", f"a block is committed within {word(progress.FIRST_SLOTS)} slots of the beginning, then at least one in {word(progress.EACH_SLOTS)} slots on average"),
    ("docs/checks.md", f"never more than {word(progress.FIRST_SLOTS)} slots after the last one came"),
    ("docs/checks.md", f"do not count for `progress`, up to {word(progress.LEADERLESS_MAX)} before each commit"),
    ("docs/checks.md", f"all the time, or for {word(calm.SEASONED_SLOTS)} slots"),
    ("docs/checks.md", f"`consensus.proven_within_slots` ({default(Consensus, 'proven_within_slots')})"),
    ("docs/consensus.md", f"a block within {progress.FIRST_SLOTS} slots of calm, then one in {progress.EACH_SLOTS} slots on average"),
    ("docs/consensus.md", f"for one epoch of {SLOTS_PER_EPOCH} slots"),
    ("docs/consensus.md", f"votes {VOTES_MAX}, proposals {PROPOSALS_MAX}, endorsements and disclosures {finality.DISCLOSURES_MAX} about each unproven block"),
    ("docs/consensus.md", f"certificates {finality.CERTIFICATES_MAX} of each that tell nothing new, a slot; messages for blocks that are not here {held.HELD_MAX} of each author from each neighbour"),
    ("docs/consensus.md", f"votes that a neighbour hands over in {HANDED_MAX} messages a slot"),
    ("docs/consensus.md", f"transfers for states that are not here {transactions.HELD_MAX}"),
    ("docs/fuzzing.md", f"`simnet/fuzz/planted.py` plants {word(len(BUGS))} bugs"),
    ("docs/fuzzing.md", f"no end after {trial.LIMIT_S:g} s of processor time (more on a slower machine) or {workers.WALL_S_MAX / 3600:g} hours"),
    ("docs/fuzzing.md", f"in up to {shrink.RUNS_MAX} runs"),
    ("docs/fuzzing.md", f"replaced after {workers.RUNS_MAX} runs"),
    ("docs/fuzzing.md", f"in about {100 * generator.ABOVE_THIRD * (1 - generator.ALL_HONEST):.0f} % of the seeds a third or more"),
    ("docs/fuzzing.md", f"block proofs in {'a fifth' if generator.WITH_BLOCK_PROOFS == 0.2 else '?'} of the runs of up to {generator.LONG_SLOTS} slots"),
    ("docs/opponents.md", opponents_below),
    ("docs/opponents.md", opponents_above),
    ("docs/opponents.md", f"Accepted messages bring {peers.REWARD / 1000:g}, times the specification's factor for their kind; each slot brings {peers.UPTIME / 1000:g} for being there. Below {peers.BAN_BELOW / 1000:g} the link is"),
    ("docs/scenario.md", f"Faults count from {faults.SETTLE // MS} ms before traffic zero; the run ends {faults.DRAIN // MS} ms after the traffic clock"),
    ("docs/scenario.md", f"nesting beyond {marks.DEPTH_MAX} levels and files beyond {marks.DOCUMENT_BYTES_MAX >> 20} MiB (YAML: {yaml.YAML_BYTES_MAX >> 10} KiB)"),
    ("docs/summary.md", f"deliveries by lazy repair more than {LATE_REPAIR // (1000 * MS)} s after publication"),
    ("docs/summary.md", f"per heartbeat ({default(Gossip, 'heartbeat_ms')} ms) and neighbour"),
    ("docs/summary.md", f"from the start of the simulation, {faults.SETTLE // MS} ms before traffic"),
    ("docs/glossary.md", f"brought more than {LATE_REPAIR // (1000 * MS)} s after publication"),
    ("docs/validation.md", f"`auto` does so from {network.WAVES_NODES_MIN} nodes on"),
    ("docs/wrappers.md", f"`--keep-alive` waits another {job.KEEP_ALIVE_S} s"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "sentence"), SENTENCES, ids=lambda value: value.__name__ if callable(value) else str(value)[:40])
def test_sentences_have_the_numbers_of_the_code(page: str, sentence: str | Callable[[], str]) -> None:
    wanted = sentence if isinstance(sentence, str) else sentence()
    assert wanted in told(page)


def test_true_words_are_those_of_the_code() -> None:
    assert set(re.findall(r"a true word \(([^)]*)\)", told("docs/wrappers.md"))[0].split(", ")) == TRUTHY


def test_the_search_begins_where_its_page_says() -> None:
    first, last = str(fuzz.__wrapped__.__defaults__[0]).split("..")  # type: ignore[attr-defined]
    assert f"# seeds {first} to {last}, one process a core" in told("docs/fuzzing.md")


# --- tables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["README.md", "docs/proofs-by-hand.md"])
def test_exit_codes(page: str) -> None:
    known = {codes.HELD, codes.FAILED, codes.USAGE, codes.NOTHING_RAN, codes.INTERRUPTED}
    listed = [int(code) for code, _ in rows(page, "| exit code |")]
    assert listed == sorted(known) if page == "README.md" else set(listed) == {codes.HELD, codes.FAILED, codes.USAGE}


def test_usual_sizes_of_circuits() -> None:
    listed = {name.strip("`"): sizes.strip("`") for name, sizes, _ in rows("docs/proofs-by-hand.md", "| circuit | `--params`")}
    usual = {circuit.label: ",".join(map(str, form.default)) for circuit, form in FORMATS.items() if form.default}
    assert listed == usual


def test_planted_bugs_and_what_names_them() -> None:
    """After how many seeds, the nightly table says."""
    listed = {}
    for name, what, checks, seeds, found_by in rows("docs/fuzzing.md", "| planted bug |"):
        listed[name.strip("`")] = (what, set(re.findall(r"`(\w+)`", checks)))
        assert 1 <= int(seeds) <= 300 and found_by.strip("`") in checks
    assert listed == {name: (bug.what, set(bug.checks)) for name, bug in BUGS.items()}


def test_every_check_is_on_its_page() -> None:
    safety = [name.strip("`") for name, *_ in rows("docs/checks.md", "| check | what must hold | how")]
    liveness = [name.strip("`") for name, *_ in rows("docs/checks.md", "| check | what must hold while")]
    counted = {name for cells in rows("docs/checks.md", "| check | counts") for name in re.findall(r"`(\w+)`", cells[0])}
    assert [*safety, *liveness, "fault_effect"] == list(CHECKS) and counted == set(CHECKS)


def test_what_bad_messages_cost() -> None:
    listed = {
        cause: float(points)
        for cell, points in rows("docs/opponents.md", "| cause |")
        for cause in re.findall(r"`(invalid_\w+|\w+_error|\w+_proof)`", cell)
    }
    known = dict(peers.COSTS.values()) | dict([peers.PIPELINE, peers.DUPLICATE])
    assert listed == {cause: points / 1000 for cause, points in known.items()}


def bits(backend: BackendId, security: Security, circuit: Circuit) -> list[str]:
    return [f"{value:.1f}" for value in NativeBackend(backend, default_folder(), security).security_bits(circuit)]


STARKS = [(backend, security) for backend in (BackendId.STWO, BackendId.PLONKY3) for security in Security]
TRANSACTION, CONSENSUS = Circuit(CircuitId.TRANSACTION, ()), Circuit(CircuitId.CONSENSUS, (32, 256, 4))


def test_strength_of_the_usual_circuits() -> None:
    table = {name: cells for name, *cells in rows("docs/circuits.md", "| | STWO | STWO, `high`")}
    for column, (backend, security) in enumerate(STARKS):
        for place, kind in enumerate(("conjectured", "proven")):
            stated = table[f"{kind} bits: transaction, consensus"][column]
            assert stated == ", ".join(bits(backend, security, circuit)[place] for circuit in (TRANSACTION, CONSENSUS))


def test_strength_of_the_largest_consensus_circuit() -> None:
    table = {name: cells for name, *cells in rows("docs/soundness.md", "| term | STWO")}
    for column, (backend, security) in enumerate(STARKS):
        stated = [table[f"**stated: {kind}**"][column].strip("*") for kind in ("conjectured", "proven")]
        assert stated == bits(backend, security, Circuit(CircuitId.CONSENSUS, (128, 256, 4)))


# --- figures of a machine -----------------------------------------------------------------------------------


def test_measured_proofs_have_every_circuit_and_the_bytes_that_any_machine_makes() -> None:
    table = rows("docs/measured.md", "| circuit | backend |")
    cases = [
        (f"{circuit.label} {Circuit(circuit, form.default).size}", backend.label)
        for circuit, form in FORMATS.items()
        for backend in BackendId
    ]
    assert [(name, backend) for name, backend, *_ in table] == cases
    for name, backend, *figures in table:
        single, several, verify, size, peak, boundary = (float(re.sub(r" \(aim.*|,", "", figure)) for figure in figures)
        assert min(single, several, verify, peak) > 0 and 0 <= boundary < 1
        if backend == "groth16":
            assert size == 234
        else:
            assert size == proof_bytes(BackendId[backend.upper()], CircuitId[name.split()[0].upper()]), name


def proof_bytes(backend: BackendId, circuit: CircuitId) -> int:
    """As benchmarks/circuits.py makes them: whoever makes this proof gets these bytes."""
    whole = Circuit(circuit, FORMATS[circuit].default)
    return len(NativeBackend(backend, default_folder()).prove(whole, honest(backend, whole).witness, bytes(32), 0))


@pytest.mark.parametrize(
    ("page", "heading"),
    [
        ("docs/measured.md", "# Measured"),
        ("docs/circuits.md", "## Measured"),
        ("docs/fuzzing.md", "## Speed"),
        ("docs/validation.md", "## Two engines"),
        ("docs/reading-a-summary.md", "## 8. The machine"),
        ("docs/cost-model.md", "# Cost model"),
        ("README.md", "## Two commands"),
    ],
)
def test_figures_of_a_machine_say_so(page: str, heading: str) -> None:
    section = text(page).split(f"\n{heading}", 1)[-1] if not text(page).startswith(heading) else text(page)
    section = section.split("\n## ", 1)[0]
    assert re.search(r"\b(machines? (?:will )?differ|other machines|depends? on the machine|on two cores|two-core machine)\b", section)


def test_real_times_elsewhere_are_of_runs() -> None:
    """Excerpts have no wall time but in the block that is about the machine."""
    for block in excerpts.excerpts(excerpts.PAGE.read_text()):
        for place, _ in leaves(json.loads(block)):
            assert place[0] in OF_THE_MACHINE or not str(place[-1]).startswith(("wall_", "cpu_"))
