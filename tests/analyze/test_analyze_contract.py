"""`simnet analyze` says of every summary what the independent reading of upstream's contract says of it."""

import json
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from simnet.analyze.analysis import LOAD_RULES, NETWORK_RULES, analyze_file
from simnet.analyze.compare import compare, every_number
from simnet.analyze.partition_report import partition_report
from simnet.analyze.report import FORMATS, Analysis
from simnet.analyze.sides import load_side
from simnet.analyze.thresholds import load_thresholds
from simnet.base.errors import SimnetError
from simnet.base.reading import json_object
from simnet.cli.main import app
from tests import upstream_contract as contract

DELAY = {"p50_ms": 100.0, "p95_ms": 500.0}
PEERS = [{"peer_id": f"peer-{i}", "peer_class": "trusted", "bytes_in": 4000, "bytes_out": 4000} for i in range(5)]
MINIMAL: dict[str, Any] = {
    "propagation": DELAY,
    "propagation_by_peer_class": {"trusted": DELAY, "untrusted": DELAY},
    "propagation_probes": {"block": DELAY, "transaction": DELAY, "backend": None},
    "replay_guard": {
        "drops_by_class": {"trusted": 120, "untrusted": 160},
        "window_fill_ratio_by_class": {"trusted": 0.85, "untrusted": 0.85},
    },
    "resource_usage": {"cpu_time_secs": 3.2, "wall_time_secs": 1.0, "avg_cpu_percent": 320.0, "max_rss_bytes": 3500 * 2**20},
}
"""The least that upstream's analyzer accepts, with every figure at its limit."""
FULL: dict[str, Any] = {
    **MINIMAL,
    "faults": [{"kind": kind, "detail": "A-B", "timestamp_ms": 1.0} for kind in ("partition_start", "partition_end")],
    "recovery": {"resume_latencies_ms": [5000.0], "max_resume_latency_ms": 5000.0, "mean_resume_latency_ms": 5000.0},
    "bandwidth": {"throttled_peers": 1, "slow_peer_events": 1},
    "gossip_backpressure": {"events": 1, "unique_peers": 1, "queue_full_messages": 1, "publish_failures": 0, "forward_failures": 1},
    "peer_traffic": PEERS,
    "backend": "inprocess",
}
FIGURES = {"min": 1.0, "p50": 1.0, "p90": 1.0, "p95": 3200.0, "p99": 1.0, "max": 1.0, "mean": 1.0}
TAMPER = {"attempts": 1, "rejected": 1, "unexpected_accepts": 0}
LOAD: dict[str, Any] = {
    "kind": "consensus-load",
    "prove_ms": {**FIGURES, "p95": 5500.0},
    "verify_ms": FIGURES,
    "proof_bytes": FIGURES,
    "failures": ["run 3: prover gave up"],
    "tamper_vrf": TAMPER,
    "tamper_quorum": None,
}
Change = Callable[[dict[str, Any]], object]


def fresh(summary: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that shares nothing, not even within itself."""
    copy: dict[str, Any] = json.loads(json.dumps(summary))
    return copy


def with_(path: str, value: object) -> Change:
    """Puts `value` at a dotted path; None takes the place away."""

    def change(summary: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for name in parents:
            summary = summary[name]
        if value is None:
            del summary[last]
        else:
            summary[last] = value

    return change


BROKEN: dict[str, tuple[Mapping[str, Any], Change, str]] = {
    "overall above": (MINIMAL, with_("propagation.p95_ms", 500.001), "propagation p95"),
    "no block": (MINIMAL, with_("propagation", None), "propagation p95"),
    "null": (MINIMAL, lambda s: s["propagation"].update(p95_ms=None), "propagation p95"),
    "trusted above": (MINIMAL, with_("propagation_by_peer_class.trusted.p95_ms", 501), "trusted p95"),
    "no untrusted": (MINIMAL, with_("propagation_by_peer_class.untrusted", None), "untrusted p95"),
    "block probe": (MINIMAL, with_("propagation_probes.block.p95_ms", 500.5), "block probe p95"),
    "no transaction probe": (MINIMAL, with_("propagation_probes.transaction", None), "transaction probe p95"),
    "trusted drops": (MINIMAL, with_("replay_guard.drops_by_class.trusted", 121), "replay drops trusted"),
    "untrusted drops": (MINIMAL, with_("replay_guard.drops_by_class.untrusted", 161), "replay drops untrusted"),
    "fill": (MINIMAL, with_("replay_guard.window_fill_ratio_by_class.untrusted", 0.851), "replay fill untrusted"),
    "cpu": (MINIMAL, with_("resource_usage.avg_cpu_percent", 320.1), "cpu"),
    "memory": (MINIMAL, with_("resource_usage.max_rss_bytes", 3500 * 2**20 + 1), "memory"),
    "no memory": (MINIMAL, with_("resource_usage.max_rss_bytes", None), "memory"),
    "endless partition": (FULL, lambda s: s["faults"].pop(), "partition without end"),
    "no recovery": (FULL, with_("recovery", None), "no resume latency"),
    "empty recovery": (FULL, with_("recovery", {"resume_latencies_ms": []}), "no resume latency"),
    "slow recovery": (FULL, with_("recovery.max_resume_latency_ms", 5000.1), "resume latency"),
    "no throttled": (FULL, with_("bandwidth.throttled_peers", 0), "bandwidth throttled_peers is 0"),
    "no slow event": (FULL, with_("bandwidth.slow_peer_events", 0), "bandwidth slow_peer_events is 0"),
    "no pressure": (FULL, with_("gossip_backpressure.events", 0), "gossip_backpressure events is 0"),
    "no pressed peer": (FULL, with_("gossip_backpressure.unique_peers", 0), "gossip_backpressure unique_peers is 0"),
    "no full queue": (FULL, with_("gossip_backpressure.queue_full_messages", 0), "gossip_backpressure queue_full_messages is 0"),
    "slow prover": (LOAD, with_("prove_ms.p95", 5500.1), "prove_ms p95"),
    "slow verifier": (LOAD, with_("verify_ms.p95", 3200.1), "verify_ms p95"),
    "accepted vrf": (LOAD, with_("tamper_vrf.unexpected_accepts", 1), "tamper_vrf unexpected"),
    "accepted quorum": (LOAD, with_("tamper_quorum", {**TAMPER, "unexpected_accepts": 1}), "tamper_quorum unexpected"),
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(summary: Mapping[str, Any], name: str = "some_run") -> Path:
    path = Path("out/summaries", f"{name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary))
    return path


def analyze(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["analyze", *map(str, arguments)], catch_exceptions=False)


def errors(result: Result) -> list[str]:
    return [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]


@pytest.mark.parametrize("summary", [MINIMAL, FULL, LOAD], ids=["minimal", "full", "load"])
def test_figures_at_their_limits_hold(summary: dict[str, Any]) -> None:
    path = write(summary, "chaos_of_partitioned_floods")
    if summary is MINIMAL:
        path = write(summary)
    assert contract.failures(summary, path.stem) == []
    result = analyze(path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith("\n\n"), "a blank line after each"


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_rule_is_one_error(name: str) -> None:
    base, change, expected = BROKEN[name]
    summary = fresh(base)
    change(summary)
    assert contract.failures(summary, "some_run") == [expected]
    result = analyze(write(summary))
    assert result.exit_code == 1
    assert len(errors(result)) == 1, result.stderr
    if base is not LOAD:
        alert = json.loads(Path("out/summaries/propagation_alert.json").read_text())
        assert (alert["status"] == "firing") == expected.endswith(" p95")


def test_missing_blocks_are_as_many_errors_as_upstream_reports() -> None:
    summary: dict[str, Any] = {"total_publishes": 0}
    found = contract.failures(summary, "some_run")
    assert len(errors(analyze(write(summary)))) == len(found) == 9


PEER_CASES = {
    "none": [],
    "one talks": [*PEERS[:4], {**PEERS[4], "bytes_out": 16_001}],
    "one is silent": [*PEERS[:4], {**PEERS[4], "bytes_in": 999}],
    "one hardly listens": [
        *({**p, "bytes_in": 9000, "bytes_out": 9000} for p in PEERS[:4]),
        {**PEERS[4], "bytes_in": 2249, "bytes_out": 9000},
    ],
    "median of two": [{**PEERS[0], "bytes_in": 2000, "bytes_out": 1024}, {**PEERS[1], "bytes_in": 7000, "bytes_out": 1024}],
    "nothing sent": [{**p, "bytes_out": 0} for p in PEERS],
}


@pytest.mark.parametrize("case", PEER_CASES)
@pytest.mark.parametrize("stem", ["Partitioned_Flood", "snapshot_partition", "my_CHAOS_2", "quiet"])
def test_bytes_of_peers_are_compared_for_some_stems(case: str, stem: str) -> None:
    summary = {**MINIMAL, "peer_traffic": PEER_CASES[case]}
    found = contract.failures(summary, stem)
    assert bool(found) == (stem != "quiet" and case != "median of two")
    result = analyze(write(summary, stem))
    assert (result.exit_code, len(errors(result))) == (int(bool(found)), len(found)), result.stderr


OPTIONS = {
    "max-propagation-p95": ("propagation.p95_ms", 600.0),
    "max-propagation-p95-trusted": ("propagation_by_peer_class.trusted.p95_ms", 600.0),
    "max-propagation-p95-untrusted": ("propagation_by_peer_class.untrusted.p95_ms", 600.0),
    "max-probe-p95": ("propagation_probes.block.p95_ms", 600.0),
    "max-resume-latency": ("recovery.max_resume_latency_ms", 5001.0),
    "max-replay-drops-trusted": ("replay_guard.drops_by_class.trusted", 121),
    "max-replay-drops-untrusted": ("replay_guard.drops_by_class.untrusted", 161),
    "max-replay-window-fill": ("replay_guard.window_fill_ratio_by_class.trusted", 0.9),
    "max-cpu-percent": ("resource_usage.avg_cpu_percent", 321.0),
    "max-memory-mib": ("resource_usage.max_rss_bytes", 3501 * 2**20),
    "max-consensus-prove-p95": ("prove_ms.p95", 5501.0),
    "max-consensus-verify-p95": ("verify_ms.p95", 3201.0),
    "max-consensus-unexpected": ("tamper_vrf.unexpected_accepts", 1),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_takes_the_place_of_the_rules_limit(option: str) -> None:
    metric, value = OPTIONS[option]
    summary = fresh(LOAD if "consensus" in option else FULL)
    with_(metric, value)(summary)
    path = write(summary)
    assert analyze(path).exit_code == 1
    limit = 3501 if option == "max-memory-mib" else value
    assert analyze(path, f"--{option}", limit).exit_code == 0, "not above the limit"


def test_the_options_of_peer_bytes() -> None:
    path = write({**MINIMAL, "peer_traffic": PEER_CASES["one talks"]}, "flood")
    assert analyze(path).exit_code == 1
    assert analyze(path, "--peer-bytes-multiplier", "4.1").exit_code == 0
    path = write({**MINIMAL, "peer_traffic": PEERS}, "flood")
    assert analyze(path, "--min-peer-bytes", "4000").exit_code == 0
    assert analyze(path, "--min-peer-bytes", "4001").exit_code == 1


def test_every_option_of_a_rule_is_one_of_the_command() -> None:
    named = {rule.option for path in (NETWORK_RULES, LOAD_RULES) for rule in load_thresholds(path).thresholds}
    command: Any = typer.main.get_command(app)
    offered = {
        word.removeprefix("--") for p in command.commands["analyze"].params for word in p.opts if word.startswith(("--max-", "--min-"))
    }
    assert named == offered - {"min-peer-bytes"} == set(OPTIONS)


def test_bad_options_are_exit_2() -> None:
    path = write(MINIMAL)
    assert analyze(path, "--max-probe-p95", "fast").exit_code == 2
    assert analyze(path, "--max-probe-p95", "nan").exit_code == 2
    assert analyze(path, "--peer-bytes-multiplier", "0.5").exit_code == 2
    assert analyze().exit_code == 2


UNREADABLE = {
    "missing": None,
    "not JSON": "{",
    "a list": "[]",
    "not UTF-8": b"\xff\xfe",
    "deep": "[" * 200_000,
    "not a number": '{"propagation": {"p95_ms": NaN}}',
    "endless": '{"propagation": {"p95_ms": 1e999}}',
    "a text for a number": '{"propagation": {"p95_ms": "fast"}}',
    "an integer that overflows": '{"propagation": {"p95_ms": 1' + "0" * 400 + "}}",
    "peers of no shape": '{"propagation": {"p95_ms": 1}, "peer_traffic": 7}',
}


@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_summary_is_told_and_the_others_are_judged(case: str, form: str) -> None:
    content, bad, good = UNREADABLE[case], Path("flood.json"), write(MINIMAL)
    if content is not None:
        bad.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = analyze(bad, good, "--format", form)
    assert result.exit_code == 2
    assert "flood.json" in result.stderr.splitlines()[0] and result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert "some_run" in result.stdout and "flood.json" in result.stdout
    assert json.loads(Path("out/summaries/some_run.analysis.json").read_text())["passed"]


def test_what_the_analyzer_wrote_is_left_out_of_a_pattern() -> None:
    path = write(MINIMAL)
    assert analyze(path).exit_code == 0
    found = sorted(path.parent.glob("*.json"))
    assert len(found) >= 3, "the summary, its verdicts and its alert"
    again = analyze(*found)
    assert again.exit_code == 0 and again.stderr.count("left out") == len(found) - 1
    assert analyze(*(p for p in found if p != path)).exit_code == 2


def test_failures_of_several_summaries_all_come() -> None:
    slow, leaky = fresh(MINIMAL), fresh(LOAD)
    slow["propagation"]["p95_ms"] = 900.0
    leaky["tamper_vrf"]["unexpected_accepts"] = 2
    result = analyze(write(slow, "a"), write(MINIMAL, "b"), write(leaky, "c"))
    assert result.exit_code == 1
    assert [line.split(":")[1].strip() for line in errors(result)] == ["out/summaries/a.json", "out/summaries/c.json"]


# --- alerts ----------------------------------------------------------------------------------------

P95_KEYS = ["overall_p95_ms", "trusted_p95_ms", "untrusted_p95_ms", "block_probe_p95_ms", "transaction_probe_p95_ms"]


def alert(name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """(document, labels, annotations), after a look at the outer shape."""
    document = json.loads(Path("out/summaries", name).read_text())
    assert list(document) == ["receiver", "status", "alerts"]
    (only,) = document["alerts"]
    assert list(only) == ["status", "labels", "annotations"]
    assert only["status"] == document["status"]
    return document, only["labels"], only["annotations"]


def test_the_propagation_alert() -> None:
    analyze(write({**FULL, "backend": "ci"}))
    document, labels, annotations = alert("propagation_alert.json")
    assert (document["receiver"], document["status"]) == ("network-propagation-probe", "resolved")
    assert labels == {"alertname": "PropagationProbeLatency", "severity": "info", "backend": "ci"}
    assert list(annotations) == ["summary", "description", *P95_KEYS, "failures"]
    assert [annotations[key] for key in P95_KEYS] == [500.0] * 5 and annotations["failures"] == []
    slow = fresh(MINIMAL)
    slow["propagation_probes"] = {"block": {"p50_ms": 1.0, "p95_ms": 700.0}, "backend": "stwo"}
    analyze(write(slow))
    document, labels, annotations = alert("propagation_alert.json")
    assert document["status"] == "firing"
    assert (labels["severity"], labels["backend"]) == ("warning", "stwo")
    assert (annotations["block_probe_p95_ms"], annotations["transaction_probe_p95_ms"]) == (700.0, None)
    assert len(annotations["failures"]) == 2
    analyze(write(MINIMAL))
    assert alert("propagation_alert.json")[1]["backend"] == "unspecified"


def test_the_chaos_alert_fires_for_any_failure_of_a_drill() -> None:
    analyze(write(FULL, "my_Chaos"))
    document, labels, annotations = alert("chaos_alert.json")
    assert (document["receiver"], document["status"]) == ("consensus-chaos-harness", "resolved")
    assert labels == {"alertname": "ConsensusChaosDrill", "severity": "info"}
    assert list(annotations) == ["summary", "description", "propagation_p95_ms", "resume_events", "max_resume_ms"]
    assert (annotations["propagation_p95_ms"], annotations["resume_events"], annotations["max_resume_ms"]) == (500.0, 1, 5000.0)
    busy = fresh(FULL)
    busy["resource_usage"]["avg_cpu_percent"] = 999.0
    analyze(write(busy, "my_Chaos"))
    assert (alert("chaos_alert.json")[0]["status"], alert("chaos_alert.json")[1]["severity"]) == ("firing", "critical")
    assert alert("propagation_alert.json")[0]["status"] == "resolved"


def test_a_load_has_no_alerts_and_others_no_chaos() -> None:
    analyze(write(LOAD, "chaos"))
    assert not list(Path("out").rglob("*_alert.json"))
    analyze(write(FULL))
    assert [p.name for p in Path("out").rglob("*_alert.json")] == ["propagation_alert.json"]


# --- captured folders ------------------------------------------------------------------------------


def captured(summary: Mapping[str, Any], name: str) -> list[str]:
    for folder in ("logs", "profiles", "other"):
        Path("out", folder).mkdir(parents=True, exist_ok=True)
        Path("out", folder, "file").write_text("x")
    analyze(write(summary, name), "--capture-dir", "kept")
    return sorted(str(p.relative_to("kept")) for p in Path("kept").rglob("*") if p.is_file())


def test_folders_of_runs_that_used_too_much_are_captured() -> None:
    busy = fresh(MINIMAL)
    busy["resource_usage"]["avg_cpu_percent"] = 999.0
    found = captured(busy, "run")
    assert {"out/logs/file", "out/profiles/file", "out/summaries/run.json"} <= set(found)
    assert not any("other" in name for name in found)


@pytest.mark.parametrize(("name", "kept"), [("run", False), ("chaos", True)])
def test_of_other_failures_only_drills_are_captured(name: str, kept: bool) -> None:
    slow = fresh(FULL)
    slow["propagation"]["p95_ms"] = 900.0
    assert bool(captured(slow, name)) == kept
    shutil.rmtree("kept", ignore_errors=True)
    assert captured(FULL, name) == []
    assert captured({**LOAD, "prove_ms": {**FIGURES, "p95": 1e6}}, name) == []


def test_capturing_into_what_is_captured_is_refused() -> None:
    slow = {**FULL, "propagation": {"p50_ms": 1.0, "p95_ms": 900.0}}
    result = analyze(write(slow, "chaos"), "--capture-dir", "out/summaries/kept")
    assert result.exit_code == 2
    assert "--capture-dir lies inside" in result.stderr


# --- rule files ------------------------------------------------------------------------------------


def test_a_scenarios_file_changes_a_limit_and_the_option_still_works() -> None:
    Path("analysis/thresholds").mkdir(parents=True)
    own = '[[threshold]]\nmetric = "propagation.p95_ms"\nmax = 400\nwhy = "a fast network"\n'
    Path("analysis/thresholds/some_run.toml").write_text(own + '[peer_bytes]\nstems = ["some"]\nmin = 5000\n')
    # The figures of a scenario's own file are those of simnet: other programs' summaries have upstream's rules only.
    assert analyze(write({**MINIMAL, "peer_traffic": PEERS})).exit_code == 0
    named = ["--thresholds", "analysis/thresholds/some_run.toml"]
    path = write({**MINIMAL, "peer_traffic": PEERS})
    result = analyze(path, *named)
    assert len(errors(result)) == 1 + 2 * len(PEERS)
    assert analyze(path, *named, "--max-propagation-p95", "500", "--min-peer-bytes", "0").exit_code == 0
    assert json.loads(Path("out/summaries/propagation_alert.json").read_text())["status"] == "resolved"


def test_alone_leaves_the_packaged_rules_out() -> None:
    Path("only.toml").write_text('alone = true\n[[threshold]]\nmetric = "a"\nmax = 1\nwhy = "w"\n')
    assert analyze(write({"a": 1, "bandwidth": {}}), "--thresholds", "only.toml").exit_code == 0


def test_hostile_names_reach_neither_the_terminal_nor_the_xml() -> None:
    Path("rules.toml").write_text('alone = true\n[[threshold]]\nmetric = "*"\nequals = "ok"\nwhy = "w"\n')
    path = write({"\x1b[2J": "\x00\x1b"})
    assert "\x1b" not in analyze(path, "--thresholds", "rules.toml").output
    xml = analyze(path, "--thresholds", "rules.toml", "--format", "junit").stdout
    assert ET.fromstring(xml).find("testsuite") is not None


# --- anything at all in the place of anything ------------------------------------------------------

STRANGE: tuple[object, ...] = (None, True, "text", [], {}, [None], {"a": 1}, -1, 0, 1e308, 10**79)


def places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places(inner, (*path, key))


def replaced(summary: Mapping[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    copy = fresh(summary)
    place: Any = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


@pytest.mark.parametrize("summary", [FULL, LOAD], ids=["full", "load"])
def test_no_value_anywhere_ends_in_a_traceback(summary: dict[str, Any]) -> None:
    outcomes: Counter[str] = Counter()
    side = load_side([write(summary, "good")])
    for path in places(summary):
        for value in STRANGE if path else ():
            given = write(replaced(summary, path, value), "chaos")
            for judged in (
                analyze_file,
                lambda p: partition_report(p, 2, 25),
                lambda p: compare(side, load_side([p]), every_number([json_object(p)]), 1, 0.05),
            ):
                try:
                    result = judged(given)
                except SimnetError:
                    outcomes["refused"] += 1
                    continue
                outcomes[type(result).__name__] += 1
                if isinstance(result, Analysis):
                    for form in FORMATS.values():
                        form([result])
    assert min(outcomes["refused"], outcomes["Analysis"], outcomes["Comparison"]) > 100
