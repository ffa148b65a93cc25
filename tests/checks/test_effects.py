"""fault_effect: faults that never acted are named; what the others did is counted."""

from typing import Any

import pytest

from tests.checks.kit import bench, entry

LATE = 600_000


def effect(**faults: Any) -> dict[str, Any]:
    regions = {"assignments": ["A", "A", "B", "B"]}
    return dict(entry(bench(4, rate=6.0, regions=regions, faults=faults).run(), "fault_effect"))


def test_without_faults_there_is_nothing_to_look_at() -> None:
    told = effect()
    assert (told["status"], told["faults"], told["by_fault"]) == ("not_exercised", 0, {})


NODE = {
    "crash": {"node": 1},
    "pause": {"node": 1},
    "equivocation": {"nodes": [1]},
    "withholding": {"nodes": [1], "what": ["votes"]},
    "service_stop": {"nodes": [1], "service": "verifier"},
    "clock_skew": {"nodes": [1], "offset_ms": 150},
    "forged_votes": {"nodes": [1], "what": ["bad_signature"]},
}
LINK = {
    "one_way": {},
    "flapping": {"up_ms": 100, "down_ms": 100},
    "duplicate": {"probability": 1.0},
    "reorder": {"probability": 1.0, "delay_ms": 10},
    "corrupt": {"probability": 1.0},
    "bandwidth": {"kbps": 1000},
}


@pytest.mark.parametrize(("kind", "keys"), [*NODE.items(), *LINK.items()])
def test_each_kind_acts_or_is_named(kind: str, keys: dict[str, Any]) -> None:
    place = "nodes" if kind in NODE else "links"
    where = {} if kind in NODE else {"source": "A", "target": "B"}
    acting = {"kind": kind, "start_ms": 700, "duration_ms": 2000, **where, **keys}
    idle = {**acting, "start_ms": LATE}
    told = effect(**{place: [acting, idle]})
    assert told["status"] == "broken" and told["acted"] == 1 and told["faults"] == 2
    assert told["by_fault"][f"{place}[0] {kind}"] > 0 == told["by_fault"][f"{place}[1] {kind}"]
    assert told["first"]["detail"] == f"never acted: {place}[1] {kind} (never began)"


def test_partition_churn_and_spam() -> None:
    partition = {"group_a": "A", "group_b": "B", "start_ms": 900, "duration_ms": 1000}
    churn = {"rate_per_min": 60.0, "restart_after_ms": 300}
    spam = {"start_ms": 0, "spam_factor": 3, "publishers": [0, 1, 2, 3]}
    told = effect(partition=partition, churn=churn, byzantine=spam)
    assert told["status"] == "held" and told["by_fault"]["partition"] == 4 and min(told["by_fault"].values()) > 0
    told = effect(partition={**partition, "start_ms": LATE}, churn={**churn, "start_ms": LATE}, byzantine={**spam, "start_ms": LATE})
    assert told["status"] == "broken" and told["acted"] == 0
    assert told["first"]["detail"].startswith("never acted: partition (never began), churn (never began), byzantine")


def test_a_fault_that_met_nothing_is_named() -> None:
    """A withholder of block proofs where there are none to make."""
    fault = {"kind": "equivocation", "nodes": [1], "what": ["proposals"], "start_ms": 10, "duration_ms": 20}
    told = effect(nodes=[fault])
    assert told["first"]["detail"] == "never acted: nodes[0] equivocation (met nothing to act on)"


def test_it_is_a_warning_and_ends_nothing() -> None:
    result = bench(4, faults={"nodes": [{"kind": "crash", "node": 1, "start_ms": LATE, "duration_ms": 10}]}).run()
    assert result.complete and not result.violations and entry(result, "fault_effect")["held"] is False


def test_a_clock_that_is_never_wrong_is_named() -> None:
    told = effect(nodes=[{"kind": "clock_skew", "nodes": [1], "start_ms": 700, "duration_ms": 2000}])
    assert told["first"]["detail"] == "never acted: nodes[0] clock_skew (met nothing to act on)"


def test_each_fault_counts_what_it_did_itself() -> None:
    """Two of one kind at one time, on other nodes or links."""
    window = {"start_ms": 700, "duration_ms": 2000}
    told = effect(nodes=[{"kind": "pause", "node": n, **window} for n in (1, 2)])
    assert told["by_fault"] == {"nodes[0] pause": 1, "nodes[1] pause": 1}
    ways = (("A", "B"), ("B", "A"))
    told = effect(links=[{"kind": "bandwidth", "kbps": 1000, "source": a, "target": b, **window} for a, b in ways])
    assert told["by_fault"] == {"links[0] bandwidth": 1, "links[1] bandwidth": 1}
    given = bench(4)
    idle = next(n for n in range(4) if all(given.leader(slot) != n for slot in (1, 2)) and n != 1)
    kept = [
        {"kind": "withholding", "nodes": [1], "what": ["votes"], **window},
        {"kind": "withholding", "nodes": [idle], "what": ["proposals"], **window},
    ]
    told = effect(nodes=kept)
    assert told["by_fault"]["nodes[0] withholding"] > 0 == told["by_fault"]["nodes[1] withholding"]


def test_a_service_that_stands_still_to_the_end_has_acted() -> None:
    """What waited is told when it goes on, which it never does."""
    told = effect(nodes=[{"kind": "service_stop", "nodes": [1], "service": "verifier", "start_ms": 700, "duration_ms": 10**6}])
    assert (told["status"], told["acted"]) == ("held", 1)


def test_a_rule_on_links_that_do_not_exist_has_no_part_in_what_another_one_does() -> None:
    """Both act at once, and no link goes from A to C."""
    one_way = {"kind": "one_way", "start_ms": 500, "duration_ms": 2000}
    regions = {"assignments": ["A", "B", "C", "B"]}
    links = [{**one_way, "source": "B", "target": "C"}, {**one_way, "source": "A", "target": "C"}]
    told = entry(bench(4, rate=6.0, topology={"type": "ring", "k": 2}, regions=regions, faults={"links": links}).run(), "fault_effect")
    assert [count > 0 for count in told["by_fault"].values()] == [True, False]
    assert "links[1] one_way (met nothing to act on)" in told["first"]["detail"]
