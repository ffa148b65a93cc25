"""`simnet regression`: one report on several wrappers, the failed ones included."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.runs import DATA, TINY, simnet

LOAD = DATA / "wrappers/deterministic_consensus.ron"
BAD = DATA / "wrappers/invalid_consensus.ron"


class Cells(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._inside = tag == "td"
        self.cells += [""] if self._inside else []

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.cells[-1] += data


def test_a_failed_wrapper_is_reported_beside_a_good_one(tmp_path: Path) -> None:
    done = simnet("regression", "--artifacts-root", "r", "--scenario", LOAD, "--scenario", BAD, cwd=tmp_path)
    assert done.returncode == 1
    assert "1 of 2 passed" in done.stdout
    report = json.loads((tmp_path / "r/regression.json").read_text())
    assert (report["total"], report["passed"], report["failed"]) == (2, 1, 1)
    good, bad = report["scenarios"]
    assert (good["name"], good["status"], good["errors"]) == ("deterministic-consensus", "passed", [])
    assert good["artifacts_dir"] == "r/deterministic-consensus"
    assert good["consensus"]["runs"] == 3 and good["consensus"]["tamper_vrf"]["rejected"] == 2
    assert good["consensus"]["summary_path"] == "r/deterministic-consensus/summaries/deterministic_consensus.json"
    assert bad["status"] == "failed" and "consensus.runs must be greater than zero" in bad["errors"][0]
    assert (bad["consensus"], bad["p2p_summary"]) == (None, None)
    cells = Cells((tmp_path / "r/regression.html").read_text()).cells
    one, other = cells[:6], cells[6:]
    assert one[:2] == ["deterministic-consensus", "passed"] and "3 runs, prove p95" in one[3] and one[4:] == ["–", ""]
    assert other[1] == "failed" and other[3:5] == ["–", "–"] and "greater than zero" in other[5]


def test_the_networks_summary_is_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(TINY.read_text().replace("duration_ms = 10000", "duration_ms = 3000").replace("9000", "2500"))
    wrapper = tmp_path / "net_work.ron"
    wrapper.write_text(json.dumps({"name": "Net", "p2p": {"scenario_path": "tiny.toml"}}))
    done = simnet("regression", "--artifacts-root", "r", "--scenario", wrapper, "--json-report", "j.json", cwd=tmp_path)
    report = json.loads((tmp_path / "j.json").read_text())
    (entry,) = report["scenarios"]
    assert entry["p2p_summary_path"] == "r/net-work/summaries/net.json"
    assert entry["p2p_summary"]["total_publishes"] > 0
    assert done.returncode == (0 if entry["status"] == "passed" else 1), done.stderr


def test_a_name_that_is_no_wrapper_ends_before_anything_runs(tmp_path: Path) -> None:
    done = simnet("regression", "--scenario", LOAD, "--scenario", "no-such", cwd=tmp_path)
    assert done.returncode == 2 and "no profile 'no-such'" in done.stderr
    assert not (tmp_path / "target").exists()
