"""The parts of the search that run nothing: scenarios from seeds, text, judgement, shrinking, planted bugs."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from simnet.base.errors import SimnetError
from simnet.base.units import NodeId, SimTime
from simnet.events import DoubleSignFound, EvidenceTaken, FaultInjected, MisconductFound
from simnet.events.bus import Bus
from simnet.fuzz import planted
from simnet.fuzz.generator import WHOLE_CHAIN, scenario_of, stakes_of
from simnet.fuzz.judge import CRASH, UNNAMED, Failure, Jury, Outcome, statuses, verdict
from simnet.fuzz.kinds import Role, all_kinds, byzantine_nodes, is_above_third
from simnet.fuzz.search import Found, count_lines, replay_command
from simnet.fuzz.shrink import Data, shrink
from simnet.net.topology import edges_of
from simnet.protocol.consensus import Voting
from simnet.scenario.linkfaults import LINK_FAULTS
from simnet.scenario.text import loaded_from, to_toml
from simnet.scenario.upstream import Faults
from tests.runs import ROOT

SEEDS = range(1, 301)


def kinds_of(data: Data) -> set[str]:
    """Fault kinds of a scenario."""
    faults: Data = data["faults"]
    return {f["kind"] for key in ("links", "nodes") for f in faults.get(key, ())} | (faults.keys() - {"links", "nodes"})


# --- scenarios from seeds ------------------------------------------------------------------------------


def test_a_seed_always_gives_the_same_scenario_and_another_seed_another_one() -> None:
    assert scenario_of(7) == scenario_of(7)
    bodies = [{k: v for k, v in scenario_of(seed).items() if k not in ("name", "sim")} for seed in range(1, 30)]
    assert all(a != b for i, a in enumerate(bodies) for b in bodies[:i])


def test_every_scenario_is_valid_without_warnings_and_small() -> None:
    for seed in SEEDS:
        scenario = loaded_from(scenario_of(seed), strict=True).scenario
        assert scenario.topology.n <= 8 and scenario.validator_capacity == 8
        assert scenario.sim.duration_ms <= 90 * scenario.chain.slot_ms


def test_in_some_seeds_a_node_misses_many_blocks_that_come_in_one_answer() -> None:
    long = [d for d in map(scenario_of, SEEDS) if d["chain"]["sync_blocks_max"] == WHOLE_CHAIN]
    assert 30 < len(long) < 90
    away = [max((f["duration_ms"] for f in d["faults"].get("nodes", ()) if f["kind"] == "crash"), default=0) for d in long]
    assert sum(ms > 20 * d["chain"]["slot_ms"] for ms, d in zip(away, long, strict=True)) >= 10


def test_every_kind_of_the_model_is_drawn() -> None:
    drawn = set[str]().union(*(kinds_of(scenario_of(seed)) for seed in SEEDS))
    assert drawn == {kind.name for kind in all_kinds()}
    assert {kind.section for kind in all_kinds()} == set(Faults.model_fields)
    assert set(LINK_FAULTS) <= drawn


def test_byzantine_stake_stays_below_a_third_in_most_seeds_only() -> None:
    shares = []
    for seed in SEEDS:
        scenario = loaded_from(scenario_of(seed)).scenario
        byzantine = byzantine_nodes(scenario.faults.model_dump())
        stakes = stakes_of(scenario)
        shares.append(sum(stakes[node] for node in byzantine) / sum(stakes))
        above = is_above_third(byzantine, stakes)
        assert above == (shares[-1] >= 1 / 3) and shares[-1] < 2 / 3
    assert 0.01 < sum(share >= 1 / 3 for share in shares) / len(shares) < 0.1
    assert sum(share == 0 for share in shares) > len(shares) / 5


def test_honest_nodes_reach_each_other_without_byzantine_ones() -> None:
    for seed in SEEDS:
        scenario = loaded_from(scenario_of(seed)).scenario
        byzantine = byzantine_nodes(scenario.faults.model_dump())
        left = {node for node in range(scenario.topology.n) if node not in byzantine}
        frontier = [min(left)]
        left -= set(frontier)
        for node in frontier:
            found = {b if a == node else a for a, b in edges_of(scenario.topology, seed) if node in (a, b)} & left
            frontier += sorted(found)
            left -= found
        assert not left, seed


def test_a_base_keeps_its_network() -> None:
    base = scenario_of(3)
    drawn = scenario_of(8, base)
    assert {k: v for k, v in drawn.items() if k not in ("sim", "faults", "topology")} == {
        k: v for k, v in base.items() if k not in ("sim", "faults", "topology")
    }
    assert drawn["sim"] == {**base["sim"], "seed": 8}


def test_text_is_the_data() -> None:
    for seed in range(1, 40):
        data = scenario_of(seed)
        assert tomllib.loads(to_toml(data, "two\nlines")) == {k: v for k, v in data.items() if v != {}}
    odd = {"name": 'a "quoted" \\ name', "links": {"A-B": {"x": 1.0}, "ä b": {"y": [True, "z"]}}}
    assert tomllib.loads(to_toml(odd)) == odd


# --- judgement ---------------------------------------------------------------------------------------------

AT = SimTime(0)
STAKES = (66, 13, 20, 1)


def double_sign(validator: int) -> DoubleSignFound:
    return DoubleSignFound(AT, NodeId(0), NodeId(validator), 3, 5, "prevote", False)


def test_a_broken_check_fails_a_run_and_is_not_asked_for_above_a_third() -> None:
    broken = {"progress": "halted"}
    assert verdict(broken, Jury(()), STAKES, above_third=False) == (Failure("progress", "halted"),)
    assert verdict(broken, Jury(()), STAKES, above_third=True) == ()


def test_an_accusation_of_an_honest_node_fails_a_run_whatever_the_stake() -> None:
    broken = {"accusations": "node 2"}
    for above in (False, True):
        assert verdict(broken, Jury({1}), STAKES, above_third=above) == (Failure("accusations", "node 2"),)


def test_absence_convicts_nobody() -> None:
    jury, bus = Jury({1}), Bus()
    bus.attach(jury)
    bus.emit(EvidenceTaken(AT, NodeId(0), NodeId(2), "inactivity", ""))
    assert not jury.convicted
    bus.emit(EvidenceTaken(AT, NodeId(1), NodeId(2), "false_proof", ""))
    assert not jury.convicted, "a byzantine node's word"
    bus.emit(EvidenceTaken(AT, NodeId(0), NodeId(2), "false_proof", ""))
    assert jury.convicted == {2: "false_proof"}


def test_a_fork_above_a_third_must_name_more_than_a_third() -> None:
    """Of a hundred parts of the stake nodes 1, 2 and 3 have 13, 20 and 1."""
    jury, bus = Jury({1, 2, 3}), Bus()
    bus.attach(jury)

    def unnamed() -> bool:
        return [f.check for f in verdict({"agreement": "fork"}, jury, STAKES, above_third=True)] == [UNNAMED]

    assert unnamed()
    bus.emit(double_sign(1))
    assert unnamed(), "13 of 100 fork no chain"
    bus.emit(MisconductFound(AT, NodeId(0), NodeId(2), 3, 0, "amnesia", False))
    assert unnamed(), "33 of 100 do not either"
    bus.emit(MisconductFound(AT, NodeId(0), NodeId(3), 3, 0, "false_proof", False))
    assert unnamed(), "a false proof forks nothing"
    bus.emit(MisconductFound(AT, NodeId(1), NodeId(3), 3, 0, "amnesia", False))
    assert unnamed(), "a byzantine node's word"
    bus.emit(double_sign(3))
    assert verdict({"agreement": "fork"}, jury, STAKES, above_third=True) == ()


def test_kinds_that_acted_are_told_by_their_events() -> None:
    jury, bus = Jury({1}), Bus()
    bus.attach(jury)
    for kind in ("partition_start", "partition_end", "churn_down", "byzantine_spam", "one_way_start", "crash_up"):
        bus.emit(FaultInjected(AT, kind, ""))
    assert list(jury.kinds) == ["partition", "churn", "byzantine", "one_way", "crash"]


def test_statuses_of_a_report() -> None:
    assert statuses({"a": {"held": True}, "b": {"held": None}, "c": {"held": False}, "d": {"status": "not_exercised", "held": None}}) == {
        "a": "held", "b": "not_exercised", "c": "broken", "d": "not_exercised",
    }  # fmt: skip


# --- counting ----------------------------------------------------------------------------------------------


def outcome(seed: int, kinds: tuple[str, ...] = (), check: str = "held") -> Outcome:
    return Outcome(f"s{seed}", seed, (), {"agreement": "held", "proven": check}, kinds)


def test_a_kind_that_no_seed_met_and_a_check_that_none_exercised_fail_a_search() -> None:
    names = tuple(kind.name for kind in all_kinds())
    found = Found()
    for seed in range(40):
        found.add(outcome(seed, names[seed % 5 :: 5], "held" if seed else "not_exercised"))
    assert found.held and not found.unmet and not found.unexercised
    for lacking, words in ((names[1:], f"no seed met: {names[0]}"), (names, "exercised in no seed: proven")):
        found = Found()
        for seed in range(40):
            found.add(outcome(seed, lacking, "not_exercised"))
        assert not found.held and words in count_lines(found)


def test_forty_seeds_draw_every_kind() -> None:
    drawn = set[str]().union(*(kinds_of(scenario_of(seed)) for seed in range(1, 41)))
    assert drawn == {kind.name for kind in all_kinds()}


def test_the_replay_command_knows_what_simnet_run_knows() -> None:
    path = Path("x.toml")
    failed = Outcome("s", 1, (Failure("progress", ""),))
    assert replay_command(path, failed, None) == "simnet run x.toml"
    assert replay_command(path, failed, "half-quorum") == "simnet fuzz --replay x.toml --planted half-quorum"
    assert replay_command(path, Outcome("s", 1, (Failure(CRASH, ""),)), None) == "simnet fuzz --replay x.toml"


# --- shrinking -------------------------------------------------------------------------------------------------


def many_faults() -> Data:
    """A seed's scenario with many faults, one of them a crash, and no culprits who must stay."""
    return next(d for d in map(scenario_of, range(1, 200)) if "crash" in kinds_of(d) and len(kinds_of(d)) > 5 and "expect" not in d)


def fails(check: str, when: Any) -> Any:
    def run(data: Data) -> Outcome:
        failures = (Failure(check, "x"),) if when(data) else (Failure("another", "y"),)
        return Outcome(data["name"], data["sim"]["seed"], failures)

    return run


def test_shrinking_keeps_what_the_failure_needs_and_nothing_else() -> None:
    data = many_faults()
    run = fails(CRASH, lambda d: "crash" in kinds_of(d) and d["topology"]["n"] >= 2)
    small = shrink(data, run(data), run, 200)
    assert kinds_of(small.data) == {"crash"}
    assert small.outcome.broken == (CRASH,) and small.runs <= 200
    assert small.data["topology"]["n"] <= 2 or small.data["faults"]["nodes"][0]["node"] > 1
    assert small.data["sim"]["duration_ms"] < data["sim"]["duration_ms"]
    assert loaded_from(small.data).scenario.chain.block_proofs == ()


def test_shrinking_never_takes_a_scenario_that_fails_another_check() -> None:
    data = many_faults()
    run = fails(CRASH, lambda d: d == data)
    assert shrink(data, run(data), run, 60).data == data


def test_a_run_that_halts_keeps_its_calm() -> None:
    data = many_faults()
    run = fails("progress", lambda d: True)
    small = shrink(data, run(data), run, 200)
    assert small.data["sim"]["duration_ms"] >= 15 * small.data["chain"]["slot_ms"]


def test_shrinking_ends_with_its_runs() -> None:
    data = many_faults()
    run = fails(CRASH, lambda d: True)
    assert shrink(data, run(data), run, 5).runs == 5


# --- planted bugs ------------------------------------------------------------------------------------------------


def test_a_bug_is_in_the_code_only_while_it_is_planted() -> None:
    before = vars(Voting)["_free_for"]
    with planted.planted("no-locking"):
        assert vars(Voting)["_free_for"] is not before
    assert vars(Voting)["_free_for"] is before


@pytest.mark.parametrize("name", planted.BUGS)
def test_every_bug_changes_something_that_is_there(name: str) -> None:
    bug = planted.bug_of(name)
    assert bug.checks and bug.patches()
    for (owner, attribute), replacement in bug.patches().items():
        assert vars(owner)[attribute] is not replacement


def test_every_one_is_documented() -> None:
    listed = (ROOT / "docs/fuzzing.md").read_text()
    assert all(f"| `{name}` | {bug.what} | " in listed for name, bug in planted.BUGS.items())
    with pytest.raises(SimnetError, match="no planted bug 'x'; there are no-locking"):
        planted.bug_of("x")


def test_roles_of_kinds() -> None:
    roles = {kind.name: kind.role for kind in all_kinds()}
    assert roles["partition"] is Role.NETWORK and roles["crash"] is Role.HONEST and roles["equivocation"] is Role.BYZANTINE
