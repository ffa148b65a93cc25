"""Wrappers: keys, limits, defaults, paths, tolerances, and the profile's problems beside the wrapper's."""

import json
from pathlib import Path
from typing import Any

import pytest

from simnet.base.errors import Problem, ScenarioError
from simnet.scenario.load import LoadedScenario
from simnet.scenario.wrapper import Tamper
from simnet.scenario.wrapper_load import LoadedWrapper, load_any, load_wrapper
from tests.runs import DATA, ROOT
from tests.scenario.test_scenario_load import VALID

WRAPPERS = DATA / "wrappers"


def write(folder: Path, content: dict[str, Any] | str, name: str = "case.ron") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return path


def problems(path: Path, **options: Any) -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        load_wrapper(path, **options)
    return caught.value.problems


def test_defaults_are_upstreams(tmp_path: Path) -> None:
    wrapper = load_wrapper(write(tmp_path, {"name": "x", "consensus": {}, "description": None, "resources": None}), strict=True).wrapper
    load = wrapper.consensus
    assert load is not None
    assert (load.runs, load.validators, load.witness_commitments, load.security_bits, load.use_gpu) == (64, 64, 192, 128, False)
    assert load.seed == 8100972349768282162
    assert load.tamper == Tamper(vrf=True, quorum_roots=True, every_n=16)
    assert load.backend == "plonky3"
    given = load_wrapper(write(tmp_path, {"name": "x", "consensus": {"tamper": {}}})).wrapper.consensus
    assert given is not None and given.tamper == Tamper(vrf=False, quorum_roots=False, every_n=8)
    assert (wrapper.duration_secs, wrapper.processes, wrapper.env, wrapper.p2p) == (0, (), {}, None)


def test_process_defaults(tmp_path: Path) -> None:
    content = {"name": "x", "nodes": [{"label": "a", "program": "true"}], "wallets": [{"label": "b", "program": "p", "ready_log": "up"}]}
    first, second = load_wrapper(write(tmp_path, content), strict=True).wrapper.processes
    assert (first.label, first.args, first.env, first.startup_timeout_ms, first.ready_log) == ("a", (), {}, 30_000, None)
    assert not first.is_service and second.is_service


REFUSED = [
    ({"consensus": {"runs": 0}}, "consensus.runs", "consensus.runs must be greater than zero; allowed: ≥ 1"),
    ({"consensus": {"validators": 0}}, "consensus.validators", "must be greater than zero"),
    ({"consensus": {"validators": 129}}, "consensus.validators", "less than or equal to 128"),
    ({"consensus": {"witness_commitments": 0}}, "consensus.witness_commitments", "must be greater than zero"),
    ({"consensus": {"tamper": {"every_n": 0}}}, "consensus.tamper.every_n", "must be greater than zero"),
    ({"consensus": {"backend": "snark"}}, "consensus.backend", "'stwo', 'plonky3' or 'groth16'"),
    ({"consensus": {"seed": -1}}, "consensus.seed", "allowed: ≥ 0, ≤ 18446744073709551615"),
    ({"resources": {"cpus": 0, "memory_gb": 1}}, "resources.cpus", "must be greater than zero"),
    ({"resources": {"cpus": 1}}, "resources.memory_gb", "required, but missing"),
    ({"nodes": [{"label": " ", "program": "p"}]}, "nodes.0.label", "must not be blank"),
    ({"nodes": [{"label": "n", "program": "p", "startup_timeout_ms": 0}]}, "nodes.0.startup_timeout_ms", "process 'n': "),
    ({"nodes": [{"label": "n"}]}, "nodes.0.program", "process 'n': required, but missing"),
    ({"nodes": [{"label": "a b", "program": "p"}], "wallets": [{"label": "a_b", "program": "p"}]}, "wallets.0.label", "same log file"),
    ({"nodes": [{"label": "n", "program": "p", "args": [1]}]}, "nodes.0.args.0", "process 'n': must be a valid string"),
    ({"p2p": {"scenario_path": "none.toml"}}, "p2p.scenario_path", "no such file; tried"),
    ({"p2p": {"scenario_path": "\0"}}, "p2p.scenario_path", "no such file"),
    ({"p2p": {"scenario_path": 5}}, "p2p.scenario_path", "path"),
    ({"duration_secs": -1}, "duration_secs", "greater than or equal to 0"),
    ({"name": 7}, "name", "must be a valid string"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "key", "words"), REFUSED)
def test_a_broken_rule_is_named_at_its_place(tmp_path: Path, part: dict[str, Any], key: str, words: str) -> None:
    found = [p for p in problems(write(tmp_path, {"name": "x", **part})) if p.key == key]
    assert len(found) == 1, "reported once, at its key"
    assert words in found[0].why
    assert found[0].line is not None and found[0].column is not None


def test_the_wrappers_problems_come_with_the_profiles(tmp_path: Path) -> None:
    write(tmp_path, VALID.replace("n = 6", "n = 0").replace("loss = 0.01", "loss = 2"), "p.toml")
    content = {"name": "x", "p2p": {"scenario_path": "p.toml"}, "consensus": {"runs": 0}, "resources": {"cpus": 0, "memory_gb": 0}}
    found = problems(write(tmp_path, content))
    assert [(p.path.name, p.key) for p in found[:3]] == [
        ("case.ron", "consensus.runs"),
        ("case.ron", "resources.cpus"),
        ("case.ron", "resources.memory_gb"),
    ]
    assert {(p.path.name, p.key) for p in found[3:]} >= {("p.toml", "topology.n"), ("p.toml", "links.default.loss")}


LITERALS = {
    "invalid_zero_peers": "topology must include at least one peer",
    "invalid_link_loss": "link 'default' loss must be between 0 and 1 inclusive",
    "invalid_consensus": "consensus.runs must be greater than zero",
}


@pytest.mark.parametrize("stem", LITERALS)
def test_refused_as_the_name_says(stem: str) -> None:
    assert LITERALS[stem] in "\n".join(map(str, problems(WRAPPERS / f"{stem}.ron")))


def test_seed_mode_and_overrides_reach_both_parts(tmp_path: Path) -> None:
    write(tmp_path, VALID, "p.toml")
    path = write(tmp_path, {"name": "x", "p2p": {"scenario_path": "p.toml", "mode": "compare"}, "consensus": {"seed": 1}})
    overrides = {"consensus.runs": "3", "sim.duration_ms": "20000", "profile.consensus.weight_min": "7"}
    loaded = load_wrapper(path, seed=5, overrides=overrides, strict=True)
    assert loaded.wrapper.consensus is not None and loaded.profile is not None
    assert (loaded.wrapper.consensus.seed, loaded.wrapper.consensus.runs) == (5, 3)
    scenario = loaded.profile.scenario
    assert (scenario.sim.seed, scenario.sim.mode, scenario.sim.duration_ms, scenario.consensus.weight_min) == (5, "compare", 20000, 7)
    (problem,) = problems(write(tmp_path, {"name": "x"}), overrides={"sim.seed": "1"})
    assert problem.key == "sim.seed" and "no p2p part" in problem.why


def upstream_layout(folder: Path) -> Path:
    """Upstream's wrapper and profile where its repository has them."""
    write(folder, VALID, "scenarios/flow.toml")
    return write(folder, {"name": "x", "p2p": {"scenario_path": "../../scenarios/flow.toml"}}, "tools/simnet/scenarios/flow.ron")


def test_upstreams_shifted_paths_resolve_with_a_warning(tmp_path: Path) -> None:
    path = upstream_layout(tmp_path)
    loaded = load_wrapper(path)
    assert loaded.profile is not None and loaded.profile.path.resolve() == tmp_path / "scenarios/flow.toml"
    (warning,) = loaded.warnings
    assert warning.key == "p2p.scenario_path" and "not beside the wrapper" in warning.why
    assert problems(path, strict=True) == (warning,)


def test_a_profile_beside_a_moved_wrapper_is_found(tmp_path: Path) -> None:
    write(tmp_path, VALID, "deep/flow.toml")
    path = write(tmp_path, {"name": "x", "p2p": {"scenario_path": "../../scenarios/flow.toml"}}, "deep/flow.ron")
    loaded = load_wrapper(path)
    assert loaded.profile is not None and loaded.profile.path == tmp_path / "deep/flow.toml"


def test_a_wrapper_around_something_else_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "[wallet]\nseed = 1\n", "wallet.toml")
    write(tmp_path, "a = 1\na = 2\n", "twice.toml")
    assert "not a traffic profile" in problems(write(tmp_path, {"name": "x", "p2p": {"scenario_path": "wallet.toml"}}))[0].why
    assert "not valid TOML" in problems(write(tmp_path, {"name": "x", "p2p": {"scenario_path": "twice.toml"}}))[0].why


def test_unknown_keys_and_a_gpu_are_warnings(tmp_path: Path) -> None:
    path = write(tmp_path, {"name": "x", "colour": 1, "consensus": {"use_gpu": True, "run": 2}})
    assert [w.key for w in load_wrapper(path).warnings] == ["colour", "consensus.run", "consensus.use_gpu"]
    assert len(problems(path, strict=True)) == 3


def test_upstreams_own_tests_are_replaced_with_a_warning(tmp_path: Path) -> None:
    args = ["test", "--quiet", "-p", "rpp-proofs", "--", "--nocapture", "cpu_gpu_proving_interop_emits_metrics_and_respects_fallbacks"]
    node = {"label": "n", "program": "cargo", "args": args, "working_dir": "../.."}
    loaded = load_wrapper(write(tmp_path, {"name": "x", "nodes": [node]}))
    (process,) = loaded.wrapper.nodes
    assert (process.program, process.args, process.working_dir) == ("simnet", ("drill", "prover-mix"), None)
    assert "runs instead" in loaded.warnings[0].why
    other = load_wrapper(write(tmp_path, {"name": "x", "nodes": [{**node, "args": ["test", "other"]}]}))
    assert other.wrapper.nodes[0].program == "cargo" and other.warnings == ()


def test_the_content_says_what_a_file_is(tmp_path: Path) -> None:
    assert isinstance(load_any(write(tmp_path, VALID, "a.toml")), LoadedScenario)
    assert isinstance(load_any(write(tmp_path, "name: x\nconsensus:\n  runs: 1\nwallets: []\n", "a.yaml")), LoadedWrapper)
    assert isinstance(load_any(write(tmp_path, {"name": "x"}, "a.json")), LoadedWrapper)
    wrapper = load_any(write(tmp_path, '(name: "x", consensus: Some((runs: 3)), env: { "A": "b" })', "b.ron"))
    assert isinstance(wrapper, LoadedWrapper) and wrapper.wrapper.consensus is not None and wrapper.wrapper.consensus.runs == 3


def test_shipped_wrappers_are_strict() -> None:
    found = sorted((ROOT / "scenarios").glob("*.ron"))
    assert found
    for path in found:
        assert load_wrapper(path, strict=True).wrapper.name


def test_shipped_profiles_have_the_specified_figures() -> None:
    loaded = load_wrapper(ROOT / "scenarios/consensus_quorum_stress.ron").wrapper
    load = loaded.consensus
    assert load is not None and loaded.resources is not None
    assert (load.runs, load.validators, load.witness_commitments, load.seed, load.tamper.every_n) == (120, 96, 256, 1337, 8)
    assert (loaded.resources.cpus, loaded.resources.memory_gb) == (16, 32)
    mixed = load_wrapper(ROOT / "scenarios/mixed_backend_interop.ron").wrapper
    assert mixed.consensus is not None and mixed.p2p is not None
    assert (mixed.consensus.runs, mixed.consensus.validators, mixed.consensus.witness_commitments) == (72, 24, 144)
    assert mixed.env["SIMNET_BACKEND_ATTRIBUTION"] == "plonky3,stark,groth16"
