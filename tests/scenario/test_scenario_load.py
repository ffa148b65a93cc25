"""Scenario files: what is accepted, what is refused, and in which words."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from simnet.base.errors import Problem, ScenarioError
from simnet.base.units import NodeId
from simnet.net.topology import crossing
from simnet.scenario.load import LoadedScenario, load_scenario
from simnet.scenario.nodefaults import ServiceStop

VALID = """\
[sim]
seed = 7
duration_ms = 10000
[topology]
type = "small_world"
n = 6
k = 4
rewire_p = 0.1
[regions]
assignments = ["A", "A", "A", "B", "B", "B"]
[links]
default = { delay_ms = 10, jitter_ms = 2, loss = 0.01 }
[latency_profile]
trusted = { extra_delay_ms = 3 }
[traffic.tx]
publisher_bias = { type = "zipf", s = 1.1 }
payload = { min_bytes = 64, max_bytes = 128 }
[[traffic.tx.phases]]
model = "poisson"
duration_ms = 4000
lambda_per_sec = 2.0
[[traffic.tx.phases]]
model = "on_off_bursty"
duration_ms = 5000
on_lambda_per_sec = 4
on_duration_ms = 300
off_duration_ms = 200
[faults.partition]
start_ms = 1000
duration_ms = 2000
group_a = "A"
group_b = "B"
[faults.churn]
rate_per_min = 10.0
restart_after_ms = 500
[faults.byzantine]
spam_factor = 2
publishers = [1]
"""
Load = Callable[..., LoadedScenario]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write_and_load(text: str, **options: object) -> LoadedScenario:
        path = tmp_path / "case.toml"
        path.write_text(text)
        return load_scenario(path, **options)  # type: ignore[arg-type]

    return write_and_load


def problems(load: Load, text: str, **options: object) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        load(text, **options)
    return caught.value.problems


def edited(old: str, new: str) -> str:
    assert VALID.count(old) >= 1
    return VALID.replace(old, new, 1)


def test_a_valid_file_loads_without_warnings(load: Load) -> None:
    loaded = load(VALID, strict=True)
    assert loaded.warnings == ()
    assert loaded.scenario.name == "case"
    assert loaded.scenario.faults.churn is not None and loaded.scenario.faults.churn.start_ms == 0
    assert loaded.sha256 == hashlib.sha256(VALID.encode()).hexdigest()


REFUSED = [
    # the specification's table of validation (section 1.9), row by row: row, old, new, key, words
    (1, "duration_ms = 10000", "duration_ms = 0", "sim.duration_ms", "duration must be positive"),
    (3, "min_bytes = 64", "min_bytes = 0", "traffic.tx.payload.min_bytes", "payload bounds"),
    (3, "max_bytes = 128", "max_bytes = 63", "traffic.tx.payload.max_bytes", "payload bounds"),
    (3, "min_bytes = 64, max_bytes = 128", "max_bytes = 23", "traffic.tx.payload.max_bytes", "payload bounds"),
    (4, "duration_ms = 4000", "duration_ms = 0", "traffic.tx.phases.0.duration_ms", "phase 0: duration_ms"),
    (4, "_sec = 2.0", "_sec = 0.0", "traffic.tx.phases.0.lambda_per_sec", "phase 0: lambda_per_sec"),
    (4, "_sec = 2.0", "_sec = nan", "traffic.tx.phases.0.lambda_per_sec", "phase 0: lambda_per_sec"),
    (4, "_sec = 4", "_sec = -4", "traffic.tx.phases.1.on_lambda_per_sec", "phase 1: on_lambda_per_sec"),
    (4, "on_duration_ms = 300", "on_duration_ms = 0", "traffic.tx.phases.1.on_duration_ms", "phase 1: on_duration_ms"),
    (4, "off_duration_ms = 200", "off_duration_ms = 0", "traffic.tx.phases.1.off_duration_ms", "phase 1: off_"),
    (5, "s = 1.1", "s = 0", "traffic.tx.publisher_bias.s", "bias exponent must be positive"),
    (6, "duration_ms = 4000", "duration_ms = 6000", "traffic.tx.phases", "11000 ms in all, longer than"),
    (7, "n = 6", "n = 0", "topology.n", "topology must include at least one peer"),
    (8, "k = 4", "k = 0", "topology.k", "degree must be at least 1"),
    (8, "k = 4", "k = 6", "topology.k", "below n (6)"),
    (9, "rewire_p = 0.1", "rewire_p = 0.1\np = 1.1", "topology.p", "between 0 and 1"),
    (9, "rewire_p = 0.1", "rewire_p = -0.1", "topology.rewire_p", "between 0 and 1"),
    (10, '["A", "A", ', '["A", ', "regions.assignments", "5 entries for 6 nodes"),
    (11, "trusted = { extra_delay_ms = 3 }", "seed = 3", "latency_profile", "at least one class"),
    (12, "k = 4\n", "", "topology.k", "small_world needs `k`"),
    (12, "rewire_p = 0.1\n", "", "topology.rewire_p", "small_world needs `rewire_p`"),
    (12, '"small_world"', '"erdos_renyi"', "topology.p", "erdos_renyi needs `p`"),
    (13, "loss = 0.01", "loss = 1.01", "links.default.loss", "link 'default' loss must be between 0 and 1 inclusive"),
    (13, "loss = 0.01", "loss = nan", "links.default.loss", "link 'default' loss must be between 0 and 1 inclusive"),
    (14, 'assignments = ["A", "A", "A", "B", "B", "B"]', "", "faults.partition", "needs [regions] assignments"),
    (14, 'group_a = "A"', 'group_a = "Q"', "faults.partition.group_a", "there are A, B"),
    (14, 'group_b = "B"', 'group_b = "Q"', "faults.partition.group_b", "there are A, B"),
    (
        14,
        "duration_ms = 2000",
        "duration_ms = 0",
        "faults.partition.duration_ms",
        "partition duration must be positive",
    ),
    (15, "rate_per_min = 10.0", "rate_per_min = 0", "faults.churn.rate_per_min", "churn rate must be positive"),
    (15, "restart_after_ms = 500", "restart_after_ms = 0", "faults.churn.restart_after_ms", "restart time"),
    (
        16,
        "publishers = [1]",
        "publishers = [1, 6]",
        "faults.byzantine.publishers.1",
        "node index 6 must be below n (6)",
    ),
    (16, "spam_factor = 2", "spam_factor = 0", "faults.byzantine.spam_factor", "at least 1"),
    # types, enums, ours
    (0, "seed = 7", "seed = -1", "sim.seed", "greater than or equal to 0"),
    (0, "seed = 7", "seed = 7.0", "sim.seed", "integer"),
    (0, "seed = 7", "seed = true", "sim.seed", "integer"),
    (0, "seed = 7\n", "", "sim.seed", "required, but missing"),
    (0, '"small_world"', '"circle"', "topology.type", "'ring', 'erdos_renyi', 'k_regular', 'small_world' or"),
    (0, 'model = "poisson"', 'model = "fish"', "traffic.tx.phases.0.model", "'poisson', 'on_off_bursty'"),
    (0, '"small_world"\nn = 6\nk = 4', '"k_regular"\nn = 7\nk = 3', "topology.k", "even n * k"),
    (0, "[sim]", "[gossip]\nlasy_peers = 1\n[sim]", "gossip.lasy_peers", "did you mean `lazy_peers`?"),
    (0, "[sim]", "[chain]\nlane_balance = 5\n[sim]", "chain.lane_balance", "cannot pay one transfer"),
    (0, "[sim]", "[consensus]\nvalidator_capacity = 9\n[sim]", "consensus.validator_capacity", "8, 32, 64, 128"),
    (0, "[sim]", "[consensus]\nwitness_capacity = 100\n[sim]", "consensus.witness_capacity", "power of two"),
    (
        0,
        "[sim]",
        "[chain]\nblock_transactions_max = 300\n[sim]",
        "chain.block_transactions_max",
        "at most consensus.witness_capacity (256)",
    ),
    (0, "[sim]", "[chain]\nrequired_tier = 6\n[sim]", "chain.required_tier", "5"),
    (0, "[sim]", '[provers.regions]\nA = ["snark"]\n[sim]', "provers.regions.A.0", "'stwo', 'plonky3' or 'groth16'"),
    (0, "[sim]", "[provers.regions]\nA = []\n[sim]", "provers.regions.A", "at least 1"),
    (0, "[sim]", "[gossip]\nadvertised_windows = 6\n[sim]", "gossip.advertised_windows", "history_windows (5)"),
    (0, "[sim]", '[chain]\nblock_proofs = ["recursive"]\n[sim]', "chain.block_proofs", "recursive needs state"),
    (0, "[sim]", '[chain]\nblock_proofs = ["uptime", "state"]\n[sim]', "chain.block_proofs", "uptime needs identity"),
    (0, "[sim]", '[chain]\nblock_proofs = ["state", "state"]\n[sim]', "chain.block_proofs", "names one twice"),
    (0, "[sim]", '[chain]\nblock_proof_backends = ["stwo", "stwo"]\n[sim]', "chain.block_proof_backends", "names one twice"),
    (0, "[sim]", '[chain]\nblock_proofs = ["blocks"]\n[sim]', "chain.block_proofs.0", "'identity'"),
    (0, "[sim]", "[chain]\npruning_window_blocks = 6\n[sim]", "chain.pruning_window_blocks", "power of two"),
    (0, "[sim]", "[chain]\nheartbeats_min = 30\nheartbeats_per_window = 20\n[sim]", "chain.heartbeats_min", "heartbeats_per_window (20)"),
    (0, "[sim]", "[chain]\nslot_ms = 3\n[sim]", "chain.uptime_window_slots", "no room for 32 heartbeats"),
    (0, "[sim]", "[chain]\nslot_ms = 600000000\n[sim]", "chain.uptime_window_slots", "longer than"),
    (0, "publishers = [1]", 'publishers = [1]\nspam_kinds = ["x"]', "faults.byzantine.spam_kinds.0", "'flipped_bytes'"),
    (0, "[sim]", '[expect]\nbroken = ["agreement"]\naccused = [1, 6]\n[sim]', "expect.accused.1", "node index 6 must be below n (6)"),
    (0, "[sim]", '[metrics]\njson = "a/.."\n[sim]', "metrics.json", "names no file"),
    (0, "[sim]", "[consensus]\nweight_min = 9\nweight_max = 8\n[sim]", "consensus.weight_min", "must not exceed weight_max (8)"),
    (0, "[sim]", "[consensus]\nweight_min = 25\n[sim]", "consensus.weight_min", "must not exceed weight_max (24)"),
    (0, "[sim]", "[chain]\nlane_balance = 1000\n[sim]", "chain.lane_balance", "transfer_amount_max + fee = 1001"),
]


@pytest.mark.parametrize(("row", "old", "new", "key", "words"), REFUSED)
def test_a_broken_rule_is_named(load: Load, row: int, old: str, new: str, key: str, words: str) -> None:
    found = [p for p in problems(load, edited(old, new)) if p.key == key]
    assert len(found) == 1, "reported once, at its key"
    assert words in found[0].why
    assert found[0].line is not None


def test_row_2_no_phases(load: Load) -> None:
    head = VALID[: VALID.index("[[traffic")]
    (problem,) = problems(load, head + "phases = []\n")
    assert "at least one phase" in problem.why
    (problem,) = problems(load, head)
    assert problem.key == "traffic.tx.phases" and "missing" in problem.why


def test_all_problems_come_at_once_in_the_order_of_the_file(load: Load) -> None:
    text = edited("seed = 7", "seed = -7").replace("k = 4", "k = 9").replace('group_b = "B"', 'group_b = "Q"')
    found = problems(load, text.replace("loss = 0.01", "loss = 2"))
    assert [p.key for p in found] == ["sim.seed", "topology.k", "links.default.loss", "faults.partition.group_b"]
    assert [p.line for p in found] == sorted(p.line or 0 for p in found)


def test_a_misspelt_key_stands_beside_the_one_that_is_missing(load: Load) -> None:
    found = problems(load, edited("duration_ms =", "duraton_ms ="))
    assert [(p.key, "did you mean" in p.why) for p in found] == [("sim.duration_ms", False), ("sim.duraton_ms", True)]
    elsewhere = problems(load, edited("duration_ms =", "duraton_ms =") + "\n[unheard_of]\nx = 1\n")
    assert elsewhere == found, "other unknown keys stay warnings"


def test_lines_point_at_the_key(load: Load) -> None:
    (problem,) = problems(load, edited("off_duration_ms = 200", "off_duration_ms = 0"))
    assert problem.line == VALID.splitlines().index("off_duration_ms = 200") + 1
    assert str(problem).startswith(f"{problem.path}:{problem.line}:1: traffic.tx.phases.1.off_duration_ms = 0: ")


def test_flat_traffic_is_the_same(load: Load) -> None:
    flat = VALID.replace("[traffic.tx]", "[traffic]").replace("traffic.tx.phases", "traffic.phases")
    assert load(flat).scenario == load(VALID).scenario
    (problem,) = problems(load, flat.replace("_sec = 2.0", "_sec = 0"))
    assert problem.key == "traffic.phases.0.lambda_per_sec"
    assert problem.line == VALID.splitlines().index("lambda_per_sec = 2.0") + 1


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("seed = 7", "seed = 7\nspeed = 2", "sim.speed", "did you mean `seed`?"),
        ("[sim]", "[nonsense]\nx = 1\n[sim]", "nonsense", "unknown key, ignored"),
        ("[faults.churn]", "[faults.service_stop]\nx = 1\n[faults.churn]", "faults.service_stop", "unknown key"),
        ("lambda_per_sec = 2.0", "lambda_per_sec = 2.0\nrate = 1", "traffic.tx.phases.0.rate", "unknown key"),
        ("s = 1.1 }", "s = 1.1, t = 1 }", "traffic.tx.publisher_bias.t", "unknown key"),
        ("seed = 7", 'seed = 7\nmode = "moon"', "sim.mode", "unknown, run in process"),
        ("k = 4", "k = 5", "topology.k", "2 neighbours on each side"),
        ("[links]", "[links]\n'A-C' = { delay_ms = 1, jitter_ms = 0, loss = 0 }", "links.A-C", "no pair of regions"),
    ],
)
def test_tolerances_warn_and_strict_refuses(load: Load, old: str, new: str, key: str, words: str) -> None:
    (warning,) = load(edited(old, new)).warnings
    assert warning.key == key and words in warning.why and warning.line is not None
    refused = replace(warning, why=warning.why.replace("unknown key, ignored", "unknown key"))
    assert problems(load, edited(old, new), strict=True) == (refused,)


def test_known_modes_in_any_case_are_silent(load: Load) -> None:
    assert load(edited("seed = 7", 'seed = 7\nmode = "Multi-Process"')).warnings == ()


def test_without_sim_the_top_level_duration_counts(load: Load) -> None:
    text = edited("[sim]\nseed = 7\n", "")
    loaded = load(text)
    assert loaded.seed == 0x53494D4E4554
    assert "no [sim] section" in loaded.warnings[0].why
    assert load(text, seed=5).seed == 5
    assert problems(load, text, strict=True)


def test_seed_and_overrides_win(load: Load) -> None:
    overrides = {"sim.duration_ms": "20000", "traffic.tx.phases.0.lambda_per_sec": "9.5", "links.intra.delay_ms": "1"}
    more = {"links.intra.jitter_ms": "0", "links.intra.loss": "0.5", "gossip.lazy_peers": "3"}
    loaded = load(VALID, seed=99, overrides={**overrides, **more})
    assert loaded.seed == 99
    assert loaded.scenario.sim.duration_ms == 20000
    assert loaded.scenario.traffic.tx.phases[0].lambda_per_sec == 9.5  # type: ignore[union-attr]
    assert loaded.scenario.links["intra"].loss == 0.5
    assert loaded.sha256 == load(VALID).sha256


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sim.duration_ms", "fast", "not a TOML value"),
        ("sim.duration_ms", "1\nseed = 2", "more than one value"),
        ("sim duration", "1", "not a dotted key"),
        ("sim.seed.x", "1", "`sim.seed` is not a table"),
        ("traffic.tx.phases.7.name", '"x"', "no position in a list of 2"),
        ("sim.duration_ms", "0", "duration must be positive"),
        ("topology.n", "9" * 5000, "a number with too many digits"),
        ("topology.n", "[" * 5000, "nested too deeply"),
        (".".join("a" * 80), "1", "nested too deeply"),
        ("gossip.beat", "1", "unknown key"),
    ],
)
def test_a_bad_override_is_a_problem_without_a_line(load: Load, key: str, value: str, words: str) -> None:
    found = [p for p in problems(load, VALID, overrides={key: value}) if words in p.why]
    assert len(found) == 1
    assert found[0].line is None and "set on the command line" in found[0].why


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sim.duration_ms", 10**11, "less than or equal to 2592000000"),
        ("traffic.tx.phases.0.duration_ms", 10**11, "phase 0: duration_ms must be less than or equal to 2592000000"),
        ("traffic.tx.phases.0.lambda_per_sec", 2e6, "phase 0: lambda_per_sec must be less than or equal to 1000000"),
        ("traffic.tx.publisher_bias.s", 2e6, "less than or equal to 1000000"),
        ("traffic.tx.publisher_bias.s", "inf", "must be a finite number"),
        ("faults.churn.rate_per_min", 2e6, "less than or equal to 1000000"),
        ("faults.churn.rate_per_min", "inf", "must be a finite number"),
        ("faults.partition.duration_ms", 10**11, "less than or equal to 2592000000"),
    ],
)
def test_what_is_too_large_is_not_told_to_be_positive(load: Load, key: str, value: object, words: str) -> None:
    (found,) = [p for p in problems(load, VALID, overrides={key: str(value)}) if p.key == key and "allowed" in p.why]
    assert words in found.why and "positive" not in found.why


def test_files_that_are_no_scenarios(tmp_path: Path) -> None:
    def refusal(path: Path) -> Problem:
        with pytest.raises(ScenarioError) as caught:
            load_scenario(path)
        (problem,) = caught.value.problems
        return problem

    bad = tmp_path / "bad.toml"
    assert refusal(tmp_path / "none.toml").why == "no such file"
    assert "directory" in refusal(tmp_path).why
    bad.write_bytes(b"a = 1\nb = '\xff'\n")
    assert refusal(bad).why == "not UTF-8 text" and refusal(bad).line == 2
    bad.write_text("a = 1\na = 2\n")
    assert "not valid TOML" in refusal(bad).why and refusal(bad).line == 2
    bad.write_text("x = " + "9" * 5000)
    assert "not valid TOML" in refusal(bad).why
    bad.write_text("x = " + "[" * 100_000)
    assert "nested too deeply" in refusal(bad).why


def test_validator_capacity_is_the_smallest_that_fits(load: Load) -> None:
    assert load(VALID).scenario.validator_capacity == 8
    assert load(VALID, overrides={"consensus.validator_capacity": "64"}).scenario.validator_capacity == 64
    text = VALID.replace("n = 6", "n = 129").replace('assignments = ["A", "A", "A", "B", "B", "B"]\n', "")
    text = text[: text.index("[faults.partition]")]
    assert "at most 128" in problems(load, text)[0].why
    assert load(text.replace("n = 129", "n = 33")).scenario.validator_capacity == 64


def test_a_validator_capacity_holds_all_nodes_of_a_chain(load: Load) -> None:
    bare = VALID[: VALID.index("[faults.partition]")].replace('assignments = ["A", "A", "A", "B", "B", "B"]\n', "")
    (problem,) = problems(load, bare.replace("n = 6", "n = 9"), overrides={"consensus.validator_capacity": "8"})
    assert "does not hold n (9) validators" in problem.why
    without = {"chain.enabled": "false", "chain.lanes_per_wallet": "65536", "consensus.key_horizon_epochs": "64"}
    load(bare.replace("n = 6", "n = 129"), overrides=without)


def test_without_regions_every_node_is_in_the_default_one(load: Load) -> None:
    bare = VALID[: VALID.index("[faults.partition]")].replace('assignments = ["A", "A", "A", "B", "B", "B"]\n', "")
    rule = '[[faults.links]]\nkind = "one_way"\nsource = "{}"\nstart_ms = 5\nduration_ms = 50\n'
    load(bare + rule.format("default"), strict=True)
    (problem,) = problems(load, bare + rule.format("A"))
    assert "no node is in this region; there are default" in problem.why


@pytest.mark.parametrize(("start_ms", "fits"), [(600, False), (601, True)])
def test_drifts_that_touch_overlap_for_an_instant(load: Load, start_ms: int, fits: bool) -> None:
    """Six of a tenth each are too much at a time."""
    fault = '[[faults.nodes]]\nkind = "clock_skew"\nnodes = [1]\ndrift_ppm = 100000\nstart_ms = {}\nduration_ms = 500\n'
    text = VALID + "".join(fault.format(ms) for ms in (100, 100, 100, 100, 100, start_ms))
    if fits:
        load(text, strict=True)
    else:
        assert [p.key for p in problems(load, text)] == ["faults.nodes.5.drift_ppm"]


def test_region_names_choose_backends(load: Load) -> None:
    text = VALID.replace('["A", "A", "A", "B", "B", "B"]', '["STWO", "PLONKY3", "GROTH16", "MIXED", "A", "B"]')
    text = text.replace('"A"\ngroup_b = "B"', '"STWO"\ngroup_b = "B"') + '[provers.regions]\nB = ["groth16"]\n'
    every = ("stwo", "plonky3", "groth16")
    assert load(text).scenario.backends_of_node == (("stwo",), ("plonky3",), ("groth16",), every, every, ("groth16",))


def test_link_lookup_order(load: Load) -> None:
    def labelled(*labels: str) -> LoadedScenario:
        rows = [f'"{label}" = {{ delay_ms = {i + 1}, jitter_ms = 0, loss = 0 }}\n' for i, label in enumerate(labels)]
        return load(VALID.replace("default = { delay_ms = 10, jitter_ms = 2, loss = 0.01 }\n", "".join(rows)))

    assert labelled("A-A", "intra", "default").scenario.link("A", "A").delay_ms == 1
    assert labelled("A-A", "intra", "default").scenario.link("B", "B").delay_ms == 2
    assert labelled("intra", "default").scenario.link("A", "B").delay_ms == 2, "intra is never used between regions"
    assert labelled("B-A", "default").scenario.link("A", "B").delay_ms == 1
    assert labelled("B-A", "A-B").scenario.link("A", "B").delay_ms == 2, "the edge's own order wins"
    assert labelled("A-A").scenario.link("A", "B").delay_ms == 0, "a default of zeros is always there"


def test_shipped_scenarios_load_strictly() -> None:
    main = load_scenario("scenarios/mixed_backend_interop.toml", strict=True).scenario
    assert main.name == "mixed-backend-interop"
    assert (main.sim.seed, main.sim.duration_ms, main.topology.n, main.topology.k) == (7771, 72000, 24, 6)
    assert main.link("STWO", "GROTH16").delay_ms == 44
    assert main.metrics.summary_json == Path("target/simnet/mixed-backend-interop/summaries/mixed_backend_interop.json")
    for tiny in ("tiny", "tiny_faults"):
        assert load_scenario(f"tests/scenarios/data/{tiny}.toml", strict=True).scenario.topology.n < 8


def test_block_proofs_limit_a_block_unless_they_are_off(load: Load) -> None:
    large = "[consensus]\nwitness_capacity = 1024\n[chain]\nblock_transactions_max = 600\n"
    (problem,) = problems(load, edited("[sim]", large + "[sim]"))
    assert problem.key == "chain.block_transactions_max"
    assert "at most 512 with block proofs" in problem.why
    assert load(edited("[sim]", large + "block_proofs = []\n[sim]")).scenario.block_proof_backends == ()


STOP = '\n[faults.service_stop]\nservice = "verifier"\nnodes = [1, 2]\nstart_ms = 5\nduration_ms = 10\n'


def test_a_service_stop_table_of_unknown_layout_is_a_warning(load: Load) -> None:
    loaded = load(VALID + '\n[faults.service_stop]\ntarget = "verifier"\nduration_ms = "10s"\n')
    assert [w.key for w in loaded.warnings] == ["faults.service_stop"]
    assert loaded.scenario.faults.nodes == ()


def test_a_service_stop_table_with_our_keys_is_a_fault(load: Load) -> None:
    own = '\n[[faults.nodes]]\nkind = "pause"\nnode = 1\nduration_ms = 5\n'
    for text in (VALID + STOP, VALID + own + STOP):
        loaded = load(text, strict=True)
        fault = loaded.scenario.faults.nodes[-1]
        assert isinstance(fault, ServiceStop)
        assert (fault.service, fault.nodes, fault.start_ms, fault.duration_ms) == ("verifier", (1, 2), 5, 10)
    assert [f.kind for f in loaded.scenario.faults.nodes] == ["pause", "service_stop"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"verifier"', '"oracle"', "faults.service_stop.service"),
        ("[1, 2]", "[1, 200]", "faults.service_stop.nodes.1"),
        ("start_ms", "begin_ms", "faults.service_stop.begin_ms"),
        ("duration_ms = 10\n", "", "faults.service_stop.duration_ms"),
    ],
)
def test_its_mistakes_are_named_where_they_stand(load: Load, old: str, new: str, key: str) -> None:
    found = problems(load, VALID + STOP.replace(old, new))
    assert [p.key for p in found] == [key]
    lines = (VALID + STOP.replace(old, new)).splitlines()
    assert found[0].line is not None and found[0].line > lines.index("[faults.service_stop]")


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("start_ms = 1000", "start_ms = 11500", "faults.partition.start_ms", "begins at or after the run's end (11500 ms)"),
        ("start_ms = 1000", "start_ms = 9501", "faults.partition.duration_ms", "ends at 11501 ms, after the run's end (11500 ms): no end"),
        ("start_ms = 1000", "start_ms = 9500", "faults.partition.duration_ms", "ends at 11500 ms, with the run: no end of it is recorded"),
        ("rate_per_min = 10.0", "rate_per_min = 0.001", "faults.churn.rate_per_min", "it does nothing"),
        ("rate_per_min = 10.0", "start_ms = 20000\nrate_per_min = 10.0", "faults.churn.start_ms", "begins at or after"),
        ("spam_factor = 2", "spam_factor = 1", "faults.byzantine.spam_factor", "no extra copies"),
        ("publishers = [1]", "publishers = []", "faults.byzantine.publishers", "names nobody"),
        ("spam_factor = 2", "start_ms = 10000\nspam_factor = 2", "faults.byzantine.start_ms", "begins at or after"),
        ("[sim]", '[provers.regions]\nZ = ["stwo"]\n[sim]', "provers.regions.Z", "no node is in this region; there are A, B"),
        ("[sim]", "[provers.cpu_factor_by_region]\nZ = 2.0\n[sim]", "provers.cpu_factor_by_region.Z", "no node is in this region"),
        (
            "[sim]",
            "[consensus]\nproof_takeover_slots = 3\n[sim]",
            "consensus.proof_takeover_slots",
            "a block may take 10 slots to be proven",
        ),
        ("[sim]", "[consensus]\nproven_within_slots = 7\n[sim]", "consensus.proven_within_slots", "a block may take 8 slots"),
        (
            "[sim]",
            "[gossip]\nduplicate_cache_ms = 1\n[sim]",
            "gossip.duplicate_cache_ms",
            "what is forgotten before is fetched again and again",
        ),
        ("rate_per_min = 10.0", "start_ms = 2000\nrate_per_min = 6.0", "faults.churn.rate_per_min", "it does nothing"),
        (
            "[sim]",
            "[consensus]\nclock_precision_ms = 1001\n[chain]\nslot_ms = 6000\n[sim]",
            "consensus.clock_precision_ms",
            "more than a sixth of a slot (1000)",
        ),
        ("[sim]", "[gossip]\nduplicate_cache_ms = 3499\n[sim]", "gossip.duplicate_cache_ms", "messages are offered for 3500 ms"),
        ("[sim]", "[chain]\nslot_ms = 29\n[sim]", "chain.slot_ms", "has a third of it (9 ms), and needs about 1 hop of 10 ms or more"),
    ],
)
def test_what_does_nothing_is_a_warning(load: Load, old: str, new: str, key: str, words: str) -> None:
    (warning,) = load(edited(old, new)).warnings
    assert warning.key == key and words in warning.why and warning.line is not None
    refused = replace(warning, why=warning.why.replace("unknown key, ignored", "unknown key"))
    assert problems(load, edited(old, new), strict=True) == (refused,)


@pytest.mark.parametrize(
    "sections",
    [
        "[consensus]\nclock_precision_ms = 1000\n[chain]\nslot_ms = 6000\n",
        "[gossip]\nduplicate_cache_ms = 3500\n",
        "[chain]\nlane_balance = 1001\n",
        "[consensus]\nweight_min = 24\n",
        "[chain]\nenabled = false\nslot_ms = 29\n",
    ],
)
def test_what_just_fits_is_silent(load: Load, sections: str) -> None:
    load(edited("[sim]", sections + "[sim]"), strict=True)


IDLE_FAULTS = [
    ("links", {"kind": "duplicate", "probability": 0.0}, "probability"),
    ("links", {"kind": "corrupt", "probability": 0}, "probability"),
    ("links", {"kind": "reorder", "probability": 1.0, "delay_ms": 0}, "delay_ms"),
    ("links", {"kind": "flapping", "up_ms": 50, "down_ms": 1}, "up_ms"),
    ("links", {"kind": "one_way", "start_ms": 99_000}, "start_ms"),
    ("nodes", {"kind": "clock_skew", "nodes": [1]}, ""),
    ("nodes", {"kind": "crash", "node": 1, "start_ms": 11_500}, "start_ms"),
    ("nodes", {"kind": "pause", "node": 1, "start_ms": 11_499}, "duration_ms"),
]


@pytest.mark.parametrize(("group", "fault", "key"), IDLE_FAULTS)
def test_a_fault_that_cannot_act_is_a_warning(load: Load, group: str, fault: dict[str, object], key: str) -> None:
    rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in {"duration_ms": 50, **fault}.items())
    (warning,) = load(f"{VALID}\n[[faults.{group}]]\n{rows}").warnings
    assert warning.key == f"faults.{group}.0.{key}".rstrip(".")


def test_a_fault_that_ends_a_moment_before_the_run_is_inside_it(load: Load) -> None:
    load(edited("start_ms = 1000", "start_ms = 9499"), strict=True)


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("sim.sede", "did you mean `seed`?"),
        ("sim.deep.er", "unknown key; known here:"),
        ("topologie.n", "did you mean `topology`?"),
        ("gossip.lasy_peers", "did you mean `lazy_peers`?"),
        ("faults.churn.rate_per_mn", "did you mean `rate_per_min`?"),
        ("provers.cpu_factor_by_region.Q", "there are A, B"),
    ],
)
def test_a_misspelt_override_is_an_error(load: Load, key: str, near: str) -> None:
    (problem,) = problems(load, VALID, overrides={key: "1.0"})
    assert near in problem.why and "set on the command line" in problem.why and "ignored" not in problem.why


def test_warnings_come_with_the_errors(load: Load, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(edited("seed = 7", "seed = 7\nspeed = 1\nmode = 'moon'").replace("n = 6", "n = 0"))
    assert next(p.key for p in caught.value.problems) == "topology.n"
    assert [p.key for p in caught.value.warnings] == ["sim.speed", "sim.mode"]


def with_groups(a: str, b: str) -> str:
    return VALID.replace('group_a = "A"', f"group_a = {a}").replace('group_b = "B"', f"group_b = {b}")


def test_partition_groups_may_be_lists_of_regions_and_nodes(load: Load) -> None:
    partition = load(with_groups('["A", 3]', "[4, 5]"), strict=True).scenario.faults.partition
    assert partition is not None and partition.names() == ("A,#3", "#4,#5")
    edges = [(NodeId(a), NodeId(b)) for a, b in ((0, 1), (0, 3), (0, 4), (3, 5), (4, 5))]
    regions = ("A", "A", "A", "B", "B", "B")
    assert crossing(edges, regions, partition.group_a, partition.group_b) == ((0, 4), (3, 5))
    assert crossing(edges, regions, "A", "B") == ((0, 3), (0, 4))


def test_a_region_may_be_cut_off_from_itself(load: Load) -> None:
    """As upstream reads it: then its own links are cut. Of listed nodes none may stand on both sides."""
    load(with_groups('"A"', '"A"'), strict=True)


@pytest.mark.parametrize(
    ("a", "b", "key", "words"),
    [
        ('["A", "Q"]', '"B"', "faults.partition.group_a.1", "there are A, B"),
        ('"A"', "[6]", "faults.partition.group_b.0", "node index 6 must be below n (6)"),
        ('["A", 3]', '"B"', "faults.partition.group_b", "node 3 is in both groups"),
        ("[]", '"B"', "faults.partition.group_a", "at least 1"),
        ("7", '"B"', "faults.partition.group_a", "must be"),
        ("[true]", '"B"', "faults.partition.group_a.0", "must be"),
        ("[[]]", '"B"', "faults.partition.group_a.0", "must be"),
        ('"A"', "[{}]", "faults.partition.group_b.0", "must be"),
    ],
)
def test_bad_partition_groups_are_named(load: Load, a: str, b: str, key: str, words: str) -> None:
    found = [p for p in problems(load, with_groups(a, b)) if words in p.why]
    assert key in {p.key for p in found}


def test_provers_of_single_nodes_and_of_a_list(load: Load) -> None:
    one = '[provers.nodes]\n2 = ["groth16"]\n[sim]'
    assert load(edited("[sim]", one), strict=True).scenario.backends_of_node[2] == ("groth16",)
    listed = '[provers]\nassignments = [["stwo"], ["plonky3"], ["stwo"], ["stwo"], ["stwo"], ["stwo", "plonky3"]]\n'
    found = load(edited("[sim]", listed + one), strict=True).scenario.backends_of_node
    assert found == (("stwo",), ("plonky3",), ("groth16",), ("stwo",), ("stwo",), ("stwo", "plonky3"))
    (problem,) = problems(load, edited("[sim]", '[provers]\nassignments = [["stwo"]]\n[sim]'))
    assert problem.key == "provers.assignments" and "1 entries for 6 nodes" in problem.why
    for index in ("6", "02", "x", "-1"):
        (problem,) = problems(load, edited("[sim]", f'[provers.nodes]\n"{index}" = ["stwo"]\n[sim]'))
        assert "there are 0 to 5" in problem.why


@pytest.mark.parametrize(
    ("topology", "n", "hops"),
    [
        ('type = "ring"\nk = 2', 20, 10),
        ('type = "ring"\nk = 4', 20, 5),
        ('type = "k_regular"\nk = 4', 64, 3),
        ('type = "erdos_renyi"\np = 1.0', 20, 1),
        ('type = "scale_free"\nk = 2', 64, 3),
    ],
)
def test_a_slot_in_which_no_proposal_can_reach_everybody_is_a_warning(load: Load, topology: str, n: int, hops: int) -> None:
    def text(slot_ms: int) -> str:
        parts = edited('type = "small_world"\nn = 6\nk = 4\nrewire_p = 0.1', f"{topology}\nn = {n}")
        regions = ", ".join(['"A"', *['"B"'] * (n - 1)])
        parts = parts.replace('"A", "A", "A", "B", "B", "B"', regions)
        return parts.replace("delay_ms = 10,", "delay_ms = 200,") + f"\n[chain]\nslot_ms = {slot_ms}\n"

    (warning,) = load(text(3 * 200 * hops - 1)).warnings
    assert warning.key == "chain.slot_ms" and f"about {hops} hop" in warning.why
    assert load(text(3 * 200 * hops)).warnings == ()
