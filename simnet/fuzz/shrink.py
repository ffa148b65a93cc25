"""Makes a failing scenario smaller while it fails the same check.

Steps are tried in order, each as often as it helps; then all once more, until none helps or the runs are used up. A candidate that
is no valid scenario is passed over. What comes out depends on the scenario alone.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from simnet.base.errors import ScenarioError
from simnet.fuzz.generator import CALM_SLOTS
from simnet.fuzz.judge import UNHEALED, Outcome
from simnet.fuzz.kinds import byzantine_nodes
from simnet.scenario.text import loaded_from

RUNS_MAX = 80
"""Runs that one scenario's shrinking may take."""
SHARES = (2, 4, 8, 16)
"""A part of one in so many is taken away."""
ROUND_MS = 100
Data = dict[str, Any]
Fault = tuple[str, Data]
"""(section, table)."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The smallest scenario found, and the runs it took."""

    data: Data
    outcome: Outcome
    runs: int


def shrink(data: Mapping[str, Any], outcome: Outcome, run: Callable[[Data], Outcome], runs_max: int = RUNS_MAX) -> Shrunk:
    """The smallest scenario found that fails one of the checks that `outcome` failed."""
    state = _State(deepcopy(dict(data)), outcome, run, runs_max)
    improved = True
    while improved and state.left:
        improved = sum(_repeat(state, step) for step in STEPS) > 0
    return Shrunk(state.data, state.outcome, state.runs_max - state.left)


class _State:
    """The smallest scenario so far."""

    def __init__(self, data: Data, outcome: Outcome, run: Callable[[Data], Outcome], runs_max: int) -> None:
        self.data = data
        self.outcome = outcome
        self.runs_max = self.left = runs_max
        self._wanted = frozenset(outcome.broken)
        self.calm = UNHEALED.isdisjoint(outcome.broken)
        """Whether slots without faults stay at the end: a chain that has no time to go on is another failure."""
        self._run = run
        self._tried: set[str] = set()

    def takes(self, candidate: Data) -> bool:
        """Whether a candidate still fails; then it is the smallest so far."""
        rushed = self.calm and _calm_slots(candidate) < min(CALM_SLOTS)
        if not self.left or rushed or repr(candidate) in self._tried or not _valid(candidate):
            return False
        self._tried.add(repr(candidate))
        self.left -= 1
        outcome = self._run(candidate)
        if self._wanted.isdisjoint(outcome.broken):
            return False
        self.data, self.outcome = candidate, outcome
        return True


Step = Callable[[Data], Iterator[Data]]


def _repeat(state: _State, step: Step) -> bool:
    """Takes a step's candidates as long as one of them helps."""
    improved = False
    while any(state.takes(candidate) for candidate in step(deepcopy(state.data))):
        improved = True
    return improved


def _valid(data: Data) -> bool:
    try:
        loaded_from(data)
    except ScenarioError:
        return False
    return True


# --- steps ---------------------------------------------------------------------------------------------


def _fewer_faults(data: Data) -> Iterator[Data]:
    """Without half of the faults, then without single ones."""
    faults = _flat(data)
    for size in (len(faults) // 2, len(faults) // 4, 1):
        for start in range(0, len(faults), size) if size else ():
            yield _with_faults(data, faults[:start] + faults[start + size :])


def _fewer_slots(data: Data) -> Iterator[Data]:
    """An earlier end; faults and traffic end with it."""
    slot = _slot_ms(data)
    slots = data["sim"]["duration_ms"] // slot
    for share in SHARES:
        fewer = slots - max(1, slots // share)
        if fewer > 0:
            yield _ending(data, fewer * slot)


def _fewer_nodes(data: Data) -> Iterator[Data]:
    """Without the last node, on a full graph: other rules for edges may need as many nodes."""
    n = data["topology"]["n"] - 1
    if n < 1:
        return
    smaller: Data = {**data, "topology": {"type": "erdos_renyi", "n": n, "p": 1.0}}
    assignments = data.get("regions", {}).get("assignments", [])[:n]
    if assignments:
        smaller["regions"] = {"assignments": assignments}
    faults = []
    for section, table in _flat(data):
        kept = {key: [v for v in table[key] if v < n] for key in ("nodes", "publishers") if key in table}
        if all(kept.values()) and table.get("node", 0) < n:
            faults.append((section, table | kept))
    yield _with_faults(smaller, faults)


def _fewer_fault_nodes(data: Data) -> Iterator[Data]:
    faults = _flat(data)
    for i, (section, table) in enumerate(faults):
        for key in ("nodes", "publishers"):
            listed = table.get(key, ())
            for node in listed if len(listed) > 1 else ():
                fewer = {**table, key: [v for v in listed if v != node]}
                yield _with_faults(data, [*faults[:i], (section, fewer), *faults[i + 1 :]])


def _shorter_faults(data: Data) -> Iterator[Data]:
    """Half as long from either end, then at round times."""
    faults = _flat(data)
    for i, (section, table) in enumerate(faults):
        start, length = table.get("start_ms", 0), table.get("duration_ms")
        windows = [(start, length // 2), (start + length // 2, length - length // 2)] if length is not None and length > 1 else []
        if start % ROUND_MS or (length is not None and length % ROUND_MS):
            windows.append((start - start % ROUND_MS, None if length is None else max(ROUND_MS, length - length % ROUND_MS)))
        for begin, lasts in windows:
            changed = {**table, "start_ms": begin}
            if lasts is not None:
                changed["duration_ms"] = lasts
            yield _with_faults(data, [*faults[:i], (section, changed), *faults[i + 1 :]])


def _plainer(data: Data) -> Iterator[Data]:
    """Single settings back to something plain."""
    plain: list[tuple[str, Data]] = [
        ("topology", {"type": "erdos_renyi", "n": data["topology"]["n"], "p": 1.0}),
        ("links", {"default": {"delay_ms": 10, "jitter_ms": 0, "loss": 0.0}}),
        ("gossip", {}),
        ("provers", _only(data.get("provers", {}), "regions")),
        ("chain", {**data.get("chain", {}), "block_proofs": []}),
        ("consensus", {"weight_min": 10, "weight_max": 10}),
        ("limits", {}),
    ]
    for section, table in plain:
        if data.get(section, {}) != table:
            yield {**data, section: table}
    phases = data["traffic"]["tx"]["phases"]
    slower = [{**phase, "lambda_per_sec": 0.1} if "lambda_per_sec" in phase else phase for phase in phases]
    if slower != phases or "publisher_bias" in data["traffic"]["tx"]:
        yield {**data, "traffic": {"tx": {"phases": slower}}}


def _only(table: Data, key: str) -> Data:
    return {key: table[key]} if key in table else {}


STEPS: tuple[Step, ...] = (_fewer_faults, _fewer_slots, _fewer_nodes, _fewer_fault_nodes, _plainer, _shorter_faults)

# --- plain data ------------------------------------------------------------------------------------------


def _calm_slots(data: Data) -> int:
    """Slots after the last fault; of byzantine nodes that never stop, and of faults that never end, after their beginning."""
    end_ms = data["sim"]["duration_ms"]
    ends = [0]
    for section, table in _flat(data):
        begins = table.get("start_ms", 0)
        last = begins + table.get("duration_ms", 0)
        endless = last >= end_ms and byzantine_nodes({section: [table]} if section == "nodes" else {})
        ends.append(begins if endless else last)
    return int(end_ms - max(ends)) // _slot_ms(data)


def _slot_ms(data: Data) -> int:
    return int(data.get("chain", {}).get("slot_ms", 6000))


def _flat(data: Data) -> list[Fault]:
    """All faults of a scenario, in order."""
    found: list[Fault] = []
    for section, value in data.get("faults", {}).items():
        found += [(section, table) for table in (value if isinstance(value, list | tuple) else [value]) if table]
    return found


def _with_faults(data: Data, faults: list[Fault]) -> Data:
    """The scenario with these faults instead of its own."""
    sections: Data = {}
    for section, table in faults:
        if isinstance(data["faults"][section], list | tuple):
            sections.setdefault(section, []).append(table)
        else:
            sections[section] = table
    return {**data, "faults": sections}


def _ending(data: Data, end_ms: int) -> Data:
    """The scenario cut off at `end_ms`."""
    faults = []
    for section, table in _flat(data):
        start = table.get("start_ms", 0)
        if start < end_ms:
            length = table.get("duration_ms")
            faults.append((section, table if length is None else {**table, "duration_ms": min(length, end_ms - start)}))
    left, phases = end_ms, []
    for phase in data["traffic"]["tx"]["phases"]:
        if left > 0:
            phases.append({**phase, "duration_ms": min(phase["duration_ms"], left)})
            left -= phases[-1]["duration_ms"]
    traffic = {"tx": {**data["traffic"]["tx"], "phases": phases}}
    return _with_faults({**data, "sim": {**data["sim"], "duration_ms": end_ms}, "traffic": traffic}, faults)
