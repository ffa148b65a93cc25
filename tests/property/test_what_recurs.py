"""Timers against long runs: what would recur without end is refused with the value that would do; what is let in takes few steps."""

import json
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import simpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simnet.base.errors import ScenarioError
from simnet.runs.opaque import OpaqueRun
from simnet.scenario.load import load_scenario
from simnet.scenario.model import Scenario
from simnet.scenario.recurring import steps_max
from tests.property.test_every_number import CHAIN, NETWORK, OutOfTimeError, numbers

MONTH = 30 * 24 * 3600 * 1000
TALK = {"traffic.tx.phases": f'[{{model="poisson", duration_ms={MONTH}, lambda_per_sec=1.0}}]'}
QUIET = {"traffic.tx.phases": '[{model="poisson", duration_ms=1000, lambda_per_sec=4.0}]'}
NONE = ""
ALWAYS = f"start_ms=0, duration_ms={MONTH}"


def fault(kind: str, more: str = "") -> dict[str, str]:
    return {"faults.nodes": f'[{{kind="{kind}", nodes=[1, 2], {ALWAYS}{more}}}]'}


CRASHED = {"faults.nodes": "[" + ", ".join(f'{{kind="crash", node={n}, {ALWAYS}}}' for n in range(6)) + "]", "faults.partition": NONE}
REFUSED: tuple[tuple[str, dict[str, Any], dict[str, str], str], ...] = (
    ("beats", NETWORK, {**TALK, "gossip.heartbeat_ms": "1", "gossip.advertised_windows": "5"}, "gossip.heartbeat_ms"),
    ("chain beats", CHAIN, {**TALK, "gossip.heartbeat_ms": "1", "faults": NONE}, "gossip.heartbeat_ms"),
    ("windows", NETWORK, {**TALK, "gossip.heartbeat_ms": "600", "gossip.advertised_windows": "1000", "gossip.history_windows": "1000"}, "gossip.advertised_windows"),
    ("publications", NETWORK, {"traffic.tx.phases": TALK["traffic.tx.phases"].replace("1.0", "1e6")}, "traffic.tx.phases.0.lambda_per_sec"),
    ("bursts", NETWORK, {"traffic.tx.phases": f'[{{model="on_off_bursty", duration_ms={MONTH}, on_lambda_per_sec=1e5, on_duration_ms=1000, off_duration_ms=1000}}]'}, "traffic.tx.phases.0.on_lambda_per_sec"),
    ("churn while all are down", NETWORK, {**QUIET, **CRASHED, "faults.churn.rate_per_min": "1e6"}, "faults.churn.rate_per_min"),
    ("churn", NETWORK, {**QUIET, "faults.churn.rate_per_min": "1e6", "faults.churn.restart_after_ms": "1"}, "faults.churn.rate_per_min"),
    ("slots", CHAIN, {**QUIET, "chain.slot_ms": "1", "chain.uptime_window_slots": "100000", "faults": NONE}, "chain.slot_ms"),
    ("uptime", CHAIN, {**QUIET, "chain.slot_ms": "1000", "chain.uptime_window_slots": "1", "faults": NONE}, "chain.uptime_window_slots"),
    ("looks after the end", CHAIN, {**QUIET, "chain.slot_ms": "10000000", "consensus.proven_within_slots": "1024", "faults": NONE}, "consensus.proven_within_slots"),
    ("a long slot", {**CHAIN, "consensus": {}}, {**QUIET, "chain.slot_ms": str(MONTH), "chain.uptime_window_slots": "1", "faults": NONE}, "chain.slot_ms"),
    ("votes", CHAIN, {**QUIET, **fault("forged_votes", ", per_slot=1000"), "chain.slot_ms": "1000"}, "faults.nodes.0.per_slot"),
    ("double spends", CHAIN, {**QUIET, **fault("double_spend", ", per_slot=1000"), "chain.slot_ms": "1000"}, "faults.nodes.0.per_slot"),
    ("proofs", CHAIN, {**QUIET, **fault("forged_proofs", ", per_second=1e6")}, "faults.nodes.0.per_second"),
    ("poison", CHAIN, {**QUIET, **fault("poison", ", per_second=1e6")}, "faults.nodes.0.per_second"),
    ("poison as it is", CHAIN, {**QUIET, "faults.nodes": f'[{{kind="poison", nodes=[0, 1, 2, 3, 4], {ALWAYS}}}]'}, "faults.nodes.0.per_second"),
    ("floods", CHAIN, {**QUIET, **fault("flood")}, "faults.nodes.0.duration_ms"),
)  # fmt: skip


def loaded(path: Path, base: Mapping[str, Any], overrides: Mapping[str, str]) -> Scenario:
    """The base, a month long; a table that is overridden by nothing is left out."""
    values = {"sim.duration_ms": str(MONTH), "limits.events_max": "20000", "expect": NONE, **overrides}
    document = json.loads(json.dumps(base))
    for key in [key for key, value in values.items() if value == NONE]:
        table, _, last = key.rpartition(".")
        (document[table] if table else document).pop(last, None)
    path.write_text(json.dumps(document))
    return load_scenario(path, overrides={key: value for key, value in values.items() if value != NONE}).scenario


@pytest.mark.parametrize(("base", "overrides", "key"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_would_not_end_is_refused_with_what_would_do(
    tmp_path: Path, base: Mapping[str, Any], overrides: dict[str, str], key: str
) -> None:
    path = tmp_path / "month.json"
    with pytest.raises(ScenarioError) as caught:
        loaded(path, base, overrides)
    [told] = [problem for problem in caught.value.problems if problem.key == key]
    assert "in this run; at most" in told.why and "limits.events_max" in told.why
    assert key not in refusals(path, base, with_value(overrides, key, told.why))


def with_value(overrides: Mapping[str, str], key: str, why: str) -> dict[str, str]:
    """What a message asks for."""
    found = re.search(r"at (?:least|most) ([\d.e+-]+) here", why)
    assert found, why
    table, _, last = next(
        (table, *key.rpartition(".")[1:]) for table in ("faults.nodes", "traffic.tx.phases", key) if key.startswith(table)
    )
    if table == key:
        return {**overrides, key: found[1]}
    changed = re.sub(rf"(\b{last}=)[\de.+]+", rf"\g<1>{found[1]}", overrides[table])
    return {**overrides, table: changed if f"{last}=" in changed else changed.replace("}", f", {last}={found[1]}}}")}


def refusals(path: Path, base: Mapping[str, Any], overrides: Mapping[str, str]) -> list[str]:
    try:
        loaded(path, base, overrides)
    except ScenarioError as error:
        return [problem.key for problem in error.problems]
    return []


def test_a_higher_limit_lets_it_in(tmp_path: Path) -> None:
    _, base, overrides, _ = REFUSED[0]
    assert loaded(tmp_path / "month.json", base, {**overrides, "limits.events_max": "1000000000000"}).limits.events_max == 10**12


LET_IN: tuple[tuple[str, dict[str, Any], dict[str, str]], ...] = (
    ("quiet heartbeats", NETWORK, {**QUIET, "gossip.heartbeat_ms": "1"}),
    ("usual heartbeats", NETWORK, {**TALK, "traffic.tx.phases": TALK["traffic.tx.phases"].replace("1.0", "0.5")}),
    ("flapping", NETWORK, {**QUIET, "faults.links": f'[{{kind="flapping", up_ms=1, down_ms=1, {ALWAYS}}}]'}),
    ("hourly slots", CHAIN, {**QUIET, "chain.slot_ms": "3600000", "faults": NONE}),
    ("rare churn", NETWORK, {**QUIET, "faults.churn.rate_per_min": "1e6", "faults.churn.restart_after_ms": "3600000"}),
)


@pytest.mark.parametrize(("base", "overrides"), [row[1:] for row in LET_IN], ids=[row[0] for row in LET_IN])
def test_long_runs_in_which_little_recurs_are_let_in(tmp_path: Path, base: Mapping[str, Any], overrides: dict[str, str]) -> None:
    assert loaded(tmp_path / "month.json", base, overrides).sim.duration_ms == MONTH


# --- what is let in ----------------------------------------------------------------------------------------

RUN_S = 0.15
STEPS_FACTOR = 8
"""Estimates are no better than that."""


def drawn(*values: object) -> st.SearchStrategy[object]:
    return st.sampled_from(values)


NETWORKS = st.fixed_dictionaries(
    {
        "sim.duration_ms": drawn(1, 3000, 86_400_000, MONTH - 1),
        "gossip.heartbeat_ms": drawn(1, 20, 700, MONTH),
        "gossip.advertised_windows": drawn(1, 3, 1000),
        "gossip.history_windows": drawn(1000),
        "faults.churn.rate_per_min": drawn(1e-9, 60.0, 1e6),
        "faults.churn.restart_after_ms": drawn(1, 1000, MONTH),
        "faults.links.1.up_ms": drawn(1, MONTH),
        "faults.links.1.down_ms": drawn(1, MONTH),
        "traffic.tx.phases.0.lambda_per_sec": drawn(1e-9, 1.0, 1e6),
    }
)


class Steps:
    """Counts the timers that went off."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self.taken = 0
        step = simpy.Environment.step

        def counted(env: simpy.Environment) -> None:
            self.taken += 1
            step(env)

        patched.setattr(simpy.Environment, "step", counted)


def _alarm(_number: int, _frame: object) -> None:
    raise OutOfTimeError


@given(NETWORKS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_let_in_ends_after_few_steps(tmp_path: Path, values: dict[str, object]) -> None:
    """Its end or its limit of events comes before many silent steps, going by how a run begins."""
    path = tmp_path / "network.json"
    path.write_text(json.dumps(NETWORK))
    phase = {"traffic.tx.phases.0.duration_ms": values["sim.duration_ms"], "traffic.tx.phases.1.duration_ms": 1}
    length = {**phase, "sim.duration_ms": int(str(values["sim.duration_ms"])) + 1, "limits.events_max": 10**8}
    scenario, why = None, ""
    try:
        scenario = load_scenario(path, overrides={key: str(value) for key, value in {**values, **length}.items()}).scenario
    except ScenarioError as error:
        why = str(error)
    if scenario is None:
        assert "in this run; at most" in why
        return
    with pytest.MonkeyPatch.context() as patched:
        steps, run = Steps(patched), OpaqueRun(scenario, 1)
        handler = signal.signal(signal.SIGALRM, _alarm)
        signal.setitimer(signal.ITIMER_REAL, RUN_S, 0.2)
        try:
            result = run.run()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)
    silent = max(0, steps.taken - run.bus.events)
    share = result.end / (scenario.sim.duration_ms * 1_000_000)
    by_time, by_events = silent / max(share, 1e-12), silent / max(run.bus.events, 1) * scenario.limits.events_max
    assert result.complete or min(by_time, by_events) < STEPS_FACTOR * steps_max(scenario.model_dump())


# --- nothing is forgotten ------------------------------------------------------------------------------------

RECURS = {
    "duration_ms", "slot_ms", "heartbeat_ms", "advertised_windows", "uptime_window_slots", "heartbeats_per_window", "proven_within_slots",
    "per_slot", "per_second", "rate_per_min", "restart_after_ms", "lambda_per_sec", "on_lambda_per_sec", "on_duration_ms", "off_duration_ms",
}  # fmt: skip
ONCE = {
    "start_ms": "begins once",
    "delay_ms": "of a copy", "jitter_ms": "of a copy", "extra_delay_ms": "of a copy", "bandwidth_kbps": "of a copy", "kbps": "of a copy; a flood looks ten times a second",
    "up_ms": "looked at when a copy passes", "down_ms": "looked at when a copy passes",
    "offset_ms": "of a clock", "clock_precision_ms": "compared", "before_deadline_ms": "of a vote", "prepare_ahead_ms": "of a transfer",
    "iwant_timeout_ms": "of an offer", "duplicate_cache_ms": "looked at when a message comes", "history_windows": "looked at when asked",
    "refused_burst_ms": "compared", "peer_ban_ms": "of a ban, which is an event",
    "block_proof_timeout_slots": "of a block", "proof_takeover_slots": "of a block", "pruning_window_blocks": "of a block",
    "key_horizon_epochs": "made before the run, and limited there",
}  # fmt: skip
UNITS = re.compile(r"_ms$|_slots$|_epochs$|_blocks$|_windows$|_window$|^per_|_per_|kbps$")


def test_every_time_and_rate_of_the_model_is_counted_or_recurs_not() -> None:
    keys = {place[-1] for document in (NETWORK, CHAIN) for place in numbers(document)}
    timed = {key for key in keys if isinstance(key, str) and UNITS.search(key)} - {"lanes_per_wallet"}
    assert timed - RECURS - ONCE.keys() == set(), "say in simnet.scenario.recurring how often it comes, or here why it does not"
