"""Every number of a scenario at its extremes: a message, or a run; never a traceback, a hang or unbounded memory."""

import copy
import json
import resource
import signal
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from simnet.base.errors import ScenarioError, SimnetError
from simnet.runs.chain import RunOptions, build
from simnet.runs.opaque import OpaqueRun
from simnet.scenario.load import load_scenario
from simnet.scenario.model import Scenario
from simnet.scenario.wrapper import Wrapper
from simnet.scenario.wrapper_load import load_wrapper
from tests.mocks import mock_backends

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
Place = tuple[str | int, ...]
VALUES = (
    "0", "1", "-1", "5e-324", "1e-310", "2.2250738585072014e-308", "1e-9", "1.7976931348623157e308", "inf", "-inf", "nan",
    "0.5", "1e6", "1000000", "65536", "2592000000", "4294967296", "9223372036854775807", "18446744073709551615", "1" + "0" * 30,
    "9" * 400, "9" * 5000,
)  # fmt: skip
RUN_S = 0.5
"""A run that is still going then is stopped: it went."""
GROWTH_BYTES_MAX = 3 * 2**30

WINDOW = {"start_ms": 100, "duration_ms": 500}
ON_LINKS = {**WINDOW, "source": "A", "target": "B", "both_ways": True}
NETWORK: dict[str, Any] = {
    "sim": {"seed": 1, "duration_ms": 3000},
    "topology": {"type": "small_world", "n": 6, "k": 4, "rewire_p": 0.2, "p": 0.5},
    "regions": {"assignments": ["A", "A", "A", "B", "B", "B"]},
    "links": {"default": {"delay_ms": 20, "jitter_ms": 5, "loss": 0.01, "bandwidth_kbps": 10_000}},
    "latency_profile": {"seed": 2, "trusted": {"extra_delay_ms": 1, "jitter_ms": 1}, "untrusted": {"extra_delay_ms": 2, "jitter_ms": 1}},
    "traffic": {
        "tx": {
            "publisher_bias": {"type": "zipf", "s": 1.1},
            "payload": {"min_bytes": 64, "max_bytes": 128},
            "phases": [
                {"model": "poisson", "duration_ms": 1000, "lambda_per_sec": 4.0},
                {"model": "on_off_bursty", "duration_ms": 1000, "on_lambda_per_sec": 9.0, "on_duration_ms": 200, "off_duration_ms": 100},
            ],
        }
    },
    "faults": {
        "partition": {**WINDOW, "group_a": [0, "A"], "group_b": [3, "B"]},
        "churn": {"start_ms": 10, "rate_per_min": 60.0, "restart_after_ms": 50},
        "byzantine": {"start_ms": 10, "spam_factor": 2, "publishers": [1]},
        "links": [
            {"kind": "one_way", **ON_LINKS},
            {"kind": "flapping", "up_ms": 50, "down_ms": 50, **ON_LINKS},
            {"kind": "duplicate", "probability": 0.1, "delay_ms": 5, **ON_LINKS},
            {"kind": "reorder", "probability": 0.1, "delay_ms": 5, **ON_LINKS},
            {"kind": "corrupt", "probability": 0.1, **ON_LINKS},
            {"kind": "bandwidth", "kbps": 1000, **ON_LINKS},
        ],
        "nodes": [{"kind": "crash", "node": 2, **WINDOW}, {"kind": "pause", "node": 3, **WINDOW}],
    },
    "chain": {"enabled": False},
    "gossip": {
        "heartbeat_ms": 700, "history_windows": 5, "advertised_windows": 3, "lazy_peers": 6, "duplicate_cache_ms": 60_000,
        "queue_messages_max": 5000, "iwant_timeout_ms": 3000, "peer_ban_ms": 180_000, "peer_score_max": 10.0,
    },
    "limits": {"events_max": 20_000, "proofs_max": 1000},
}  # fmt: skip
CHAIN: dict[str, Any] = {
    **{name: section for name, section in NETWORK.items() if name not in ("faults", "chain")},
    "test_only": True,
    "regions": {"assignments": ["STWO", "PLONKY3", "GROTH16", "MIXED", "STWO", "STWO"]},
    "chain": {
        "slot_ms": 1000, "block_transactions_max": 16, "mempool_transactions_max": 100, "lanes_per_wallet": 4, "lane_balance": 10**9,
        "transfer_amount_max": 1000, "fee": 1, "required_tier": 1, "prepare_ahead_ms": 100, "sync_blocks_max": 16,
        "block_proof_timeout_slots": 2, "pruning_window_blocks": 4, "uptime_window_slots": 8, "heartbeats_per_window": 32,
        "heartbeats_min": 24,
    },
    "consensus": {
        "weight_min": 5, "weight_max": 24, "validator_capacity": 8, "witness_capacity": 256, "reputation_capacity": 4,
        "proof_takeover_slots": 2, "clock_precision_ms": 100, "key_horizon_epochs": 2, "proven_within_slots": 8,
    },
    "provers": {
        "cpu_factor": 1.0, "cpu_factor_by_region": {"STWO": 1.0}, "workers": 1, "proof_bytes_max": 4_194_304, "queue_jobs_max": 1024,
        "refused_share_max": 0.05, "refused_burst_ms": 200,
    },
    "faults": {
        "nodes": [
            {"kind": "equivocation", "nodes": [1], **WINDOW},
            {"kind": "withholding", "nodes": [1], "what": ["votes"], **WINDOW},
            {"kind": "service_stop", "nodes": [1], "service": "prover", **WINDOW},
            {"kind": "clock_skew", "nodes": [2], "offset_ms": 10, "drift_ppm": 10, **WINDOW},
            {"kind": "forged_votes", "nodes": [1], "per_slot": 6, **WINDOW},
            {"kind": "forged_proofs", "nodes": [1], "per_second": 2.0, **WINDOW},
            {"kind": "double_spend", "nodes": [1], "per_slot": 1, **WINDOW},
            {"kind": "split", "nodes": [1], "before_deadline_ms": 20, **WINDOW},
            {"kind": "false_evidence", "nodes": [1], "per_slot": 4, **WINDOW},
            {"kind": "poison", "nodes": [1], "per_second": 4.0, **WINDOW},
        ]
    },
    "expect": {"broken": ["agreement"], "accused": [1]},
}  # fmt: skip
WRAPPER: dict[str, Any] = {
    "name": "w",
    "duration_secs": 0,
    "nodes": [{"label": "a", "program": "true", "startup_timeout_ms": 10, "run_timeout_ms": 10}],
    "consensus": {
        "runs": 1, "validators": 4, "witness_commitments": 4, "security_bits": 128, "seed": 1, "tamper": {"every_n": 1},
    },
    "resources": {"cpus": 1, "memory_gb": 1},
}  # fmt: skip


def numbers(value: Any, here: Place = ()) -> Iterator[Place]:
    """Where numbers stand in a document."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, (*here, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, (*here, index))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield here


def number_fields(annotation: Any, name: str = "") -> Iterator[str]:
    """`Section.key` of every field of a model that may hold a number."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for key, field in annotation.model_fields.items():
            yield from number_fields(field.annotation, f"{annotation.__name__}.{field.alias or key}")
    elif annotation in (int, float):
        yield name
    for part in typing.get_args(annotation):
        if part is not types.NoneType and not isinstance(part, str):
            yield from number_fields(part, name)


def covered(model: type[BaseModel], document: Any) -> set[str]:
    """The keys of a document that hold numbers."""
    return {next(part for part in reversed(place) if isinstance(part, str)) for place in numbers(document)}


def test_the_documents_below_have_every_number_of_the_model() -> None:
    known = covered(Scenario, NETWORK) | covered(Scenario, CHAIN) | {"cpu_factor_by_region"}
    lacking = {name for name in number_fields(Scenario) if name.split(".")[-1] not in known}
    assert not lacking, "give them a value in NETWORK or CHAIN"
    assert not {name for name in number_fields(Wrapper) if name.split(".")[-1] not in covered(Wrapper, WRAPPER)}


def dotted(place: Place) -> str:
    return ".".join(map(str, place))


class OutOfTimeError(KeyboardInterrupt):
    """Ends a run as Ctrl-C does."""


def _alarm(_number: int, _frame: object) -> None:
    raise OutOfTimeError


def told(error: SimnetError) -> None:
    """Says something, and not too much."""
    lines = str(error).splitlines()
    assert lines and all(0 < len(line) < 2000 for line in lines)


def carried_out(scenario: Scenario) -> None:
    """Builds and runs; stopped after half a second, which must find the run going."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    built = False
    handler = signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, 60.0)
    try:
        if scenario.chain.enabled:
            run: Any = build(scenario, scenario.sim.seed, RunOptions(), mock_backends())
        else:
            run = OpaqueRun(scenario, scenario.sim.seed)
        built = True
        signal.setitimer(signal.ITIMER_REAL, RUN_S, 0.2)  # again, as one in a finalizer is lost
        result = run.run()
        # A broken invariant is a finding about the scenario, say a ring in two parts; it ends the run in good order.
        assert result.complete or result.interrupted or result.violations
    except SimnetError as error:
        told(error)
    except OutOfTimeError:  # just when the run was ending
        assert built, "still being built after a minute"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < GROWTH_BYTES_MAX


def tried(path: Path, place: Place, value: str) -> None:
    try:
        loaded = load_scenario(path, overrides={dotted(place): value})
    except ScenarioError as error:
        told(error)
        return
    carried_out(loaded.scenario)


@pytest.mark.parametrize("place", list(numbers(NETWORK)), ids=dotted)
def test_a_network_at_the_extremes(tmp_path: Path, place: Place) -> None:
    path = tmp_path / "network.json"
    path.write_text(json.dumps(NETWORK))
    for value in VALUES:
        tried(path, place, value)


@pytest.mark.parametrize(
    "place", [p for p in numbers(CHAIN) if p[0] in ("chain", "consensus", "provers", "faults", "topology")], ids=dotted
)
def test_a_chain_at_the_extremes(tmp_path: Path, place: Place) -> None:
    path = tmp_path / "chain.json"
    path.write_text(json.dumps(CHAIN))
    for value in VALUES:
        tried(path, place, value)


@pytest.mark.parametrize("kind", ["ring", "erdos_renyi", "k_regular", "scale_free"])
@pytest.mark.parametrize("key", ["n", "k", "p"])
def test_every_topology_at_the_extremes(tmp_path: Path, kind: str, key: str) -> None:
    document = copy.deepcopy(NETWORK)
    document["topology"]["type"] = kind
    del document["regions"], document["faults"]
    path = tmp_path / "topology.json"
    path.write_text(json.dumps(document))
    for value in VALUES:
        if (key, value) != ("n", "65536"):  # a run, and seconds of building
            tried(path, ("topology", key), value)


@pytest.mark.parametrize("place", list(numbers(WRAPPER)), ids=dotted)
def test_a_wrapper_at_the_extremes(tmp_path: Path, place: Place) -> None:
    path = tmp_path / "wrapper.ron"
    path.write_text(json.dumps(WRAPPER))
    for value in VALUES:
        try:
            load_wrapper(path, overrides={dotted(place): value})
        except ScenarioError as error:
            told(error)


@pytest.mark.parametrize(
    ("n", "topology", "words"),
    [
        (9 * 10**18, {"type": "ring", "k": 2}, "at most 200000 nodes"),
        (100_000, {"type": "erdos_renyi", "p": 0.5}, "links; at most"),
        (100_000, {"type": "k_regular", "k": 99_998}, "links; at most"),
        (200_000, {"type": "erdos_renyi", "p": 0.0}, "draws for each of"),
        (1_500, {"type": "small_world", "k": 1_498, "rewire_p": 1.0}, "tries to move its links"),
    ],
)
def test_a_graph_that_is_too_large_is_refused_before_it_is_built(tmp_path: Path, n: int, topology: dict[str, Any], words: str) -> None:
    document = {name: section for name, section in NETWORK.items() if name not in ("regions", "faults")}
    path = tmp_path / "large.json"
    path.write_text(json.dumps({**document, "topology": {"n": n, **topology}}))
    with pytest.raises(ScenarioError, match=words):
        load_scenario(path)


def test_spells_and_held_payloads_have_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text(json.dumps(NETWORK))
    month = str(30 * 24 * 3600 * 1000)
    bursts = {"sim.duration_ms": month, "traffic.tx.phases.1.duration_ms": "2500000000"}
    spells = {"traffic.tx.phases.1.on_duration_ms": "1", "traffic.tx.phases.1.off_duration_ms": "1"}
    with pytest.raises(ScenarioError, match="spells in this phase"):
        load_scenario(path, overrides={**bursts, **spells})
    with pytest.raises(ScenarioError, match="GiB would be in gossip's history"):
        load_scenario(path, overrides={"traffic.tx.payload.max_bytes": "16777216", "traffic.tx.phases.0.lambda_per_sec": "1e6"})


def test_accounts_have_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    path.write_text(json.dumps(CHAIN))
    with pytest.raises(ScenarioError, match="393216 accounts"):
        load_scenario(path, overrides={"chain.lanes_per_wallet": "65536"})


def test_registrations_have_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "chain.json"
    path.write_text(json.dumps({**CHAIN, "topology": {"type": "ring", "n": 128, "k": 2}, "regions": {}, "consensus": {}, "faults": {}}))
    with pytest.raises(ScenarioError, match="8192 registrations of keys with n = 128 before the run begins; at most 4096"):
        load_scenario(path, overrides={"consensus.key_horizon_epochs": "64", "chain.lanes_per_wallet": "4"})
    load_scenario(path, overrides={"consensus.key_horizon_epochs": "32", "chain.lanes_per_wallet": "4"})


@pytest.mark.parametrize(("drifts", "fits"), [((-100_000,) * 5, True), ((-100_000,) * 6, False), ((100_000,) * 6, False)])
def test_overlapping_clocks_go_forwards(tmp_path: Path, drifts: tuple[int, ...], fits: bool) -> None:
    document = copy.deepcopy(CHAIN)
    document["faults"]["nodes"] = [{"kind": "clock_skew", "nodes": [2], "drift_ppm": d, **WINDOW} for d in drifts]
    path = tmp_path / "clocks.json"
    path.write_text(json.dumps(document))
    if fits:
        carried_out(load_scenario(path).scenario)
        return
    with pytest.raises(ScenarioError, match=r"faults\.nodes\.5\.drift_ppm .*drifts by more than 500000 ppm"):
        load_scenario(path)
    apart = [{**f, "start_ms": 100 + 501 * i} for i, f in enumerate(document["faults"]["nodes"])]
    path.write_text(json.dumps({**document, "faults": {"nodes": apart}}))
    load_scenario(path)


def test_a_chain_of_one_is_refused_and_a_network_of_one_runs(tmp_path: Path) -> None:
    document = {name: section for name, section in NETWORK.items() if name not in ("regions", "faults")}
    path = tmp_path / "one.json"
    path.write_text(json.dumps({**document, "topology": {"type": "scale_free", "n": 1}}))
    carried_out(load_scenario(path).scenario)
    with pytest.raises(ScenarioError, match="a chain needs two validators"):
        load_scenario(path, overrides={"chain.enabled": "true"})
