"""`validate`, `schema`, `new`, `--profile`, `drill`: the commands around scenario files."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simnet.base.errors import SimnetError
from simnet.cli.main import app
from simnet.node.keyring import make_keyrings, static_secrets
from simnet.proofs.native import ed25519_public_key
from simnet.scenario.linkfaults import LINK_FAULTS
from simnet.scenario.load import load_scenario
from simnet.scenario.model import Scenario
from simnet.scenario.profiles import ALIASES, available, find_profile
from simnet.scenario.wrapper import Wrapper
from tests import fakes
from tests.runs import DATA, ROOT


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SIMNET_SEED", "RPP_SIM_STATIC_KEY_SEED", "SIMNET_HEALTH_ADDR", "SIMNET_SUMMARY_DIR"):
        monkeypatch.delenv(name, raising=False)


def simnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_validate_reports_every_file_and_every_problem() -> None:
    bad = DATA / "wrappers/invalid_link_loss.ron"
    result = simnet("validate", str(bad), str(fakes.SCENARIO), str(DATA / "wrappers/invalid_consensus.ron"))
    assert result.exit_code == 2
    assert "link 'default' loss must be between 0 and 1 inclusive" in result.stderr
    assert "consensus.runs must be greater than zero" in result.stderr
    assert f"{fakes.SCENARIO}: ok, a profile" in result.stdout


def test_validate_shows_warnings_and_strict_refuses_them() -> None:
    Path("x.yaml").write_text("name: x\nnodes: []\ncolour: blue\n")
    result = simnet("validate", "x.yaml")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: x.yaml:3:1: colour: unknown key, ignored")
    assert "ok, a wrapper" in result.stdout
    refused = simnet("validate", "--strict", "x.yaml")
    assert refused.exit_code == 2 and "x.yaml:3:1: colour: unknown key;" in refused.stderr and "ignored" not in refused.stderr


def test_validate_points_at_the_place() -> None:
    Path("x.toml").write_text("[sim]\nseed = 1\n\tduration_ms = 0\n[topology]\ntype = 'ring'\nn = 4\nk = 2\ncolour = 1\n[traffic]\n")
    said = simnet("validate", "x.toml").stderr.splitlines()
    at = said.index("  3 |  duration_ms = 0")
    assert said[at - 1].startswith("error: x.toml:3:2: sim.duration_ms = 0: duration must be positive")
    assert said[at + 1] == "    |  ^"
    assert [line.split(":")[0] for line in said if "x.toml" in line] == ["error", "error", "warning"]
    Path("y.json").write_text(json.dumps({"sim": {"seed": -1}, "x": "y" * 500}))
    assert all(len(line) < 200 for line in simnet("validate", "y.json").stderr.splitlines())


def test_threshold_files_get_the_same_messages() -> None:
    Path("s.json").write_text("{}")
    Path("t.toml").write_text("[[threshold]]\nmetric = 'a'\nwhy = 'b'\nmaxx = 1\nmin = 'x'\n")
    result = simnet("analyze", "s.json", "--thresholds", "t.toml")
    assert result.exit_code == 2
    said = result.stderr.splitlines()
    at = said.index("  4 | maxx = 1")
    assert said[at - 1] == "error: t.toml:4:1: threshold.0.maxx: unknown key 'maxx'; did you mean `max`?"
    assert "error: t.toml:5:1: threshold.0.min: min = 'x' is not a number" in result.stderr


def test_a_fault_without_a_link_is_a_warning_and_an_error_with_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    text = DATA.joinpath("tiny.toml").read_text().replace("n = 5\nk = 4", "n = 5\nk = 2")
    fault = '[[faults.links]]\nkind = "one_way"\nduration_ms = 50\nsource = "STWO"\ntarget = "GROTH16"\n'
    Path("x.toml").write_text(f"{text}\n{fault}")
    result = simnet("run", "x.toml", "--out", "o", "--no-analyze")
    assert result.exit_code == 0
    assert "warning: faults.links.0: with seed 11 no link goes from STWO to GROTH16: it does nothing" in result.stderr
    strict = simnet("run", "x.toml", "--out", "p", "--strict")
    assert strict.exit_code == 2 and "it does nothing" in strict.stderr and not Path("p").exists()


def schema(kind: str) -> dict[str, Any]:
    result = simnet("schema", kind)
    assert result.exit_code == 0
    content = json.loads(result.stdout)
    assert isinstance(content, dict)
    return content


def test_the_schema_is_that_of_the_models() -> None:
    profile = schema("profile")
    assert profile["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(profile["properties"]) == set(Scenario.model_fields)
    assert profile["required"] == ["sim", "topology", "traffic"]
    assert profile["$defs"]["Link"]["properties"]["loss"]["maximum"] == 1
    assert profile["$defs"]["Metrics"]["properties"].keys() == {"json", "csv", "output"}
    kinds = profile["$defs"]["Faults"]["properties"]["links"]["items"]["discriminator"]["mapping"]
    assert kinds.keys() == LINK_FAULTS.keys()
    assert {"$ref": "#/$defs/Tx"} in profile["$defs"]["Traffic"]["anyOf"]
    wrapper = schema("wrapper")
    assert set(wrapper["properties"]) == set(Wrapper.model_fields)
    assert wrapper["required"] == ["name"]
    assert simnet("schema", "--out", "deep/s.json").exit_code == 0
    assert json.loads(Path("deep/s.json").read_text()) == profile


def test_the_starter_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert simnet("new", "My first run").exit_code == 0
    loaded = load_scenario("my_first_run.toml", strict=True)
    assert loaded.scenario.name == "my-first-run"
    text = Path("my_first_run.toml").read_text()
    # Lines of configuration, not of prose: a table's head or a key and its value.
    Path("all.toml").write_text(re.sub(r"(?m)^# (\[.*\]|[a-z0-9_A-Z]+ = .*)$", r"\1", text))
    whole = load_scenario("all.toml").scenario
    assert whole.faults.partition and whole.faults.churn and whole.faults.byzantine and whole.faults.links and whole.faults.nodes
    assert whole.backends_of_node[0] == ("plonky3",) and "EDGE" in whole.provers.regions and whole.chain.slot_ms == 6000
    fakes.install(monkeypatch)
    assert simnet("run", "my_first_run.toml", "--quiet", "--no-analyze").exit_code == 0


def test_new_never_overwrites_and_needs_a_name() -> None:
    Path("x.toml").write_text("mine")
    assert simnet("new", "x").exit_code == 2
    assert Path("x.toml").read_text() == "mine"
    assert simnet("new", "---").exit_code == 2
    assert simnet("new", "y", "--in", "sub").exit_code == 0 and Path("sub/y.toml").is_file()


def test_every_alias_and_stem_leads_to_a_file() -> None:
    for name in set(ALIASES) - {"reorg-rpp-stark"}:
        assert find_profile(name).is_file()
    for path in (ROOT / "scenarios").glob("*.ron"):
        for name in (path.stem, path.stem.replace("_", "-"), path.stem.upper()):
            assert find_profile(name) == path or name in ALIASES
    assert find_profile("Quorum_Stress").name == "consensus_quorum_stress.ron"
    assert find_profile("mixed-backend-interop").suffix == ".ron", "a wrapper comes before its profile"


def test_a_working_folder_in_upstreams_layout_comes_first() -> None:
    folder = Path("tools/simnet/scenarios")
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "scenarios/consensus_quorum_stress.ron", folder)
    assert find_profile("quorum-stress") == folder / "consensus_quorum_stress.ron"
    assert available()["prover-acceleration-mix"].is_relative_to(ROOT)


def test_an_unknown_profile_is_named_with_a_near_one() -> None:
    with pytest.raises(SimnetError, match="did you mean `quorum-stress`"):
        find_profile("quorum-stres")
    result = simnet("run", "--profile", "quorum-stres")
    assert result.exit_code == 2 and "no profile 'quorum-stres'" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "a.toml", "--profile", "x"], ["run", "--scenario", "a.toml", "--profile", "x"], ["drill", "x"]]
)
def test_one_scenario_is_wanted(arguments: list[str]) -> None:
    assert simnet(*arguments).exit_code == 2


def test_scenario_option_and_artifacts_dir_are_upstreams_names(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    result = simnet("run", "--scenario", str(fakes.SCENARIO), "--artifacts-dir", "there", "--quiet", "--no-analyze")
    assert result.exit_code == 0
    assert Path("there/run.json").is_file()


@pytest.mark.parametrize("value", ["x", "-1", "1.5", str(2**64)])
def test_a_bad_seed_in_the_environment_is_bad_usage(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SIMNET_SEED", value)
    assert simnet("run", str(fakes.SCENARIO)).exit_code == 2


def test_static_keys_are_recorded_and_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    monkeypatch.setenv("RPP_SIM_STATIC_KEY_SEED", "fixed text")
    assert simnet("run", str(fakes.SCENARIO), "--out", "out", "--quiet", "--no-analyze").exit_code == 0
    assert json.loads(Path("out/run.json").read_text())["static_key_seed"] == "fixed text"
    monkeypatch.delenv("RPP_SIM_STATIC_KEY_SEED")
    assert simnet("rerun", "out").exit_code == 0
    assert json.loads(Path("out-rerun/run.json").read_text())["static_key_seed"] == "fixed text"


def test_options_of_wrappers_are_refused_for_profiles() -> None:
    assert simnet("run", str(fakes.SCENARIO), "--backend", "stwo").exit_code == 2
    assert simnet("run", str(fakes.SCENARIO), "--keep-alive").exit_code == 2
    mix = str(ROOT / "scenarios/prover_acceleration_mix.ron")
    assert "no consensus load" in simnet("run", mix, "--backend", "stwo").stderr


def test_a_wrappers_json_is_one_document() -> None:
    load = str(DATA / "wrappers/deterministic_consensus.ron")
    result = simnet("run", load, "--json", "--out", "o", "--set", "consensus.runs=1")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == json.loads(Path("o/wrapper.json").read_text())


def test_static_keys_are_upstreams() -> None:
    first, second = static_secrets(2, "seed text")
    assert first == hashlib.sha256(b"seed text" + bytes(8)).digest()
    assert second == hashlib.sha256(b"seed text" + bytes([1, 0, 0, 0, 0, 0, 0, 0])).digest()
    keys = [keyring.key for keyring in make_keyrings(3, 1, "seed text")]
    assert keys[:2] == [ed25519_public_key(secret) for secret in (first, second)]
    assert keys == [keyring.key for keyring in make_keyrings(3, 2, "seed text")], "whatever the run's seed"
    assert keys != [keyring.key for keyring in make_keyrings(3, 1)]


def test_a_runs_folder_and_a_folder_of_runs_are_judged_like_their_summaries(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.install(monkeypatch)
    for out in ("all/a", "all/b"):
        assert simnet("run", str(fakes.SCENARIO), "--out", out, "--quiet", "--no-analyze").exit_code == 0
    names = [Path(f"all/{run}/summaries").glob("*.json") for run in "ab"]
    files = [str(path) for found in names for path in found]
    by_file = simnet("analyze", *files)
    assert len(files) == 2 and by_file.stdout.count(files[0]) == 1
    for places in (["all"], ["all/a", "all/b"]):
        by_folder = simnet("analyze", *places)
        assert (by_folder.exit_code, by_folder.stdout) == (by_file.exit_code, by_file.stdout)
    Path("empty").mkdir()
    beside = simnet("analyze", "empty", "all/a")
    assert beside.exit_code == 2 and "neither runs nor summaries" in beside.stderr and files[0] in beside.stdout


def test_the_prover_mix_drill_writes_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMNET_SUMMARY_DIR", "sums")
    result = simnet("drill", "prover-mix")
    assert result.exit_code == 0, result.output
    cpu, gpu = json.loads(Path("sums/cpu_gpu_prover_mix.json").read_text())
    assert cpu["proof_bytes"] > 1000 and cpu["use_gpu_recorded"] is False
    assert gpu["skipped"] is True and gpu["reason"]
    assert simnet("analyze", "sums/cpu_gpu_prover_mix.json").exit_code == 0


def test_a_profile_that_needs_another_proof_system_says_so() -> None:
    for name in ("reorg-rpp-stark", "consensus_reorg_rpp_stark", "Consensus-Reorg-RPP-Stark"):
        with pytest.raises(SimnetError, match="rpp-stark, which this build does not have"):
            find_profile(name)
