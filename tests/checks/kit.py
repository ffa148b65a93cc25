"""Small runs of whole nodes in which something is broken on purpose, and what the checks say of them."""

from collections.abc import Mapping
from typing import Any

from simnet.events import BlockCommitted
from simnet.events.run_result import RunResult, Violation
from tests.mocks import Bench as MockBench
from tests.mocks import scenario

Entry = Mapping[str, Any]


class Bench(MockBench):
    """With what several tests here ask for."""

    def of_height(self, height: int) -> list[BlockCommitted]:
        return [e for e in self.of(BlockCommitted) if e.height == height]


def bench(slots: int = 5, *, nodes: int = 4, **sections: Any) -> Bench:
    """Four nodes of equal stake, three of which are a quorum; slots of a second."""
    return Bench(scenario(nodes, slots=slots, **sections))


def broken(result: RunResult) -> dict[str, Violation]:
    """What is broken, by check."""
    return {v.invariant: v for v in result.violations}


def entry(result: RunResult, check: str) -> Entry:
    """A check's part of the summary."""
    return result.checks[check]


def breaks(result: RunResult, check: str, words: str) -> Violation:
    """The check is broken, says why, and its entry is the violation's."""
    found = broken(result)
    assert check in found, found
    violation = found[check]
    assert words in violation.detail, violation
    told = entry(result, check)
    assert (told["held"], told["status"]) == (False, "broken")
    assert told["first"] == {"at_ms": violation.at / 1e6, "nodes": list(violation.nodes), "detail": violation.detail}
    return violation
